// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_SIMD_KERNELS_VICINAL_KERNELS_HPP
#define VICINAL_BENCH_SIMD_KERNELS_VICINAL_KERNELS_HPP

#include "contestant.hpp"

#include <vicinal/codec/sq8.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/hamming.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/metric/jaccard.hpp>
#include <vicinal/metric/l1.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/simd/nibble_sums.hpp>
#include <vicinal/simd/tile.hpp>

#include <string>
#include <type_traits>

// Included by two units with different flags; nothing of it may be merged by the linker.
namespace {

using namespace vicinal;

template <class T>
std::string const element_name = std::is_same_v<T, float>         ? "f32"
                                 : std::is_same_v<T, f16>         ? "f16"
                                 : std::is_same_v<T, bf16>        ? "bf16"
                                 : std::is_same_v<T, std::int8_t> ? "i8"
                                                                  : "u8";

/// One row a call through the metric, as a search of a graph does; `dim` may count bits.
template <class Metric>
void add_metric(bench::contestants& to, std::string const& kernel, std::string const& who,
                std::size_t elements_a_byte = 1) {
    using T = typename Metric::value_type;
    to.push_back({kernel, who, bench::kernel_rows, [=](std::size_t dim) -> std::function<double()> {
                      auto const n = dim / elements_a_byte;
                      return [dim, n, query = bench::numbers<T>(0, n),
                              rows = bench::many_numbers<T>(n)] {
                          auto const distance = metric::bind<Metric>(query.data(), dim);
                          double sum = 0;
                          for (std::size_t i = 0; i < bench::kernel_rows; ++i)
                              sum += static_cast<double>(distance(rows.data() + i * n));
                          return sum;
                      };
                  }});
}

/// Four rows a call.
template <class Metric>
void add_four(bench::contestants& to, std::string const& kernel, std::string const& who) {
    using T = typename Metric::value_type;
    to.push_back({kernel, who, bench::kernel_rows, [=](std::size_t n) -> std::function<double()> {
                      return
                          [n, query = bench::numbers<T>(0, n), rows = bench::many_numbers<T>(n)] {
                              auto const distance = metric::bind<Metric>(query.data(), n);
                              double sum = 0;
                              for (std::size_t i = 0; i < bench::kernel_rows; i += 4) {
                                  auto const* const r = rows.data() + i * n;
                                  T const* const four[4] = {r, r + n, r + 2 * n, r + 3 * n};
                                  float out[4];
                                  distance.four(four, out);
                                  for (auto const d : out) sum += static_cast<double>(d);
                              }
                              return sum;
                          };
                  }});
}

/// The distances that users see, with the same bits everywhere.
template <class Metric>
void add_exact(bench::contestants& to, std::string const& kernel, std::string const& who) {
    using T = typename Metric::value_type;
    to.push_back({kernel, who, bench::kernel_rows, [](std::size_t dim) {
                      return bench::pass_over_rows<T>(dim,
                                                      [](T const* q, T const* r, std::size_t n) {
                                                          return metric::exact<Metric>(q, r, n);
                                                      });
                  }});
}

/// Of codes: a kernel of one row, with what prepares rows and query.
template <class Kernel, class Prepare>
void add_codes(bench::contestants& to, std::string const& kernel, std::string const& who,
               Prepare prepare) {
    to.push_back({kernel, who, bench::kernel_rows, [=](std::size_t dim) -> std::function<double()> {
                      auto query = bench::numbers<std::int8_t>(0, dim);
                      auto rows = bench::many_numbers<std::uint8_t>(dim);
                      auto const bytes = prepare(query, rows, dim);
                      return [bytes, query, rows] {
                          auto const one = Kernel::one::get();
                          double sum = 0;
                          for (std::size_t i = 0; i < bench::kernel_rows; ++i)
                              sum += one(query.data(), rows.data() + i * bytes, bytes);
                          return sum;
                      };
                  }});
}

void add_integer_dots(bench::contestants& to, std::string const& who) {
    using query_codes = bench::aligned<std::int8_t>;
    using row_codes = bench::aligned<std::uint8_t>;
    add_codes<simd::byte_dot>(to, "dot of 8-bit codes", who,
                              [](query_codes&, row_codes&, std::size_t dim) { return dim; });
    add_codes<simd::low_byte_dot>(to, "dot of 7-bit codes", who,
                                  [](query_codes&, row_codes& rows, std::size_t dim) {
                                      for (auto& r : rows) r &= 127;
                                      return dim;
                                  });
    add_codes<simd::nibble_dot>(
        to, "dot of 4-bit codes", who, [](query_codes& query, row_codes& rows, std::size_t dim) {
            query_codes ordered(simd::nibble_query_size(dim / 2));
            simd::order_nibble_query(query.data(), dim, ordered.data());
            query = ordered;
            row_codes packed(rows.size() / 2);
            for (std::size_t i = 0; i < packed.size(); ++i)
                packed[i] = static_cast<std::uint8_t>((rows[2 * i] & 15) | rows[2 * i + 1] << 4);
            rows = packed;
            return dim / 2;
        });
}

void add_tiles(bench::contestants& to, std::string const& who) {
    constexpr auto distances = bench::tile_queries * bench::tile_rows;
    to.push_back({"tile f32", who, distances, [](std::size_t dim) -> std::function<double()> {
                      auto const queries = bench::many_numbers<float>(dim, bench::tile_queries, 1);
                      bench::aligned<float> panel(simd::panel_size(dim));
                      simd::make_panel(queries.data(), dim, bench::tile_queries, dim, panel.data());
                      return [dim, panel,
                              rows = bench::many_numbers<float>(dim, bench::tile_rows, 100),
                              out = bench::aligned<float>(distances)]() mutable {
                          simd::tile_product::get()(panel.data(), rows.data(), dim,
                                                    bench::tile_rows, dim, out.data());
                          return static_cast<double>(out.front()) + out.back();
                      };
                  }});
    to.push_back(
        {"tile of 8-bit codes", who, distances, [](std::size_t dim) -> std::function<double()> {
             auto const queries = bench::many_numbers<std::int8_t>(dim, bench::tile_queries, 1);
             bench::aligned<std::int8_t> panel(simd::byte_panel_size(dim));
             simd::make_byte_panel(queries.data(), dim, bench::tile_queries, dim, panel.data());
             return
                 [dim, panel, rows = bench::many_numbers<std::uint8_t>(dim, bench::tile_rows, 100),
                  out = bench::aligned<std::int32_t>(distances)]() mutable {
                     simd::byte_tile_product::get()(panel.data(), rows.data(), dim,
                                                    bench::tile_rows, dim, out.data());
                     return static_cast<double>(out.front()) + out.back();
                 };
         }});
}

template <class... T>
void add_elements(bench::contestants& to, std::string const& who) {
    (add_metric<metric::basic_squared_l2<T>>(to, "squared_l2 " + element_name<T>, who), ...);
    (add_metric<metric::basic_inner_product<T>>(to, "inner_product " + element_name<T>, who), ...);
    (add_metric<metric::basic_cosine<T>>(to, "cosine " + element_name<T>, who), ...);
    (add_metric<metric::basic_l1<T>>(to, "l1 " + element_name<T>, who), ...);
}

void add_all(bench::contestants& to, std::string const& who) {
    add_elements<float, f16, bf16, std::int8_t, std::uint8_t>(to, who);
    add_four<metric::squared_l2>(to, "squared_l2 f32, four rows", who);
    add_four<metric::inner_product>(to, "inner_product f32, four rows", who);
    add_exact<metric::squared_l2>(to, "squared_l2 f32, exact", who);
    add_metric<metric::hamming>(to, "hamming", who, 8);
    add_metric<metric::jaccard>(to, "jaccard", who, 8);
    add_integer_dots(to, who);
    add_tiles(to, who);
}

} // namespace

#endif

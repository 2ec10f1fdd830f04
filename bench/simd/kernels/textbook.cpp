// SPDX-License-Identifier: MIT
// Compiled with -O3 -march=native; see bench/CMakeLists.txt.
#include "contestant.hpp"

#include <vicinal/core/half.hpp>

#include <bit>
#include <cmath>
#include <type_traits>

namespace {

using vicinal::bf16;
using vicinal::f16;

/// What the sums of T are made in.
template <class T>
using sum_of = std::conditional_t<sizeof(T) == 1, std::int32_t, float>;

template <class T>
float squared_l2(T const* a, T const* b, std::size_t n) {
    sum_of<T> sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
        auto const d = static_cast<sum_of<T>>(a[i]) - static_cast<sum_of<T>>(b[i]);
        sum += d * d;
    }
    return static_cast<float>(sum);
}
template <class T>
float inner_product(T const* a, T const* b, std::size_t n) {
    sum_of<T> sum = 0;
    for (std::size_t i = 0; i < n; ++i)
        sum += static_cast<sum_of<T>>(a[i]) * static_cast<sum_of<T>>(b[i]);
    return -static_cast<float>(sum);
}
template <class T>
float cosine(T const* a, T const* b, std::size_t n) {
    return 1 + inner_product(a, b, n) / std::sqrt(inner_product(a, a, n) * inner_product(b, b, n));
}
template <class T>
float l1(T const* a, T const* b, std::size_t n) {
    sum_of<T> sum = 0;
    for (std::size_t i = 0; i < n; ++i)
        sum += std::abs(static_cast<sum_of<T>>(a[i]) - static_cast<sum_of<T>>(b[i]));
    return static_cast<float>(sum);
}
float hamming(std::uint8_t const* a, std::uint8_t const* b, std::size_t n) {
    int sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += std::popcount(static_cast<unsigned>(a[i] ^ b[i]));
    return static_cast<float>(sum);
}
float jaccard(std::uint8_t const* a, std::uint8_t const* b, std::size_t n) {
    int both = 0;
    int either = 0;
    for (std::size_t i = 0; i < n; ++i) {
        both += std::popcount(static_cast<unsigned>(a[i] & b[i]));
        either += std::popcount(static_cast<unsigned>(a[i] | b[i]));
    }
    return 1 - static_cast<float>(both) / static_cast<float>(either);
}

template <class T>
void add(bench::contestants& to, std::string const& kernel,
         float (*loop)(T const*, T const*, std::size_t), std::size_t elements_a_byte = 1) {
    to.push_back({kernel, "textbook", bench::kernel_rows, [=](std::size_t dim) {
                      return bench::pass_over_rows<T>(dim / elements_a_byte, loop);
                  }});
}

template <class T>
void add_element(bench::contestants& to, std::string const& element) {
    add<T>(to, "squared_l2 " + element, squared_l2<T>);
    add<T>(to, "inner_product " + element, inner_product<T>);
    add<T>(to, "cosine " + element, cosine<T>);
    add<T>(to, "l1 " + element, l1<T>);
}

/// Signed query codes with unsigned row codes, of which the low bits count.
template <int Low>
std::int32_t dot(std::int8_t const* query, std::uint8_t const* row, std::size_t n) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += query[i] * (row[i] & Low);
    return sum;
}

template <int Low>
void add_dot(bench::contestants& to, std::string const& kernel) {
    // As a pointer: no contestant is inlined into the loop over rows.
    auto const volatile loop = dot<Low>;
    to.push_back(
        {kernel, "textbook", bench::kernel_rows, [=](std::size_t dim) -> std::function<double()> {
             return [dim, f = loop, query = bench::numbers<std::int8_t>(0, dim),
                     rows = bench::many_numbers<std::uint8_t>(dim)] {
                 double sum = 0;
                 for (std::size_t i = 0; i < bench::kernel_rows; ++i)
                     sum += f(query.data(), rows.data() + i * dim, dim);
                 return sum;
             };
         }});
}

template <class Query, class Row, class Sum>
void add_tile(bench::contestants& to, std::string const& kernel) {
    constexpr auto distances = bench::tile_queries * bench::tile_rows;
    to.push_back({kernel, "textbook", distances, [](std::size_t dim) -> std::function<double()> {
                      return [dim, queries = bench::many_numbers<Query>(dim, bench::tile_queries),
                              rows = bench::many_numbers<Row>(dim, bench::tile_rows, 100),
                              out = bench::aligned<Sum>(distances)]() mutable {
                          for (std::size_t r = 0; r < bench::tile_rows; ++r)
                              for (std::size_t q = 0; q < bench::tile_queries; ++q) {
                                  Sum sum = 0;
                                  for (std::size_t k = 0; k < dim; ++k)
                                      sum += static_cast<Sum>(queries[q * dim + k]) *
                                             static_cast<Sum>(rows[r * dim + k]);
                                  out[r * bench::tile_queries + q] = sum;
                              }
                          return static_cast<double>(out.front()) + static_cast<double>(out.back());
                      };
                  }});
}

} // namespace

void bench::add_textbook(contestants& to) {
    add_element<float>(to, "f32");
    add_element<f16>(to, "f16");
    add_element<bf16>(to, "bf16");
    add_element<std::int8_t>(to, "i8");
    add_element<std::uint8_t>(to, "u8");
    add<float>(to, "squared_l2 f32, four rows", squared_l2<float>);
    add<float>(to, "inner_product f32, four rows", inner_product<float>);
    add<float>(to, "squared_l2 f32, exact", squared_l2<float>);
    add<std::uint8_t>(to, "hamming", hamming, 8);
    add<std::uint8_t>(to, "jaccard", jaccard, 8);
    add_dot<255>(to, "dot of 8-bit codes");
    add_dot<127>(to, "dot of 7-bit codes");
    add_dot<15>(to, "dot of 4-bit codes");
    add_tile<float, float, float>(to, "tile f32");
    add_tile<std::int8_t, std::uint8_t, std::int32_t>(to, "tile of 8-bit codes");
}

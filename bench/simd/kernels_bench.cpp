// SPDX-License-Identifier: MIT
// Nanoseconds a distance, in cache: 16 rows that stay in the first level, so that the kernel is
// measured and not the memory. `textbook` is the plain loop; `hnswlib` and `faiss` their kernels,
// hnswlib's compiled with this program's flags. Ratios are times of theirs to ours: above 1 is
// faster than they are. Built twice, plain and with -march=native, in one run:
//
//     kernels_bench            the table
//     kernels_bench --lines    "name dimension nanoseconds" a line, for comparing two builds
#include <vicinal/core/bits.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/hamming.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/metric/jaccard.hpp>
#include <vicinal/metric/l1.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/simd/bit_sums.hpp>
#include <vicinal/simd/nibble_sums.hpp>
#include <vicinal/simd/tile.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#if VICINAL_BENCH_HNSWLIB
#    include <hnswlib/hnswlib.h>
#endif
#if VICINAL_BENCH_FAISS
#    include <faiss/utils/distances.h>
#endif

namespace {

using namespace vicinal;
constexpr std::size_t row_count = 16;

template <class T>
std::vector<T> elements(std::size_t n, std::uint64_t seed) {
    std::vector<T> v(n);
    for (std::size_t i = 0; i < n; ++i) {
        auto const bits = detail::mix(seed + i);
        if constexpr (metric::byte_element<T>)
            v[i] = static_cast<T>(bits);
        else
            v[i] = static_cast<T>(static_cast<float>(bits >> 40) / 16777216.0F - 0.5F);
    }
    return v;
}

/// What is measured: a call that makes 16 distances, and its times.
struct entry {
    std::string name;
    std::function<void()> call;
    double distances = row_count;
    std::vector<double> times = {};

    [[nodiscard]] double median() {
        auto const middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
        std::nth_element(times.begin(), middle, times.end());
        return *middle;
    }
};

float volatile sink;

template <class M>
void add_metric(std::vector<entry>& list, std::string const& name, std::size_t dim,
                std::size_t row_length) {
    using T = metric::element_of<M>;
    auto const query = elements<T>(row_length, 1);
    auto const rows = elements<T>(row_length * row_count, 2);
    list.push_back({name, [=] {
                        auto const distance = metric::bind<M>(query.data(), dim);
                        float sum = 0;
                        for (std::size_t i = 0; i < row_count; ++i)
                            sum += distance(rows.data() + i * row_length);
                        sink = sum;
                    }});
    if constexpr (requires(float* out, T const* const* r) { M::bind(nullptr, 0).four(r, out); })
        list.push_back({name + ", four rows", [=] {
                            auto const distance = metric::bind<M>(query.data(), dim);
                            float out[4];
                            for (std::size_t i = 0; i < row_count; i += 4) {
                                auto const* const first = rows.data() + i * row_length;
                                T const* const four[4] = {first, first + row_length,
                                                          first + 2 * row_length,
                                                          first + 3 * row_length};
                                distance.four(four, out);
                                sink = out[0];
                            }
                        }});
}

template <class T>
void add_element(std::vector<entry>& list, std::string const& element, std::size_t dim) {
    add_metric<metric::basic_squared_l2<T>>(list, "squared_l2 " + element, dim, dim);
    add_metric<metric::basic_inner_product<T>>(list, "inner_product " + element, dim, dim);
    add_metric<metric::basic_cosine<T>>(list, "cosine " + element, dim, dim);
    add_metric<metric::basic_l1<T>>(list, "l1 " + element, dim, dim);
}

template <class Kernels>
void add_codes(std::vector<entry>& list, std::string const& name, std::size_t bytes,
               unsigned char largest) {
    using Q = typename Kernels::query_type;
    auto query = elements<Q>(simd::nibble_query_size(bytes), 1);
    auto rows = elements<typename Kernels::row_type>(bytes * row_count, 2);
    for (auto& x : query) x = static_cast<Q>(x & largest);
    for (auto& x : rows) x = static_cast<typename Kernels::row_type>(x & largest);
    list.push_back({name, [=] {
                        std::int32_t out[row_count];
                        Kernels::block::get()(query.data(), rows.data(), bytes, row_count, bytes,
                                              out);
                        sink = static_cast<float>(out[0]);
                    }});
}

void add_tiles(std::vector<entry>& list, std::size_t dim) {
    auto const panel = elements<float>(simd::panel_size(dim), 1);
    auto const rows = elements<float>(dim * 96, 2);
    list.push_back({"tile f32, 32 queries",
                    [=] {
                        static float out[96 * simd::panel_queries];
                        simd::tile_product::get()(panel.data(), rows.data(), dim, 96, dim, out);
                        sink = out[0];
                    },
                    96 * simd::panel_queries});
    auto const byte_panel = elements<std::int8_t>(simd::byte_panel_size(dim), 1);
    auto const bytes = elements<std::uint8_t>(dim * 96, 2);
    list.push_back({"tile u8, 32 queries",
                    [=] {
                        static std::int32_t out[96 * simd::panel_queries];
                        simd::byte_tile_product::get()(byte_panel.data(), bytes.data(), dim, 96,
                                                       dim, out);
                        sink = static_cast<float>(out[0]);
                    },
                    96 * simd::panel_queries});
}

template <class Distance>
void add_peer(std::vector<entry>& list, std::string const& name, std::size_t dim,
              Distance distance) {
    auto const query = elements<float>(dim, 1);
    auto const rows = elements<float>(dim * row_count, 2);
    list.push_back({name, [=] {
                        float sum = 0;
                        for (std::size_t i = 0; i < row_count; ++i)
                            sum += distance(query.data(), rows.data() + i * dim);
                        sink = sum;
                    }});
}

std::vector<entry> entries(std::size_t dim) {
    std::vector<entry> list;
    add_element<float>(list, "f32", dim);
    add_peer(list, "textbook squared_l2", dim, [dim](float const* a, float const* b) {
        float sum = 0;
        for (std::size_t i = 0; i < dim; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
        return sum;
    });
    add_peer(list, "textbook inner_product", dim, [dim](float const* a, float const* b) {
        float sum = 0;
        for (std::size_t i = 0; i < dim; ++i) sum += a[i] * b[i];
        return 0 - sum;
    });
#if VICINAL_BENCH_HNSWLIB
    {
        // The space lives as long as the program: its kernels keep a pointer into it.
        auto* const space = new hnswlib::L2Space(dim);
        auto* const products = new hnswlib::InnerProductSpace(dim);
        add_peer(list, "hnswlib squared_l2", dim,
                 [f = space->get_dist_func(), p = space->get_dist_func_param()](
                     float const* a, float const* b) { return f(a, b, p); });
        add_peer(list, "hnswlib inner_product", dim,
                 [f = products->get_dist_func(), p = products->get_dist_func_param()](
                     float const* a, float const* b) { return f(a, b, p); });
    }
#endif
#if VICINAL_BENCH_FAISS
    add_peer(list, "faiss squared_l2", dim,
             [dim](float const* a, float const* b) { return faiss::fvec_L2sqr(a, b, dim); });
    add_peer(list, "faiss inner_product", dim, [dim](float const* a, float const* b) {
        return faiss::fvec_inner_product(a, b, dim);
    });
#endif
    add_element<f16>(list, "f16", dim);
    add_element<bf16>(list, "bf16", dim);
    add_element<std::int8_t>(list, "i8", dim);
    add_element<std::uint8_t>(list, "u8", dim);
    add_metric<metric::hamming>(list, "hamming", dim, (dim + 7) / 8);
    add_metric<metric::jaccard>(list, "jaccard", dim, (dim + 7) / 8);
    add_codes<simd::byte_dot>(list, "8-bit codes, dot", dim, 255);
    add_codes<simd::byte_difference>(list, "8-bit codes, difference", dim, 255);
    add_codes<simd::low_byte_dot>(list, "7-bit codes, dot", dim, 127);
    add_codes<simd::low_byte_difference>(list, "7-bit codes, difference", dim, 127);
    add_codes<simd::nibble_dot>(list, "4-bit codes, dot", dim / 2, 255);
    add_codes<simd::nibble_difference>(list, "4-bit codes, difference", dim / 2, 255);
    add_tiles(list, dim);
    return list;
}

/// Every entry in turn, many times over, so that what else the machine does meets all alike.
void measure(std::vector<entry>& list, int rounds) {
    using clock = std::chrono::steady_clock;
    for (int round = 0; round < rounds; ++round)
        for (auto& e : list) {
            int const calls = e.distances > row_count ? 1 : 20;
            e.call();
            auto const start = clock::now();
            for (int i = 0; i < calls; ++i) e.call();
            std::chrono::duration<double, std::nano> const taken = clock::now() - start;
            e.times.push_back(taken.count() / calls / e.distances);
        }
}

double time_of(std::vector<entry>& list, std::string const& name) {
    for (auto& e : list)
        if (e.name == name) return e.median();
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    bool const lines = argc > 1 && std::strcmp(argv[1], "--lines") == 0;
    if (!lines) std::printf("instruction set: %s\n", simd::name(simd::chosen()).data());
    for (std::size_t const dim : {32U, 96U, 128U, 384U, 768U, 1536U}) {
        auto list = entries(dim);
        measure(list, 301);
        for (auto& e : list)
            if (lines)
                std::printf("%s;%zu;%.3f\n", e.name.c_str(), dim, e.median());
            else
                std::printf("%5zu  %-28s %9.2f ns\n", dim, e.name.c_str(), e.median());
        if (lines) continue;
        for (auto const* sum : {"squared_l2", "inner_product"})
            for (auto const* peer : {"textbook", "hnswlib", "faiss"})
                if (double const theirs = time_of(list, std::string(peer) + " " + sum); theirs > 0)
                    std::printf("%5zu  %s: %s takes %.2f times ours\n", dim, sum, peer,
                                theirs / time_of(list, std::string(sum) + " f32"));
        auto const operations = 2.0 * static_cast<double>(dim);
        std::printf("%5zu  tile f32: %.0f GFLOP/s, u8: %.0f GOP/s\n", dim,
                    operations / time_of(list, "tile f32, 32 queries"),
                    operations / time_of(list, "tile u8, 32 queries"));
    }
}

// SPDX-License-Identifier: MIT
// Kernels beside the loops of a textbook, for every length around each register's, without any
// library: what `./dev foreign` compiles for other processors and runs under an emulator. Last come
// the bits of exact distances, which are the same on every processor: their hash stands here.
#include <vicinal/codec/sq8.hpp>
#include <vicinal/core/bits.hpp>
#include <vicinal/index/flat.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/hamming.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/metric/jaccard.hpp>
#include <vicinal/metric/l1.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/simd/nibble_sums.hpp>
#include <vicinal/simd/tile.hpp>

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <vector>

namespace {

using namespace vicinal;

constexpr std::size_t longest = 270;

void require(bool good, char const* what, std::size_t n) {
    if (good) return;
    std::printf("FAILED: %s, length %zu\n", what, n);
    std::exit(1);
}

/// Any bytes; floats are multiples of 1/64 up to 8, so that a textbook's sums are exact.
template <class T>
std::vector<T> numbers(std::size_t n, std::uint64_t seed) {
    std::vector<T> v;
    for (std::size_t i = 0; i < n; ++i) {
        auto const x = detail::mix(seed * 1000 + i);
        if constexpr (sizeof(T) == 1)
            v.push_back(static_cast<T>(x));
        else if constexpr (std::is_same_v<T, bf16>)
            v.push_back(T(static_cast<float>(static_cast<int>(x % 255) - 127) / 16));
        else
            v.push_back(T(static_cast<float>(static_cast<int>(x % 1023) - 511) / 64));
    }
    return v;
}

template <class T>
double value(T x) {
    return static_cast<double>(static_cast<float>(x));
}

struct sums {
    double square = 0, product = 0, sizes = 0, distance = 0, a = 0, b = 0;
};
template <class T>
sums textbook(T const* x, T const* y, std::size_t n) {
    sums s;
    for (std::size_t i = 0; i < n; ++i) {
        double const p = value(x[i]), q = value(y[i]);
        s.square += (p - q) * (p - q);
        s.product += p * q;
        s.sizes += std::abs(p * q);
        s.distance += std::abs(p - q);
        s.a += p * p;
        s.b += q * q;
    }
    return s;
}

template <class M, class T>
void check_metric(char const* what, T const* x, T const* y, std::size_t n, double want,
                  double size) {
    auto const near = [&](float got, double within) {
        require(std::abs(value(got) - want) <= within * size + 1e-6, what, n);
    };
    near(metric::exact<M>(x, y, n), 2e-7);
    auto const bound = metric::bind<M>(x, n);
    near(bound(y), 3e-5);
    T const* const rows[4] = {y, y, y, y};
    float out[4];
    bound.four(rows, out);
    for (auto const d : out) near(d, 3e-5);
}

template <class T>
void check_metrics(char const* what) {
    auto const a = numbers<T>(longest + 3, 1);
    auto const b = numbers<T>(longest + 3, 2);
    for (std::size_t n = 1; n <= longest; ++n) {
        // Rows need no alignment.
        auto const* const x = &a[n % 4];
        auto const* const y = &b[3 - n % 4];
        auto const s = textbook(x, y, n);
        check_metric<metric::basic_squared_l2<T>>(what, x, y, n, s.square, s.square);
        check_metric<metric::basic_inner_product<T>>(what, x, y, n, -s.product, s.sizes);
        check_metric<metric::basic_l1<T>>(what, x, y, n, s.distance, s.distance);
        check_metric<metric::basic_cosine<T>>(what, x, y, n, 1 - s.product / std::sqrt(s.a * s.b),
                                              2);
    }
}

void check_bits() {
    auto const a = numbers<std::uint8_t>(longest, 1);
    auto const b = numbers<std::uint8_t>(longest, 2);
    for (std::size_t dim = 0; dim <= longest * 8; dim += dim < 300 ? 1 : 29) {
        double differ = 0, both = 0, either = 0;
        for (std::size_t i = 0; i < dim; ++i) {
            int const x = a[i / 8] >> i % 8 & 1, y = b[i / 8] >> i % 8 & 1;
            differ += x ^ y;
            both += x & y;
            either += x | y;
        }
        auto const jaccard = either > 0 ? 1 - both / either : 0;
        check_metric<metric::hamming>("hamming", a.data(), b.data(), dim, differ, 0);
        check_metric<metric::jaccard>("jaccard", a.data(), b.data(), dim, jaccard, 0);
    }
}

void check_codes() {
    auto const query = numbers<std::int8_t>(2 * longest, 1);
    auto const row = numbers<std::uint8_t>(longest, 2);
    for (std::size_t n = 0; n <= longest; ++n) {
        int dot = 0, low = 0, nibbles = 0;
        std::vector<std::uint8_t> halved(row);
        for (auto& x : halved) x &= 127;
        for (std::size_t i = 0; i < n; ++i) {
            dot += query[i] * row[i];
            low += query[i] * halved[i];
            nibbles += query[2 * i] * (row[i] & 15) + query[2 * i + 1] * (row[i] >> 4);
        }
        std::vector<std::int8_t> ordered(simd::nibble_query_size(n));
        simd::order_nibble_query(query.data(), 2 * n, ordered.data());
        require(simd::byte_dot::one::get()(query.data(), row.data(), n) == dot, "8-bit codes", n);
        require(simd::low_byte_dot::one::get()(query.data(), halved.data(), n) == low,
                "7-bit codes", n);
        require(simd::nibble_dot::one::get()(ordered.data(), row.data(), n) == nibbles,
                "4-bit codes", n);
    }
}

void check_tiles() {
    std::size_t const queries = 29, rows = 31;
    for (std::size_t dim = 1; dim <= 70; ++dim) {
        auto const q = numbers<float>(queries * dim, 1);
        auto const r = numbers<float>(rows * dim, 2);
        std::vector<float> panel(simd::panel_size(dim)), out(rows * simd::panel_queries);
        simd::make_panel(q.data(), dim, queries, dim, panel.data());
        simd::tile_product::get()(panel.data(), r.data(), dim, rows, dim, out.data());
        auto const codes = numbers<std::int8_t>(queries * dim, 3);
        auto const bytes = numbers<std::uint8_t>(rows * dim, 4);
        std::vector<std::int8_t> byte_panel(simd::byte_panel_size(dim));
        std::vector<std::int32_t> whole(rows * simd::panel_queries);
        simd::make_byte_panel(codes.data(), dim, queries, dim, byte_panel.data());
        simd::byte_tile_product::get()(byte_panel.data(), bytes.data(), dim, rows, dim,
                                       whole.data());
        for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t j = 0; j < queries; ++j) {
                int dot = 0;
                for (std::size_t k = 0; k < dim; ++k)
                    dot += codes[j * dim + k] * bytes[i * dim + k];
                auto const at = i * simd::panel_queries + j;
                auto const want = textbook(&q[j * dim], &r[i * dim], dim).product;
                require(std::abs(value(out[at]) - want) < 1e-3, "tile of floats", dim);
                require(whole[at] == dot, "tile of bytes", dim);
            }
    }
}

/// The scan of codes gives brute force's answer, one query and many.
template <class Metric>
void check_scan() {
    for (std::size_t const dim : {3U, 17U, 64U}) {
        std::size_t const count = 1000, queries = 6;
        auto const data = numbers<float>(count * dim, dim);
        auto const query = numbers<float>(queries * dim, dim + 1);
        storage::memory::space space;
        auto& rows = *space.column("vectors", dim * sizeof(float)).value();
        storage::grow(rows, count).value();
        std::memcpy(rows.edit(0), data.data(), data.size() * sizeof(float));
        using scan = typename index::flat<codec::sq8>::of<Metric, storage::memory>;
        auto coded = scan::open(space, rows, dim, {}).value();
        coded.take_in(count, index::keep_all{}, index::no_section{}).value();
        auto const together = coded.search(query.data(), queries, 10, index::keep_all{}, 1).value();
        for (std::size_t q = 0; q < queries; ++q) {
            index::nearest truth(10);
            index::scan_exactly<Metric>(rows.reader(), 0, count, &query[q * dim], dim,
                                        index::keep_all{}, truth);
            auto const want = truth.take();
            require(coded.search(&query[q * dim], 10, 0, index::keep_all{}).value() == want,
                    "scan of codes", dim);
            require(together[q] == want, "batch over codes", dim);
        }
    }
}

/// A hash over the bits of exact distances of numbers that are rounded everywhere.
std::uint64_t hash_of_exact() {
    std::uint64_t hash = 0;
    std::vector<float> a, b;
    for (std::size_t i = 0; i < longest; ++i) {
        a.push_back(static_cast<float>(detail::mix(i) >> 40) / 1234567.0F);
        b.push_back(static_cast<float>(detail::mix(i + longest) >> 40) / 7654321.0F);
        for (float const d : {metric::exact<metric::squared_l2>(a.data(), b.data(), i + 1),
                              metric::exact<metric::inner_product>(a.data(), b.data(), i + 1),
                              metric::exact<metric::cosine>(a.data(), b.data(), i + 1),
                              metric::exact<metric::l1>(a.data(), b.data(), i + 1)})
            hash = detail::mix(hash ^ std::bit_cast<std::uint32_t>(d));
    }
    return hash;
}

} // namespace

int main() {
    check_metrics<float>("f32");
    check_metrics<f16>("f16");
    check_metrics<bf16>("bf16");
    check_metrics<std::int8_t>("i8");
    check_metrics<std::uint8_t>("u8");
    check_bits();
    check_codes();
    check_tiles();
    check_scan<metric::squared_l2>();
    check_scan<metric::inner_product>();
    check_scan<metric::cosine>();
    auto const hash = hash_of_exact();
    std::printf("exact distances: %016llx\n", static_cast<unsigned long long>(hash));
    require(hash == 0x7615cdddcbd9f9e0U, "the bits of exact distances", 0);
    std::puts("all kernels are right");
}

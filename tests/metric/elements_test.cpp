// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/hamming.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/metric/jaccard.hpp>
#include <vicinal/metric/l1.hpp>
#include <vicinal/metric/squared_l2.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace metric = vicinal::metric;

namespace {

template <class T>
std::vector<T> elements(std::size_t n, std::uint64_t seed) {
    vicinal_test::generator r(seed);
    std::vector<T> list;
    for (std::size_t i = 0; i < n; ++i)
        if constexpr (metric::byte_element<T>)
            list.push_back(static_cast<T>(r.next()));
        else
            list.push_back(static_cast<T>(r.real(-10, 10)));
    return list;
}

template <class T>
double value(T x) {
    return static_cast<double>(static_cast<float>(x));
}

struct by_the_book {
    double difference = 0;
    double dot = 0;
    double sizes = 0;
    double distance = 0;
    double square = 0;
    double other = 0;
};

template <class T>
by_the_book textbook_sums(T const* a, T const* b, std::size_t n) {
    by_the_book s;
    for (std::size_t i = 0; i < n; ++i) {
        double const x = value(a[i]);
        double const y = value(b[i]);
        s.difference += (x - y) * (x - y);
        s.dot += x * y;
        s.sizes += std::abs(x * y);
        s.distance += std::abs(x - y);
        s.square += x * x;
        s.other += y * y;
    }
    return s;
}

/// The four ways to a distance agree: exact within rounding of the textbook's, the bound query
/// within float's rounding of n terms whose sizes add up to `sizes`, four rows like one.
template <class M>
void check_distance(metric::element_of<M> const* a, metric::element_of<M> const* b, std::size_t n,
                    double want, double sizes) {
    // Float differences round once before they are squared.
    REQUIRE(std::abs(value(metric::exact<M>(a, b, n)) - want) <=
            2e-7 * (std::abs(want) + 1e-6 * sizes) + 1e-7);
    auto const bound = metric::bind<M>(a, n);
    REQUIRE(std::abs(value(bound(b)) - want) <= sizes * 6e-8 * static_cast<double>(n + 4) + 1e-7);
    metric::element_of<M> const* const rows[4] = {b, a, a, b};
    float out[4];
    bound.four(rows, out);
    for (std::size_t const i : {0U, 3U})
        REQUIRE(std::abs(value(out[i]) - want) <= sizes * 6e-8 * static_cast<double>(n + 4) + 1e-7);
    REQUIRE(out[1] == out[2]);
    if constexpr (requires { bound.block(b, 1, out); }) {
        bound.block(b, 1, out);
        REQUIRE(std::abs(value(out[0]) - want) <= sizes * 6e-8 * static_cast<double>(n + 4) + 1e-7);
    }
    if constexpr (metric::byte_element<metric::element_of<M>>) {
        REQUIRE(bound(b) == metric::exact<M>(a, b, n));
        REQUIRE(out[0] == metric::exact<M>(a, b, n));
    }
}

/// The same for packed bits, whose distances are exact in all ways.
template <class M>
void check_bits(std::uint8_t const* a, std::uint8_t const* b, std::size_t dim, double want) {
    auto const exact = metric::exact<M>(a, b, dim);
    REQUIRE(std::abs(value(exact) - want) < 1e-7 * (1 + want));
    auto const bound = metric::bind<M>(a, dim);
    REQUIRE(bound(b) == exact);
    std::uint8_t const* const rows[4] = {b, a, a, b};
    float out[4];
    bound.four(rows, out);
    REQUIRE(out[0] == exact);
    REQUIRE(out[1] == 0);
    REQUIRE(out[2] == 0);
    REQUIRE(out[3] == exact);
}

template <class T>
void check_metrics() {
    auto const a = elements<T>(270, 1);
    auto const b = elements<T>(270, 2);
    for (std::size_t n = 1; n <= 260; ++n) {
        CAPTURE(n);
        auto const* const x = &a[n % 4];
        auto const* const y = &b[3 - n % 4];
        auto const s = textbook_sums(x, y, n);
        check_distance<metric::basic_squared_l2<T>>(x, y, n, s.difference, s.difference);
        check_distance<metric::basic_l1<T>>(x, y, n, s.distance, s.distance);
        check_distance<metric::basic_inner_product<T>>(x, y, n, -s.dot, s.sizes);
        check_distance<metric::basic_cosine<T>>(x, y, n, 1 - s.dot / std::sqrt(s.square * s.other),
                                                2);
    }
}

} // namespace

TEST_CASE("metrics over float are the textbook's", "[metric]") { check_metrics<float>(); }
TEST_CASE("metrics over f16 are the textbook's", "[metric]") { check_metrics<vicinal::f16>(); }
TEST_CASE("metrics over bf16 are the textbook's", "[metric]") { check_metrics<vicinal::bf16>(); }
TEST_CASE("metrics over signed bytes are exact", "[metric]") { check_metrics<std::int8_t>(); }
TEST_CASE("metrics over unsigned bytes are exact", "[metric]") { check_metrics<std::uint8_t>(); }

TEMPLATE_TEST_CASE("rows one behind the other have the distances of each", "[metric]",
                   metric::squared_l2, metric::inner_product, metric::l1) {
    // Up to 512 bytes a row four go together.
    for (std::size_t const dim : {3U, 128U, 200U}) {
        constexpr std::size_t count = 7;
        auto const query = elements<float>(dim, 5);
        auto rows = elements<float>(count * dim, 6);
        rows[2 * dim] = std::numeric_limits<float>::quiet_NaN();
        auto const bound = metric::bind<TestType>(query.data(), dim);
        std::vector<float> out(count);
        bound.block(rows.data(), count, out.data());
        for (std::size_t i = 0; i < count; ++i)
            CHECK((i == 2 ? out[i] == std::numeric_limits<float>::infinity()
                          : std::abs(out[i] - bound(rows.data() + i * dim)) <=
                                1e-5F * std::abs(out[i]) + 1e-5F));
    }
}

TEST_CASE("each of the 65,536 f16 meets the kernels as its own value", "[metric]") {
    using metric_f16 = metric::basic_inner_product<vicinal::f16>;
    std::vector<vicinal::f16> const ones(40, vicinal::f16(1.0F));
    for (unsigned bits = 0; bits < 65536; ++bits) {
        CAPTURE(bits);
        std::vector<vicinal::f16> row(40, vicinal::f16(0.0F));
        row[bits % 40].bits = static_cast<std::uint16_t>(bits);
        auto const want = static_cast<float>(row[bits % 40]);
        if (std::isnan(want) || std::isinf(want)) continue;
        REQUIRE(metric::bind<metric_f16>(ones.data(), 40)(row.data()) == -want);
        REQUIRE(metric::exact<metric_f16>(ones.data(), row.data(), 40) == -want);
    }
}

TEST_CASE("sums over more bytes than 32 bits hold stay exact", "[metric]") {
    std::vector<std::uint8_t> const a(100000, std::uint8_t{255});
    std::vector<std::uint8_t> const b(100000, std::uint8_t{0});
    using l2 = metric::basic_squared_l2<std::uint8_t>;
    CHECK(metric::exact<l2>(a.data(), b.data(), a.size()) == 6502500000.0F);
    std::uint8_t const* const rows[4] = {a.data(), b.data(), a.data(), b.data()};
    float out[4];
    metric::bind<l2>(a.data(), a.size()).four(rows, out);
    CHECK(out[0] == 0);
    CHECK(out[3] == 6502500000.0F);
    using angle = metric::basic_cosine<std::uint8_t>;
    CHECK(metric::exact<angle>(a.data(), a.data(), a.size()) == 0);
}

TEST_CASE("counts over more bytes than a kernel takes at once stay exact", "[metric]") {
    std::size_t const bytes = 150001;
    std::vector<std::uint8_t> const all(bytes, std::uint8_t{255});
    std::vector<std::uint8_t> const odd(bytes, std::uint8_t{0xAA});
    auto const dim = bytes * 8 - 3;
    // Of the last byte's five bits in use two are odd.
    check_bits<metric::hamming>(all.data(), odd.data(), dim, (bytes - 1) * 4 + 3);
    check_bits<metric::jaccard>(all.data(), odd.data(), dim,
                                1 - static_cast<double>((bytes - 1) * 4 + 2) /
                                        static_cast<double>(dim));
}

TEST_CASE("hamming and jaccard count bits up to the last, and none behind it", "[metric]") {
    auto const a = elements<std::uint8_t>(270, 1);
    auto const b = elements<std::uint8_t>(270, 2);
    for (std::size_t dim = 0; dim <= 2080; dim += dim < 600 ? 1 : 37) {
        CAPTURE(dim);
        int differ = 0;
        int both = 0;
        int either = 0;
        for (std::size_t i = 0; i < dim; ++i) {
            int const x = (a[i / 8] >> (i % 8)) & 1;
            int const y = (b[i / 8] >> (i % 8)) & 1;
            differ += x ^ y;
            both += x & y;
            either += x | y;
        }
        check_bits<metric::hamming>(a.data(), b.data(), dim, differ);
        check_bits<metric::jaccard>(a.data(), b.data(), dim,
                                    either == 0 ? 0.0 : 1 - static_cast<double>(both) / either);
    }
    std::uint8_t const none[4] = {};
    CHECK(metric::exact<metric::jaccard>(none, none, 32) == 0);
}

// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "simd/variants.hpp"
#include "support/random.hpp"

#include <vicinal/simd/float_sums.hpp>

#include <cmath>
#include <cstddef>

namespace simd = vicinal::simd;
using vicinal_test::longest_row;
using vicinal_test::variants_of;

namespace {

/// Rounding of n additions in float: n/2 halves of a unit in the last place of the sum of the
/// terms' sizes is what four accumulators stay far below.
bool close(double got, double want, double sizes, std::size_t n) {
    return std::abs(got - want) <= sizes * 6e-8 * static_cast<double>(n + 2);
}

struct sums {
    double dot = 0;
    double dot_size = 0;
    double difference = 0;
    double square = 0;
};

sums textbook(float const* a, float const* b, std::size_t n) {
    sums s;
    for (std::size_t i = 0; i < n; ++i) {
        double const x = a[i];
        double const y = b[i];
        s.dot += x * y;
        s.dot_size += std::abs(x * y);
        s.difference += (x - y) * (x - y);
        s.square += y * y;
    }
    return s;
}

/// Calls check(a, b, n) for every length and for rows that begin anywhere between 16-byte borders.
template <class Check>
void for_each_row(Check const& check) {
    vicinal_test::generator r(1);
    auto const a = r.vector(longest_row + 4, -10, 10);
    auto const b = r.vector(longest_row + 4, -10, 10);
    for (std::size_t n = 0; n <= longest_row; ++n)
        for (std::size_t offset = 0; offset < 4; ++offset) check(&a[offset], &b[3 - offset], n);
}

} // namespace

TEST_CASE("the sum of squared differences is the textbook's at every length and address",
          "[simd]") {
    for (auto const& [name, f] : variants_of<simd::squared_difference>()) {
        CAPTURE(name);
        for_each_row([&, &f = f](float const* a, float const* b, std::size_t n) {
            CAPTURE(n);
            auto const want = textbook(a, b, n);
            REQUIRE(close(static_cast<double>(f(a, b, n)), want.difference, want.difference, n));
        });
    }
}

TEST_CASE("the dot product is the textbook's at every length and address", "[simd]") {
    for (auto const& [name, f] : variants_of<simd::dot_product>()) {
        CAPTURE(name);
        for_each_row([&, &f = f](float const* a, float const* b, std::size_t n) {
            CAPTURE(n);
            auto const want = textbook(a, b, n);
            REQUIRE(close(static_cast<double>(f(a, b, n)), want.dot, want.dot_size, n));
        });
    }
}

TEST_CASE("one pass gives the dot product and the row's square", "[simd]") {
    for (auto const& [name, f] : variants_of<simd::dot_and_row_square>()) {
        CAPTURE(name);
        for_each_row([&, &f = f](float const* a, float const* b, std::size_t n) {
            CAPTURE(n);
            auto const want = textbook(a, b, n);
            auto const got = f(a, b, n);
            REQUIRE(close(static_cast<double>(got.dot), want.dot, want.dot_size, n));
            REQUIRE(close(static_cast<double>(got.square), want.square, want.square, n));
        });
    }
}

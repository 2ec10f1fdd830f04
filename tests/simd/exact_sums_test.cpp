// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "simd/variants.hpp"
#include "support/random.hpp"

#include <vicinal/simd/exact_sums.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace simd = vicinal::simd;
using vicinal_test::longest_row;
using vicinal_test::variants_of;

namespace {

std::uint64_t bits(double d) { return std::bit_cast<std::uint64_t>(d); }

/// Rows of ordinary numbers, of the whole range of T, and of the smallest there are.
template <class T>
std::vector<std::vector<T>> rows_of_every_size() {
    vicinal_test::generator r(3);
    std::vector<std::vector<T>> rows(3);
    for (std::size_t i = 0; i < longest_row + 4; ++i) {
        rows[0].push_back(T(r.real(-10, 10)));
        T any;
        do any.bits = static_cast<std::uint16_t>(r.next());
        while (!std::isfinite(static_cast<float>(any)));
        rows[1].push_back(any);
        any.bits = static_cast<std::uint16_t>(r.below(64));
        rows[2].push_back(any);
    }
    return rows;
}
template <>
std::vector<std::vector<float>> rows_of_every_size() {
    vicinal_test::generator r(2);
    std::vector<std::vector<float>> rows{r.vector(longest_row + 4, -10, 10)};
    std::vector<float> wide(longest_row + 4);
    for (auto& x : wide)
        x = r.real(-1, 1) * std::pow(2.0F, static_cast<float>(r.below(250)) - 125.0F);
    rows.push_back(wide);
    std::vector<float> tiny(longest_row + 4);
    for (auto& x : tiny)
        x = std::numeric_limits<float>::denorm_min() * static_cast<float>(r.below(1000));
    rows.push_back(tiny);
    std::vector<float> huge(longest_row + 4, (std::numeric_limits<float>::max)());
    for (std::size_t i = 0; i < huge.size(); i += 3) huge[i] = -huge[i];
    rows.push_back(huge);
    return rows;
}

template <class T, class Kernel, class Term>
void check_exact(Term const& term) {
    auto const rows = rows_of_every_size<T>();
    for (auto const& left : rows)
        for (auto const& right : rows)
            for (std::size_t n = 0; n <= longest_row; ++n) {
                auto const offset = n % 4;
                auto const* a = &left[offset];
                auto const* b = &right[3 - offset];
                CAPTURE(n, &left - rows.data(), &right - rows.data());
                long double want = 0;
                long double size = 0;
                for (std::size_t i = 0; i < n; ++i) {
                    auto const x = term(static_cast<float>(a[i]), static_cast<float>(b[i]));
                    want += x;
                    size += std::abs(x);
                }
                auto const all = variants_of<Kernel>();
                auto const first = all.front().second(a, b, n);
                if (std::isfinite(size)) {
                    auto const bound = size * static_cast<long double>(n + 1) * 1.2e-16L;
                    REQUIRE(std::abs(static_cast<long double>(first) - want) <= bound);
                } else {
                    REQUIRE(first == std::numeric_limits<double>::infinity());
                }
                for (auto const& [name, f] : all) {
                    CAPTURE(name);
                    REQUIRE(bits(f(a, b, n)) == bits(first));
                }
            }
}

long double product(float x, float y) {
    return static_cast<long double>(x) * static_cast<long double>(y);
}
// As documented: the difference is rounded to float, what follows is not.
long double squared_difference(float x, float y) {
    float const volatile d = x - y;
    return static_cast<long double>(d) * static_cast<long double>(d);
}
long double absolute_difference(float x, float y) {
    float const volatile d = x - y;
    return std::abs(static_cast<long double>(d));
}

template <class T>
void check_all() {
    SECTION("dot product") { check_exact<T, simd::exact_dot_of<T>>(product); }
    SECTION("squared difference") {
        check_exact<T, simd::exact_squared_difference_of<T>>(squared_difference);
    }
    SECTION("absolute difference") {
        check_exact<T, simd::exact_absolute_difference_of<T>>(absolute_difference);
    }
}

} // namespace

TEST_CASE("exact sums of floats are right to double and have the same bits in every variant",
          "[simd]") {
    check_all<float>();
}
TEST_CASE("exact sums of f16 are right to double and have the same bits in every variant",
          "[simd]") {
    check_all<vicinal::f16>();
}
TEST_CASE("exact sums of bf16 are right to double and have the same bits in every variant",
          "[simd]") {
    check_all<vicinal::bf16>();
}

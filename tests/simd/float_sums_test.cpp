// SPDX-License-Identifier: MIT
#include "simd/row_kernels.hpp"

#include <vicinal/simd/float_sums.hpp>

#include <cmath>
#include <cstddef>

namespace simd = vicinal::simd;
using vicinal_test::check_row_kernels;
using vicinal_test::longest_row;

namespace {

/// Rounding of n additions in float: n/2 halves of a unit in the last place of the sum of the
/// terms' sizes is what four accumulators stay far below.
bool close(double got, double want, double sizes, std::size_t n) {
    return std::abs(got - want) <= sizes * 6e-8 * static_cast<double>(n + 2);
}

template <class T>
std::vector<T> elements(std::uint64_t seed) {
    vicinal_test::generator r(seed);
    std::vector<T> list;
    for (std::size_t i = 0; i < 7 * (longest_row + 4); ++i)
        list.push_back(static_cast<T>(r.real(-10, 10)));
    return list;
}

double value(float x) { return static_cast<double>(x); }
template <class T>
double value(T x) {
    return static_cast<double>(static_cast<float>(x));
}

template <class Kernels, class T, class Term>
void check(Term const& term) {
    check_row_kernels<Kernels>(elements<T>(1), elements<T>(2),
                               [&](float got, T const* x, T const* y, std::size_t n) {
                                   double want = 0;
                                   double sizes = 0;
                                   for (std::size_t i = 0; i < n; ++i) {
                                       auto const t = term(value(x[i]), value(y[i]));
                                       want += t;
                                       sizes += std::abs(t);
                                   }
                                   return close(value(got), want, sizes, n);
                               });
}

template <class T>
void check_all() {
    check<simd::squared_difference<T>, T>([](double x, double y) { return (x - y) * (x - y); });
    check<simd::dot_product<T>, T>([](double x, double y) { return x * y; });
    check<simd::absolute_difference<T>, T>([](double x, double y) { return std::abs(x - y); });
    check_row_kernels<simd::dot_and_row_square<T>>(
        elements<T>(1), elements<T>(2),
        [](simd::dot_and_square got, T const* x, T const* y, std::size_t n) {
            double dot = 0;
            double sizes = 0;
            double square = 0;
            for (std::size_t i = 0; i < n; ++i) {
                dot += value(x[i]) * value(y[i]);
                sizes += std::abs(value(x[i]) * value(y[i]));
                square += value(y[i]) * value(y[i]);
            }
            return close(value(got.dot), dot, sizes, n) &&
                   close(value(got.square), square, square, n);
        });
}

} // namespace

TEST_CASE("sums over floats are the textbook's at every length and address", "[simd]") {
    check_all<float>();
}

TEST_CASE("sums over f16 are the textbook's at every length and address", "[simd]") {
    check_all<vicinal::f16>();
}

TEST_CASE("sums over bf16 are the textbook's at every length and address", "[simd]") {
    check_all<vicinal::bf16>();
}

TEST_CASE("a float query meets rows of f16 and bf16", "[simd]") {
    auto const query = elements<float>(3);
    auto const check_rows = [&]<class T>(std::vector<T> const& rows) {
        check_row_kernels<simd::dot_product<float, T>>(
            query, rows, [](float got, float const* x, T const* y, std::size_t n) {
                double want = 0;
                double sizes = 0;
                for (std::size_t i = 0; i < n; ++i) {
                    want += value(x[i]) * value(y[i]);
                    sizes += std::abs(value(x[i]) * value(y[i]));
                }
                return close(value(got), want, sizes, n);
            });
    };
    check_rows(elements<vicinal::f16>(4));
    check_rows(elements<vicinal::bf16>(5));
}

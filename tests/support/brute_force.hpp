// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_SUPPORT_BRUTE_FORCE_HPP
#define VICINAL_TESTS_SUPPORT_BRUTE_FORCE_HPP

#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/metric/squared_l2.hpp>

#include <cmath>
#include <cstddef>

namespace vicinal_test {

/// The textbook sum of each metric, in long double, element by element: shares no code with the
/// kernels.
template <class Metric>
[[nodiscard]] double textbook(float const* a, float const* b, std::size_t dim);

template <>
[[nodiscard]] inline double textbook<vicinal::metric::squared_l2>(float const* a, float const* b,
                                                                  std::size_t dim) {
    long double sum = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        auto const d = static_cast<long double>(a[i]) - static_cast<long double>(b[i]);
        sum += d * d;
    }
    return static_cast<double>(sum);
}

template <>
[[nodiscard]] inline double textbook<vicinal::metric::inner_product>(float const* a, float const* b,
                                                                     std::size_t dim) {
    long double sum = 0;
    for (std::size_t i = 0; i < dim; ++i)
        sum += static_cast<long double>(a[i]) * static_cast<long double>(b[i]);
    return static_cast<double>(-sum);
}

template <>
[[nodiscard]] inline double textbook<vicinal::metric::cosine>(float const* a, float const* b,
                                                              std::size_t dim) {
    long double dot = 0;
    long double aa = 0;
    long double bb = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        dot += static_cast<long double>(a[i]) * static_cast<long double>(b[i]);
        aa += static_cast<long double>(a[i]) * static_cast<long double>(a[i]);
        bb += static_cast<long double>(b[i]) * static_cast<long double>(b[i]);
    }
    return static_cast<double>(1 - dot / std::sqrt(aa * bb));
}

} // namespace vicinal_test

#endif

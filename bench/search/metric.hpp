// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_SEARCH_METRIC_HPP
#define VICINAL_BENCH_SEARCH_METRIC_HPP

#include "../matrix.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace bench {

enum class metric_name : std::uint8_t { squared_l2, inner_product, cosine };

/// The distance in double, the same whoever measures: what decides whether a row that is not in the
/// truth is as near as one that is.
[[nodiscard]] inline double true_distance(metric_name metric, float const* a, float const* b,
                                          std::size_t dim) {
    double square = 0, dot = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        double const x = a[i], y = b[i];
        square += (x - y) * (x - y);
        dot += x * y;
        aa += x * x;
        bb += y * y;
    }
    if (metric == metric_name::squared_l2) return square;
    return metric == metric_name::inner_product ? -dot : 1 - dot / std::sqrt(aa * bb);
}

/// The rows at length 1, for libraries that know the cosine as the inner product of such. A row of
/// zeros stays one.
[[nodiscard]] inline matrix at_unit_length(matrix m) {
    for (std::size_t i = 0; i < m.rows; ++i) {
        double square = 0;
        for (std::size_t j = 0; j < m.columns; ++j)
            square += static_cast<double>(m.row(i)[j]) * static_cast<double>(m.row(i)[j]);
        auto const inverse = square > 0 ? 1 / std::sqrt(square) : 0;
        for (std::size_t j = 0; j < m.columns; ++j)
            m.row(i)[j] = static_cast<float>(m.row(i)[j] * inverse);
    }
    return m;
}

} // namespace bench

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_GEOMETRY_HPP
#define VICINAL_INDEX_IVF_GEOMETRY_HPP

#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/metric/squared_l2.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

/// Where lists lie: rows belong to the list whose centre is nearest in Euclidean distance, under
/// cosine that of their directions; a query looks at lists in the order of a distance that suits
/// the metric.
namespace vicinal::inline VICINAL_ABI::index::inverted {

template <class Metric>
struct geometry {
    static constexpr bool directions = std::same_as<Metric, metric::cosine>;
    static constexpr bool product = std::same_as<Metric, metric::inner_product>;
    static constexpr bool euclidean = directions || std::same_as<Metric, metric::squared_l2>;
    /// What orders the lists: -<q, c> under the inner product, the metric's own where it is the
    /// user's or has no bound.
    using order = std::conditional_t<euclidean, metric::squared_l2, Metric>;

    /// Writes a vector as the lists see it. One without a direction is taken for zeros.
    static void bring(float const* vector, std::size_t dim, float* out) noexcept {
        if constexpr (directions) {
            auto const norm = std::sqrt(simd::exact_dot::get()(vector, vector, dim));
            auto const by = norm > 0 && std::isfinite(norm) ? 1 / norm : 0;
            for (std::size_t i = 0; i < dim; ++i)
                out[i] = static_cast<float>(double{vector[i]} * by);
        } else {
            std::copy_n(vector, dim, out);
        }
    }

    /// The distance of a brought query from each of `count` centres.
    static void distances(float const* query, float const* centres, std::size_t count,
                          std::size_t dim, float* out) noexcept {
        auto const distance = metric::bind<order>(query, dim);
        if constexpr (requires { distance.block(centres, count, out); })
            distance.block(centres, count, out);
        else
            for (std::size_t i = 0; i < count; ++i) out[i] = distance(centres + i * dim);
    }

    /// The same from those of the centres that have these numbers.
    static void distances(float const* query, float const* centres,
                          std::span<std::uint32_t const> numbers, std::size_t dim, float* out) {
        auto const distance = metric::bind<order>(query, dim);
        for (std::size_t i = 0; i < numbers.size(); i += 4) {
            float const* four[4];
            float d[4];
            for (std::size_t j = 0; j < 4; ++j)
                four[j] = centres + numbers[(std::min)(i + j, numbers.size() - 1)] * dim;
            if constexpr (requires { distance.four(four, d); })
                distance.four(four, d);
            else
                for (std::size_t j = 0; j < 4; ++j) d[j] = distance(four[j]);
            std::copy_n(d, (std::min)(std::size_t{4}, numbers.size() - i), out + i);
        }
    }

    /// What the metric's distance is at least from a query to the rows of a list: `distance` as
    /// distances() has it, `norm` the query's, `radius` how far rows are from the centre. By the
    /// triangle inequality, or Cauchy's; -infinity under a metric that obeys neither.
    [[nodiscard]] static float at_least(float distance, float norm, float radius) noexcept {
        constexpr float slack = 0x1p-12F;
        if constexpr (euclidean) {
            float const gap = std::sqrt(distance) * (1 - slack) - radius * (1 + slack);
            return gap > 0 ? gap * gap / (directions ? 2 : 1) : 0;
        } else if constexpr (product) {
            return distance - norm * radius * (1 + slack) - std::fabs(distance) * slack;
        }
        return -(std::numeric_limits<float>::infinity)();
    }
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

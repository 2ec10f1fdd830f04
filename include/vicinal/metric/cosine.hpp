// SPDX-License-Identifier: MIT
#ifndef VICINAL_METRIC_COSINE_HPP
#define VICINAL_METRIC_COSINE_HPP

#include <vicinal/metric/concept.hpp>
#include <vicinal/simd/exact_sums.hpp>
#include <vicinal/simd/float_sums.hpp>

#include <cmath>
#include <limits>

namespace vicinal::inline VICINAL_ABI::metric {

template <class T>
struct basic_cosine;

/// Cosine distance: 1 - a.b / (|a| |b|), from 0 (same direction) to 2 (opposite).
///
/// Vectors are kept as they came, not normalised, so that `get` gives back every bit; the row's
/// norm comes out of the same pass as the product, which memory dominates. Zero vectors have no
/// direction and are refused by the store. Cost: 2 dim multiply-adds.
template <>
struct basic_cosine<float> {
    using value_type = float;
    static constexpr std::string_view name = "cosine";
    static constexpr bool needs_direction = true;

    class scorer {
    public:
        scorer(float const* query, std::size_t dim) noexcept
            : sums_(simd::dot_and_row_square::get()), query_(query), dim_(dim) {
            // A query outside that range has all its distances in double: its products with
            // ordinary rows leave float as well. NaN sends each of them there.
            float const square = simd::dot_product::get()(query, query, dim);
            inverse_ =
                in_range(square) ? 1 / std::sqrt(square) : std::numeric_limits<float>::quiet_NaN();
        }

        [[nodiscard]] float operator()(float const* row) const noexcept {
            auto const s = sums_(query_, row, dim_);
            float const distance = 1 - s.dot * inverse_ / std::sqrt(s.square);
            // Norms outside the range of float, and sums that overflowed or cancelled: in double.
            if (!in_range(s.square) || !(distance >= -1 && distance <= 3)) [[unlikely]]
                return exact(query_, row, dim_);
            return distance;
        }

    private:
        /// Neither overflowed nor so small that bits were lost; false for NaN.
        [[nodiscard]] static bool in_range(float square) noexcept {
            return square >= (std::numeric_limits<float>::min)() * 1e6F &&
                   square <= (std::numeric_limits<float>::max)();
        }

        simd::dot_and_row_square::function sums_;
        float const* query_;
        std::size_t dim_;
        float inverse_;
    };

    [[nodiscard]] static scorer bind(float const* query, std::size_t dim) noexcept {
        return {query, dim};
    }
    [[nodiscard]] static float exact(float const* a, float const* b, std::size_t dim) noexcept {
        auto const dot = simd::exact_dot::get();
        double const norms = dot(a, a, dim) * dot(b, b, dim);
        double const distance = 1 - dot(a, b, dim) / std::sqrt(norms);
        return static_cast<float>(distance < 0 ? 0 : distance);
    }
    /// The cosine itself, from 1 to -1.
    [[nodiscard]] static float similarity(float distance) noexcept { return 1 - distance; }
};

using cosine = basic_cosine<float>;

static_assert(model<cosine>);

} // namespace vicinal::inline VICINAL_ABI::metric

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_METRIC_SQUARED_L2_HPP
#define VICINAL_METRIC_SQUARED_L2_HPP

#include <vicinal/metric/concept.hpp>
#include <vicinal/simd/exact_sums.hpp>
#include <vicinal/simd/float_sums.hpp>

namespace vicinal::inline VICINAL_ABI::metric {

template <class T>
struct basic_squared_l2;

/// Squared Euclidean distance: sum over i of (a[i] - b[i])^2.
///
/// Unit: the square of the elements' unit. No root is taken; the order of neighbours is the same.
/// Cost: dim multiply-adds. Overflow gives infinity, never NaN.
template <>
struct basic_squared_l2<float> {
    using value_type = float;
    static constexpr std::string_view name = "squared_l2";

    class scorer {
    public:
        scorer(float const* query, std::size_t dim) noexcept
            : sum_(simd::squared_difference::get()), query_(query), dim_(dim) {}
        [[nodiscard]] float operator()(float const* row) const noexcept {
            return sum_(query_, row, dim_);
        }

    private:
        simd::squared_difference::function sum_;
        float const* query_;
        std::size_t dim_;
    };

    [[nodiscard]] static scorer bind(float const* query, std::size_t dim) noexcept {
        return {query, dim};
    }
    [[nodiscard]] static float exact(float const* a, float const* b, std::size_t dim) noexcept {
        return static_cast<float>(simd::exact_squared_difference::get()(a, b, dim));
    }
    /// 1 / (1 + distance): 1 for equal vectors, towards 0 for far ones.
    [[nodiscard]] static float similarity(float distance) noexcept { return 1 / (1 + distance); }
};

using squared_l2 = basic_squared_l2<float>;

static_assert(model<squared_l2>);

} // namespace vicinal::inline VICINAL_ABI::metric

#endif

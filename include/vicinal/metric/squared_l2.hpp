// SPDX-License-Identifier: MIT
#ifndef VICINAL_METRIC_SQUARED_L2_HPP
#define VICINAL_METRIC_SQUARED_L2_HPP

#include <vicinal/metric/element.hpp>

#include <type_traits>

namespace vicinal::inline VICINAL_ABI::metric {

/// Squared Euclidean distance: sum over i of (a[i] - b[i])^2.
///
/// Unit: the square of the elements' unit. No root is taken; the order of neighbours is the same.
/// Cost: dim multiply-adds. Overflow gives infinity, never NaN. Over bytes the sum is an exact
/// integer before it becomes a float.
template <element_type T>
struct basic_squared_l2 {
    using value_type = T;
    static constexpr std::string_view name = "squared_l2";

    using sums = typename std::conditional_t<byte_element<T>,
                                             std::type_identity<simd::integer_difference_step<T>>,
                                             std::type_identity<simd::difference_step<T>>>::type;
    using scorer = detail::sum_scorer<T, simd::row_kernels<sums>, 1>;

    [[nodiscard]] static scorer bind(T const* query, std::size_t dim) noexcept {
        return {query, dim};
    }
    [[nodiscard]] static float exact(T const* a, T const* b, std::size_t dim) noexcept {
        if constexpr (byte_element<T>)
            return scorer(a, dim)(b);
        else
            return static_cast<float>(simd::exact_squared_difference_of<T>::get()(a, b, dim));
    }
    /// 1 / (1 + distance): 1 for equal vectors, towards 0 for far ones.
    [[nodiscard]] static float similarity(float distance) noexcept { return 1 / (1 + distance); }
};

using squared_l2 = basic_squared_l2<float>;

static_assert(model<squared_l2>);

} // namespace vicinal::inline VICINAL_ABI::metric

#endif

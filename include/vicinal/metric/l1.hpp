// SPDX-License-Identifier: MIT
#ifndef VICINAL_METRIC_L1_HPP
#define VICINAL_METRIC_L1_HPP

#include <vicinal/metric/element.hpp>

#include <type_traits>

namespace vicinal::inline VICINAL_ABI::metric {

/// Manhattan distance: sum over i of |a[i] - b[i]|.
///
/// Unit: the elements' unit. Cost: dim subtractions and additions. Overflow gives infinity, never
/// NaN. Over bytes the sum is an exact integer before it becomes a float.
template <element_type T>
struct basic_l1 {
    using value_type = T;
    static constexpr std::string_view name = "l1";

    using sums = typename std::conditional_t<byte_element<T>,
                                             std::type_identity<simd::integer_distance_step<T>>,
                                             std::type_identity<simd::distance_step<T>>>::type;
    using scorer = detail::sum_scorer<T, simd::row_kernels<sums>, 1>;

    [[nodiscard]] static scorer bind(T const* query, std::size_t dim) noexcept {
        return {query, dim};
    }
    [[nodiscard]] static float exact(T const* a, T const* b, std::size_t dim) noexcept {
        if constexpr (byte_element<T>)
            return scorer(a, dim)(b);
        else
            return static_cast<float>(simd::exact_absolute_difference_of<T>::get()(a, b, dim));
    }
    /// 1 / (1 + distance): 1 for equal vectors, towards 0 for far ones.
    [[nodiscard]] static float similarity(float distance) noexcept { return 1 / (1 + distance); }
};

using l1 = basic_l1<float>;

static_assert(model<l1>);

} // namespace vicinal::inline VICINAL_ABI::metric

#endif

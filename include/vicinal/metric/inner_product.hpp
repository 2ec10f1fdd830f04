// SPDX-License-Identifier: MIT
#ifndef VICINAL_METRIC_INNER_PRODUCT_HPP
#define VICINAL_METRIC_INNER_PRODUCT_HPP

#include <vicinal/metric/concept.hpp>
#include <vicinal/simd/exact_sums.hpp>
#include <vicinal/simd/float_sums.hpp>

namespace vicinal::inline VICINAL_ABI::metric {

template <class T>
struct basic_inner_product;

/// Negated inner product: minus the sum over i of a[i] b[i], so that smaller is nearer.
///
/// Unit: the square of the elements' unit; any sign. No triangle inequality: a vector need not be
/// its own nearest neighbour. Cost: dim multiply-adds.
template <>
struct basic_inner_product<float> {
    using value_type = float;
    static constexpr std::string_view name = "inner_product";

    class scorer {
    public:
        scorer(float const* query, std::size_t dim) noexcept
            : sum_(simd::dot_product::get()), query_(query), dim_(dim) {}
        [[nodiscard]] float operator()(float const* row) const noexcept {
            float const dot = sum_(query_, row, dim_);
            // Sums beyond the range of float cancel to NaN, which has no place in an order.
            if (dot != dot) [[unlikely]]
                return exact(query_, row, dim_);
            return -dot;
        }

    private:
        simd::dot_product::function sum_;
        float const* query_;
        std::size_t dim_;
    };

    [[nodiscard]] static scorer bind(float const* query, std::size_t dim) noexcept {
        return {query, dim};
    }
    [[nodiscard]] static float exact(float const* a, float const* b, std::size_t dim) noexcept {
        return static_cast<float>(-simd::exact_dot::get()(a, b, dim));
    }
    /// The inner product itself.
    [[nodiscard]] static float similarity(float distance) noexcept { return -distance; }
};

using inner_product = basic_inner_product<float>;

static_assert(model<inner_product>);

} // namespace vicinal::inline VICINAL_ABI::metric

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_METRIC_INNER_PRODUCT_HPP
#define VICINAL_METRIC_INNER_PRODUCT_HPP

#include <vicinal/metric/element.hpp>

#include <type_traits>

namespace vicinal::inline VICINAL_ABI::metric {

/// Negated inner product: minus the sum over i of a[i] b[i], so that smaller is nearer.
///
/// Unit: the square of the elements' unit; any sign. No triangle inequality: a vector need not be
/// its own nearest neighbour. Cost: dim multiply-adds. Over bytes the sum is an exact integer
/// before it becomes a float.
template <element_type T>
struct basic_inner_product {
    using value_type = T;
    static constexpr std::string_view name = "inner_product";

    using sums = typename std::conditional_t<byte_element<T>,
                                             std::type_identity<simd::integer_product_step<T>>,
                                             std::type_identity<simd::product_step<T>>>::type;

    class scorer {
    public:
        scorer(T const* query, std::size_t dim) noexcept
            : sums_(query, dim), query_(query), dim_(dim) {}
        [[nodiscard]] float operator()(T const* row) const noexcept {
            float const distance = sums_(row);
            // Sums beyond the range of float cancel to NaN, which has no place in an order.
            if (distance != distance) [[unlikely]]
                return exact(query_, row, dim_);
            return distance;
        }
        void four(T const* const* rows, float* out) const noexcept {
            sums_.four(rows, out);
            for (std::size_t i = 0; i < 4; ++i)
                if (out[i] != out[i]) [[unlikely]]
                    out[i] = exact(query_, rows[i], dim_);
        }
        void block(T const* rows, std::size_t count, float* out) const noexcept
            requires(!byte_element<T>) {
            sums_.block(rows, count, out);
            for (std::size_t i = 0; i < count; ++i)
                if (out[i] != out[i]) [[unlikely]]
                    out[i] = exact(query_, rows + i * dim_, dim_);
        }

    private:
        detail::sum_scorer<T, simd::row_kernels<sums>, -1> sums_;
        T const* query_;
        std::size_t dim_;
    };

    [[nodiscard]] static scorer bind(T const* query, std::size_t dim) noexcept {
        return {query, dim};
    }
    [[nodiscard]] static float exact(T const* a, T const* b, std::size_t dim) noexcept {
        if constexpr (byte_element<T>)
            return scorer(a, dim)(b);
        else
            return static_cast<float>(-simd::exact_dot_of<T>::get()(a, b, dim));
    }
    /// The inner product itself.
    [[nodiscard]] static float similarity(float distance) noexcept { return -distance; }
};

using inner_product = basic_inner_product<float>;

static_assert(model<inner_product>);

} // namespace vicinal::inline VICINAL_ABI::metric

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_METRIC_ELEMENT_HPP
#define VICINAL_METRIC_ELEMENT_HPP

#include <vicinal/metric/concept.hpp>
#include <vicinal/simd/exact_sums.hpp>
#include <vicinal/simd/float_sums.hpp>
#include <vicinal/simd/integer_sums.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace vicinal::inline VICINAL_ABI::metric {

/// Elements whose sums are made in float: float, f16 and bf16.
template <class T>
concept float_element = std::same_as<T, float> || std::same_as<T, f16> || std::same_as<T, bf16>;

/// Elements whose sums are exact integers: std::int8_t and std::uint8_t.
template <class T>
concept byte_element = std::same_as<T, std::int8_t> || std::same_as<T, std::uint8_t>;

/// What a vector may consist of.
template <class T>
concept element_type = float_element<T> || byte_element<T>;

namespace detail {

/// A query and one sum of it with each row: what squared_l2, inner_product and l1 are made of.
/// Kernels are those of one step. Exact is their sum in double, Sign what makes a distance of it.
template <class T, class Kernels, int Sign>
class sum_scorer {
public:
    sum_scorer(T const* query, std::size_t dim) noexcept
        : one_(Kernels::one::get()), four_(Kernels::four::get()), query_(query), dim_(dim) {}

    [[nodiscard]] float operator()(T const* row) const noexcept {
        if constexpr (byte_element<T>)
            return sign(static_cast<float>(simd::in_parts(one_, query_, row, dim_)));
        else
            return sign(one_(query_, row, dim_));
    }
    /// The distances of four rows, wherever they lie.
    void four(T const* const* rows, float* out) const noexcept {
        if constexpr (byte_element<T>) {
            if (dim_ > simd::integer_part) {
                for (std::size_t i = 0; i < 4; ++i) out[i] = (*this)(rows[i]);
                return;
            }
        }
        typename Kernels::result sums[4];
        four_(query_, rows, dim_, sums);
        for (std::size_t i = 0; i < 4; ++i) out[i] = sign(static_cast<float>(sums[i]));
    }
    /// The distances of rows that lie one behind the other, which are read ahead.
    void block(T const* rows, std::size_t count, float* out) const noexcept
        requires(!byte_element<T>) {
        Kernels::block::get()(query_, rows, dim_, count, dim_, out);
        for (std::size_t i = 0; i < count; ++i) out[i] = sign(out[i]);
    }

private:
    [[nodiscard]] static float sign(float sum) noexcept { return Sign < 0 ? 0.0F - sum : sum; }

    typename Kernels::one::function one_;
    typename Kernels::four::function four_;
    T const* query_;
    std::size_t dim_;
};

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI::metric

#endif

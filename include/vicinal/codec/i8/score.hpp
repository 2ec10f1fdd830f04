// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_I8_SCORE_HPP
#define VICINAL_CODEC_I8_SCORE_HPP

#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/simd/byte_sums.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// Distances between rows of bytes of one scale: whole numbers until the last multiplication.
namespace vicinal::inline VICINAL_ABI::codec {

/// A row as codec::i8 keeps it: u, a byte an element; before it, where distances are differences,
/// sum of u^2 - 256 u, modulo 2^32.
template <class Metric>
struct i8_row {
    static constexpr bool product = std::same_as<Metric, metric::inner_product>;
    static constexpr std::size_t front = product ? 0 : sizeof(std::uint32_t);

    [[nodiscard]] static std::uint8_t const* codes(std::byte const* row) noexcept {
        return reinterpret_cast<std::uint8_t const*>(row) + front;
    }
    [[nodiscard]] static std::uint32_t square(std::byte const* row) noexcept {
        std::uint32_t s = 0;
        if constexpr (!product) std::memcpy(&s, row, sizeof s);
        return s;
    }
};

/// A row that others are compared with; it must stay in place. Takes no memory. The square of a
/// difference fits to 66,000 elements, read as unsigned.
template <class Metric>
class i8_scorer {
    using at = i8_row<Metric>;

public:
    /// unit: what a difference of 1 in one element adds to a distance, or to a product.
    i8_scorer(std::byte const* row, std::size_t dim, float unit) noexcept
        : one_(simd::unsigned_dot::one::get()), four_(simd::unsigned_dot::four::get()),
          codes_(at::codes(row)), dim_(dim), unit_(at::product ? -unit : unit) {
        std::uint32_t sum = 0;
        for (std::size_t i = 0; i < dim; ++i) sum += codes_[i];
        // Products are of q - 128 and u; 128 times the sum of u stands in the row's square.
        add_ = at::product ? 128U * 128U * static_cast<std::uint32_t>(dim) - 128U * sum
                           : at::square(row) + 256U * sum;
    }

    [[nodiscard]] float operator()(std::byte const* row) const noexcept {
        return finish(row, one_(codes_, at::codes(row), dim_));
    }
    /// The distances of four rows, wherever they lie.
    void four(std::byte const* const* rows, float* out) const noexcept {
        std::uint8_t const* const codes[4] = {at::codes(rows[0]), at::codes(rows[1]),
                                              at::codes(rows[2]), at::codes(rows[3])};
        std::int32_t products[4];
        four_(codes_, codes, dim_, products);
        for (std::size_t i = 0; i < 4; ++i) out[i] = finish(rows[i], products[i]);
    }

private:
    [[nodiscard]] float finish(std::byte const* row, std::int32_t product) const noexcept {
        auto const p = static_cast<std::uint32_t>(product);
        if constexpr (at::product)
            return unit_ * static_cast<float>(static_cast<std::int32_t>(p + add_));
        else
            return unit_ * static_cast<float>(at::square(row) + add_ - 2 * p);
    }

    simd::unsigned_dot::one::function one_;
    simd::unsigned_dot::four::function four_;
    std::uint8_t const* codes_;
    std::size_t dim_;
    float unit_;
    std::uint32_t add_;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

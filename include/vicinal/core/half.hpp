// SPDX-License-Identifier: MIT
#ifndef VICINAL_CORE_HALF_HPP
#define VICINAL_CORE_HALF_HPP

#include <vicinal/core/config.hpp>

#include <bit>
#include <cstdint>

namespace vicinal::inline VICINAL_ABI {

namespace detail {

/// IEEE 754 binary16 to float; every value is exact, NaN becomes quiet.
[[nodiscard]] constexpr float half_to_float(std::uint16_t half) noexcept {
    std::uint32_t const sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
    std::uint32_t const exponent = (half >> 10) & 31U;
    std::uint32_t const fraction = half & 1023U;
    if (exponent == 0) {
        // Subnormal: the fraction counts units of 2^-24.
        float const size = static_cast<float>(fraction) * 5.9604644775390625e-8F;
        return std::bit_cast<float>(std::bit_cast<std::uint32_t>(size) | sign);
    }
    if (exponent == 31) {
        std::uint32_t const quiet = fraction == 0 ? 0 : 0x400000U;
        return std::bit_cast<float>(sign | 0x7F800000U | quiet | (fraction << 13));
    }
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

/// Float to binary16, to the nearest and to even at a tie; beyond 65,520 to infinity.
[[nodiscard]] constexpr std::uint16_t float_to_half(float value) noexcept {
    auto const bits = std::bit_cast<std::uint32_t>(value);
    std::uint32_t const sign = (bits >> 16) & 0x8000U;
    std::uint32_t const size = bits & 0x7FFFFFFFU;
    std::uint32_t out = 0;
    if (size > 0x7F800000U) {
        out = 0x7E00U | ((size >> 13) & 1023U);
    } else if (size >= 0x477FF000U) {
        out = 0x7C00U;
    } else if (size >= 0x38800000U) {
        // A carry out of the fraction goes into the exponent, which is what rounding up means.
        std::uint32_t const shifted = size - (112U << 23);
        out = (shifted + 0xFFFU + ((shifted >> 13) & 1U)) >> 13;
    } else if (size > 0x33000000U) {
        // Subnormal: the fraction with its leading one, in units of 2^-24.
        std::uint32_t const exponent = size >> 23;
        std::uint32_t const fraction = (size & 0x7FFFFFU) | 0x800000U;
        std::uint32_t const shift = 126U - exponent;
        std::uint32_t const kept = fraction >> shift;
        std::uint32_t const rest = fraction & ((1U << shift) - 1U);
        std::uint32_t const half = 1U << (shift - 1U);
        out = kept + (rest > half || (rest == half && (kept & 1U) != 0) ? 1U : 0U);
    }
    return static_cast<std::uint16_t>(sign | out);
}

} // namespace detail

/// A float of 16 bits after IEEE 754: 11 bits of precision, from 6e-8 to 65,504. It is stored, not
/// computed with.
struct f16 {
    std::uint16_t bits;

    f16() = default;
    /// Rounds to the nearest, to even at a tie.
    constexpr explicit f16(float value) noexcept : bits(detail::float_to_half(value)) {}
    /// Exact.
    [[nodiscard]] constexpr explicit operator float() const noexcept {
        return detail::half_to_float(bits);
    }
    /// Compares bits: 0 and -0 differ, NaN equals itself.
    [[nodiscard]] friend constexpr bool operator==(f16, f16) noexcept = default;
};

/// The upper half of a float: 8 bits of precision and float's whole range. It is stored, not
/// computed with.
struct bf16 {
    std::uint16_t bits;

    bf16() = default;
    /// Rounds to the nearest, to even at a tie; NaN stays NaN.
    constexpr explicit bf16(float value) noexcept : bits(rounded(value)) {}
    /// Exact.
    [[nodiscard]] constexpr explicit operator float() const noexcept {
        return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
    }
    /// Compares bits: 0 and -0 differ, NaN equals itself.
    [[nodiscard]] friend constexpr bool operator==(bf16, bf16) noexcept = default;

private:
    [[nodiscard]] static constexpr std::uint16_t rounded(float value) noexcept {
        auto const all = std::bit_cast<std::uint32_t>(value);
        if ((all & 0x7FFFFFFFU) > 0x7F800000U)
            return static_cast<std::uint16_t>((all >> 16) | 0x40U);
        return static_cast<std::uint16_t>((all + 0x7FFFU + ((all >> 16) & 1U)) >> 16);
    }
};

} // namespace vicinal::inline VICINAL_ABI

#endif

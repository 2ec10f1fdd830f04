// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SQ4_ENCODING_HPP
#define VICINAL_CODEC_SQ4_ENCODING_HPP

#include <vicinal/codec/sq8/encoding.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace vicinal::inline VICINAL_ABI::codec {

/// Bytes of a vector's codes: element 2 i in the low half of byte i, element 2 i + 1 in the high
/// one; the half behind the last element is 0.
[[nodiscard]] constexpr std::size_t sq4_bytes(std::size_t dim) noexcept { return (dim + 1) / 2; }

/// Encodes x times `multiplier`: x[i] stands for about scale * (code[i] - zero), codes and zero
/// from 0 to 15. An element of 0 has no loss. Elements that are not finite, or of a size outside
/// 2^-60 to 2^60, have no codes: scale 0, all codes 0. Where the size is outside 2^-24 to 2^24 the
/// error counts as infinite: the bound's own arithmetic would leave float.
inline sq8_factors sq4_encode(float const* x, std::size_t dim, double multiplier,
                              std::uint8_t* codes) noexcept {
    std::fill_n(codes, sq4_bytes(dim), std::uint8_t{0});
    float low = 0;
    float high = 0;
    float unsound = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        low = (std::min)(low, x[i]);
        high = (std::max)(high, x[i]);
        unsound += x[i] * 0.0F;
    }
    sq8_factors f;
    double const size = static_cast<double>((std::max)(high, -low)) * multiplier;
    bool const zeros = low == 0 && high == 0;
    if (zeros) multiplier = 1; // that of a direction, which zeros have none of, is infinite
    if (unsound != 0 || !(zeros || (size >= 0x1p-60 && size <= 0x1p60))) return f;
    auto const span = (static_cast<double>(high) - static_cast<double>(low)) * multiplier;
    f.scale = zeros ? 1.0F : static_cast<float>(span / 15);
    auto const step = static_cast<double>(f.scale);
    auto const zero = static_cast<int>(
        (std::clamp)(std::floor(-static_cast<double>(low) * multiplier / step + 0.5), 0.0, 15.0));
    double missed = 0;
    std::uint32_t sum = 0;
    std::uint32_t squares = 0;
    double const places = multiplier / step;
    for (std::size_t i = 0; i < dim; ++i) {
        double const place = static_cast<double>(x[i]) * places + (zero + 0.5);
        auto const code = static_cast<int>((std::min)((std::max)(place, 0.0), 15.0));
        auto const centred = code - zero;
        double const lost = static_cast<double>(x[i]) * multiplier - step * centred;
        missed += lost * lost;
        sum += static_cast<std::uint32_t>(code);
        squares += static_cast<std::uint32_t>(centred * centred);
        codes[i / 2] |= static_cast<std::uint8_t>(code << (i % 2 * 4));
    }
    f.square_sum = squares;
    f.sum_and_zero = sum | static_cast<std::uint32_t>(zero) << 24;
    bool const in_range = zeros || (size >= 0x1p-24 && size <= 0x1p24);
    // More than double arithmetic, the multiplier's own rounding and that to float may have lost.
    auto const error = std::sqrt(missed) * (1 + 0x1p-20) +
                       (multiplier == 1 ? 0 : size * 0x1p-36 * static_cast<double>(dim));
    f.error = in_range ? static_cast<float>(error) : std::numeric_limits<float>::infinity();
    return f;
}

/// The vector that codes stand for.
inline void sq4_decode(std::uint8_t const* codes, float scale, std::uint32_t zero, std::size_t dim,
                       float* out) noexcept {
    float level[16];
    for (std::size_t c = 0; c < 16; ++c)
        level[c] = scale * (static_cast<float>(c) - static_cast<float>(zero));
    for (std::size_t i = 0; i < dim; ++i) out[i] = level[codes[i / 2] >> (i % 2 * 4) & 15];
}

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

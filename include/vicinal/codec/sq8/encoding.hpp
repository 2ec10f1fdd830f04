// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SQ8_ENCODING_HPP
#define VICINAL_CODEC_SQ8_ENCODING_HPP

#include <vicinal/core/config.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

/// One vector as bytes of one scale: x is about scale (code - zero), element by element.
///
/// Scale and zero are the vector's own, so that there is nothing to train, rows of any norm stand
/// beside each other, and the product of two vectors is an integer product times two scales. A
/// vector of integers that span no more than 255 is encoded without loss.
/// Source: the affine 8-bit codes of gemmlowp, with the bounds taken per vector as in Aguerrebere
/// et al., "Similarity search in the blink of an eye with compressed indices", VLDB 2023.
namespace vicinal::inline VICINAL_ABI::codec {

/// What belongs to the codes of a vector, 16 bytes.
struct sq8_factors {
    /// 0 where the vector has no codes that say anything: elements that are not finite, or of a
    /// size outside 2^-24 to 2^24, where the bound's own arithmetic would leave float.
    float scale = 0;
    /// At least |x - x^|, in the unit of the elements; exactly 0 for a vector without loss.
    float error = 0;
    /// The sum over i of (code[i] - zero)^2; |x^|^2 is scale^2 times it. Fits to 65,536 elements.
    std::uint32_t square_sum = 0;
    /// The sum of the codes in the low 24 bits, zero in the high 8.
    std::uint32_t sum_and_zero = 0;

    [[nodiscard]] bool usable() const noexcept { return scale > 0; }
    [[nodiscard]] std::uint32_t sum() const noexcept { return sum_and_zero & 0xffffffU; }
    [[nodiscard]] std::uint32_t zero() const noexcept { return sum_and_zero >> 24; }

    friend bool operator==(sq8_factors const&, sq8_factors const&) = default;
};

/// The product sum over i of (a[i] - zero_a)(b[i] - zero_b) from the sum of a[i] b[i] modulo 2^32.
/// Exact to 32,768 elements.
[[nodiscard]] VICINAL_ALWAYS_INLINE std::int32_t sq8_centred(std::uint32_t product,
                                                             sq8_factors const& a,
                                                             sq8_factors const& b,
                                                             std::size_t dim) noexcept {
    return static_cast<std::int32_t>(product - a.zero() * b.sum() - b.zero() * a.sum() +
                                     static_cast<std::uint32_t>(dim) * a.zero() * b.zero());
}

namespace detail {

struct range {
    float low = 0;
    float high = 0;
    bool integers = true;
    bool finite = true;
};

/// The range of the elements, 0 included.
[[nodiscard]] inline range range_of(float const* x, std::size_t dim) noexcept {
    range r;
    float unsound = 0;
    float fraction = 0;
    constexpr float whole = 8388608; // 2^23: adding and taking it away rounds to an integer
    for (std::size_t i = 0; i < dim; ++i) {
        r.low = (std::min)(r.low, x[i]);
        r.high = (std::max)(r.high, x[i]);
        unsound += x[i] * 0; // NaN from a NaN or an infinity, and stays
        float const size = std::fabs(x[i]);
        fraction += std::fabs((size + whole) - whole - size);
    }
    r.finite = unsound == 0;
    r.integers = fraction == 0;
    return r;
}

/// At least `value`, as a float.
[[nodiscard]] inline float rounded_up(double value) noexcept {
    return static_cast<float>(value * (1 + 0x1p-20));
}

} // namespace detail

/// Encodes x times `multiplier` (1, or one over the norm where directions are compared; then within
/// a relative 2^-48 of the true one). Writes dim codes.
inline sq8_factors sq8_encode(float const* x, std::size_t dim, double multiplier,
                              std::uint8_t* codes) noexcept {
    auto const range = detail::range_of(x, dim);
    float const size = (std::max)(range.high, -range.low);
    double const scaled_size = size * multiplier;
    sq8_factors f;
    bool const zeros = size == 0 && multiplier == 1;
    if (!range.finite || !(zeros || (scaled_size >= 0x1p-24 && scaled_size <= 0x1p24))) {
        std::fill_n(codes, dim, std::uint8_t{0});
        return f;
    }
    float const span = range.high - range.low;
    bool const lossless = zeros || (range.integers && span <= 255);
    float const step = lossless ? 1.0F : span / 255;
    float const zero = std::floor(-range.low / step + 0.5F);
    f.scale = static_cast<float>(step * multiplier);
    double const inverse = 1 / static_cast<double>(step);

    std::uint32_t sum = 0;
    std::uint32_t square_sum = 0;
    double square_error = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        auto const place = static_cast<float>(x[i] * inverse) + zero + 0.5F;
        auto const code = (std::min)(255, (std::max)(0, static_cast<int>(place)));
        codes[i] = static_cast<std::uint8_t>(code);
        auto const whole = code - static_cast<int>(zero);
        sum += static_cast<std::uint32_t>(code);
        square_sum += static_cast<std::uint32_t>(whole * whole);
        double const missed = x[i] * multiplier - static_cast<double>(f.scale) * whole;
        square_error += missed * missed;
    }
    f.square_sum = square_sum;
    f.sum_and_zero = sum | static_cast<std::uint32_t>(zero) << 24;
    if (square_error > 0 || multiplier != 1) {
        double const norm = static_cast<double>(f.scale) * std::sqrt(double{1} * square_sum);
        f.error = detail::rounded_up(std::sqrt(square_error) + norm * 0x1p-40);
    }
    return f;
}

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

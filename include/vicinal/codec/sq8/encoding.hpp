// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SQ8_ENCODING_HPP
#define VICINAL_CODEC_SQ8_ENCODING_HPP

#include <vicinal/simd/dispatch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

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
inline namespace VICINAL_BASELINE {

/// What the elements of a vector have in common.
struct sq8_range {
    float low = 0;
    float high = 0;
    /// 0 where every element is an integer.
    float fractions = 0;
    /// 0 where every element is finite, NaN otherwise.
    float unsound = 0;
};

struct sq8_range_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float const* x, std::size_t dim,
                                          sq8_range* out) noexcept {
        using floats = typename Set::template of<float>;
        constexpr std::size_t w = floats::width;
        floats low, high, fractions, unsound, v;
        low.zero();
        high.zero();
        fractions.zero();
        unsound.zero();
        std::size_t i = 0;
        for (; i + w <= dim; i += w) {
            v.load(x + i);
            step(low, high, fractions, unsound, v);
        }
        if (i < dim) {
            Set::load_part(v, x + i, dim - i);
            step(low, high, fractions, unsound, v);
        }
        sq8_range r;
        for (std::size_t j = 0; j < w; ++j) {
            r.low = (std::min)(r.low, low.lanes[j]);
            r.high = (std::max)(r.high, high.lanes[j]);
        }
        r.fractions = fractions.sum();
        r.unsound = unsound.sum();
        *out = r;
    }

private:
    template <class Floats>
    VICINAL_ALWAYS_INLINE static void step(Floats& low, Floats& high, Floats& fractions,
                                           Floats& unsound, Floats const& v) noexcept {
        low.lanes = v.lanes < low.lanes ? v.lanes : low.lanes;
        high.lanes = v.lanes > high.lanes ? v.lanes : high.lanes;
        unsound.lanes += v.lanes * 0.0F;
        // 2^23 added and taken away leaves the nearest integer.
        Floats size;
        size.lanes = v.lanes;
        size.absolute();
        Floats apart;
        apart.lanes = (size.lanes + 8388608.0F) - 8388608.0F - size.lanes;
        apart.absolute();
        fractions.add(apart);
    }
};

/// What encoding gives beside the codes.
struct sq8_sums {
    std::uint32_t codes = 0;
    /// Of (code - zero)^2.
    std::uint32_t squares = 0;
    /// Of (x - step (code - zero))^2.
    float missed = 0;
};

struct sq8_encode_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float const* x, std::size_t dim, float step, float zero,
                                          std::uint8_t* codes, sq8_sums* out) noexcept {
        using floats = typename Set::template of<float>;
        using integers = typename Set::integers;
        constexpr std::size_t w = floats::width;
        using bytes = typename simd::pack<std::uint8_t, w>::lanes_type;
        float const inverse = 1 / step;
        floats missed;
        missed.zero();
        integers sum, squares;
        sum.zero();
        squares.zero();
        for (std::size_t i = 0; i < dim; i += w) {
            floats v;
            bool const whole = i + w <= dim;
            if (whole)
                v.load(x + i);
            else
                Set::load_part(v, x + i, dim - i);
            auto place = v.lanes * inverse + (zero + 0.5F);
            place = place < 0.0F ? place * 0.0F : place;
            place = place > 255.0F ? place * 0.0F + 255.0F : place;
            auto const code = __builtin_convertvector(place, typename integers::lanes_type);
            auto const centred = code - static_cast<std::int32_t>(zero);
            auto const lost =
                v.lanes - __builtin_convertvector(centred, typename floats::lanes_type) * step;
            missed.lanes += lost * lost;
            squares.lanes += centred * centred;
            sum.lanes += code;
            auto const narrow = __builtin_convertvector(code, bytes);
            if (whole) {
                std::memcpy(codes + i, &narrow, w);
            } else {
                // What is behind the last element was encoded as 0: its code is zero, and it adds
                // nothing but that.
                std::memcpy(codes + i, &narrow, dim - i);
                sum.lanes[0] -=
                    static_cast<std::int32_t>(i + w - dim) * static_cast<std::int32_t>(zero);
            }
        }
        out->codes = static_cast<std::uint32_t>(sum.sum());
        out->squares = static_cast<std::uint32_t>(squares.sum());
        out->missed = missed.sum();
    }
};

struct sq8_decode_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(std::uint8_t const* codes, std::size_t dim, float scale,
                                          float zero, float* out) noexcept {
        using floats = typename Set::template of<float>;
        constexpr std::size_t w = floats::width;
        using bytes = typename simd::pack<std::uint8_t, w>::lanes_type;
        std::size_t i = 0;
        for (; i + w <= dim; i += w) {
            bytes code;
            std::memcpy(&code, codes + i, w);
            floats v;
            v.lanes = (__builtin_convertvector(code, typename floats::lanes_type) - zero) * scale;
            v.store(out + i);
        }
        for (; i < dim; ++i) out[i] = (static_cast<float>(codes[i]) - zero) * scale;
    }
};

using sq8_decode =
    simd::kernel<sq8_decode_body, void, std::uint8_t const*, std::size_t, float, float, float*>;
using sq8_find_range = simd::kernel<sq8_range_body, void, float const*, std::size_t, sq8_range*>;
using sq8_fill_codes = simd::kernel<sq8_encode_body, void, float const*, std::size_t, float, float,
                                    std::uint8_t*, sq8_sums*>;

} // namespace VICINAL_BASELINE
} // namespace detail

/// Encodes x times `multiplier` (1, or one over the norm where directions are compared; then within
/// a relative 2^-40 of the true one). Writes dim codes.
///
/// Of two instruction sets one may round an element up and the other down; both codes are sound,
/// each with its own error.
inline sq8_factors sq8_encode(float const* x, std::size_t dim, double multiplier,
                              std::uint8_t* codes) noexcept {
    detail::sq8_range range;
    detail::sq8_find_range::get()(x, dim, &range);
    float const size = (std::max)(range.high, -range.low);
    sq8_factors f;
    bool const zeros = size == 0 && multiplier == 1;
    auto const in_range = [](double s) { return s >= 0x1p-24 && s <= 0x1p24; };
    // The elements themselves, too: the steps below are taken in their unit.
    if (range.unsound != 0 ||
        !(zeros || (size >= 0x1p-60F && size <= 0x1p60F && in_range(size * multiplier)))) {
        std::fill_n(codes, dim, std::uint8_t{0});
        return f;
    }
    float const span = range.high - range.low;
    bool const lossless = zeros || (range.fractions == 0 && span <= 255);
    float const step = lossless ? 1.0F : span / 255;
    float const zero = std::floor(-range.low / step + 0.5F);
    detail::sq8_sums sums;
    detail::sq8_fill_codes::get()(x, dim, step, zero, codes, &sums);

    f.scale = static_cast<float>(step * multiplier);
    f.square_sum = sums.squares;
    f.sum_and_zero = sums.codes | static_cast<std::uint32_t>(zero) << 24;
    if (!lossless || multiplier != 1) {
        // The sum in float is within 2^-10 to 32,768 elements, and each difference in it within
        // 2^-23 of the element; so is the scale of what it stands for.
        double const lost = lossless ? 0 : std::sqrt(double{sums.missed}) * multiplier;
        double const norm = double{f.scale} * std::sqrt(double{1} * f.square_sum);
        f.error = static_cast<float>(lost * (1 + 0x1p-10) + norm * 0x1p-20);
    }
    return f;
}

/// Whether x has codes that say anything: zeros, or finite elements of which the largest is 2^-60
/// to 2^60.
[[nodiscard]] inline bool sq8_encodes(float const* x, std::size_t dim) noexcept {
    detail::sq8_range range;
    detail::sq8_find_range::get()(x, dim, &range);
    float const size = (std::max)(range.high, -range.low);
    return range.unsound == 0 && (size == 0 || (size >= 0x1p-60F && size <= 0x1p60F));
}

/// Whether codes and factors belong to x: the error is at least what the codes lose, and the sums
/// are theirs.
[[nodiscard]] inline bool sq8_holds(float const* x, std::size_t dim, double multiplier,
                                    std::uint8_t const* codes, sq8_factors const& f) noexcept {
    if (!f.usable()) return f == sq8_factors{};
    std::uint32_t sum = 0;
    std::uint32_t squares = 0;
    double missed = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        auto const centred = static_cast<std::int32_t>(codes[i] - f.zero());
        sum += codes[i];
        squares += static_cast<std::uint32_t>(centred * centred);
        double const lost = x[i] * multiplier - double{f.scale} * centred;
        missed += lost * lost;
    }
    return sum == f.sum() && squares == f.square_sum && std::sqrt(missed) <= f.error;
}

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

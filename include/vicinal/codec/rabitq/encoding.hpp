// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_RABITQ_ENCODING_HPP
#define VICINAL_CODEC_RABITQ_ENCODING_HPP

#include <vicinal/core/config.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

/// A rotated vector r of n elements as whole numbers x below 2^Bits, which stand for the direction
/// u = x - (2^Bits - 1) / 2.
///
/// Whatever q is, |r|^2 / <r, u> <u, q> has <r, q> for its mean over all rotations: the estimate is
/// unbiased. It differs from it by about |q| times
///
///     |r| sqrt((|r|^2 |u|^2 / <r, u>^2 - 1) / (n - 1))
///
/// Source: Gao & Long, "RaBitQ: quantizing high-dimensional vectors with a theoretical error bound
/// for approximate nearest neighbor search", SIGMOD 2024; for more bits Gao et al., "Practical and
/// asymptotically optimal quantization of high-dimensional vectors in Euclidean space", SIGMOD
/// 2025. Differs: the step of the numbers is not searched for over all that change one of them, but
/// over seven around the best one for a normal distribution.
namespace vicinal::inline VICINAL_ABI::codec {

/// What a row says of itself, before its codes.
struct rabitq_factors {
    /// |r|^2.
    float square = 0;
    /// |r|^2 / <r, u>.
    float rescale = 0;
    /// What a product with a vector of norm 1 is wrong by, about; infinite where the vector has no
    /// codes.
    float error = 0;

    [[nodiscard]] static rabitq_factors of(std::byte const* row) noexcept {
        rabitq_factors f;
        std::memcpy(&f, row, sizeof f);
        return f;
    }
};
static_assert(sizeof(rabitq_factors) == 12);

/// Elements of a code: a multiple of 64.
[[nodiscard]] constexpr std::size_t rabitq_padded(std::size_t dim) noexcept {
    return (dim + 63) / 64 * 64;
}

/// A code's numbers are kept in parts of 4, 2 and 1 bits, the highest first, each packed over all
/// elements as in simd/packed_sums.hpp; 8 bits are one part.
template <unsigned Bits>
struct rabitq_parts {
    static_assert(Bits >= 1 && Bits <= 8, "vicinal: codec::rabitq takes 1 to 8 bits");

    [[nodiscard]] static constexpr std::size_t bytes(std::size_t padded) noexcept {
        return padded / 8 * Bits;
    }
    /// Calls use(bits, shift, offset): a part of so many bits, which are the number's from `shift`
    /// on, begins `offset` bytes behind the first.
    template <class Use>
    static constexpr void each(std::size_t padded, Use const& use) {
        std::size_t offset = 0;
        unsigned left = Bits;
        for (unsigned const bits : {8U, 4U, 2U, 1U})
            if (left >= bits && left != 0) {
                left -= bits;
                use(bits, left, offset);
                offset += padded / 8 * bits;
            }
    }
};

namespace detail {

/// Adds the numbers of a part to those of the elements, `shift` bits up.
template <unsigned PartBits>
void rabitq_unpack_part(std::byte const* codes, std::size_t padded, unsigned shift,
                        std::uint8_t* numbers) noexcept {
    constexpr std::size_t each = 8 / PartBits;
    for (std::size_t i = 0; i < padded / each; ++i) {
        auto const byte = std::to_integer<unsigned>(codes[i]);
        for (unsigned j = 0; j < each; ++j)
            numbers[i * each + j] = static_cast<std::uint8_t>(
                numbers[i * each + j] | (byte >> j * PartBits & ((1U << PartBits) - 1)) << shift);
    }
}

} // namespace detail

/// The numbers of a code, one a byte.
template <unsigned Bits>
void rabitq_unpack(std::byte const* codes, std::size_t padded, std::uint8_t* numbers) noexcept {
    std::fill_n(numbers, padded, std::uint8_t{0});
    rabitq_parts<Bits>::each(padded, [&](unsigned bits, unsigned shift, std::size_t offset) {
        if (bits == 8) detail::rabitq_unpack_part<8>(codes + offset, padded, shift, numbers);
        if (bits == 4) detail::rabitq_unpack_part<4>(codes + offset, padded, shift, numbers);
        if (bits == 2) detail::rabitq_unpack_part<2>(codes + offset, padded, shift, numbers);
        if (bits == 1) detail::rabitq_unpack_part<1>(codes + offset, padded, shift, numbers);
    });
}

namespace detail {

/// The step, in standard deviations, by which 2^bits numbers lose the least of a normal
/// distribution (Max, "Quantizing for minimum distortion", 1960, and the same worked out for more).
inline constexpr double rabitq_steps[9] = {0,      1.596,  0.9957, 0.5860, 0.3352,
                                           0.1881, 0.1041, 0.0569, 0.0308};

/// What a step makes of a vector: |u|^2 and <r, u>.
struct rabitq_fit {
    double square = 0;
    double product = 0;
    double step = 0;

    [[nodiscard]] bool better_than(rabitq_fit const& other) const noexcept {
        return product * product * other.square > other.product * other.product * square;
    }
};

/// The number of an element, of which one side has `half` numbers.
[[nodiscard]] inline int rabitq_number(float x, float places, int half) noexcept {
    auto const size = (std::min)(static_cast<int>(std::fabs(x) * places), half - 1);
    return x < 0 ? half - 1 - size : half + size;
}

} // namespace detail

/// Encodes r, `padded` elements, all finite: its numbers packed at `codes`, of which every byte is
/// written. An r of nearly no length counts as 0.
template <unsigned Bits>
rabitq_factors rabitq_encode(float const* r, std::size_t padded, std::byte* codes) noexcept {
    constexpr int half = 1 << (Bits - 1);
    std::memset(codes, 0, rabitq_parts<Bits>::bytes(padded));
    double square = 0;
    for (std::size_t i = 0; i < padded; ++i) square += double{r[i]} * r[i];
    rabitq_factors f;
    if (!(square >= 0x1p-110 && square <= 0x1p110)) {
        if (square != square || square > 1) f.error = std::numeric_limits<float>::infinity();
        return f;
    }
    auto const deviation = std::sqrt(square / static_cast<double>(padded));
    auto const fit = [&](double step) {
        detail::rabitq_fit all{0, 0, step};
        auto const places = static_cast<float>(1 / step);
        for (std::size_t i = 0; i < padded; ++i) {
            double const u = detail::rabitq_number(r[i], places, half) + (0.5 - half);
            all.square += u * u;
            all.product += u * r[i];
        }
        return all;
    };
    auto best = fit(detail::rabitq_steps[Bits] * deviation);
    if constexpr (Bits > 1)
        for (double const other : {0.8, 0.87, 0.93, 1.07, 1.15, 1.25}) {
            auto const now = fit(other * detail::rabitq_steps[Bits] * deviation);
            if (now.better_than(best)) best = now;
        }
    auto const places = static_cast<float>(1 / best.step);
    rabitq_parts<Bits>::each(padded, [&](unsigned bits, unsigned shift, std::size_t offset) {
        for (std::size_t i = 0; i < padded; ++i) {
            auto const number =
                static_cast<unsigned>(detail::rabitq_number(r[i], places, half)) >> shift;
            codes[offset + i * bits / 8] |=
                static_cast<std::byte>((number & ((1U << bits) - 1)) << (i * bits % 8));
        }
    });
    auto const lost = square * best.square / (best.product * best.product) - 1;
    f.square = static_cast<float>(square);
    f.rescale = static_cast<float>(square / best.product);
    f.error = static_cast<float>(
        std::sqrt(square * (std::max)(lost, 0.0) / static_cast<double>(padded - 1)));
    return f;
}

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

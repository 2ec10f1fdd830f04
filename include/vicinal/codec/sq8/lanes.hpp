// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SQ8_LANES_HPP
#define VICINAL_CODEC_SQ8_LANES_HPP

#include <vicinal/simd/dispatch.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

/// What the code kernels need beside the operations of simd/sets.hpp.
namespace vicinal::inline VICINAL_ABI::codec::detail::inline VICINAL_BASELINE {

/// Rows in a lane each.
template <class Set>
inline constexpr std::size_t lanes_of = Set::integers::width;

/// Puts integers into `to`, each as the nearest float.
template <class Set>
VICINAL_ALWAYS_INLINE void load_as_floats(typename Set::template of<float>& to,
                                          std::int32_t const* from) noexcept {
    typename Set::integers whole;
    whole.load(from);
    to.lanes = __builtin_convertvector(whole.lanes, decltype(to.lanes));
}

/// Turns four rows of four numbers: lane j of row i becomes lane i of row j.
template <class T>
VICINAL_ALWAYS_INLINE void sq8_turn(simd::pack<T, 4>& a, simd::pack<T, 4>& b, simd::pack<T, 4>& c,
                                    simd::pack<T, 4>& d) noexcept {
    auto const ab_low = __builtin_shufflevector(a.lanes, b.lanes, 0, 4, 1, 5);
    auto const ab_high = __builtin_shufflevector(a.lanes, b.lanes, 2, 6, 3, 7);
    auto const cd_low = __builtin_shufflevector(c.lanes, d.lanes, 0, 4, 1, 5);
    auto const cd_high = __builtin_shufflevector(c.lanes, d.lanes, 2, 6, 3, 7);
    a.lanes = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    b.lanes = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    c.lanes = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    d.lanes = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

/// `not_below::bits(a, b)`: bit i is set where lane i of a is not below that of b, and where either
/// is NaN.
template <class Set>
struct not_below {
    using floats = typename Set::template of<float>;
    [[nodiscard]] VICINAL_ALWAYS_INLINE static unsigned bits(floats const& a,
                                                             floats const& b) noexcept {
        unsigned bits = 0;
        for (std::size_t i = 0; i < floats::width; ++i)
            bits |= (a.lanes[i] < b.lanes[i] ? 0U : 1U) << i;
        return bits;
    }
};

#if VICINAL_X86_DISPATCH

template <>
struct not_below<simd::baseline_set> {
    using floats = simd::baseline_set::of<float>;
    [[nodiscard]] VICINAL_ALWAYS_INLINE static unsigned bits(floats const& a,
                                                             floats const& b) noexcept {
        auto lanes = a.lanes;
        unsigned bits = 0;
        asm("cmpps {$5, %1, %0|%0, %1, 5}" : "+x"(lanes) : "x"(b.lanes));
        asm("movmskps {%1, %0|%0, %1}" : "=r"(bits) : "x"(lanes));
        return bits;
    }
};
template <>
struct not_below<simd::avx2_set> {
    using floats = simd::avx2_set::of<float>;
    [[nodiscard]] VICINAL_TARGET_AVX2 static inline unsigned bits(floats const& a,
                                                                  floats const& b) noexcept {
        floats::lanes_type lanes;
        unsigned bits = 0;
        asm("vcmpps {$0x15, %2, %1, %0|%0, %1, %2, 0x15}"
            : "=x"(lanes)
            : "x"(a.lanes), "x"(b.lanes));
        asm("vmovmskps {%1, %0|%0, %1}" : "=r"(bits) : "x"(lanes));
        return bits;
    }
};
template <>
struct not_below<simd::avx512_set> {
    using floats = simd::avx512_set::of<float>;
    [[nodiscard]] VICINAL_TARGET_AVX512 static inline unsigned bits(floats const& a,
                                                                    floats const& b) noexcept {
        std::uint16_t bits = 0;
        asm("vcmpps {$0x15, %2, %1, %0|%0, %1, %2, 0x15}"
            : "=k"(bits)
            : "v"(a.lanes), "v"(b.lanes));
        return bits;
    }
};
template <>
struct not_below<simd::avx512_vnni_set> : not_below<simd::avx512_set> {};

#endif

} // namespace vicinal::inline VICINAL_ABI::codec::detail::inline VICINAL_BASELINE

#endif

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

/// Integers as floats, the nearest.
template <class Set>
[[nodiscard]] VICINAL_ALWAYS_INLINE typename Set::template of<float>
as_floats(std::int32_t const* from) noexcept {
    typename Set::integers whole;
    typename Set::template of<float> out;
    whole.load(from);
    out.lanes = __builtin_convertvector(whole.lanes, decltype(out.lanes));
    return out;
}

/// Bit i: lane i of a is not below that of b. NaN in either sets it.
template <class Set>
[[nodiscard]] VICINAL_ALWAYS_INLINE unsigned
not_below(typename Set::template of<float> const& a,
          typename Set::template of<float> const& b) noexcept {
    unsigned bits = 0;
    for (std::size_t i = 0; i < lanes_of<Set>; ++i)
        bits |= (a.lanes[i] < b.lanes[i] ? 0U : 1U) << i;
    return bits;
}

#if VICINAL_X86_DISPATCH

template <>
[[nodiscard]] inline unsigned
not_below<simd::baseline_set>(simd::baseline_set::of<float> const& a,
                              simd::baseline_set::of<float> const& b) noexcept {
    auto lanes = a.lanes;
    unsigned bits = 0;
    asm("cmpps {$5, %1, %0|%0, %1, 5}" : "+x"(lanes) : "x"(b.lanes));
    asm("movmskps {%1, %0|%0, %1}" : "=r"(bits) : "x"(lanes));
    return bits;
}
template <>
[[nodiscard]] VICINAL_TARGET_AVX2 inline unsigned
not_below<simd::avx2_set>(simd::avx2_set::of<float> const& a,
                          simd::avx2_set::of<float> const& b) noexcept {
    simd::avx2_set::of<float>::lanes_type lanes;
    unsigned bits = 0;
    asm("vcmpps {$0x15, %2, %1, %0|%0, %1, %2, 0x15}" : "=x"(lanes) : "x"(a.lanes), "x"(b.lanes));
    asm("vmovmskps {%1, %0|%0, %1}" : "=r"(bits) : "x"(lanes));
    return bits;
}
template <>
[[nodiscard]] VICINAL_TARGET_AVX512 inline unsigned
not_below<simd::avx512_set>(simd::avx512_set::of<float> const& a,
                            simd::avx512_set::of<float> const& b) noexcept {
    std::uint16_t bits = 0;
    asm("vcmpps {$0x15, %2, %1, %0|%0, %1, %2, 0x15}" : "=k"(bits) : "v"(a.lanes), "v"(b.lanes));
    return bits;
}
template <>
[[nodiscard]] VICINAL_TARGET_AVX512_VNNI inline unsigned
not_below<simd::avx512_vnni_set>(simd::avx512_vnni_set::of<float> const& a,
                                 simd::avx512_vnni_set::of<float> const& b) noexcept {
    std::uint16_t bits = 0;
    asm("vcmpps {$0x15, %2, %1, %0|%0, %1, %2, 0x15}" : "=k"(bits) : "v"(a.lanes), "v"(b.lanes));
    return bits;
}

#endif

} // namespace vicinal::inline VICINAL_ABI::codec::detail::inline VICINAL_BASELINE

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_SETS_BY_ARITHMETIC_HPP
#define VICINAL_SIMD_SETS_BY_ARITHMETIC_HPP

#include <vicinal/core/half.hpp>
#include <vicinal/simd/pack.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

/// What has no instruction of its own on a set, made of those that there are.
namespace vicinal::inline VICINAL_ABI::simd::detail {

/// sum += a b, bytes four to a lane, of a set whose only product is that of 16-bit words.
template <class Set>
VICINAL_ALWAYS_INLINE void dot_bytes_by_words(typename Set::integers& sum,
                                              typename Set::bytes_u8 const& a,
                                              typename Set::bytes_s8 const& b) noexcept {
    using unsigned_words = typename Set::template of<std::uint16_t>;
    unsigned_words x;
    x.set_bits(a.lanes);
    typename Set::words y, a_even, a_odd, b_even, b_odd;
    y.set_bits(b.lanes);
    a_even.set_bits(x.lanes & 255);
    a_odd.set_bits(x.lanes >> 8);
    b_even.lanes = (y.lanes << 8) >> 8;
    b_odd.lanes = y.lanes >> 8;
    Set::dot_words(sum, a_even, b_even);
    Set::dot_words(sum, a_odd, b_odd);
}

/// sum += a b where both are signed, or both unsigned, in pairs of 16-bit words.
template <class Set, class Bytes>
VICINAL_ALWAYS_INLINE void dot_alike_by_words(typename Set::integers& sum, Bytes const& a,
                                              Bytes const& b) noexcept {
    using lanes =
        typename Set::template of<std::conditional_t<std::is_same_v<Bytes, typename Set::bytes_s8>,
                                                     std::int16_t, std::uint16_t>>;
    lanes x, y;
    x.set_bits(a.lanes);
    y.set_bits(b.lanes);
    typename Set::words a_even, a_odd, b_even, b_odd;
    a_even.set_bits((x.lanes << 8) >> 8);
    a_odd.set_bits(x.lanes >> 8);
    b_even.set_bits((y.lanes << 8) >> 8);
    b_odd.set_bits(y.lanes >> 8);
    Set::dot_words(sum, a_even, b_even);
    Set::dot_words(sum, a_odd, b_odd);
}

/// The bits set in each number below 16, once for each 16 bytes of a register.
inline constexpr std::uint8_t nibble_bits[64] = {
    0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
    0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};

/// bf16 to floats.
template <std::size_t Width>
VICINAL_ALWAYS_INLINE void floats_of_bfloats(pack<float, Width>& to, bf16 const* from) noexcept {
    pack<std::uint16_t, Width> upper;
    pack<std::uint32_t, Width> all;
    std::memcpy(&upper.lanes, from, sizeof upper.lanes);
    all.lanes = __builtin_convertvector(upper.lanes, decltype(all.lanes)) << 16;
    to.set_bits(all.lanes);
}

/// Halves to floats by integer arithmetic, exact, also where denormals count as zero.
template <std::size_t Width>
VICINAL_ALWAYS_INLINE void floats_of_halves(pack<float, Width>& to, f16 const* from) noexcept {
    pack<std::uint16_t, Width> halves;
    std::memcpy(&halves.lanes, from, sizeof halves.lanes);
    pack<std::uint32_t, Width> all, sign, size, exponent;
    all.lanes = __builtin_convertvector(halves.lanes, decltype(all.lanes));
    sign.lanes = (all.lanes & 0x8000U) << 16;
    size.lanes = (all.lanes & 0x7FFFU) << 13;
    exponent.lanes = size.lanes & (31U << 23);
    size.lanes += 112U << 23;
    // Infinity and NaN move to float's largest exponent.
    pack<std::uint32_t, Width> top;
    top.set_bits(exponent.lanes == (31U << 23));
    size.lanes += top.lanes & (112U << 23);
    // Subnormal: one more in the exponent gives a leading one, which is then subtracted.
    pack<std::uint32_t, Width> low, lead;
    low.set_bits(exponent.lanes == 0U);
    size.lanes += low.lanes & (1U << 23);
    lead.lanes = low.lanes & (113U << 23);
    pack<float, Width> x, less;
    x.set_bits(size.lanes);
    less.set_bits(lead.lanes);
    x.subtract(less);
    size.set_bits(x.lanes);
    to.set_bits(size.lanes | sign.lanes);
}

} // namespace vicinal::inline VICINAL_ABI::simd::detail

#endif

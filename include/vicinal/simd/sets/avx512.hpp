// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_SETS_AVX512_HPP
#define VICINAL_SIMD_SETS_AVX512_HPP

#include <vicinal/simd/sets/registers.hpp>

#include <cstddef>
#include <cstdint>

#if VICINAL_X86_DISPATCH

namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE {

/// AVX-512 F, BW, DQ and VL.
struct avx512_set : registers<64> {
    /// Bytes under a mask; what lies behind them is not touched.
    template <class T>
    VICINAL_TARGET_AVX512 static inline void load_part(of<T>& to, T const* from,
                                                       std::size_t n) noexcept {
        std::uint64_t const mask = (std::uint64_t{1} << (n * sizeof(T))) - 1;
        asm("vmovdqu8 {%1, %0%{%2%}%{z%}|%0%{%2%}%{z%}, %1}"
            : "=v"(to.lanes)
            : "m"(*reinterpret_cast<char const(*)[64]>(from)), "Yk"(mask));
    }
    VICINAL_TARGET_AVX512 static inline void load_bfloats(of<float>& to,
                                                          bf16 const* from) noexcept {
        of<std::uint32_t> all;
        asm("vpmovzxwd {%1, %0|%0, %1}"
            : "=v"(all.lanes)
            : "m"(*reinterpret_cast<char const(*)[32]>(from)));
        all.lanes <<= 16;
        to.set_bits(all.lanes);
    }
    /// Moves the lanes whose bits are set to the front. In a register: to memory it is slow on Zen.
    template <class T>
    VICINAL_TARGET_AVX512 static inline void compress(of<T>& x, std::uint32_t bits) noexcept {
        static_assert(sizeof(T) == 4);
        asm("vpcompressd {%0, %0%{%1%}%{z%}|%0%{%1%}%{z%}, %0}" : "+v"(x.lanes) : "Yk"(bits));
    }
    /// As bits, the lanes that are at most those of `bound`.
    VICINAL_TARGET_AVX512 static inline std::uint32_t at_most(of<float> const& x,
                                                              of<float> const& bound) noexcept {
        std::uint32_t bits;
        asm("vcmpleps {%2, %1, %0|%0, %1, %2}" : "=Yk"(bits) : "v"(x.lanes), "v"(bound.lanes));
        return bits & 0xFFFF;
    }
    template <class Bytes>
    VICINAL_TARGET_AVX512 static inline void dot_alike(integers& sum, Bytes const& a,
                                                       Bytes const& b) noexcept {
        detail::dot_alike_by_words<avx512_set>(sum, a, b);
    }
    VICINAL_TARGET_AVX512 static inline void load_halves(of<float>& to, f16 const* from) noexcept {
        asm("vcvtph2ps {%1, %0|%0, %1}"
            : "=v"(to.lanes)
            : "m"(*reinterpret_cast<char const(*)[32]>(from)));
    }
    VICINAL_TARGET_AVX512 static inline void add_bits(integers& sum, bytes_u8 const& x) noexcept {
        bytes_u8 low, high, table, a, b;
        of<std::uint32_t> all;
        all.set_bits(x.lanes);
        low.set_bits(all.lanes & 0x0F0F0F0FU);
        high.set_bits((all.lanes >> 4) & 0x0F0F0F0FU);
        table.load(detail::nibble_bits);
        look_up(a, table, low);
        look_up(b, table, high);
        a.add(b);
        bytes_s8 ones;
        ones.fill_with<1>();
        dot_low_bytes(sum, a, ones);
    }
    VICINAL_TARGET_AVX512 static inline void look_up(bytes_u8& to, bytes_u8 const& table,
                                                     bytes_u8 const& places) noexcept {
        asm("vpshufb {%2, %1, %0|%0, %1, %2}"
            : "=v"(to.lanes)
            : "v"(table.lanes), "v"(places.lanes));
    }
    VICINAL_TARGET_AVX512 static inline void add_distances(integers& sum, bytes_u8 const& a,
                                                           bytes_u8 const& b) noexcept {
        integers distances;
        asm("vpsadbw {%2, %1, %0|%0, %1, %2}" : "=v"(distances.lanes) : "v"(a.lanes), "v"(b.lanes));
        sum.add(distances);
    }
    /// Written out because GCC converts by quarters.
    VICINAL_TARGET_AVX512 static inline void widen(of<double>& low, of<double>& high,
                                                   of<float> const& from) noexcept {
        pack<float, of<double>::width> first, second;
        from.halves(first, second);
        asm("vcvtps2pd {%1, %0|%0, %1}" : "=v"(low.lanes) : "v"(first.lanes));
        asm("vcvtps2pd {%1, %0|%0, %1}" : "=v"(high.lanes) : "v"(second.lanes));
    }
    /// Straight from memory; written out because GCC goes through a scalar register and, for
    /// integers, through masks.
    template <class T>
    VICINAL_TARGET_AVX512 static inline void broadcast(of<T>& to, void const* from) noexcept {
        static_assert(sizeof(T) == 4);
        asm("vbroadcastss {%1, %0|%0, %1}"
            : "=v"(to.lanes)
            : "m"(*static_cast<char const(*)[4]>(from)));
    }
    VICINAL_TARGET_AVX512 static inline void dot_words(integers& sum, words const& a,
                                                       words const& b) noexcept {
        integers::lanes_type products;
        asm("vpmaddwd {%2, %1, %0|%0, %1, %2}" : "=v"(products) : "v"(a.lanes), "v"(b.lanes));
        sum.lanes += products;
    }
    VICINAL_TARGET_AVX512 static inline void dot_bytes(integers& sum, bytes_u8 const& a,
                                                       bytes_s8 const& b) noexcept {
        detail::dot_bytes_by_words<avx512_set>(sum, a, b);
    }
    VICINAL_TARGET_AVX512 static inline void dot_low_bytes(integers& sum, bytes_u8 const& a,
                                                           bytes_s8 const& b) noexcept {
        words pairs, ones;
        ones.fill_with<1>();
        asm("vpmaddubsw {%2, %1, %0|%0, %1, %2}" : "=v"(pairs.lanes) : "v"(a.lanes), "v"(b.lanes));
        dot_words(sum, pairs, ones);
    }
};

/// The same with VNNI. Its instructions are written out, and neither compiler nor assembler asks
/// for a target by which they are legal: only the CPU must have them. So one target serves all sets
/// of 64 bytes, and the operations that they share are written once (see registers.hpp).
struct avx512_vnni_set : avx512_set {
    /// The instruction wants one side signed and one not: 128 is added to a, or taken from b, and
    /// put right after.
    VICINAL_TARGET_AVX512 static inline void dot_alike(integers& sum, bytes_s8 const& a,
                                                       bytes_s8 const& b) noexcept {
        bytes_u8 raised, shift;
        shift.fill_with<128>();
        raised.set_bits(a.lanes);
        raised.lanes ^= shift.lanes;
        integers less;
        less.zero();
        dot_bytes(sum, raised, b);
        dot_bytes(less, shift, b);
        sum.subtract(less);
    }
    VICINAL_TARGET_AVX512 static inline void dot_alike(integers& sum, bytes_u8 const& a,
                                                       bytes_u8 const& b) noexcept {
        bytes_u8 shift;
        shift.fill_with<128>();
        bytes_s8 lowered, half;
        half.fill_with<64>();
        lowered.set_bits(b.lanes ^ shift.lanes);
        dot_bytes(sum, a, lowered);
        dot_bytes(sum, a, half);
        dot_bytes(sum, a, half);
    }
    VICINAL_TARGET_AVX512 static inline void dot_words(integers& sum, words const& a,
                                                       words const& b) noexcept {
        asm("vpdpwssd {%2, %1, %0|%0, %1, %2}" : "+v"(sum.lanes) : "v"(a.lanes), "v"(b.lanes));
    }
    VICINAL_TARGET_AVX512 static inline void dot_bytes(integers& sum, bytes_u8 const& a,
                                                       bytes_s8 const& b) noexcept {
        asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(sum.lanes) : "v"(a.lanes), "v"(b.lanes));
    }
    VICINAL_TARGET_AVX512 static inline void dot_low_bytes(integers& sum, bytes_u8 const& a,
                                                           bytes_s8 const& b) noexcept {
        dot_bytes(sum, a, b);
    }
};

/// The same with VPOPCNTDQ.
struct avx512_popcnt_set : avx512_vnni_set {
    VICINAL_TARGET_AVX512 static inline void add_bits(integers& sum, bytes_u8 const& x) noexcept {
        integers counts;
        asm("vpopcntd {%1, %0|%0, %1}" : "=v"(counts.lanes) : "v"(x.lanes));
        sum.add(counts);
    }
};

} // namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE

#endif

#endif

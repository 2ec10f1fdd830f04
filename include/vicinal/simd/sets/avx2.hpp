// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_SETS_AVX2_HPP
#define VICINAL_SIMD_SETS_AVX2_HPP

#include <vicinal/simd/sets/registers.hpp>

#include <cstdint>

#if VICINAL_X86_DISPATCH

namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE {

/// AVX2, FMA and F16C.
struct avx2_set : registers<32> {
    VICINAL_TARGET_AVX2 static inline void load_bfloats(of<float>& to, bf16 const* from) noexcept {
        of<std::uint32_t> all;
        asm("vpmovzxwd {%1, %0|%0, %1}"
            : "=x"(all.lanes)
            : "m"(*reinterpret_cast<char const(*)[16]>(from)));
        all.lanes <<= 16;
        to.set_bits(all.lanes);
    }
    template <class Bytes>
    VICINAL_TARGET_AVX2 static inline void dot_alike(integers& sum, Bytes const& a,
                                                     Bytes const& b) noexcept {
        detail::dot_alike_by_words<avx2_set>(sum, a, b);
    }
    VICINAL_TARGET_AVX2 static inline void load_halves(of<float>& to, f16 const* from) noexcept {
        asm("vcvtph2ps {%1, %0|%0, %1}"
            : "=x"(to.lanes)
            : "m"(*reinterpret_cast<char const(*)[16]>(from)));
    }
    VICINAL_TARGET_AVX2 static inline void add_bits(integers& sum, bytes_u8 const& x) noexcept {
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
    VICINAL_TARGET_AVX2 static inline void look_up(bytes_u8& to, bytes_u8 const& table,
                                                   bytes_u8 const& places) noexcept {
        asm("vpshufb {%2, %1, %0|%0, %1, %2}"
            : "=x"(to.lanes)
            : "x"(table.lanes), "x"(places.lanes));
    }
    VICINAL_TARGET_AVX2 static inline void add_distances(integers& sum, bytes_u8 const& a,
                                                         bytes_u8 const& b) noexcept {
        integers distances;
        asm("vpsadbw {%2, %1, %0|%0, %1, %2}" : "=x"(distances.lanes) : "x"(a.lanes), "x"(b.lanes));
        sum.add(distances);
    }
    /// Written out because GCC converts by quarters.
    VICINAL_TARGET_AVX2 static inline void widen(of<double>& low, of<double>& high,
                                                 of<float> const& from) noexcept {
        pack<float, of<double>::width> first, second;
        from.halves(first, second);
        asm("vcvtps2pd {%1, %0|%0, %1}" : "=x"(low.lanes) : "x"(first.lanes));
        asm("vcvtps2pd {%1, %0|%0, %1}" : "=x"(high.lanes) : "x"(second.lanes));
    }
    /// Straight from memory; written out because GCC goes through a scalar register and, for
    /// integers, through masks.
    template <class T>
    VICINAL_TARGET_AVX2 static inline void broadcast(of<T>& to, void const* from) noexcept {
        static_assert(sizeof(T) == 4);
        asm("vbroadcastss {%1, %0|%0, %1}"
            : "=x"(to.lanes)
            : "m"(*static_cast<char const(*)[4]>(from)));
    }
    VICINAL_TARGET_AVX2 static inline void dot_words(integers& sum, words const& a,
                                                     words const& b) noexcept {
        integers::lanes_type products;
        asm("vpmaddwd {%2, %1, %0|%0, %1, %2}" : "=x"(products) : "x"(a.lanes), "x"(b.lanes));
        sum.lanes += products;
    }
    VICINAL_TARGET_AVX2 static inline void dot_bytes(integers& sum, bytes_u8 const& a,
                                                     bytes_s8 const& b) noexcept {
        detail::dot_bytes_by_words<avx2_set>(sum, a, b);
    }
    /// 2 x 127 x 128 stays inside 16 bits, so that nothing saturates.
    VICINAL_TARGET_AVX2 static inline void dot_low_bytes(integers& sum, bytes_u8 const& a,
                                                         bytes_s8 const& b) noexcept {
        words pairs, ones;
        ones.fill_with<1>();
        asm("vpmaddubsw {%2, %1, %0|%0, %1, %2}" : "=x"(pairs.lanes) : "x"(a.lanes), "x"(b.lanes));
        dot_words(sum, pairs, ones);
    }
};

} // namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE

#endif

#endif

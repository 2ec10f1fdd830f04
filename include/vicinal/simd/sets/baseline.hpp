// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_SETS_BASELINE_HPP
#define VICINAL_SIMD_SETS_BASELINE_HPP

#include <vicinal/simd/sets/registers.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE {

#if defined(__AVX512F__) && !VICINAL_X86_DISPATCH
inline constexpr std::size_t baseline_bytes = 64;
#elif defined(__AVX2__) && !VICINAL_X86_DISPATCH
inline constexpr std::size_t baseline_bytes = 32;
#else
inline constexpr std::size_t baseline_bytes = 16;
#endif

/// What the compiler's own flags allow.
struct baseline_set : registers<baseline_bytes> {
    VICINAL_ALWAYS_INLINE static void load_bfloats(of<float>& to, bf16 const* from) noexcept {
        detail::floats_of_bfloats(to, from);
    }
    template <class Bytes>
    VICINAL_ALWAYS_INLINE static void dot_alike(integers& sum, Bytes const& a,
                                                Bytes const& b) noexcept {
        detail::dot_alike_by_words<baseline_set>(sum, a, b);
    }
    VICINAL_ALWAYS_INLINE static void load_halves(of<float>& to, f16 const* from) noexcept {
        detail::floats_of_halves(to, from);
    }
    /// sum[i] += the number of bits set in the four bytes of lane i.
    VICINAL_ALWAYS_INLINE static void add_bits(integers& sum, bytes_u8 const& x) noexcept {
        of<std::uint32_t> all;
        all.set_bits(x.lanes);
        all.lanes -= (all.lanes >> 1) & 0x55555555U;
        all.lanes = (all.lanes & 0x33333333U) + ((all.lanes >> 2) & 0x33333333U);
        all.lanes = (all.lanes + (all.lanes >> 4)) & 0x0F0F0F0FU;
        // The four bytes of a lane are added up in its highest.
        all.lanes = (all.lanes * 0x01010101U) >> 24;
        integers counts;
        counts.set_bits(all.lanes);
        sum.add(counts);
    }
    /// to[i] = table[places[i]], each 16 bytes for themselves; places are below 16.
    VICINAL_ALWAYS_INLINE static void look_up(bytes_u8& to, bytes_u8 const& table,
                                              bytes_u8 const& places) noexcept {
#if defined(__AVX512BW__) && !VICINAL_X86_DISPATCH
        asm("vpshufb {%2, %1, %0|%0, %1, %2}"
            : "=v"(to.lanes)
            : "v"(table.lanes), "v"(places.lanes));
#elif defined(__AVX__) && (defined(__AVX2__) || VICINAL_X86_DISPATCH)
        asm("vpshufb {%2, %1, %0|%0, %1, %2}"
            : "=x"(to.lanes)
            : "x"(table.lanes), "x"(places.lanes));
#elif defined(__SSSE3__)
        to.lanes = table.lanes;
        asm("pshufb {%1, %0|%0, %1}" : "+x"(to.lanes) : "x"(places.lanes));
#elif defined(__aarch64__)
        asm("tbl %0.16b, {%1.16b}, %2.16b" : "=w"(to.lanes) : "w"(table.lanes), "w"(places.lanes));
#else
        std::uint8_t entries[bytes], from[bytes], out[bytes];
        table.store(entries);
        places.store(from);
        for (std::size_t i = 0; i < bytes; ++i) out[i] = entries[i / 16 * 16 + from[i]];
        to.load(out);
#endif
    }
    /// The lanes' total grows by the sum of |a[i] - b[i]|; which lane takes what is the set's
    /// choice.
    VICINAL_ALWAYS_INLINE static void add_distances(integers& sum, bytes_u8 const& a,
                                                    bytes_u8 const& b) noexcept {
#if VICINAL_X86_DISPATCH
        auto sums = a.lanes;
        asm("psadbw {%1, %0|%0, %1}" : "+x"(sums) : "x"(b.lanes));
        integers distances;
        distances.set_bits(sums);
        sum.add(distances);
#else
        bytes_u8 size;
        bytes_s8 ones;
        size.set_absolute_difference(a, b);
        ones.fill_with<1>();
        dot_bytes(sum, size, ones);
#endif
    }
    /// The first half of the lanes and the second, as doubles.
    VICINAL_ALWAYS_INLINE static void widen(of<double>& low, of<double>& high,
                                            of<float> const& from) noexcept {
#if VICINAL_X86_DISPATCH
        auto const upper = __builtin_shufflevector(from.lanes, from.lanes, 2, 3, 2, 3);
        asm("cvtps2pd {%1, %0|%0, %1}" : "=x"(low.lanes) : "x"(from.lanes));
        asm("cvtps2pd {%1, %0|%0, %1}" : "=x"(high.lanes) : "x"(upper));
#else
        pack<float, of<double>::width> first, second;
        from.halves(first, second);
        low.lanes = __builtin_convertvector(first.lanes, decltype(low.lanes));
        high.lanes = __builtin_convertvector(second.lanes, decltype(high.lanes));
#endif
    }
    /// Every lane becomes the four bytes at `from`.
    template <class T>
    VICINAL_ALWAYS_INLINE static void broadcast(of<T>& to, void const* from) noexcept {
        static_assert(sizeof(T) == 4);
        T value;
        std::memcpy(&value, from, 4);
        to.fill(value);
    }
    /// sum[i] += a[2i] b[2i] + a[2i+1] b[2i+1].
    VICINAL_ALWAYS_INLINE static void dot_words(integers& sum, words const& a,
                                                words const& b) noexcept {
#if VICINAL_X86_DISPATCH
        sum.lanes += __builtin_ia32_pmaddwd128(a.lanes, b.lanes);
#else
        integers x, y;
        x.set_bits(a.lanes);
        y.set_bits(b.lanes);
        sum.lanes +=
            ((x.lanes << 16) >> 16) * ((y.lanes << 16) >> 16) + (x.lanes >> 16) * (y.lanes >> 16);
#endif
    }
    /// sum[i] += the four products a[4i] b[4i] to a[4i+3] b[4i+3].
    VICINAL_ALWAYS_INLINE static void dot_bytes(integers& sum, bytes_u8 const& a,
                                                bytes_s8 const& b) noexcept {
        detail::dot_bytes_by_words<baseline_set>(sum, a, b);
    }
    /// The same for a that are 127 at most.
    VICINAL_ALWAYS_INLINE static void dot_low_bytes(integers& sum, bytes_u8 const& a,
                                                    bytes_s8 const& b) noexcept {
        detail::dot_bytes_by_words<baseline_set>(sum, a, b);
    }
};

} // namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE

#endif

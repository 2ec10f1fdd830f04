// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_SETS_HPP
#define VICINAL_SIMD_SETS_HPP

#include <vicinal/core/half.hpp>
#include <vicinal/simd/instruction_set.hpp>
#include <vicinal/simd/pack.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

// A kernel body is compiled as if it stood in the function around it, whole.
#if defined(__GNUC__) || defined(__clang__)
#    define VICINAL_FLATTEN __attribute__((flatten))
#else
#    define VICINAL_FLATTEN
#endif

// Clang inlines an operation into a kernel only where both name the same features; plain names
// only, because it drops the whole attribute at anything else (prefer-vector-width).
#if VICINAL_X86_DISPATCH
#    define VICINAL_TARGET_AVX2 __attribute__((target("avx2,fma,f16c")))
#    define VICINAL_TARGET_AVX512                                                                  \
        __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c,bmi2")))
#    define VICINAL_TARGET_AVX512_VNNI                                                             \
        __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,f16c,bmi2")))
#endif

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

/// The operations that vector extensions don't have, for each instruction set. What has no
/// instruction there is made of those that do, with the same results to the last bit.
namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE {

/// The registers of a set, by element.
template <std::size_t Bytes>
struct registers {
    static constexpr std::size_t bytes = Bytes;
    template <class T>
    using of = pack<T, Bytes / sizeof(T)>;
    using bytes_u8 = of<std::uint8_t>;
    using bytes_s8 = of<std::int8_t>;
    using words = of<std::int16_t>;
    using integers = of<std::int32_t>;

    /// Loads the first n elements, 0 < n < width; the other lanes are zero.
    template <class T>
    VICINAL_ALWAYS_INLINE static void load_part(of<T>& to, T const* from, std::size_t n) noexcept {
        unsigned char buffer[Bytes];
        detail::copy_part(buffer, reinterpret_cast<unsigned char const*>(from), n * sizeof(T));
        std::memcpy(&to.lanes, buffer, Bytes);
    }
};

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
    /// Every byte becomes the number of its bits that are set.
    VICINAL_ALWAYS_INLINE static void count_bits(bytes_u8& x) noexcept {
        of<std::uint32_t> all;
        all.set_bits(x.lanes);
        all.lanes -= (all.lanes >> 1) & 0x55555555U;
        all.lanes = (all.lanes & 0x33333333U) + ((all.lanes >> 2) & 0x33333333U);
        x.set_bits((all.lanes + (all.lanes >> 4)) & 0x0F0F0F0FU);
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

#if VICINAL_X86_DISPATCH

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
    VICINAL_TARGET_AVX2 static inline void count_bits(bytes_u8& x) noexcept {
        bytes_u8 low, high;
        of<std::uint32_t> all;
        all.set_bits(x.lanes);
        low.set_bits(all.lanes & 0x0F0F0F0FU);
        high.set_bits((all.lanes >> 4) & 0x0F0F0F0FU);
        bytes_u8 table, a, b;
        table.load(detail::nibble_bits);
        asm("vpshufb {%2, %1, %0|%0, %1, %2}" : "=x"(a.lanes) : "x"(table.lanes), "x"(low.lanes));
        asm("vpshufb {%2, %1, %0|%0, %1, %2}" : "=x"(b.lanes) : "x"(table.lanes), "x"(high.lanes));
        a.add(b);
        x = a;
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
    VICINAL_TARGET_AVX512 static inline void count_bits(bytes_u8& x) noexcept {
        bytes_u8 low, high;
        of<std::uint32_t> all;
        all.set_bits(x.lanes);
        low.set_bits(all.lanes & 0x0F0F0F0FU);
        high.set_bits((all.lanes >> 4) & 0x0F0F0F0FU);
        bytes_u8 table, a, b;
        table.load(detail::nibble_bits);
        asm("vpshufb {%2, %1, %0|%0, %1, %2}" : "=v"(a.lanes) : "v"(table.lanes), "v"(low.lanes));
        asm("vpshufb {%2, %1, %0|%0, %1, %2}" : "=v"(b.lanes) : "v"(table.lanes), "v"(high.lanes));
        a.add(b);
        x = a;
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

struct avx512_vnni_set : registers<64> {
    /// Bytes under a mask; what lies behind them is not touched.
    template <class T>
    VICINAL_TARGET_AVX512_VNNI static inline void load_part(of<T>& to, T const* from,
                                                            std::size_t n) noexcept {
        std::uint64_t const mask = (std::uint64_t{1} << (n * sizeof(T))) - 1;
        asm("vmovdqu8 {%1, %0%{%2%}%{z%}|%0%{%2%}%{z%}, %1}"
            : "=v"(to.lanes)
            : "m"(*reinterpret_cast<char const(*)[64]>(from)), "Yk"(mask));
    }
    VICINAL_TARGET_AVX512_VNNI static inline void load_bfloats(of<float>& to,
                                                               bf16 const* from) noexcept {
        of<std::uint32_t> all;
        asm("vpmovzxwd {%1, %0|%0, %1}"
            : "=v"(all.lanes)
            : "m"(*reinterpret_cast<char const(*)[32]>(from)));
        all.lanes <<= 16;
        to.set_bits(all.lanes);
    }
    /// The instruction wants one side signed and one not: 128 is added to a, or taken from b, and
    /// put right after.
    VICINAL_TARGET_AVX512_VNNI static inline void dot_alike(integers& sum, bytes_s8 const& a,
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
    VICINAL_TARGET_AVX512_VNNI static inline void dot_alike(integers& sum, bytes_u8 const& a,
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
    VICINAL_TARGET_AVX512_VNNI static inline void load_halves(of<float>& to,
                                                              f16 const* from) noexcept {
        asm("vcvtph2ps {%1, %0|%0, %1}"
            : "=v"(to.lanes)
            : "m"(*reinterpret_cast<char const(*)[32]>(from)));
    }
    VICINAL_TARGET_AVX512_VNNI static inline void count_bits(bytes_u8& x) noexcept {
        bytes_u8 low, high;
        of<std::uint32_t> all;
        all.set_bits(x.lanes);
        low.set_bits(all.lanes & 0x0F0F0F0FU);
        high.set_bits((all.lanes >> 4) & 0x0F0F0F0FU);
        bytes_u8 table, a, b;
        table.load(detail::nibble_bits);
        asm("vpshufb {%2, %1, %0|%0, %1, %2}" : "=v"(a.lanes) : "v"(table.lanes), "v"(low.lanes));
        asm("vpshufb {%2, %1, %0|%0, %1, %2}" : "=v"(b.lanes) : "v"(table.lanes), "v"(high.lanes));
        a.add(b);
        x = a;
    }
    /// Straight from memory; written out because GCC goes through a scalar register and, for
    /// integers, through masks.
    template <class T>
    VICINAL_TARGET_AVX512_VNNI static inline void broadcast(of<T>& to, void const* from) noexcept {
        static_assert(sizeof(T) == 4);
        asm("vbroadcastss {%1, %0|%0, %1}"
            : "=v"(to.lanes)
            : "m"(*static_cast<char const(*)[4]>(from)));
    }
    VICINAL_TARGET_AVX512_VNNI static inline void dot_words(integers& sum, words const& a,
                                                            words const& b) noexcept {
        asm("vpdpwssd {%2, %1, %0|%0, %1, %2}" : "+v"(sum.lanes) : "v"(a.lanes), "v"(b.lanes));
    }
    VICINAL_TARGET_AVX512_VNNI static inline void dot_bytes(integers& sum, bytes_u8 const& a,
                                                            bytes_s8 const& b) noexcept {
        asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(sum.lanes) : "v"(a.lanes), "v"(b.lanes));
    }
    VICINAL_TARGET_AVX512_VNNI static inline void dot_low_bytes(integers& sum, bytes_u8 const& a,
                                                                bytes_s8 const& b) noexcept {
        dot_bytes(sum, a, b);
    }
};

#endif

} // namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_SETS_REGISTERS_HPP
#define VICINAL_SIMD_SETS_REGISTERS_HPP

#include <vicinal/simd/instruction_set.hpp>
#include <vicinal/simd/pack.hpp>
#include <vicinal/simd/sets/by_arithmetic.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

// Clang inlines an operation into a kernel only where both name the same features; plain names
// only, because it drops the whole attribute at anything else (prefer-vector-width).
#if VICINAL_X86_DISPATCH
#    define VICINAL_TARGET_AVX2 __attribute__((target("avx2,fma,f16c")))
#    define VICINAL_TARGET_AVX512                                                                  \
        __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c,bmi2")))
#endif

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

} // namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE

#endif

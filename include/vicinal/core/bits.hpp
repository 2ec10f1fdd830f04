// SPDX-License-Identifier: MIT
#ifndef VICINAL_CORE_BITS_HPP
#define VICINAL_CORE_BITS_HPP

#include <vicinal/core/config.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace vicinal::inline VICINAL_ABI::detail {

/// Little-endian integers in files: byte by byte, so that the host's order does not matter.
template <std::unsigned_integral U>
[[nodiscard]] constexpr U load_le(std::byte const* p) noexcept {
    U v = 0;
    // GCC 12 does not see one load in the loop below at -O2: 4 ns instead of a fraction of one.
    if (std::endian::native == std::endian::little && !std::is_constant_evaluated()) {
        std::memcpy(&v, p, sizeof v);
        return v;
    }
    for (std::size_t i = 0; i < sizeof(U); ++i)
        v = static_cast<U>(v | static_cast<U>(static_cast<U>(p[i]) << (8 * i)));
    return v;
}

template <std::unsigned_integral U>
constexpr void store_le(std::byte* p, U v) noexcept {
    for (std::size_t i = 0; i < sizeof(U); ++i)
        p[i] = static_cast<std::byte>(static_cast<unsigned char>(v >> (8 * i)));
}

/// a * b and a + b with the overflow told: sizes that come from outside go through these.
template <std::unsigned_integral U>
[[nodiscard]] constexpr bool checked_multiply(U a, U b, U& product) noexcept {
    return !__builtin_mul_overflow(a, b, &product);
}

template <std::unsigned_integral U>
[[nodiscard]] constexpr bool checked_add(U a, U b, U& sum) noexcept {
    return !__builtin_add_overflow(a, b, &sum);
}

/// Writes the upper half of a float, which has 8 bits of it, rounded to the nearest; an infinity
/// stays one.
inline void store_half(std::byte* p, float x) noexcept {
    auto const bits = std::bit_cast<std::uint32_t>(x);
    auto const half = static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16 & 1)) >> 16);
    std::memcpy(p, &half, sizeof half);
}

[[nodiscard]] constexpr std::uint64_t round_up(std::uint64_t v, std::uint64_t multiple) noexcept {
    return (v + multiple - 1) / multiple * multiple;
}

/// A 64-bit mixing function (Steele, Lea & Flood 2014, splitmix64): the library's only source of
/// randomness, so that a seed gives the same bytes with every standard library.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) noexcept {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/// Hash of a byte string, the same on every host: 8 bytes a step through `mix`.
[[nodiscard]] inline std::uint64_t hash_bytes(std::string_view s) noexcept {
    auto const* p = reinterpret_cast<std::byte const*>(s.data());
    std::size_t n = s.size();
    std::uint64_t h = mix(n);
    for (; n >= 8; n -= 8, p += 8) h = mix(h ^ load_le<std::uint64_t>(p));
    std::uint64_t tail = 0;
    for (std::size_t i = 0; i < n; ++i)
        tail |= std::uint64_t{static_cast<unsigned char>(p[i])} << (8 * i);
    return n == 0 ? h : mix(h ^ tail);
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_WIRE_HPP
#define VICINAL_PAYLOAD_WIRE_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/config.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace vicinal::inline VICINAL_ABI::payload::detail {

// The encoding, from the outside in (docs/filters.md has it for people):
//   fields := entry*                  sorted by name, bytewise; no count, the range ends it
//   entry  := varint(name length) name value
//   value  := byte(kind | argument << 4) [varint] [bytes]
// The argument is the number's zigzag form, or the length in bytes of what follows. 0..14 stand in
// the byte itself; 15 means that a varint of the argument - 15 follows. So a small number is one
// byte and a short text needs no length byte.

enum class wire_kind : std::uint8_t {
    null,
    no,
    yes,
    integer, // the argument, zigzag
    real,    // the argument's highest bytes of the double, lowest first; the bytes below are zero
    decimal, // mantissa (zigzag varint) / 10^argument: most doubles that people write
    text,    // the argument's bytes of UTF-8
    array,   // the argument's bytes of values
    nested,  // the argument's bytes of entries
};

inline constexpr std::size_t max_encoded_bytes = std::size_t{16} << 20;
inline constexpr unsigned max_depth = 64;
inline constexpr unsigned inline_arguments = 15;
inline constexpr unsigned max_scale = 7;
/// A decimal's mantissa is smaller: then it takes at most 6 bytes, and rounding its quotient needs
/// 64-bit arithmetic only.
inline constexpr std::uint64_t mantissa_limit = std::uint64_t{1} << 40;

[[nodiscard]] constexpr std::uint64_t zigzag(std::int64_t v) noexcept {
    auto const u = static_cast<std::uint64_t>(v);
    return (u << 1) ^ (v < 0 ? ~std::uint64_t{0} : std::uint64_t{0});
}

[[nodiscard]] constexpr std::int64_t unzigzag(std::uint64_t u) noexcept {
    return static_cast<std::int64_t>((u >> 1) ^ (~(u & 1) + 1));
}

inline void put_varint(std::string& out, std::uint64_t v) {
    for (; v >= 0x80; v >>= 7)
        out.push_back(static_cast<char>(static_cast<unsigned char>(v | 0x80)));
    out.push_back(static_cast<char>(static_cast<unsigned char>(v)));
}

[[nodiscard]] constexpr std::size_t varint_bytes(std::uint64_t v) noexcept {
    return (static_cast<std::size_t>(std::bit_width(v | 1)) + 6) / 7;
}

/// Reads a varint and moves behind it; false where the range ends inside or 64 bits overflow.
[[nodiscard]] inline bool get_varint(std::byte const*& at, std::byte const* end,
                                     std::uint64_t& v) noexcept {
    v = 0;
    for (unsigned shift = 0; shift < 64 && at != end; shift += 7) {
        auto const b = std::to_integer<std::uint64_t>(*at++);
        if (shift == 63 && b > 1) return false;
        v |= (b & 0x7f) << shift;
        if (b < 0x80) return true;
    }
    return false;
}

[[nodiscard]] constexpr char wire_byte(wire_kind kind, std::uint64_t argument) noexcept {
    return static_cast<char>(static_cast<unsigned char>(static_cast<unsigned>(kind) |
                                                        static_cast<unsigned>(argument << 4)));
}

inline void put_head(std::string& out, wire_kind kind, std::uint64_t argument) {
    if (argument < inline_arguments) {
        out.push_back(wire_byte(kind, argument));
    } else {
        out.push_back(wire_byte(kind, inline_arguments));
        put_varint(out, argument - inline_arguments);
    }
}

/// mantissa / 10^scale, rounded to the nearest double, ties to even. In integers, because x87 would
/// round twice and a file must give the same doubles everywhere.
[[nodiscard]] constexpr double decimal_value(std::int64_t mantissa, unsigned scale) noexcept {
    constexpr std::array<std::uint32_t, max_scale + 1> powers{1,     10,     100,     1000,
                                                              10000, 100000, 1000000, 10000000};
    std::uint64_t const divisor = powers[scale];
    auto const magnitude = static_cast<std::uint64_t>(mantissa < 0 ? -mantissa : mantissa);
    std::uint64_t quotient = magnitude / divisor;
    std::uint64_t rest = magnitude % divisor;
    double value = 0;
    if (rest == 0) {
        value = static_cast<double>(quotient);
    } else {
        // 53 bits and two more, the last of which also says whether anything is left.
        int exponent = 0;
        while (quotient < std::uint64_t{1} << 54) {
            auto const step = (std::min)(40, std::countl_zero(quotient) - 9);
            rest <<= step;
            quotient = quotient << step | rest / divisor;
            rest %= divisor;
            exponent += step;
        }
        if (rest != 0) quotient |= 1;
        auto const tail = quotient & 3;
        quotient >>= 2;
        if (tail == 3 || (tail == 2 && (quotient & 1) != 0)) ++quotient;
        auto const power = static_cast<std::uint64_t>(1023 + 2 - exponent) << 52;
        value = static_cast<double>(quotient) * std::bit_cast<double>(power);
    }
    return mantissa < 0 ? -value : value;
}

struct decimal {
    std::int64_t mantissa = 0;
    unsigned scale = 0;
};

/// The decimal that decodes to exactly these bits, with the fewest digits; nothing where there is
/// none of at most 7 places (NaN, infinity, -0.0, long fractions, large numbers).
[[nodiscard]] inline std::optional<decimal> as_decimal(double x) noexcept {
    constexpr auto limit = static_cast<double>(mantissa_limit);
    auto const bits = std::bit_cast<std::uint64_t>(x);
    double power = 1;
    for (unsigned scale = 0; scale <= max_scale; ++scale, power *= 10) {
        double const scaled = x * power;
        if (!(scaled > -limit && scaled < limit)) return {};
        auto const mantissa = static_cast<std::int64_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
        // The product is off by less than 2^-13 here: anything farther from a whole number need
        // not be tried.
        double const off = scaled - static_cast<double>(mantissa);
        if (off < -0.001 || off > 0.001) continue;
        if (std::bit_cast<std::uint64_t>(decimal_value(mantissa, scale)) == bits)
            return decimal{mantissa, scale};
    }
    return {};
}

/// A double in its shorter form: decimal, or its bits without the zero bytes at the low end.
inline void put_real(std::string& out, double x) {
    auto const bits = std::bit_cast<std::uint64_t>(x);
    auto const bytes = 8 - static_cast<std::size_t>(std::countr_zero(bits)) / 8;
    if (auto const d = as_decimal(x)) {
        auto const mantissa = zigzag(d->mantissa);
        if (varint_bytes(mantissa) <= bytes) {
            out.push_back(wire_byte(wire_kind::decimal, d->scale));
            put_varint(out, mantissa);
            return;
        }
    }
    out.push_back(wire_byte(wire_kind::real, bytes));
    for (std::size_t i = 8 - bytes; i < 8; ++i)
        out.push_back(static_cast<char>(static_cast<unsigned char>(bits >> (8 * i))));
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_NUMBER_HPP
#define VICINAL_MIGRATE_JSON_NUMBER_HPP

#include <vicinal/core/config.hpp>

#include <bit>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string_view>
#include <system_error>

namespace vicinal::inline VICINAL_ABI::detail {

/// Whether the nearest float of a decimal can differ from the nearest float of its nearest double.
///
/// Rounding twice goes wrong only where the double lies exactly half-way between two floats: its
/// lowest 29 bits are then 0x10000000. Floats below 2^-126 have fewer bits, so that half-way is
/// elsewhere; all of them count as uncertain.
[[nodiscard]] constexpr bool float_uncertain(double d) noexcept {
    auto const magnitude = std::bit_cast<std::uint64_t>(d) & 0x7fffffffffffffffULL;
    constexpr auto smallest_normal =
        std::bit_cast<std::uint64_t>(static_cast<double>(std::numeric_limits<float>::min()));
    return (magnitude & 0x1fffffffULL) == 0x10000000ULL ||
           (magnitude != 0 && magnitude < smallest_normal);
}

/// The float nearest to the decimal `token`, whose nearest double is `d`; infinity where it is
/// beyond the largest float.
[[nodiscard]] inline float nearest_float(std::string_view token, double d) noexcept {
    float f = 0;
    auto const parsed = std::from_chars(token.data(), token.data() + token.size(), f);
    // Out of range below: the cast gives the zero of the right sign. Above: infinity. A tie at the
    // largest float is out of range too, and casts to infinity as IEEE 754 has it.
    return parsed.ec == std::errc{} ? f : static_cast<float>(d);
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

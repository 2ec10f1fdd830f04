// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_MOMENTS_HPP
#define VICINAL_MIGRATE_COLUMNAR_MOMENTS_HPP

#include <vicinal/core/config.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail::columnar {

/// Appends a number with leading zeros up to `digits`.
inline void append_digits(std::uint64_t v, std::size_t digits, std::string& out) {
    auto const text = std::to_string(v);
    out.append(digits > text.size() ? digits - text.size() : 0, '0').append(text);
}

/// Appends the date that lies so many days behind 1970-01-01, as in "2024-02-29": the Gregorian
/// calendar without end in both directions, a year beyond four digits with its sign.
inline void append_date(std::int64_t days, std::string& out) {
    // Eras of 400 years that begin on the first of March, so that the leap day is the last.
    auto const shifted = days + 719'468;
    auto const era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
    auto const day = static_cast<std::uint64_t>(shifted - era * 146'097);
    auto const year_of_era = (day - day / 1'460 + day / 36'524 - day / 146'096) / 365;
    auto const day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    auto const march = (5 * day_of_year + 2) / 153; // months since March
    auto const month = march < 10 ? march + 3 : march - 9;
    auto const year = static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0);
    if (year < 0)
        out.push_back('-');
    else if (year > 9'999)
        out.push_back('+');
    append_digits(static_cast<std::uint64_t>(year < 0 ? -year : year), 4, out);
    out.push_back('-');
    append_digits(month, 2, out);
    out.push_back('-');
    append_digits((day_of_year - (153 * march + 2) / 5) + 1, 2, out);
}

[[nodiscard]] constexpr std::int64_t power_of_ten(int exponent) noexcept {
    std::int64_t p = 1;
    for (; exponent > 0; --exponent) p *= 10;
    return p;
}

/// Appends a time of day, counted in 10^-unit seconds from midnight, as in "09:30:00.25": the
/// fraction without zeros at its end, and without its point where it is none.
inline void append_time(std::uint64_t count, int unit, std::string& out) {
    auto const whole = static_cast<std::uint64_t>(power_of_ten(unit));
    auto const seconds = count / whole;
    append_digits(seconds / 3'600, 2, out);
    out.push_back(':');
    append_digits(seconds / 60 % 60, 2, out);
    out.push_back(':');
    append_digits(seconds % 60, 2, out);
    if (count % whole == 0) return;
    out.push_back('.');
    append_digits(count % whole, static_cast<std::size_t>(unit), out);
    out.resize(out.find_last_not_of('0') + 1);
}

/// Appends a moment, counted in 10^-unit seconds from 1970: "2024-01-01T00:00:00", with a Z where
/// it is one of universal time.
inline void append_moment(std::int64_t count, int unit, bool utc, std::string& out) {
    auto const day = 86'400 * power_of_ten(unit);
    auto days = count / day;
    auto rest = count % day;
    if (rest < 0) {
        rest += day;
        --days;
    }
    append_date(days, out);
    out.push_back('T');
    append_time(static_cast<std::uint64_t>(rest), unit, out);
    if (utc) out.push_back('Z');
}

/// Appends a decimal of `scale` digits behind the point, exactly; `bytes` is its two's complement,
/// the highest byte first. False for one of more than 32 bytes.
[[nodiscard]] inline bool append_decimal(std::string_view bytes, std::int32_t scale,
                                         std::string& out) {
    std::array<unsigned char, 32> magnitude{};
    if (bytes.empty() || bytes.size() > magnitude.size() || scale < 0 || scale > 76) return false;
    bool const negative = (static_cast<unsigned char>(bytes.front()) & 0x80U) != 0;
    unsigned carry = negative ? 1 : 0;
    for (auto i = bytes.size(); i-- > 0;) {
        auto const byte = static_cast<unsigned char>(bytes[i]);
        carry += negative ? (byte ^ 0xffU) : byte;
        magnitude[i] = static_cast<unsigned char>(carry & 0xffU);
        carry >>= 8;
    }
    std::string digits; // the last one first
    for (bool more = true; more;) {
        more = false;
        unsigned rest = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            rest = rest * 256 + magnitude[i];
            magnitude[i] = static_cast<unsigned char>(rest / 10);
            more = more || magnitude[i] != 0;
            rest %= 10;
        }
        digits.push_back(static_cast<char>('0' + rest));
    }
    auto const point = static_cast<std::size_t>(scale);
    if (digits.size() <= point) digits.append(point + 1 - digits.size(), '0');
    if (point > 0) digits.insert(point, 1, '.');
    if (negative) digits.push_back('-');
    out.append(digits.rbegin(), digits.rend());
    return true;
}

/// Appends sixteen bytes as "00112233-4455-6677-8899-aabbccddeeff".
inline void append_uuid(std::string_view bytes, std::string& out) {
    static constexpr char hex[] = "0123456789abcdef";
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
        auto const byte = static_cast<unsigned char>(bytes[i]);
        out.push_back(hex[byte >> 4]);
        out.push_back(hex[byte & 15U]);
    }
}

} // namespace vicinal::inline VICINAL_ABI::detail::columnar

#endif

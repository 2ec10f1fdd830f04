// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_UTF8_HPP
#define VICINAL_PAYLOAD_UTF8_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// How many bytes the character at the start of `s` has; 0 where it is not well-formed UTF-8
/// (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing beyond U+10FFFF).
[[nodiscard]] constexpr std::size_t utf8_character(std::string_view s) noexcept {
    auto const at = [s](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    auto const between = [&](std::size_t i, unsigned low, unsigned high) {
        return i < s.size() && at(i) >= low && at(i) <= high;
    };
    if (s.empty()) return 0;
    unsigned const lead = at(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return between(1, 0x80, 0xbf) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        unsigned const low = lead == 0xe0 ? 0xa0 : 0x80;
        unsigned const high = lead == 0xed ? 0x9f : 0xbf;
        return between(1, low, high) && between(2, 0x80, 0xbf) ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        unsigned const low = lead == 0xf0 ? 0x90 : 0x80;
        unsigned const high = lead == 0xf4 ? 0x8f : 0xbf;
        return between(1, low, high) && between(2, 0x80, 0xbf) && between(3, 0x80, 0xbf) ? 4 : 0;
    }
    return 0;
}

/// The offset of the first byte that is not well-formed UTF-8; s.size() where all of it is.
[[nodiscard]] constexpr std::size_t utf8_valid_bytes(std::string_view s) noexcept {
    std::size_t i = 0;
    while (i < s.size()) {
        auto const n = utf8_character(s.substr(i));
        if (n == 0) return i;
        i += n;
    }
    return i;
}

[[nodiscard]] constexpr bool is_utf8(std::string_view s) noexcept {
    return utf8_valid_bytes(s) == s.size();
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

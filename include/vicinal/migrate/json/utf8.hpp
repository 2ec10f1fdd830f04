// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_UTF8_HPP
#define VICINAL_MIGRATE_JSON_UTF8_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail {

/// The length of the well-formed UTF-8 sequence at the start of `s`, 0 where there is none.
///
/// Over-long forms, surrogates and what lies beyond U+10FFFF are not well formed (Unicode 15,
/// table 3-7).
[[nodiscard]] constexpr std::size_t utf8_length(std::string_view s) noexcept {
    auto const byte = [s](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    auto const tail = [&](std::size_t i) { return i < s.size() && (byte(i) & 0xc0U) == 0x80U; };
    if (s.empty()) return 0;
    unsigned const first = byte(0);
    if (first < 0x80) return 1;
    if (first < 0xc2 || first > 0xf4 || !tail(1)) return 0;
    if (first < 0xe0) return 2;
    unsigned const second = byte(1);
    if (first < 0xf0) {
        bool const wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f);
        return wrong || !tail(2) ? 0 : 3;
    }
    bool const wrong = (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return wrong || !tail(2) || !tail(3) ? 0 : 4;
}

/// Where `s` stops being well-formed UTF-8; its size where all of it is. ASCII goes 8 bytes a step.
[[nodiscard]] inline std::size_t utf8_valid_prefix(std::string_view s) noexcept {
    std::size_t i = 0;
    while (i < s.size()) {
        std::uint64_t eight = 0;
        if (s.size() - i >= sizeof eight) {
            std::memcpy(&eight, s.data() + i, sizeof eight);
            if ((eight & 0x8080808080808080ULL) == 0) {
                i += sizeof eight;
                continue;
            }
        }
        auto const n = utf8_length(s.substr(i));
        if (n == 0) return i;
        i += n;
    }
    return i;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_ADAPT_BOOST_SERIALIZATION_BASE64_HPP
#define VICINAL_ADAPT_BOOST_SERIALIZATION_BASE64_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::adapt {

inline constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes as text: base 64 (RFC 4648) without padding, four characters for three bytes.
[[nodiscard]] inline std::string to_base64(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size() / 3 * 4 + 4);
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (char const c : bytes) {
        bits = bits << 8 | static_cast<unsigned char>(c);
        for (held += 8; held >= 6; held -= 6) text += base64_digits[bits >> (held - 6) & 63U];
    }
    if (held > 0) text += base64_digits[bits << (6 - held) & 63U];
    return text;
}

/// The bytes back; false where that text stands for none: another character, another length, or
/// bits behind the last byte.
[[nodiscard]] inline bool from_base64(std::string_view text, std::string& bytes) {
    bytes.clear();
    bytes.reserve(text.size() / 4 * 3 + 3);
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (char const c : text) {
        auto const digit = base64_digits.find(c);
        if (digit == std::string_view::npos) return false;
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        bytes += static_cast<char>(static_cast<unsigned char>(bits >> held & 0xffU));
    }
    return held < 6 && (bits & ((1U << held) - 1)) == 0;
}

} // namespace vicinal::inline VICINAL_ABI::adapt

#endif

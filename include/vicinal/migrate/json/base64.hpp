// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_BASE64_HPP
#define VICINAL_MIGRATE_JSON_BASE64_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/json/floats.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Replaces `out` by the 32-bit floats, lowest byte first, that stand in base 64 (RFC 4648, the
/// plain or the URL alphabet, with or without padding), as OpenAI's interface sends them.
///
/// Errors: invalid_json (no base 64, no whole floats, over 65,536), not_finite.
inline result<void> read_base64_floats(std::string_view text, std::vector<float>& out) {
    while (text.ends_with('=')) text.remove_suffix(1);
    auto const wrong = [](char const* got) {
        return error{errc::invalid_json, "32-bit floats in base 64 as a vector", got};
    };
    auto const bytes = text.size() / 4 * 3 + (text.size() % 4 == 0 ? 0 : text.size() % 4 - 1);
    if (text.size() % 4 == 1 || bytes % 4 != 0 || bytes / 4 > source_dims)
        return wrong("another number of characters");
    out.clear();
    out.reserve(bytes / 4);
    std::uint64_t bits = 0;
    int held = 0;
    for (char const c : text) {
        unsigned const digit = c >= 'A' && c <= 'Z'   ? static_cast<unsigned>(c - 'A')
                               : c >= 'a' && c <= 'z' ? static_cast<unsigned>(c - 'a') + 26
                               : c >= '0' && c <= '9' ? static_cast<unsigned>(c - '0') + 52
                               : c == '+' || c == '-' ? 62U
                               : c == '/' || c == '_' ? 63U
                                                      : 64U;
        if (digit == 64) return wrong("another character");
        bits = bits << 6 | digit;
        held += 6;
        if (held < 32) continue;
        held -= 32;
        auto const word = static_cast<std::uint32_t>(bits >> held);
        std::byte const stored[4] = {std::byte(word >> 24), std::byte(word >> 16),
                                     std::byte(word >> 8), std::byte(word)};
        out.push_back(std::bit_cast<float>(load_le<std::uint32_t>(stored)));
        if (!std::isfinite(out.back()))
            return error{errc::not_finite, "finite numbers",
                         "element " + std::to_string(out.size() - 1) + " not finite"};
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_WORDS_HPP
#define VICINAL_PAYLOAD_INDEX_WORDS_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Whether a byte belongs to a word: letters and digits, and whatever is beyond ASCII.
[[nodiscard]] constexpr bool in_word(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<unsigned char>(c) >= 0x80;
}

/// Calls f(word) for the words of a text, as they are written: the longest runs of bytes that
/// belong to words. So a piece that is all one word is in a text exactly where it is in one of its
/// words.
template <class F>
void each_word(std::string_view text, F const& f) {
    for (std::size_t i = 0; i < text.size();) {
        if (!in_word(text[i])) {
            ++i;
            continue;
        }
        auto end = i + 1;
        while (end < text.size() && in_word(text[end])) ++end;
        f(text.substr(i, end - i));
        i = end;
    }
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

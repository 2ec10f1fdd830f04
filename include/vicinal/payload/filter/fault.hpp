// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_FAULT_HPP
#define VICINAL_PAYLOAD_FILTER_FAULT_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/payload/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// What is wrong with a filter's text, without a string of its own, so that a constant expression
/// can find it; the message is made of it only at run time.
struct filter_fault {
    /// How `piece`, a part of the text, stands in the message.
    enum class form : std::uint8_t { words, excerpt, quoted, character, keyword, name };

    /// Nothing where all is well.
    char const* expected = nullptr;
    std::size_t offset = 0;
    form as = form::words;
    std::string_view piece = {};
};

/// The column of a byte offset: characters, the first is 1.
[[nodiscard]] constexpr std::size_t column_of(std::string_view filter,
                                              std::size_t offset) noexcept {
    std::size_t column = 1;
    for (auto const c : filter.substr(0, offset))
        if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) ++column;
    return column;
}

/// A piece of the filter for a message: whole characters, at most 40 bytes of them.
[[nodiscard]] inline std::string excerpt(std::string_view s) {
    constexpr std::size_t most = 40;
    if (s.size() <= most) return std::string(s);
    auto length = most;
    while ((static_cast<unsigned char>(s[length]) & 0xc0U) == 0x80U) --length;
    return std::string(s.substr(0, length)) + "...";
}

/// What came instead, in words.
[[nodiscard]] inline std::string words_of(filter_fault const& fault) {
    auto const piece = fault.piece;
    switch (fault.as) {
        case filter_fault::form::words: break;
        case filter_fault::form::excerpt: return excerpt(piece);
        case filter_fault::form::quoted: return "'" + excerpt(piece) + "'";
        case filter_fault::form::character: {
            auto const c = static_cast<unsigned char>(piece[0]);
            if (c < 0x20 || c == 0x7f) return "control character " + std::to_string(c);
            return "'" + std::string(piece.substr(0, utf8_character(piece))) + "'";
        }
        case filter_fault::form::keyword:
            return "the keyword '" + std::string(piece) +
                   "' (a field of that name is written in double quotes)";
        case filter_fault::form::name: return "the name " + excerpt(piece);
    }
    return std::string(piece);
}

/// The fault as an error: invalid_filter with the column.
[[nodiscard]] inline error filter_error(std::string_view filter, filter_fault const& fault) {
    // What is too long has no column.
    if (fault.offset > filter.size())
        return error{errc::invalid_filter, fault.expected, std::to_string(filter.size())};
    return error{errc::invalid_filter,
                 std::string(fault.expected) + " at column " +
                     std::to_string(column_of(filter, fault.offset)),
                 words_of(fault)};
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_TEXT_HPP
#define VICINAL_PAYLOAD_FILTER_TEXT_HPP

#include <vicinal/payload/filter/token.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::payload::detail {

// Names and literals as a filter's text has them.

inline void append_quoted(std::string& out, std::string_view s, char quote) {
    out += quote;
    for (auto const c : s) {
        if (c == quote) out += quote;
        out += c;
    }
    out += quote;
}

/// One part of a dotted name, in quotes where it needs them.
inline void append_part(std::string& out, std::string_view s) {
    bool const plain = !s.empty() && starts_name(s[0]) &&
                       std::all_of(s.begin(), s.end(), continues_name) &&
                       keyword(s) == token_kind::name;
    if (plain)
        out += s;
    else
        append_quoted(out, s, '"');
}

/// A name as somebody's program has it: what is a name in a filter already stays as it is, with the
/// meaning of its dots and quotes; in any other the parts between the dots are quoted.
inline void append_name(std::string& out, std::string_view name) {
    filter_token token;
    filter_fault fault;
    if (filter_lexer(name).next(token, fault) && token.kind == token_kind::name &&
        token.raw.size() == name.size()) {
        out += name;
        return;
    }
    for (;;) {
        auto const end = (std::min)(name.find('.'), name.size());
        append_part(out, name.substr(0, end));
        if (end == name.size()) return;
        out += '.';
        name.remove_prefix(end + 1);
    }
}

inline void append_literal(std::string& out, bool b) { out += b ? "true" : "false"; }

inline void append_literal(std::string& out, std::int64_t whole) {
    std::array<char, 20> digits{}; // the longest takes all of them
    auto* const first = digits.data();
    out.append(first, std::to_chars(first, first + digits.size(), whole).ptr);
}

/// NaN and the infinities have no text that is a literal; what they get does not parse.
inline void append_literal(std::string& out, double x) {
    std::array<char, 32> digits{}; // the longest shortest form takes 24
    auto* const first = digits.data();
    auto* const last = std::to_chars(first, first + digits.size(), x).ptr;
    std::string_view const s(first, static_cast<std::size_t>(last - first));
    out += s;
    // Without a point it would come back as an integer.
    if (s.find_first_of(".enf") == std::string_view::npos) out += ".0";
}

inline void append_literal(std::string& out, std::string_view s) { append_quoted(out, s, '\''); }

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

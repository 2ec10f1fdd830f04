// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_TOKEN_HPP
#define VICINAL_PAYLOAD_FILTER_TOKEN_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/payload/utf8.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::payload::detail {

enum class token_kind : std::uint8_t {
    name,
    text,
    integer,
    real,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    open,
    close,
    comma,
    word_and,
    word_between,
    word_contains,
    word_false,
    word_in,
    word_is,
    word_not,
    word_null,
    word_or,
    word_starts_with,
    word_true,
    end,
};

/// A token as it stands in the filter, quotes included.
struct filter_token {
    token_kind kind = token_kind::end;
    std::size_t offset = 0;
    std::string_view raw = {};
};

/// invalid_filter at a byte offset, told as a column: the first character is 1.
[[nodiscard]] inline error filter_error(std::string_view filter, std::size_t offset,
                                        std::string expected, std::string got) {
    std::size_t column = 1;
    for (auto const c : filter.substr(0, offset))
        if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) ++column;
    return error{errc::invalid_filter, std::move(expected) + " at column " + std::to_string(column),
                 std::move(got)};
}

/// A piece of the filter for a message: whole characters, at most 40 bytes of them.
[[nodiscard]] inline std::string excerpt(std::string_view s) {
    constexpr std::size_t most = 40;
    if (s.size() <= most) return std::string(s);
    auto length = most;
    while ((static_cast<unsigned char>(s[length]) & 0xc0U) == 0x80U) --length;
    return std::string(s.substr(0, length)) + "...";
}

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

[[nodiscard]] constexpr bool starts_name(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

[[nodiscard]] constexpr bool continues_name(char c) noexcept {
    return starts_name(c) || is_digit(c);
}

/// Whether `s` is that word of lower-case letters; case does not matter.
[[nodiscard]] constexpr bool is_word(std::string_view s, std::string_view word) noexcept {
    if (word.size() != s.size()) return false;
    for (std::size_t i = 0; i < s.size(); ++i)
        if ((s[i] >= 'A' && s[i] <= 'Z' ? static_cast<char>(s[i] + 32) : s[i]) != word[i])
            return false;
    return true;
}

/// The keyword's kind, `name` where it is none. Case does not matter.
[[nodiscard]] inline token_kind keyword(std::string_view s) noexcept {
    using enum token_kind;
    constexpr std::array<std::pair<std::string_view, token_kind>, 11> words{
        {{"and", word_and},
         {"between", word_between},
         {"contains", word_contains},
         {"false", word_false},
         {"in", word_in},
         {"is", word_is},
         {"not", word_not},
         {"null", word_null},
         {"or", word_or},
         {"starts_with", word_starts_with},
         {"true", word_true}}};
    for (auto const& [word, kind] : words)
        if (is_word(s, word)) return kind;
    return name;
}

/// Cuts a filter, which is known to be UTF-8, into tokens.
class filter_lexer {
public:
    explicit filter_lexer(std::string_view filter) noexcept : filter_(filter) {}

    [[nodiscard]] result<filter_token> next() {
        while (at_ < filter_.size() && blank(filter_[at_])) ++at_;
        auto const begin = at_;
        if (at_ == filter_.size()) return make(token_kind::end, begin);
        char const c = filter_[at_];
        if (starts_name(c) || c == '"') return name();
        if (is_digit(c) || (c == '-' && is_digit(peek(1)))) return number();
        if (c == '\'') {
            VICINAL_CHECK(quoted('\'', "a closing ' for the text that begins"));
            return make(token_kind::text, begin);
        }
        return symbol();
    }

private:
    [[nodiscard]] static constexpr bool blank(char c) noexcept {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
    }
    [[nodiscard]] char peek(std::size_t ahead) const noexcept {
        return at_ + ahead < filter_.size() ? filter_[at_ + ahead] : '\0';
    }
    [[nodiscard]] filter_token make(token_kind kind, std::size_t begin) const noexcept {
        return {kind, begin, filter_.substr(begin, at_ - begin)};
    }

    /// From a quote to its partner; a doubled quote is one inside.
    [[nodiscard]] result<void> quoted(char quote, char const* expected) {
        auto const begin = at_++;
        for (; at_ < filter_.size(); ++at_) {
            if (filter_[at_] != quote) continue;
            ++at_;
            if (peek(0) != quote) return {};
        }
        return filter_error(filter_, begin, expected, "the end of the filter");
    }

    [[nodiscard]] result<filter_token> name() {
        auto const begin = at_;
        bool plain = true;
        for (;;) {
            if (peek(0) == '"') {
                plain = false;
                VICINAL_CHECK(quoted('"', "a closing \" for the name that begins"));
            } else {
                while (continues_name(peek(0))) ++at_;
            }
            if (peek(0) != '.') break;
            ++at_;
            plain = false;
            if (peek(0) != '"' && !starts_name(peek(0)))
                return filter_error(filter_, at_, "a name behind the dot", rest());
        }
        auto const kind = plain ? keyword(filter_.substr(begin, at_ - begin)) : token_kind::name;
        return make(kind, begin);
    }

    [[nodiscard]] result<filter_token> number() {
        auto const begin = at_++;
        bool whole = true;
        while (is_digit(peek(0))) ++at_;
        if (peek(0) == '.' && is_digit(peek(1))) {
            whole = false;
            ++at_;
            while (is_digit(peek(0))) ++at_;
        }
        if (peek(0) == 'e' || peek(0) == 'E') {
            std::size_t const sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
            if (is_digit(peek(1 + sign))) {
                whole = false;
                at_ += 1 + sign;
                while (is_digit(peek(0))) ++at_;
            }
        }
        if (continues_name(peek(0)) || peek(0) == '.')
            return filter_error(filter_, at_, "the end of the number", rest());
        return make(whole ? token_kind::integer : token_kind::real, begin);
    }

    [[nodiscard]] result<filter_token> symbol() {
        using enum token_kind;
        auto const begin = at_;
        char const c = filter_[at_++];
        bool const with_equal = peek(0) == '=';
        switch (c) {
            case '(': return make(open, begin);
            case ')': return make(close, begin);
            case ',': return make(comma, begin);
            case '=':
                if (with_equal) return wrong(begin, "a single =", "'=='");
                return make(equal, begin);
            case '!':
                if (!with_equal) return wrong(begin, "!= or the word not", "'!'");
                ++at_;
                return make(not_equal, begin);
            case '<':
                if (peek(0) == '>') return wrong(begin, "!=", "'<>'");
                if (with_equal) ++at_;
                return make(with_equal ? less_equal : less, begin);
            case '>':
                if (with_equal) ++at_;
                return make(with_equal ? greater_equal : greater, begin);
            case '&': return wrong(begin, "the word and", "'&'");
            case '|': return wrong(begin, "the word or", "'|'");
            default:
                at_ = begin;
                return wrong(begin,
                             "a name, value or operator (other names stand in double quotes)",
                             rest());
        }
    }

    [[nodiscard]] error wrong(std::size_t offset, char const* expected, std::string got) const {
        return filter_error(filter_, offset, expected, std::move(got));
    }

    /// The one character that stands here, for a message.
    [[nodiscard]] std::string rest() const {
        auto const left = filter_.substr(at_);
        if (left.empty()) return "the end of the filter";
        auto const c = static_cast<unsigned char>(left[0]);
        if (c < 0x20 || c == 0x7f) return "control character " + std::to_string(c);
        return "'" + std::string(left.substr(0, utf8_character(left))) + "'";
    }

    std::string_view filter_;
    std::size_t at_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_TOKEN_HPP
#define VICINAL_PAYLOAD_FILTER_TOKEN_HPP

#include <vicinal/payload/filter/fault.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
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
[[nodiscard]] constexpr token_kind keyword(std::string_view s) noexcept {
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
    constexpr explicit filter_lexer(std::string_view filter) noexcept : filter_(filter) {}

    /// False where there is no token but a fault.
    [[nodiscard]] constexpr bool next(filter_token& token, filter_fault& fault) noexcept {
        while (at_ < filter_.size() && blank(filter_[at_])) ++at_;
        token.offset = at_;
        token.kind = token_kind::end;
        bool const good = at_ == filter_.size() || cut(token, fault);
        token.raw = filter_.substr(token.offset, at_ - token.offset);
        return good;
    }

private:
    using form = filter_fault::form;

    [[nodiscard]] static constexpr bool blank(char c) noexcept {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
    }
    [[nodiscard]] constexpr char peek(std::size_t ahead) const noexcept {
        return at_ + ahead < filter_.size() ? filter_[at_ + ahead] : '\0';
    }

    [[nodiscard]] constexpr bool cut(filter_token& token, filter_fault& fault) noexcept {
        char const c = filter_[at_];
        if (starts_name(c) || c == '"') return name(token, fault);
        if (is_digit(c) || (c == '-' && is_digit(peek(1)))) return number(token, fault);
        if (c != '\'') return symbol(token, fault);
        token.kind = token_kind::text;
        return quoted('\'', "a closing ' for the text that begins", fault);
    }

    /// From a quote to its partner; a doubled quote is one inside.
    [[nodiscard]] constexpr bool quoted(char quote, char const* expected,
                                        filter_fault& fault) noexcept {
        auto const begin = at_++;
        for (; at_ < filter_.size(); ++at_) {
            if (filter_[at_] != quote) continue;
            ++at_;
            if (peek(0) != quote) return true;
        }
        fault = {expected, begin, form::words, "the end of the filter"};
        return false;
    }

    [[nodiscard]] constexpr bool name(filter_token& token, filter_fault& fault) noexcept {
        auto const begin = at_;
        bool plain = true;
        for (;;) {
            if (peek(0) == '"') {
                plain = false;
                if (!quoted('"', "a closing \" for the name that begins", fault)) return false;
            } else {
                while (continues_name(peek(0))) ++at_;
            }
            if (peek(0) != '.') break;
            ++at_;
            plain = false;
            if (peek(0) != '"' && !starts_name(peek(0)))
                return wrong_here("a name behind the dot", fault);
        }
        token.kind = plain ? keyword(filter_.substr(begin, at_ - begin)) : token_kind::name;
        return true;
    }

    [[nodiscard]] constexpr bool number(filter_token& token, filter_fault& fault) noexcept {
        ++at_;
        token.kind = token_kind::integer;
        while (is_digit(peek(0))) ++at_;
        if (peek(0) == '.' && is_digit(peek(1))) {
            token.kind = token_kind::real;
            ++at_;
            while (is_digit(peek(0))) ++at_;
        }
        if (peek(0) == 'e' || peek(0) == 'E') {
            std::size_t const sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
            if (is_digit(peek(1 + sign))) {
                token.kind = token_kind::real;
                at_ += 1 + sign;
                while (is_digit(peek(0))) ++at_;
            }
        }
        if (continues_name(peek(0)) || peek(0) == '.')
            return wrong_here("the end of the number", fault);
        return true;
    }

    [[nodiscard]] constexpr bool symbol(filter_token& token, filter_fault& fault) noexcept {
        using enum token_kind;
        auto const wrong = [&](char const* expected, char const* got) {
            fault = {expected, token.offset, form::words, got};
            return false;
        };
        char const c = filter_[at_++];
        bool const with_equal = peek(0) == '=';
        switch (c) {
            case '(': token.kind = open; return true;
            case ')': token.kind = close; return true;
            case ',': token.kind = comma; return true;
            case '=':
                if (with_equal) return wrong("a single =", "'=='");
                token.kind = equal;
                return true;
            case '!':
                if (!with_equal) return wrong("!= or the word not", "'!'");
                ++at_;
                token.kind = not_equal;
                return true;
            case '<':
                if (peek(0) == '>') return wrong("!=", "'<>'");
                if (with_equal) ++at_;
                token.kind = with_equal ? less_equal : less;
                return true;
            case '>':
                if (with_equal) ++at_;
                token.kind = with_equal ? greater_equal : greater;
                return true;
            case '&': return wrong("the word and", "'&'");
            case '|': return wrong("the word or", "'|'");
            default:
                --at_;
                return wrong_here("a name, value or operator (other names stand in double quotes)",
                                  fault);
        }
    }

    /// The fault is the one character that stands here.
    [[nodiscard]] constexpr bool wrong_here(char const* expected,
                                            filter_fault& fault) const noexcept {
        fault = {expected, at_, form::character, filter_.substr(at_)};
        if (at_ == filter_.size()) {
            fault.as = form::words;
            fault.piece = "the end of the filter";
        }
        return false;
    }

    std::string_view filter_;
    std::size_t at_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_SQL_TOKENS_HPP
#define VICINAL_MIGRATE_TABLES_SQL_TOKENS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/tables/text_stream.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

struct sql_token {
    enum class kind : std::uint8_t {
        end,
        word,   // in lower case
        name,   // between double quotes
        string, // with its escapes undone
        bits,   // B'1010'
        number,
        mark, // any other character
    };
    kind is = kind::end;
    std::string text = {};

    [[nodiscard]] bool word(std::string_view w) const noexcept {
        return is == kind::word && text == w;
    }
    [[nodiscard]] bool mark(char c) const noexcept { return is == kind::mark && text.front() == c; }
    [[nodiscard]] bool named() const noexcept { return is == kind::word || is == kind::name; }
};

/// The tokens of SQL as pg_dump writes it: comments are skipped, strings are read.
class sql_tokens {
public:
    explicit sql_tokens(text_stream& in) noexcept : in_(in) {}

    /// Backslashes mean something in all strings, as before PostgreSQL 9.1.
    void backslashes(bool mean_something) noexcept { backslashes_ = mean_something; }

    /// The error for a token that stands where something else was expected.
    [[nodiscard]] error misplaced(std::string expected, sql_token const& t) const {
        return error{errc::corrupt_source, std::move(expected),
                     in_.place(in_.line()) + ": '" + t.text.substr(0, 40) + "'"};
    }

    /// Replaces `t` by the next token. Errors: corrupt_source (a string without an end),
    /// limit_exceeded, io_failure.
    result<void> next(sql_token& t) {
        t.text.clear();
        VICINAL_CHECK(skip_blanks());
        int const c = in_.get();
        if (c < 0) {
            t.is = sql_token::kind::end;
            return in_.failure();
        }
        if (c == '\'') return read_string(t, sql_token::kind::string, backslashes_);
        if (c == '"') return read_quoted_name(t);
        if (c == '$' && !is_digit(in_.peek())) return read_dollars(t);
        if (is_letter(c)) return read_word(t, c);
        if (is_digit(c) || (c == '.' && is_digit(in_.peek()))) {
            t.is = sql_token::kind::number;
            t.text.push_back(static_cast<char>(c));
            while (is_digit(in_.peek()) || is_letter(in_.peek()) || in_.peek() == '.' ||
                   ((in_.peek() == '-' || in_.peek() == '+') &&
                    (t.text.back() == 'e' || t.text.back() == 'E')))
                VICINAL_CHECK(add(t.text));
            return {};
        }
        t.is = sql_token::kind::mark;
        t.text.push_back(static_cast<char>(c));
        return {};
    }

private:
    static bool is_digit(int c) noexcept { return c >= '0' && c <= '9'; }
    static bool is_letter(int c) noexcept {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
    }

    result<void> add(std::string& text) {
        if (text.size() >= text_stream::longest) return in_.too_long();
        text.push_back(static_cast<char>(in_.get()));
        return {};
    }

    result<void> skip_blanks() {
        static constexpr byte_set newline("\n");
        for (;;) {
            int const c = in_.peek();
            if (c == ' ' || (c >= '\t' && c <= '\r')) {
                in_.get();
            } else if (c == '-' && in_.peek_second() == '-') {
                scratch_.clear();
                if (!in_.append_until(newline, scratch_)) return in_.too_long();
            } else if (c == '/' && in_.peek_second() == '*') {
                in_.get();
                in_.get();
                for (int before = 0;;) {
                    int const inner = in_.get();
                    if (inner < 0 || (before == '*' && inner == '/')) break;
                    before = inner;
                }
            } else {
                return {};
            }
        }
    }

    [[nodiscard]] error unended(std::uint64_t line) const {
        return error{errc::corrupt_source, "an end of each string",
                     in_.place(line) + ": one without"};
    }

    result<void> read_string(sql_token& t, sql_token::kind is, bool escapes) {
        static constexpr byte_set plain("'");
        static constexpr byte_set escaped("'\\");
        auto const line = in_.line();
        t.is = is;
        for (;;) {
            if (!in_.append_until(escapes ? escaped : plain, t.text)) return in_.too_long();
            int const c = in_.get();
            if (c == '\\') {
                append_escaped(in_.get(), t.text);
                continue;
            }
            if (c < 0) {
                VICINAL_CHECK(in_.failure());
                return unended(line);
            }
            if (in_.peek() != '\'') return {};
            VICINAL_CHECK(add(t.text));
        }
    }

    static void append_escaped(int c, std::string& out) {
        switch (c) {
            case 'n': out.push_back('\n'); break;
            case 't': out.push_back('\t'); break;
            case 'r': out.push_back('\r'); break;
            case 'b': out.push_back('\b'); break;
            case 'f': out.push_back('\f'); break;
            case -1: break;
            default: out.push_back(static_cast<char>(c));
        }
    }

    result<void> read_quoted_name(sql_token& t) {
        static constexpr byte_set quote("\"");
        auto const line = in_.line();
        t.is = sql_token::kind::name;
        for (;;) {
            if (!in_.append_until(quote, t.text)) return in_.too_long();
            if (in_.get() < 0) {
                VICINAL_CHECK(in_.failure());
                return unended(line);
            }
            if (in_.peek() != '"') return {};
            VICINAL_CHECK(add(t.text));
        }
    }

    // $tag$ ... $tag$, as the bodies of functions are written.
    result<void> read_dollars(sql_token& t) {
        static constexpr byte_set dollar("$");
        static constexpr byte_set tag_end("$ \n'\";");
        auto const line = in_.line();
        std::string tag;
        if (!in_.append_until(tag_end, tag)) return in_.too_long();
        if (in_.peek() != '$') {
            t.is = sql_token::kind::mark;
            t.text = "$";
            return {};
        }
        in_.get();
        tag = "$" + tag + "$";
        t.is = sql_token::kind::string;
        for (;;) {
            if (!in_.append_until(dollar, t.text)) return in_.too_long();
            if (in_.get() < 0) {
                VICINAL_CHECK(in_.failure());
                return unended(line);
            }
            t.text.push_back('$');
            if (!t.text.ends_with(tag)) continue;
            t.text.resize(t.text.size() - tag.size());
            return {};
        }
    }

    result<void> read_word(sql_token& t, int first) {
        t.is = sql_token::kind::word;
        t.text.push_back(static_cast<char>(first));
        while (is_letter(in_.peek()) || is_digit(in_.peek()) || in_.peek() == '$')
            VICINAL_CHECK(add(t.text));
        for (char& c : t.text)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (t.text.size() > 1 || in_.peek() != '\'') return {};
        char const letter = t.text.front();
        if (letter != 'e' && letter != 'b' && letter != 'x' && letter != 'n') return {};
        in_.get();
        t.text.clear();
        return read_string(t, letter == 'b' ? sql_token::kind::bits : sql_token::kind::string,
                           letter == 'e');
    }

    text_stream& in_;
    bool backslashes_ = false;
    std::string scratch_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

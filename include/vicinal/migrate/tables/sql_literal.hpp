// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_SQL_LITERAL_HPP
#define VICINAL_MIGRATE_TABLES_SQL_LITERAL_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/tables/sql_tokens.hpp>
#include <vicinal/migrate/tables/text_stream.hpp>

#include <cstddef>
#include <string>

namespace vicinal::inline VICINAL_ABI::detail {

/// A value of an INSERT: its text, or NULL.
struct sql_literal {
    std::string text = {};
    bool null = false;
};

/// Over what is between the parentheses that open at `t`; stands on the closing one.
inline result<void> skip_parentheses(sql_tokens& tokens, sql_token& t) {
    for (std::size_t depth = 0; t.is != sql_token::kind::end;) {
        if (t.mark('(')) ++depth;
        if (t.mark(')') && --depth == 0) return {};
        VICINAL_CHECK(tokens.next(t));
    }
    return {};
}

/// ARRAY[1, 2], as it is written by hand, in PostgreSQL's other form {1,2}; stands on its end.
inline result<void> read_array_literal(sql_tokens& tokens, sql_token& t, std::string& out) {
    VICINAL_CHECK(tokens.next(t));
    if (!t.mark('[')) return tokens.misplaced("[ behind ARRAY", t);
    out = "{";
    VICINAL_CHECK(tokens.next(t));
    while (!t.mark(']')) {
        if (t.is == sql_token::kind::end || out.size() > text_stream::longest)
            return tokens.misplaced("] at the end of an array", t);
        if (t.is == sql_token::kind::string) {
            out += '"';
            for (char const c : t.text) {
                if (c == '"' || c == '\\') out += '\\';
                out += c;
            }
            out += '"';
        } else {
            out += t.text;
        }
        VICINAL_CHECK(tokens.next(t));
    }
    out += '}';
    return {};
}

/// Replaces `out` by the literal that starts at `t`; stands behind it and its cast.
///
/// Errors: corrupt_source (no literal: a function call, say), and those of the tokens.
inline result<void> read_literal(sql_tokens& tokens, sql_token& t, sql_literal& out) {
    bool const minus = t.mark('-');
    if (minus || t.mark('+')) VICINAL_CHECK(tokens.next(t));
    out.null = t.word("null") || t.word("default");
    if (t.word("array")) {
        VICINAL_CHECK(read_array_literal(tokens, t, out.text));
    } else if (t.is == sql_token::kind::number) {
        out.text = (minus ? "-" : "") + t.text;
    } else if (t.is == sql_token::kind::string || t.is == sql_token::kind::bits || t.word("true") ||
               t.word("false")) {
        out.text = t.text;
    } else if (!out.null) {
        return tokens.misplaced("a literal", t);
    }
    VICINAL_CHECK(tokens.next(t));
    while (t.mark(':')) { // ::public.vector(3)
        VICINAL_CHECK(tokens.next(t));
        VICINAL_CHECK(tokens.next(t));
        while (t.named() || t.mark('.') || t.mark('[') || t.mark(']') || t.mark('(')) {
            if (t.mark('(')) VICINAL_CHECK(skip_parentheses(tokens, t));
            VICINAL_CHECK(tokens.next(t));
        }
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_PARSER_HPP
#define VICINAL_PAYLOAD_FILTER_PARSER_HPP

#include <vicinal/payload/filter/fault.hpp>
#include <vicinal/payload/filter/token.hpp>
#include <vicinal/payload/filter/tree.hpp>
#include <vicinal/payload/utf8.hpp>

#include <cstddef>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Recursive descent over the tokens; the depth is counted, so that no text exhausts the stack.
///
/// One parser for run time and for constant expressions: what is found goes to `Into`, which is
/// filter_tree_builder (operand.hpp) or what only looks (literal.hpp).
template <class Into>
class filter_parser {
public:
    constexpr filter_parser(std::string_view filter, Into& into) noexcept
        : filter_(filter), lexer_(filter), into_(into) {}

    /// Whether it parses; else fault() says what is wrong.
    [[nodiscard]] constexpr bool parse() {
        if (filter_.size() > max_filter_bytes) {
            fault_ = {"at most 65,536 bytes", filter_.size() + 1};
            return false;
        }
        if (auto const valid = utf8_valid_bytes(filter_); valid != filter_.size()) {
            fault_ = {"UTF-8", valid, form::words, "a byte that is none"};
            return false;
        }
        if (!advance()) return false;
        if (token_.kind == token_kind::end) return true;
        if (!disjunction(0)) return false;
        return token_.kind == token_kind::end || unexpected("and, or, or the end");
    }
    [[nodiscard]] constexpr filter_fault const& fault() const noexcept { return fault_; }

private:
    using form = filter_fault::form;

    [[nodiscard]] constexpr bool disjunction(unsigned depth) {
        return chain(token_kind::word_or, filter_op::any_of, [&] { return conjunction(depth); });
    }

    [[nodiscard]] constexpr bool conjunction(unsigned depth) {
        return chain(token_kind::word_and, filter_op::all_of, [&] { return negation(depth); });
    }

    /// One or more operands; a node for them is put in front only if there are two.
    template <class Operand>
    [[nodiscard]] constexpr bool chain(token_kind word, filter_op op, Operand operand) {
        auto const at = into_.size();
        if (!operand()) return false;
        if (token_.kind != word) return true;
        if (!count()) return false;
        into_.open(at, op);
        while (token_.kind == word)
            if (!advance() || !operand()) return false;
        into_.close(at);
        return true;
    }

    [[nodiscard]] constexpr bool negation(unsigned depth) {
        if (token_.kind != token_kind::word_not && token_.kind != token_kind::open)
            return comparison();
        if (depth == max_filter_depth)
            return wrong("at most 64 levels of parentheses and not", "one more");
        if (token_.kind == token_kind::word_not) {
            auto const at = into_.size();
            if (!count()) return false;
            into_.open(at, filter_op::negated);
            if (!advance() || !negation(depth + 1)) return false;
            into_.close(at);
            return true;
        }
        auto const at = into_.size();
        if (!advance() || !disjunction(depth + 1) ||
            !take(token_kind::close, "and, or, or a closing parenthesis"))
            return false;
        if (token_.kind != token_kind::word_is) return true;
        if (!advance() || !take(token_kind::word_not, "not true") ||
            !take(token_kind::word_true, "true") || !count())
            return false;
        into_.open(at, filter_op::not_true);
        into_.close(at);
        return true;
    }

    [[nodiscard]] constexpr bool comparison() {
        using enum token_kind;
        if (token_.kind != name) {
            if (token_.kind >= word_and && token_.kind < end)
                return wrong("a field name", token_.raw, form::keyword);
            return unexpected("a field name, not or (");
        }
        auto const first = token_;
        if (!advance()) return false;
        // Two names side by side: the first is no field but the word, which is none elsewhere.
        bool const any = token_.kind == name && is_word(first.raw, "any");
        auto const at = into_.size();
        if (any && !count()) return false;
        if (any) into_.open(at, filter_op::any_element);
        if (!count()) return false;
        into_.begin(any ? token_ : first);
        if (any && !advance()) return false;
        auto const operation = token_.kind;
        if (operation < equal || operation > greater_equal) {
            if (!worded(operation)) return false;
        } else {
            op_ = static_cast<filter_op>(static_cast<unsigned>(filter_op::equal) +
                                         static_cast<unsigned>(operation) -
                                         static_cast<unsigned>(equal));
            if (!advance() || !literal()) return false;
        }
        into_.end(op_);
        if (any) into_.close(at);
        return true;
    }

    /// What follows a name when it is a word.
    [[nodiscard]] constexpr bool worded(token_kind word) {
        using enum token_kind;
        if (word < word_and || word > word_starts_with || word == word_and || word == word_or ||
            word == word_null || word == word_false)
            return unexpected("an operator (=, !=, <, <=, >, >=, in, not in, between, contains, "
                              "starts_with, is)");
        if (!advance()) return false;
        switch (word) {
            case word_is:
                op_ = filter_op::is_null;
                if (token_.kind == word_not) {
                    op_ = filter_op::is_not_null;
                    return advance() && take(word_null, "null");
                }
                return take(word_null, "null or not null");
            case word_between: return range();
            case word_contains: op_ = filter_op::contains; return literal();
            case word_starts_with:
                op_ = filter_op::starts_with;
                if (token_.kind != text) return unexpected("text in single quotes");
                return literal();
            case word_not:
                op_ = filter_op::not_in;
                if (!take(word_in, "in")) return false;
                break;
            default: op_ = filter_op::in; break;
        }
        if (!take(open, "an opening parenthesis")) return false;
        for (;;) {
            if (!count() || !literal()) return false;
            if (token_.kind != comma) return take(close, "a comma or a closing parenthesis");
            if (!advance()) return false;
        }
    }

    [[nodiscard]] constexpr bool range() {
        op_ = filter_op::between;
        auto const lower = token_;
        if (!literal() || !take(token_kind::word_and, "and")) return false;
        auto const upper = token_;
        if (!literal()) return false;
        if (kind_of_literal(lower.kind) == kind_of_literal(upper.kind)) return true;
        fault_ = {"a bound of the same kind as the first", upper.offset, form::excerpt, upper.raw};
        return false;
    }

    /// One token kind for all booleans, one for all numbers.
    [[nodiscard]] static constexpr token_kind kind_of_literal(token_kind k) noexcept {
        if (k == token_kind::word_false) return token_kind::word_true;
        return k == token_kind::integer ? token_kind::real : k;
    }

    [[nodiscard]] constexpr bool literal() {
        using enum token_kind;
        switch (token_.kind) {
            case text:
            case word_true:
            case word_false:
            case integer:
            case real:
                if (!into_.literal(token_))
                    return unexpected("a number within the range of double");
                return advance();
            case word_null:
                return wrong("a value (missing and null are found by 'is null')", "null");
            case name:
                return wrong("a value (text stands in single quotes)", token_.raw, form::name);
            default: return unexpected("a value ('text', a number, true or false)");
        }
    }

    [[nodiscard]] constexpr bool count() {
        if (++count_ <= max_filter_nodes) return true;
        return wrong("at most 4,096 comparisons, connectives and values in lists", "one more");
    }

    [[nodiscard]] constexpr bool advance() { return lexer_.next(token_, fault_); }

    [[nodiscard]] constexpr bool take(token_kind kind, char const* expected) {
        return token_.kind == kind ? advance() : unexpected(expected);
    }

    [[nodiscard]] constexpr bool wrong(char const* expected, std::string_view got,
                                       form as = form::words) {
        fault_ = {expected, token_.offset, as, got};
        return false;
    }

    [[nodiscard]] constexpr bool unexpected(char const* expected) {
        if (token_.kind == token_kind::end) return wrong(expected, "the end of the filter");
        bool const quoted = token_.kind != token_kind::text && token_.kind != token_kind::name;
        return wrong(expected, token_.raw, quoted ? form::quoted : form::excerpt);
    }

    std::string_view filter_;
    filter_lexer lexer_;
    Into& into_;
    filter_token token_ = {};
    filter_fault fault_ = {};
    filter_op op_ = filter_op::equal;
    std::size_t count_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

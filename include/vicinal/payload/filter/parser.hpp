// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_PARSER_HPP
#define VICINAL_PAYLOAD_FILTER_PARSER_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/payload/filter/operand.hpp>
#include <vicinal/payload/filter/token.hpp>
#include <vicinal/payload/filter/tree.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Recursive descent over the tokens; the depth is counted, so that no text exhausts the stack.
class filter_parser {
public:
    explicit filter_parser(std::string_view filter) noexcept : filter_(filter), lexer_(filter) {}

    [[nodiscard]] result<filter_tree> parse() {
        if (filter_.size() > max_filter_bytes)
            return error{errc::invalid_filter, "at most 65,536 bytes",
                         std::to_string(filter_.size())};
        if (auto const valid = utf8_valid_bytes(filter_); valid != filter_.size())
            return filter_error(filter_, valid, "UTF-8", "a byte that is none");
        VICINAL_CHECK(advance());
        if (token_.kind != token_kind::end) {
            VICINAL_CHECK(disjunction(0));
            if (token_.kind != token_kind::end) return unexpected("and, or, or the end");
        }
        return std::move(tree_);
    }

private:
    [[nodiscard]] result<void> disjunction(unsigned depth) {
        return chain(token_kind::word_or, filter_op::any_of, [&] { return conjunction(depth); });
    }

    [[nodiscard]] result<void> conjunction(unsigned depth) {
        return chain(token_kind::word_and, filter_op::all_of, [&] { return negation(depth); });
    }

    /// One or more operands; a node for them is put in front only if there are two.
    template <class Operand>
    [[nodiscard]] result<void> chain(token_kind word, filter_op op, Operand operand) {
        auto const at = tree_.nodes.size();
        VICINAL_CHECK(operand());
        if (token_.kind != word) return {};
        VICINAL_CHECK(wrap(at, op));
        while (token_.kind == word) {
            VICINAL_CHECK(advance());
            VICINAL_CHECK(operand());
        }
        close(at);
        return {};
    }

    [[nodiscard]] result<void> negation(unsigned depth) {
        if (token_.kind != token_kind::word_not && token_.kind != token_kind::open)
            return comparison();
        if (depth == max_filter_depth)
            return wrong("at most 64 levels of parentheses and not", "one more");
        if (token_.kind == token_kind::word_not) {
            auto const at = tree_.nodes.size();
            VICINAL_CHECK(count());
            tree_.nodes.push_back({.op = filter_op::negated});
            VICINAL_CHECK(advance());
            VICINAL_CHECK(negation(depth + 1));
            close(at);
            return {};
        }
        auto const at = tree_.nodes.size();
        VICINAL_CHECK(advance());
        VICINAL_CHECK(disjunction(depth + 1));
        VICINAL_CHECK(take(token_kind::close, "and, or, or a closing parenthesis"));
        if (token_.kind != token_kind::word_is) return {};
        VICINAL_CHECK(advance());
        VICINAL_CHECK(take(token_kind::word_not, "not true"));
        VICINAL_CHECK(take(token_kind::word_true, "true"));
        return wrap(at, filter_op::not_true);
    }

    [[nodiscard]] result<void> comparison() {
        using enum token_kind;
        if (token_.kind != name) {
            if (token_.kind >= word_and && token_.kind < end)
                return wrong("a field name",
                             "the keyword '" + std::string(token_.raw) +
                                 "' (a field of that name is written in double quotes)");
            return unexpected("a field name, not or (");
        }
        auto const first = token_;
        VICINAL_CHECK(advance());
        // Two names side by side: the first is no field but the word, which is none elsewhere.
        bool const any = token_.kind == name && is_word(first.raw, "any");
        auto const field = any ? token_ : first;
        if (any) {
            VICINAL_CHECK(count());
            tree_.nodes.push_back({.op = filter_op::any_element, .nodes = 2});
            VICINAL_CHECK(advance());
        }
        VICINAL_CHECK(count());
        filter_node node;
        node.name = add_name(tree_, field.raw);
        node.first_value = static_cast<std::uint32_t>(tree_.values.size());
        auto const operation = token_.kind;
        if (operation < equal || operation > greater_equal) {
            VICINAL_CHECK(worded(node, operation));
        } else {
            node.op = static_cast<filter_op>(static_cast<unsigned>(filter_op::equal) +
                                             static_cast<unsigned>(operation) -
                                             static_cast<unsigned>(equal));
            VICINAL_CHECK(advance());
            VICINAL_CHECK(literal());
        }
        node.values = static_cast<std::uint32_t>(tree_.values.size()) - node.first_value;
        tree_.nodes.push_back(node);
        return {};
    }

    /// What follows a name when it is a word.
    [[nodiscard]] result<void> worded(filter_node& node, token_kind word) {
        using enum token_kind;
        if (word < word_and || word > word_starts_with || word == word_and || word == word_or ||
            word == word_null || word == word_false)
            return unexpected("an operator (=, !=, <, <=, >, >=, in, not in, between, contains, "
                              "starts_with, is)");
        VICINAL_CHECK(advance());
        switch (word) {
            case word_is:
                node.op = filter_op::is_null;
                if (token_.kind == word_not) {
                    node.op = filter_op::is_not_null;
                    VICINAL_CHECK(advance());
                    return take(word_null, "null");
                }
                return take(word_null, "null or not null");
            case word_between: return range(node);
            case word_contains: node.op = filter_op::contains; return literal();
            case word_starts_with:
                node.op = filter_op::starts_with;
                if (token_.kind != text) return unexpected("text in single quotes");
                return literal();
            case word_not:
                node.op = filter_op::not_in;
                VICINAL_CHECK(take(word_in, "in"));
                break;
            default: node.op = filter_op::in; break;
        }
        VICINAL_CHECK(take(open, "an opening parenthesis"));
        for (;;) {
            VICINAL_CHECK(count());
            VICINAL_CHECK(literal());
            if (token_.kind != comma) return take(close, "a comma or a closing parenthesis");
            VICINAL_CHECK(advance());
        }
    }

    [[nodiscard]] result<void> range(filter_node& node) {
        node.op = filter_op::between;
        VICINAL_CHECK(literal());
        VICINAL_CHECK(take(token_kind::word_and, "and"));
        auto const upper = token_;
        VICINAL_CHECK(literal());
        auto const kind = [this](std::size_t back) {
            auto const k = tree_.values[tree_.values.size() - back].type;
            return k == value::kind::integer ? value::kind::real : k;
        };
        if (kind(1) != kind(2))
            return filter_error(filter_, upper.offset, "a bound of the same kind as the first",
                                excerpt(upper.raw));
        return {};
    }

    [[nodiscard]] result<void> literal() {
        using enum token_kind;
        filter_value v;
        auto const raw = token_.raw;
        switch (token_.kind) {
            case text: v = add_text(tree_, raw); break;
            case word_true:
            case word_false:
                v.type = value::kind::boolean;
                v.bits = token_.kind == word_true ? 1 : 0;
                break;
            case integer:
            case real:
                if (!read_number(raw, token_.kind == integer, v))
                    return unexpected("a number within the range of double");
                break;
            case word_null:
                return wrong("a value (missing and null are found by 'is null')", "null");
            case name:
                return wrong("a value (text stands in single quotes)", "the name " + excerpt(raw));
            default: return unexpected("a value ('text', a number, true or false)");
        }
        tree_.values.push_back(v);
        return advance();
    }

    /// Puts a node in front of those from `at` on, which become its children.
    [[nodiscard]] result<void> wrap(std::size_t at, filter_op op) {
        VICINAL_CHECK(count());
        tree_.nodes.insert(tree_.nodes.begin() + static_cast<std::ptrdiff_t>(at),
                           filter_node{.op = op});
        close(at);
        return {};
    }

    void close(std::size_t at) noexcept {
        tree_.nodes[at].nodes = static_cast<std::uint32_t>(tree_.nodes.size() - at);
    }

    [[nodiscard]] result<void> count() {
        if (++count_ <= max_filter_nodes) return {};
        return wrong("at most 4,096 comparisons, connectives and values in lists", "one more");
    }

    [[nodiscard]] result<void> advance() {
        auto next = lexer_.next();
        if (!next) return next.error();
        token_ = *next;
        return {};
    }

    [[nodiscard]] result<void> take(token_kind kind, char const* expected) {
        if (token_.kind != kind) return unexpected(expected);
        return advance();
    }

    [[nodiscard]] error wrong(char const* expected, std::string got) const {
        return filter_error(filter_, token_.offset, expected, std::move(got));
    }

    [[nodiscard]] error unexpected(char const* expected) const {
        if (token_.kind == token_kind::end) return wrong(expected, "the end of the filter");
        if (token_.kind == token_kind::text || token_.kind == token_kind::name)
            return wrong(expected, excerpt(token_.raw));
        return wrong(expected, "'" + excerpt(token_.raw) + "'");
    }

    std::string_view filter_;
    filter_lexer lexer_;
    filter_token token_ = {};
    filter_tree tree_ = {};
    std::size_t count_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

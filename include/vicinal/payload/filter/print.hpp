// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_PRINT_HPP
#define VICINAL_PAYLOAD_FILTER_PRINT_HPP

#include <vicinal/payload/filter/token.hpp>
#include <vicinal/payload/filter/tree.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Writes a filter with the fewest parentheses that parse to the same nodes again.
class filter_printer {
public:
    explicit filter_printer(filter_tree const& tree) noexcept : tree_(tree) {}

    [[nodiscard]] std::string print() {
        if (!tree_.nodes.empty()) node(0);
        return std::move(out_);
    }

private:
    void node(std::size_t i) {
        auto const& n = tree_.nodes[i];
        switch (n.op) {
            case filter_op::all_of: return chain(i, " and ");
            case filter_op::any_of: return chain(i, " or ");
            case filter_op::negated: out_ += "not "; return operand(i, i + 1);
            case filter_op::not_true:
                out_ += '(';
                node(i + 1);
                out_ += ") is not true";
                return;
            case filter_op::any_element: out_ += "any "; return leaf(tree_.nodes[i + 1]);
            default: leaf(n);
        }
    }

    void chain(std::size_t i, char const* between) {
        auto const end = i + tree_.nodes[i].nodes;
        for (auto child = i + 1; child != end; child += tree_.nodes[child].nodes) {
            if (child != i + 1) out_ += between;
            operand(i, child);
        }
    }

    /// `not` binds tightest, `or` least.
    void operand(std::size_t parent, std::size_t child) {
        auto const outer = tree_.nodes[parent].op;
        auto const inner = tree_.nodes[child].op;
        bool const bare =
            inner > filter_op::all_of || (outer == filter_op::any_of && inner == filter_op::all_of);
        if (!bare) out_ += '(';
        node(child);
        if (!bare) out_ += ')';
    }

    void leaf(filter_node const& n) {
        constexpr std::array<char const*, 13> words{
            " = ",           " != ",     " < ",         " <= ",      " > ",
            " >= ",          " in (",    " not in (",   " between ", " contains ",
            " starts_with ", " is null", " is not null"};
        name(n);
        out_ += words[static_cast<std::size_t>(n.op) - static_cast<std::size_t>(filter_op::equal)];
        bool first = true;
        for (auto const& v : tree_.values_of(n)) {
            if (!first) out_ += n.op == filter_op::between ? " and " : ", ";
            literal(v);
            first = false;
        }
        if (n.op == filter_op::in || n.op == filter_op::not_in) out_ += ')';
    }

    void name(filter_node const& n) {
        auto const all = tree_.name_of(n);
        std::size_t begin = 0;
        for (auto const start : tree_.starts_of(n)) {
            part(all.substr(begin, start - 1 - begin));
            out_ += '.';
            begin = start;
        }
        part(all.substr(begin));
    }

    void part(std::string_view s) {
        bool const plain = !s.empty() && starts_name(s[0]) &&
                           std::all_of(s.begin(), s.end(), continues_name) &&
                           keyword(s) == token_kind::name;
        if (plain)
            out_ += s;
        else
            quoted(s, '"');
    }

    void quoted(std::string_view s, char quote) {
        out_ += quote;
        for (auto const c : s) {
            if (c == quote) out_ += quote;
            out_ += c;
        }
        out_ += quote;
    }

    void literal(filter_value const& v) {
        // The longest int64 takes 20 characters, the longest shortest double 24.
        std::array<char, 32> digits{};
        auto* const first = digits.data();
        auto* const last = first + digits.size();
        switch (v.type) {
            case value::kind::boolean: out_ += v.bits != 0 ? "true" : "false"; break;
            case value::kind::integer: {
                auto const whole = static_cast<std::int64_t>(v.bits);
                out_.append(first, std::to_chars(first, last, whole).ptr);
                break;
            }
            case value::kind::real: {
                auto const x = std::bit_cast<double>(v.bits);
                std::string_view const s(
                    first, static_cast<std::size_t>(std::to_chars(first, last, x).ptr - first));
                out_ += s;
                // Without a point it would come back as an integer.
                if (s.find_first_of(".e") == std::string_view::npos) out_ += ".0";
                break;
            }
            default: quoted(tree_.text_of(v), '\''); break;
        }
    }

    filter_tree const& tree_;
    std::string out_ = {};
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_PRINT_HPP
#define VICINAL_PAYLOAD_FILTER_PRINT_HPP

#include <vicinal/payload/filter/text.hpp>
#include <vicinal/payload/filter/tree.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// `not` binds tightest, `or` least.
[[nodiscard]] constexpr bool needs_parentheses(filter_op outer, filter_op inner) noexcept {
    return inner <= filter_op::all_of &&
           !(outer == filter_op::any_of && inner == filter_op::all_of);
}

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

    void operand(std::size_t parent, std::size_t child) {
        auto const outer = tree_.nodes[parent].op;
        auto const inner = tree_.nodes[child].op;
        bool const inside = needs_parentheses(outer, inner);
        if (inside) out_ += '(';
        node(child);
        if (inside) out_ += ')';
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
            append_part(out_, all.substr(begin, start - 1 - begin));
            out_ += '.';
            begin = start;
        }
        append_part(out_, all.substr(begin));
    }

    void literal(filter_value const& v) {
        switch (v.type) {
            case value::kind::boolean: append_literal(out_, v.bits != 0); break;
            case value::kind::integer:
                append_literal(out_, static_cast<std::int64_t>(v.bits));
                break;
            case value::kind::real: append_literal(out_, std::bit_cast<double>(v.bits)); break;
            default: append_literal(out_, tree_.text_of(v)); break;
        }
    }

    filter_tree const& tree_;
    std::string out_ = {};
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

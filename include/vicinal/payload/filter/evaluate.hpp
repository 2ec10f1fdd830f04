// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_EVALUATE_HPP
#define VICINAL_PAYLOAD_FILTER_EVALUATE_HPP

#include <vicinal/payload/filter/compare.hpp>
#include <vicinal/payload/filter/tree.hpp>
#include <vicinal/payload/view.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <span>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Evaluates a filter on encoded fields as they lie. Nothing is allocated; the recursion is as deep
/// as the parser let it be.
class filter_evaluator {
public:
    filter_evaluator(filter_tree const& tree, fields_view payload) noexcept
        : tree_(tree), payload_(payload) {}

    [[nodiscard]] truth at(std::size_t i) const noexcept {
        auto const& n = tree_.nodes[i];
        switch (n.op) {
            case filter_op::all_of: return all(i);
            case filter_op::any_of: return any(i);
            case filter_op::negated: return negate(at(i + 1));
            case filter_op::not_true: return truth_of(at(i + 1) != truth::yes);
            case filter_op::any_element: return any_element(tree_.nodes[i + 1]);
            default: return leaf(n, find(n));
        }
    }

private:
    [[nodiscard]] truth all(std::size_t i) const noexcept {
        auto const end = i + tree_.nodes[i].nodes;
        auto least = truth::yes;
        for (++i; i != end && least != truth::no; i += tree_.nodes[i].nodes)
            least = (std::min)(least, at(i));
        return least;
    }

    [[nodiscard]] truth any(std::size_t i) const noexcept {
        auto const end = i + tree_.nodes[i].nodes;
        auto greatest = truth::no;
        for (++i; i != end && greatest != truth::yes; i += tree_.nodes[i].nodes)
            greatest = (std::max)(greatest, at(i));
        return greatest;
    }

    /// The field that a comparison names; null where there is none.
    [[nodiscard]] value_view find(filter_node const& n) const noexcept {
        auto const name = tree_.name_of(n);
        auto const starts = tree_.starts_of(n);
        auto const found = starts.empty() ? payload_.find(name) : payload_.find_parts(name, starts);
        return found.value_or(value_view{});
    }

    [[nodiscard]] truth leaf(filter_node const& n, value_view const& field) const noexcept {
        bool const missing = field.is_null();
        if (n.op == filter_op::is_null) return truth_of(missing);
        if (n.op == filter_op::is_not_null) return truth_of(!missing);
        if (missing) return truth::unknown;
        return test(n, field);
    }

    /// A value that is no array is its own only element.
    [[nodiscard]] truth any_element(filter_node const& n) const noexcept {
        auto const field = find(n);
        if (field.type() != value::kind::array) return leaf(n, field);
        auto greatest = truth::no;
        auto rest = field.array();
        for (value_view element; greatest != truth::yes && rest.next(element);) {
            // What an array contains is asked of the field only: an element has parts if it is
            // text.
            bool const unasked =
                n.op == filter_op::contains && element.type() != value::kind::string;
            greatest = (std::max)(greatest, unasked ? truth::unknown : leaf(n, element));
        }
        return greatest;
    }

    [[nodiscard]] truth test(filter_node const& n, value_view const& field) const noexcept {
        auto const literals = tree_.values_of(n);
        auto const order = [&](std::size_t i) { return compare(field, literals[i], tree_); };
        switch (n.op) {
            case filter_op::equal: return truth_of(std::is_eq(order(0)));
            case filter_op::not_equal: return truth_of(!std::is_eq(order(0)));
            case filter_op::less: return ordered(order(0), std::is_lt);
            case filter_op::less_equal: return ordered(order(0), std::is_lteq);
            case filter_op::greater: return ordered(order(0), std::is_gt);
            case filter_op::greater_equal: return ordered(order(0), std::is_gteq);
            case filter_op::between:
                return (std::min)(ordered(order(0), std::is_gteq), ordered(order(1), std::is_lteq));
            case filter_op::in: return truth_of(member(literals, field));
            case filter_op::not_in: return truth_of(!member(literals, field));
            case filter_op::contains: return contains(literals[0], field);
            case filter_op::starts_with:
                if (field.type() != value::kind::string) return truth::unknown;
                return truth_of(field.text().starts_with(tree_.text_of(literals[0])));
            default: return truth::unknown;
        }
    }

    template <class Holds>
    [[nodiscard]] static truth ordered(std::partial_ordering o, Holds holds) noexcept {
        return o == std::partial_ordering::unordered ? truth::unknown : truth_of(holds(o));
    }

    [[nodiscard]] bool member(std::span<filter_value const> literals,
                              value_view const& field) const noexcept {
        return std::any_of(literals.begin(), literals.end(), [&](filter_value const& literal) {
            return std::is_eq(compare(field, literal, tree_));
        });
    }

    [[nodiscard]] truth contains(filter_value const& literal,
                                 value_view const& field) const noexcept {
        if (field.type() == value::kind::array) {
            auto rest = field.array();
            value_view element;
            while (rest.next(element))
                if (std::is_eq(compare(element, literal, tree_))) return truth::yes;
            return truth::no;
        }
        if (field.type() != value::kind::string || literal.type != value::kind::string)
            return truth::unknown;
        return truth_of(field.text().find(tree_.text_of(literal)) != std::string_view::npos);
    }

    filter_tree const& tree_;
    fields_view payload_;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

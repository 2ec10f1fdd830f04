// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_HPP
#define VICINAL_PAYLOAD_FILTER_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/payload/filter/evaluate.hpp>
#include <vicinal/payload/filter/fault.hpp>
#include <vicinal/payload/filter/join.hpp>
#include <vicinal/payload/filter/operand.hpp>
#include <vicinal/payload/filter/parser.hpp>
#include <vicinal/payload/filter/print.hpp>
#include <vicinal/payload/filter/tree.hpp>
#include <vicinal/payload/view.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI {

/// A condition on payloads, as in "category = 'guide' and year >= 2023": parsed once, then asked of
/// many. docs/filters.md has the grammar and what each comparison gives.
///
/// Immutable, so any number of threads may use one. Made without arguments it matches everything.
class filter {
public:
    filter() = default;

    /// Reads a filter; text of blanks alone is the filter that matches everything.
    ///
    /// Errors: invalid_filter, with the column, what was expected there and what came; also over
    /// 64 KiB, 4,096 nodes or 64 levels. out_of_memory.
    [[nodiscard]] static result<filter> parse(std::string_view text) {
        return detail::guarded([&]() -> result<filter> {
            payload::detail::filter_tree_builder tree;
            payload::detail::filter_parser parser(text, tree);
            if (!parser.parse()) return payload::detail::filter_error(text, parser.fault());
            filter f;
            f.tree_ = tree.take();
            return f;
        });
    }

    /// Whether the filter is true, not unknown, for these encoded fields. Reads them where they lie
    /// and allocates nothing; damaged bytes read as if the payload ended there.
    [[nodiscard]] bool matches(std::span<std::byte const> encoded_payload) const noexcept {
        if (empty()) return true;
        payload::detail::filter_evaluator const evaluator(tree_,
                                                          payload::fields_view(encoded_payload));
        return evaluator.at(0) == payload::detail::truth::yes;
    }

    /// The filter of a text that the program itself made. One that does not parse is kept: see
    /// check().
    [[nodiscard]] static filter of(std::string text) {
        auto parsed = parse(text);
        return parsed ? std::move(*parsed) : wrong(std::move(text));
    }

    /// Whether a filter that was built holds what no text can: a NaN, a text that is not UTF-8, a
    /// list of nothing, more than the limits of parse(), or the negation of the filter that matches
    /// everything. Such a filter matches nothing, what is built of it is wrong too, and its text
    /// does not parse, so that a search with it fails.
    ///
    /// Errors: invalid_filter, as a search gives it.
    [[nodiscard]] result<void> check() const {
        if (wrong_.empty()) return {};
        return parse(wrong_).error();
    }

    /// Whether everything matches because there is no condition.
    [[nodiscard]] bool empty() const noexcept { return tree_.nodes.empty(); }

    /// Text that parses to an equal filter (of up to 64 KiB: it may be longer than what was parsed,
    /// by the blanks and parentheses that were left out there).
    [[nodiscard]] std::string print() const {
        return wrong_.empty() ? payload::detail::filter_printer(tree_).print() : wrong_;
    }
    /// The same, so that `.where = field("year") >= 2023` is what it looks like.
    [[nodiscard]] operator std::string() const { return print(); }

    /// The nodes, for a planner or a backend that translates them.
    [[nodiscard]] payload::filter_tree const& tree() const noexcept { return tree_; }

    /// Same nodes, names and values in the same order.
    friend bool operator==(filter const& a, filter const& b) noexcept {
        return a.tree_ == b.tree_ && a.wrong_ == b.wrong_;
    }

    // The filter of "A and B", "A or B", "not A". With the filter that matches everything, A and B
    // is the other one, and A or B matches everything. Both sides are always evaluated.
    [[nodiscard]] friend filter operator&&(filter a, filter const& b) {
        return joined(std::move(a), payload::filter_op::all_of, b);
    }
    [[nodiscard]] friend filter operator||(filter a, filter const& b) {
        return joined(std::move(a), payload::filter_op::any_of, b);
    }
    [[nodiscard]] friend filter operator!(filter a) {
        if (!a.wrong_.empty()) return a;
        if (a.empty()) return wrong("not");
        payload::detail::put_in_front(a.tree_, payload::filter_op::negated);
        return limited(std::move(a));
    }

    /// The filter of "(A) is not true": it matches exactly what this one does not match, records
    /// without the field too.
    [[nodiscard]] filter is_not_true() const {
        if (!wrong_.empty()) return *this;
        if (empty()) return wrong("() is not true");
        auto f = *this;
        payload::detail::put_in_front(f.tree_, payload::filter_op::not_true);
        return limited(std::move(f));
    }

private:
    friend class any_element;

    /// Asks a comparison of each element of an array.
    [[nodiscard]] static filter any(filter comparison) {
        if (!comparison.wrong_.empty()) return comparison;
        payload::detail::put_in_front(comparison.tree_, payload::filter_op::any_element);
        return limited(std::move(comparison));
    }
    [[nodiscard]] static filter joined(filter a, payload::filter_op op, filter const& b) {
        if (!a.wrong_.empty()) return a;
        if (!b.wrong_.empty()) return b;
        if (a.empty()) return op == payload::filter_op::all_of ? b : std::move(a);
        if (b.empty()) return op == payload::filter_op::all_of ? std::move(a) : b;
        payload::detail::join(a.tree_, op, b.tree_);
        return limited(std::move(a));
    }
    [[nodiscard]] static filter limited(filter f) {
        return payload::detail::within_limits(f.tree_) ? std::move(f) : wrong(f.print());
    }
    [[nodiscard]] static filter wrong(std::string text) {
        filter f;
        // An `or` of nothing: false for every payload.
        f.tree_.nodes.push_back({.op = payload::filter_op::any_of});
        f.wrong_ = std::move(text);
        return f;
    }

    payload::filter_tree tree_ = {};
    /// The text of a filter that has no tree because it does not parse.
    std::string wrong_ = {};
};

} // namespace vicinal::inline VICINAL_ABI

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_HPP
#define VICINAL_PAYLOAD_FILTER_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/payload/filter/evaluate.hpp>
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
            auto tree = payload::detail::filter_parser(text).parse();
            if (!tree) return tree.error();
            filter f;
            f.tree_ = std::move(*tree);
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

    /// Whether everything matches because there is no condition.
    [[nodiscard]] bool empty() const noexcept { return tree_.nodes.empty(); }

    /// Text that parses to an equal filter (of up to 64 KiB: it may be longer than what was parsed,
    /// by the blanks and parentheses that were left out there).
    [[nodiscard]] std::string print() const {
        return payload::detail::filter_printer(tree_).print();
    }

    /// The nodes, for a planner or a backend that translates them.
    [[nodiscard]] payload::filter_tree const& tree() const noexcept { return tree_; }

    /// Same nodes, names and values in the same order.
    friend bool operator==(filter const& a, filter const& b) noexcept { return a.tree_ == b.tree_; }

private:
    payload::filter_tree tree_ = {};
};

} // namespace vicinal::inline VICINAL_ABI

#endif

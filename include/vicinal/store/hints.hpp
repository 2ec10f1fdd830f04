// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_HINTS_HPP
#define VICINAL_STORE_HINTS_HPP

#include <vicinal/payload/filter.hpp>
#include <vicinal/payload/index/kind.hpp>
#include <vicinal/store/explanation.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The index that would find what a comparison holds for; none where it holds for most, or where
/// none would help.
[[nodiscard]] constexpr std::optional<field_index> index_for(payload::filter_op op,
                                                             bool of_elements) noexcept {
    using enum payload::filter_op;
    if (of_elements || op == contains) return field_index::inverted;
    if (op == equal || op == in) return field_index::hash;
    if ((op >= less && op <= greater_equal) || op == between || op == starts_with)
        return field_index::ordered;
    return {};
}

/// The field indexes that a filter asks for and that there are not, each once, in the filter's
/// order. What stands under a `not` is left out: its comparisons hold for what is not wanted.
[[nodiscard]] inline std::vector<std::pair<std::string, field_index>>
missing_indexes(payload::filter_tree const& tree, std::span<field_index_stats const> there) {
    std::vector<std::pair<std::string, field_index>> missing;
    for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
        auto const& n = tree.nodes[i];
        if (n.op == payload::filter_op::negated || n.op == payload::filter_op::not_true) {
            i += n.nodes - 1;
            continue;
        }
        if (n.op < payload::filter_op::equal) continue;
        bool const of_elements = i > 0 && tree.nodes[i - 1].op == payload::filter_op::any_element;
        auto const kind = index_for(n.op, of_elements);
        if (!kind) continue;
        std::pair const wanted(std::string(tree.name_of(n)), *kind);
        bool const served = std::any_of(there.begin(), there.end(), [&](auto const& s) {
            return s.field == wanted.first && (s.kind == *kind || (s.kind == field_index::ordered &&
                                                                   *kind == field_index::hash));
        });
        if (!served && std::find(missing.begin(), missing.end(), wanted) == missing.end())
            missing.push_back(wanted);
    }
    return missing;
}

/// Says what would spare a search the payloads that it has read: many, and few of them matched.
inline void hint_at_indexes(explanation& e, filter const& where,
                            std::span<field_index_stats const> there) {
    if (e.payloads < 1000 || e.matching > e.records / 2) return;
    for (auto const& [field, kind] : missing_indexes(where.tree(), there)) {
        auto const* const article = kind == field_index::hash ? "a " : "an ";
        e.hints.push_back("create " + (article + std::string(name_of(kind))) + " index on " +
                          field + ": " + with_commas(e.payloads) + " rows looked at, " +
                          with_commas(e.matching) + " matched");
    }
}

/// Says what would spare a search the rows that its index has not taken in.
inline void hint_at_fresh_rows(explanation& e, std::size_t rows, std::size_t covered) {
    auto const fresh = rows - covered;
    if (covered == 0 || fresh < 1000 || fresh * 20 < rows) return;
    e.hints.push_back("write a checkpoint, or open the store with threads: " + with_commas(fresh) +
                      " rows are not in the graph yet and were compared one by one");
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_NEIGHBOUR_HPP
#define VICINAL_INDEX_NEIGHBOUR_HPP

#include <vicinal/core/record.hpp>

#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

/// A row and how far it is from the query.
struct neighbour {
    float distance;
    slot row;

    /// Nearest first, the lower slot first among equals: a total order, so that the same input
    /// gives the same graph and the same answer.
    friend bool operator<(neighbour const& a, neighbour const& b) noexcept {
        return a.distance < b.distance || (a.distance == b.distance && a.row < b.row);
    }
    friend bool operator==(neighbour const&, neighbour const&) = default;
};

using neighbours = std::vector<neighbour>;

/// A predicate that keeps every row.
struct keep_all {
    [[nodiscard]] bool operator()(slot) const noexcept { return true; }
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

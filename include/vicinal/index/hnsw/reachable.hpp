// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_REACHABLE_HPP
#define VICINAL_INDEX_HNSW_REACHABLE_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/index/scratch.hpp>

#include <cstddef>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// Nodes of a level, marked, and how many they are.
struct reached_nodes {
    visited_set nodes;
    std::size_t count = 0;
};

/// Those to which links lead from the root, itself among them. Walks all links, O(nodes). Throws
/// std::bad_alloc.
template <class Level>
[[nodiscard]] reached_nodes reached(Level const& level, slot root) {
    reached_nodes seen;
    seen.nodes.reset(level.nodes);
    if (root == no_slot) return seen;
    std::vector<slot> open{root};
    static_cast<void>(seen.nodes.mark(root));
    for (std::size_t i = 0; i < open.size(); ++i) {
        auto const* list = level.list(open[i]);
        for (std::size_t j = 0; j < level.width && list[j] != no_slot; ++j)
            if (list[j] < level.nodes && seen.nodes.mark(list[j])) open.push_back(list[j]);
    }
    seen.count = open.size();
    return seen;
}

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

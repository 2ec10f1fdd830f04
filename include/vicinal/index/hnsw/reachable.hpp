// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_REACHABLE_HPP
#define VICINAL_INDEX_HNSW_REACHABLE_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/index/scratch.hpp>

#include <cstddef>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// Marks the nodes of a level to which links lead from the root, itself among them; how many those
/// are. Walks all links, O(nodes). Throws std::bad_alloc.
template <class Level>
[[nodiscard]] std::size_t mark_reachable(Level const& level, slot root, visited_set& seen) {
    seen.reset(level.nodes);
    if (root == no_slot) return 0;
    std::vector<slot> open{root};
    static_cast<void>(seen.mark(root));
    for (std::size_t i = 0; i < open.size(); ++i) {
        auto const* list = level.list(open[i]);
        for (std::size_t j = 0; j < level.width && list[j] != no_slot; ++j)
            if (list[j] < level.nodes && seen.mark(list[j])) open.push_back(list[j]);
    }
    return open.size();
}

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

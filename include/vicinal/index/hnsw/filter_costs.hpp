// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_FILTER_COSTS_HPP
#define VICINAL_INDEX_HNSW_FILTER_COSTS_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>

/// What a filtered search costs, walking and scanning, where the matches are known as bits.
///
/// Measured on 200,000 SIFT codes, 32 links, k = 10, one thread of a loaded machine: a scan takes
/// some 15 ns a match (2,000 of them 33 us, 6,000 85, 20,000 330), a walk some 50 ns for each node
/// that it meets, of which there are 15 for each that it expands (a half kept: 55 us for 65 nodes
/// expanded; a tenth: 120 for 150). So a node met is three matches scanned.
///
/// Going over the neighbours of those that don't match, and scoring matches alone (ACORN-1, Patel
/// et al. 2024), was tried for the shares between: at a tenth it took 200 us where the walk took
/// 125, at a twentieth 185 for a recall of 0.976 where the scan took 175 for all, at a fiftieth 180
/// for 0.934 beside the scan's 60.
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

inline constexpr std::size_t matches_for_a_node = 3;

/// Whether a walk could be the shorter way: finding where it would begin costs as much as scanning
/// some 500 matches, and expanding k = 10 nodes as many again.
[[nodiscard]] constexpr bool may_walk(std::size_t matching) noexcept { return matching >= 2000; }

/// The nodes that a walk may meet until it has cost what the scan would.
[[nodiscard]] constexpr std::size_t most_met(std::size_t matching) noexcept {
    return matching / matches_for_a_node;
}

/// The nodes that a walk meets until it has `width` matches of a share: `links` is the length of a
/// list, of which about half has been met before.
[[nodiscard]] constexpr double nodes_to_meet(std::size_t width, double share,
                                             std::size_t links) noexcept {
    return 100 + static_cast<double>(width) / share * (static_cast<double>(links) * 0.47);
}

/// The rows that a walk asks until it has `width` matches of a share.
[[nodiscard]] constexpr double rows_to_ask(std::size_t width, double share) noexcept {
    return 100 + static_cast<double>(width) / share * 4;
}

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

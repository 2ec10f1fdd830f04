// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_WALK_HPP
#define VICINAL_INDEX_HNSW_WALK_HPP

#include <vicinal/index/hnsw/graph.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/index/scratch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

/// How a query moves over the graph (Malkov & Yashunin 2018, algorithms 2 and 5).
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// Codes to score and how: the column's reader, the bound query, and how many cache lines of a code
/// are worth asking for ahead (the hardware streams the rest).
template <class Codes, class Scorer>
struct target {
    Codes codes;
    Scorer const& score;
    std::size_t rows;
    std::size_t lines;

    [[nodiscard]] float operator()(slot row) const noexcept { return score(codes.row(row)); }
    void prefetch(slot row) const noexcept { codes.prefetch(row, lines); }
};

/// A place in a level.
struct position {
    float distance;
    std::uint32_t node;
};

/// Moves to the nearest neighbour until none is nearer.
template <class Level, class Target>
[[nodiscard]] position descend_on(Level const& level, position at, Target const& to) noexcept {
    for (bool moved = true; moved;) {
        moved = false;
        auto const* list = level.list(at.node);
        for (std::size_t i = 0; i < level.width && list[i] != no_slot; ++i) {
            // A damaged file may name any number: a node is followed only if it is one.
            if (list[i] >= level.nodes || level.row(list[i]) >= to.rows) continue;
            float const d = to(level.row(list[i]));
            if (d < at.distance || (d == at.distance && list[i] < at.node)) {
                at = {d, list[i]};
                moved = true;
            }
        }
    }
    return at;
}

/// Scores the neighbours of a node that this walk has not met: meet(distance, node) for each.
///
/// They are collected first, so that no code is asked for in vain, and asked for four ahead: a core
/// has about a dozen reads under way at once, and a list of codes is more.
template <class Level, class Target, class Meet>
void expand(Level const& level, std::uint32_t node, Target const& to, scratch& s,
            Meet const& meet) {
    constexpr std::size_t ahead = 4;
    s.fresh.clear();
    auto const* list = level.list(node);
    for (std::size_t i = 0; i < level.width && list[i] != no_slot; ++i) {
        auto const n = list[i];
        if (n >= level.nodes || !s.visited.mark(n) || level.row(n) >= to.rows) continue;
        if (s.fresh.size() < ahead) to.prefetch(level.row(n));
        s.fresh.push_back(n);
    }
    for (std::size_t i = 0; i < s.fresh.size(); ++i) {
        if (i + ahead < s.fresh.size()) to.prefetch(level.row(s.fresh[i + ahead]));
        meet(to(level.row(s.fresh[i])), s.fresh[i]);
    }
}

/// Beam search: the `width` nearest nodes that the graph leads to from `start`, in s.beam.
template <class Level, class Target>
void beam_search(Level const& level, position start, std::size_t width, Target const& to,
                 scratch& s) {
    s.visited.reset(level.nodes);
    s.beam.reset(width);
    static_cast<void>(s.visited.mark(start.node));
    s.beam.insert(start.distance, start.node);
    while (s.beam.has_next()) {
        expand(level, s.beam.pop(), to, s,
               [&s](float distance, std::uint32_t n) { s.beam.insert(distance, n); });
    }
}

/// Beam search for the `width` nearest of those that `keep` holds for. Walks through the others, so
/// that a filter cuts no way; ends when the nearest unexpanded node is farther than all it keeps.
template <class Level, class Target, class Keep>
[[nodiscard]] neighbours filtered_search(Level const& level, position start, std::size_t width,
                                         Target const& to, Keep const& keep, scratch& s) {
    auto const farther = [](neighbour const& a, neighbour const& b) { return b < a; };
    auto& frontier = s.candidates;
    nearest best(width);
    auto const meet = [&](float distance, std::uint32_t node) {
        if (!best.could_enter(distance)) return;
        frontier.push_back({distance, node});
        std::push_heap(frontier.begin(), frontier.end(), farther);
        if (keep(node)) best.offer({distance, node});
    };
    frontier.clear();
    s.visited.reset(level.nodes);
    static_cast<void>(s.visited.mark(start.node));
    meet(start.distance, start.node);
    while (!frontier.empty()) {
        auto const at = frontier.front();
        if (!best.could_enter(at.distance)) break;
        std::pop_heap(frontier.begin(), frontier.end(), farther);
        frontier.pop_back();
        expand(level, at.row, to, s, meet);
    }
    return best.take();
}

/// From the top of the graph to the ground: where a beam begins.
template <class Upper, class Target>
[[nodiscard]] position find_start(Upper const& levels, state const& g, Target const& to,
                                  std::uint32_t to_level = 0, std::uint32_t* stopped_at = nullptr) {
    if (stopped_at) *stopped_at = no_slot;
    if (g.entry == no_slot || levels.row(g.entry) >= to.rows) return {to(g.root), g.root};
    position at{to(levels.row(g.entry)), g.entry};
    // No honest graph has more than 32 levels; a damaged one may have a circle.
    for (int guard = 0; guard < 64; ++guard) {
        if (levels.level(at.node) <= to_level) {
            if (stopped_at) *stopped_at = at.node;
            return at;
        }
        at = descend_on(levels, at, to);
        auto const below = levels.below(at.node);
        if (below == no_slot || below >= levels.nodes || levels.row(below) >= to.rows) break;
        at.node = below;
    }
    return {at.distance, levels.row(at.node)};
}

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

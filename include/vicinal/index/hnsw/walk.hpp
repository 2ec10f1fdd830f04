// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_WALK_HPP
#define VICINAL_INDEX_HNSW_WALK_HPP

#include <vicinal/index/hnsw/graph.hpp>
#include <vicinal/index/hnsw/reach.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/index/scratch.hpp>
#include <vicinal/index/tally.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

/// How a query moves over the graph (Malkov & Yashunin 2018, algorithms 2 and 5).
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// Codes to score and how: the column's reader, the bound query, and how many cache lines of a code
/// are worth asking for ahead (the hardware streams the rest).
template <class Codes, class Scorer, class Tally = no_tally>
struct target {
    /// Codes that are asked for ahead: a core has about a dozen reads under way at once; what must
    /// be read from a file is read together.
    static constexpr std::size_t ahead = Codes::pages ? 64 : 8;

    Codes codes;
    Scorer const& score;
    std::size_t rows;
    std::size_t lines;
    [[no_unique_address]] Tally tally = {};

    [[nodiscard]] float operator()(slot row) const noexcept {
        tally.codes(1);
        return score(codes.row(row));
    }
    void prefetch(slot row) const noexcept { codes.prefetch(row, lines); }

    /// The distances of `count` codes, at most four. All four pointers are to codes: two of them
    /// alone take longer than four at once.
    void some(std::byte const* const* some_codes, std::size_t count, float* out) const noexcept {
        tally.codes(count);
        if constexpr (requires { score.four(some_codes, out); })
            if (count > 1) return score.four(some_codes, out);
        for (std::size_t i = 0; i < count; ++i) out[i] = score(some_codes[i]);
    }
};

/// Puts rows of equal distance, which a beam has in the order in which it met them, in their own.
inline void order_ties(neighbours& sorted) noexcept {
    for (auto first = sorted.begin(); first != sorted.end();) {
        auto const last = std::find_if(
            first, sorted.end(), [&](neighbour const& n) { return n.distance != first->distance; });
        std::sort(first, last);
        first = last;
    }
}

/// A place in a level.
struct position {
    float distance;
    std::uint32_t node;
};

/// Scores `count` nodes: meet(distance, node) for each, in their order.
///
/// They were collected first, so that no code is asked for in vain.
template <class Level, class Target, class Meet>
void score_nodes(Level const& level, std::uint32_t const* nodes, std::size_t count,
                 Target const& to, Meet const& meet) {
    constexpr auto ahead = Target::ahead;
    for (std::size_t i = 0; i < (std::min)(ahead, count); ++i) to.prefetch(level.row(nodes[i]));
    for (std::size_t i = 0; i < count; i += 4) {
        auto const n = (std::min)(std::size_t{4}, count - i);
        std::byte const* codes[4];
        for (std::size_t j = 0; j < 4; ++j) {
            codes[j] = to.codes.row(level.row(nodes[(std::min)(i + j, count - 1)]));
            if (i + j + ahead < count) to.prefetch(level.row(nodes[i + j + ahead]));
        }
        float distances[4];
        to.some(codes, n, distances);
        for (std::size_t j = 0; j < n; ++j) meet(distances[j], nodes[i + j]);
    }
}

/// Moves to the nearest neighbour until none is nearer.
template <class Level, class Target>
[[nodiscard]] position descend_on(Level const& level, position at, Target const& to) noexcept {
    for (bool moved = true; moved;) {
        moved = false;
        auto const* const list = level.list(at.node);
        std::uint32_t nodes[32];
        for (std::size_t i = 0; i < level.width && list[i] != no_slot;) {
            std::size_t count = 0;
            // A damaged file may name any number: a node is followed only if it is one.
            for (; count < 32 && i < level.width && list[i] != no_slot; ++i)
                if (list[i] < level.nodes && level.row(list[i]) < to.rows) nodes[count++] = list[i];
            score_nodes(level, nodes, count, to, [&](float d, std::uint32_t n) {
                if (d < at.distance || (d == at.distance && n < at.node)) {
                    at = {d, n};
                    moved = true;
                }
            });
        }
    }
    return at;
}

/// The neighbours of a node that this walk has not met: marks them and puts them into s.fresh from
/// `at` on, where there is room for a list; where they end.
template <class Level>
[[nodiscard]] std::size_t collect(Level const& level, std::uint32_t node, std::size_t at,
                                  std::size_t rows, scratch& s) {
    auto count = s.visited.mark(level.list(node), level.width, level.nodes, s.fresh.data() + at);
    if constexpr (Level::header != 0) {
        // On an upper level a node's row is a number of its own.
        auto* const first = s.fresh.data() + at;
        count = static_cast<std::size_t>(
            std::remove_if(first, first + count,
                           [&](std::uint32_t n) { return level.row(n) >= rows; }) -
            first);
    }
    return at + count;
}

/// Follows every link of a node (see beam_search).
struct all_links {
    template <class Level>
    [[nodiscard]] std::size_t operator()(Level const& level, position from, float, std::size_t at,
                                         std::size_t rows, scratch& s) const {
        return collect(level, from.node, at, rows, s);
    }
};

/// Beam search: the nearest nodes that the graph leads to from `start`, in s.beam, as far as `r`
/// goes.
///
/// Two nodes are expanded at a time: a few more distances, and twice as many reads under way. The
/// nodes of `without` are taken for ones that are not there, the first excepted.
///
/// links(level, node, limit, at, rows, s): the neighbours of the node that are worth a distance
/// where none beyond `limit` is, as collect() gives them.
template <class Level, class Target, class Links = all_links>
void beam_search(Level const& level, position start, reach const& r, Target const& to, scratch& s,
                 std::span<slot const> without = {}, Links const& links = {}) {
    s.visited.reset(level.nodes);
    s.beam.reset(r.width);
    s.fresh.resize(2 * level.width);
    s.distances.resize(2 * level.width);
    static_cast<void>(s.visited.mark(start.node));
    for (auto const node : without) static_cast<void>(s.visited.mark(node));
    s.beam.insert(start.distance, start.node);
    while (s.beam.has_next()) {
        auto useful = (std::numeric_limits<float>::infinity)();
        if (s.beam.size() >= r.decisive) {
            auto const end = r.end(s.beam.distance(r.decisive - 1));
            if (s.beam.next_distance() > end) break;
            if (s.beam.size() >= r.candidates)
                useful = (std::max)(end, s.beam.distance(r.candidates - 1));
        }
        std::size_t count = 0;
        for (int i = 0; i < 2 && s.beam.has_next(); ++i) {
            auto const distance = s.beam.next_distance();
            count = links(level, {distance, s.beam.pop()}, (std::min)(useful, s.beam.limit()),
                          count, to.rows, s);
        }
        for (std::size_t i = 0; i < 2; ++i)
            if (auto const next = s.beam.ahead(i); next != pool::no_node) level.prefetch(next);
        std::size_t scored = 0, entered = 0;
        auto const enter = [&] {
            s.beam.insert(s.distances.data() + entered, s.fresh.data() + entered, scored - entered,
                          useful);
            entered = scored;
            // What is at the front now is likely to be expanded next.
            for (std::size_t i = 0; i < 2; ++i)
                if (auto const next = s.beam.ahead(i); next != pool::no_node) level.prefetch(next);
        };
        // Some at a time, so that lists are on their way while the rest is scored.
        constexpr std::size_t together = 16;
        score_nodes(level, s.fresh.data(), count, to, [&](float distance, std::uint32_t) {
            s.distances[scored++] = distance;
            if (scored - entered == together) enter();
        });
        if (scored != entered) enter();
    }
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

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_FILTERED_WALK_HPP
#define VICINAL_INDEX_HNSW_FILTERED_WALK_HPP

#include <vicinal/index/hnsw/filter_costs.hpp>
#include <vicinal/index/hnsw/walk.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

/// How a query finds the nearest of those rows that a filter keeps.
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// What a filtered walk found, nearest first, and whether it came to its end.
struct filtered {
    neighbours found;
    bool finished = true;
    bool began = true;
};

/// The nearest that a beam holds, at most `most`, nearest first, ties by slot.
[[nodiscard]] inline neighbours in_order(pool const& beam, std::size_t most) {
    neighbours found;
    auto const count = (std::min)(beam.size(), most);
    found.reserve(count);
    for (std::size_t i = 0; i < count; ++i) found.push_back({beam.distance(i), beam.node(i)});
    order_ties(found);
    return found;
}

/// A walk that may take as long as it likes.
inline constexpr std::size_t any_number = (std::numeric_limits<std::size_t>::max)();

/// Whether a walk that has met so many nodes and kept so many will have met too many before it
/// keeps `width`, if it goes on as it began. The first 256 nodes say nothing yet.
[[nodiscard]] inline bool hopeless(std::size_t met, std::size_t kept, std::size_t width,
                                   std::size_t most_met) noexcept {
    if (met > most_met) return true;
    if (met < 256 || kept >= width) return false;
    auto const to_come = static_cast<double>(width) * static_cast<double>(met);
    return to_come > static_cast<double>(most_met) * (static_cast<double>(kept) + 0.5);
}

/// Beam search for the nearest of those that `keep` holds for, as far as `r` goes among them. Walks
/// through the others, so that a filter cuts no way.
///
/// It gives up when it has met more than `most_met` nodes, or is about to: a filter that keeps only
/// rows far from the query would lead it through half of the graph.
template <class Level, class Target, class Keep>
[[nodiscard]] filtered walk_through(Level const& level, position start, reach const& r,
                                    std::size_t most_met, Target const& to, Keep const& keep,
                                    scratch& s) {
    auto const farther = [](neighbour const& a, neighbour const& b) { return b < a; };
    auto& frontier = s.candidates;
    nearest best(r.width);
    bool const adapts = r.decisive < r.width;
    nearest front(adapts ? r.decisive : 0);
    auto const beyond = [&](float distance) {
        return adapts && front.full() && distance > r.end(front.farthest());
    };
    auto const meet = [&](float distance, std::uint32_t node) {
        if (!best.could_enter(distance)) return;
        if (beyond(distance) && best.size() >= r.candidates) return;
        frontier.push_back({distance, node});
        std::push_heap(frontier.begin(), frontier.end(), farther);
        if (!keep(node)) return;
        best.offer({distance, node});
        if (adapts) front.offer({distance, node});
    };
    frontier.clear();
    s.fresh.resize(2 * level.width);
    s.visited.reset(level.nodes);
    static_cast<void>(s.visited.mark(start.node));
    meet(start.distance, start.node);
    std::size_t met = 1;
    while (!frontier.empty()) {
        std::size_t count = 0;
        for (int i = 0; i < 2 && !frontier.empty(); ++i) {
            auto const at = frontier.front();
            if (!best.could_enter(at.distance) || beyond(at.distance)) {
                if (i == 0) return {best.take(), true};
                break;
            }
            std::pop_heap(frontier.begin(), frontier.end(), farther);
            frontier.pop_back();
            count = collect(level, at.row, count, to.rows, s);
        }
        for (std::size_t i = 0; i < (std::min)(frontier.size(), std::size_t{3}); ++i)
            level.prefetch(frontier[i].row);
        met += count;
        if (hopeless(met, best.size(), r.effort, most_met)) return {{}, false};
        score_nodes(level, s.fresh.data(), count, to, meet);
    }
    return {best.take(), true};
}

/// The share of rows around a node that `keep` holds for, from its list and those of eight of its
/// neighbours; never 0.
template <class Level, class Keep>
[[nodiscard]] double share_around(Level const& level, std::uint32_t node, Keep const& keep) {
    std::size_t looked_at = 0, matched = 0;
    auto const look = [&](std::uint32_t n) {
        auto const* const list = level.list(n);
        for (std::size_t i = 0; i < level.width && list[i] != no_slot; ++i)
            if (list[i] < level.nodes) {
                ++looked_at;
                matched += keep(list[i]) ? 1U : 0U;
            }
    };
    look(node);
    auto const* const list = level.list(node);
    for (std::size_t i = 0; i < 8 && i < level.width && list[i] != no_slot; ++i)
        if (list[i] < level.nodes) level.prefetch(list[i]);
    for (std::size_t i = 0; i < 8 && i < level.width && list[i] != no_slot; ++i)
        if (list[i] < level.nodes) look(list[i]);
    return (static_cast<double>(matched) + 0.5) / (static_cast<double>(looked_at) + 0.5);
}

/// How many matches a walk finds for k of them: `effort`, or where that is 0 as many as
/// effort_for(rows), the beam for the nearest `rows` of all, has among them.
template <class EffortFor>
[[nodiscard]] std::size_t width_among(std::size_t k, std::size_t effort, double share,
                                      std::size_t nodes, EffortFor const& effort_for) {
    auto const rows = static_cast<double>(k) / share;
    if (effort != 0 || rows >= static_cast<double>(nodes)) return (std::max)(effort, k);
    auto const beam = static_cast<double>(effort_for(static_cast<std::size_t>(rows)));
    return (std::max)(k, static_cast<std::size_t>(beam * share));
}

/// Walks for k of about `matching` matches where that promises to be shorter than a scan of them:
/// unfinished where it does not, where it breaks the promise, and where it finds fewer than k.
///
/// effort and effort_for as in width_among, growth as in tuning.
template <class Level, class Target, class Keep, class EffortFor>
[[nodiscard]] filtered walk_if_shorter(Level const& level, position start, std::size_t k,
                                       std::size_t effort, std::size_t matching, Target const& to,
                                       Keep const& keep, scratch& s, float growth,
                                       EffortFor const& effort_for) {
    // Where nearly all match it is not worth a look: 2 us of a walk's 25, and the walk gives up in
    // time where they lie elsewhere.
    auto const overall = static_cast<double>(matching) / static_cast<double>(level.nodes);
    auto const share =
        overall >= 0.9 ? (std::min)(overall, 1.0) : share_around(level, start.node, keep);
    auto const width = width_among(k, effort, share, level.nodes, effort_for);
    auto const most = most_met(matching);
    if (nodes_to_meet(width, share, level.width) > static_cast<double>(most))
        return {{}, false, false};
    auto const r = reach_for(growth, k, width, level.nodes);
    auto all = walk_through(level, start, r, most, to, keep, s);
    all.finished = all.finished && all.found.size() >= k;
    return all;
}

/// The same walk where asking a row is a read of its payload, somewhere in memory: a row that is
/// met is announced, two steps later it is asked, if it still is of use then; so that two reads, of
/// the place and of the bytes, are under way while others are scored.
///
/// reach_at(share) says how far to go; the share of matches among the rows that were asked corrects
/// the one that it begins with, which counts as thirty rows. Gives up when it has asked more than
/// `most_asked`, or is about to.
///
/// Asking only what is expanded, in its order, asks a fifth of the rows, and expands three times as
/// many, as what is met but not expanded then counts for nothing: at a tenth 270 us where this
/// takes 120 (200,000 rows of sift, a loaded machine).
template <class Level, class Target, class Ask, class ReachAt>
[[nodiscard]] filtered walk_asking(Level const& level, position start, double share,
                                   std::size_t most_asked, Target const& to, Ask const& ask,
                                   scratch& s, ReachAt const& reach_at) {
    auto const farther = [](neighbour const& a, neighbour const& b) { return b < a; };
    auto& frontier = s.candidates;
    auto& announced = s.waiting[0];
    auto& fetched = s.waiting[1];
    auto r = reach_at(share);
    s.beam.reset((std::max)(r.width, reach_at(1.0).width));
    s.fresh.resize(2 * level.width);
    s.visited.reset(level.nodes);
    static_cast<void>(s.visited.mark(start.node));
    frontier.assign(1, {start.distance, start.node});
    announced.assign(1, {start.distance, start.node});
    fetched.clear();
    std::size_t asked = 0, kept = 0, next_look = 64;
    auto const too_many = [&](float distance) {
        return s.beam.size() >= r.width && distance > s.beam.distance(r.width - 1);
    };
    auto const beyond = [&](float distance) {
        return s.beam.size() >= r.decisive && distance > r.end(s.beam.distance(r.decisive - 1));
    };
    auto const useless = [&](float distance) {
        return too_many(distance) || (beyond(distance) && s.beam.size() >= r.candidates);
    };
    auto const ask_what_waits = [&] {
        for (auto const& n : fetched) {
            if (useless(n.distance)) continue;
            ++asked;
            if (!ask(n.row)) continue;
            ++kept;
            s.beam.insert(n.distance, n.row);
        }
        fetched.clear();
        std::swap(fetched, announced);
        for (auto const& n : fetched) ask.fetch(n.row);
    };
    for (;;) {
        std::size_t count = 0, expanded = 0;
        for (; expanded < 2 && !frontier.empty(); ++expanded) {
            auto const at = frontier.front();
            if (too_many(at.distance) || beyond(at.distance)) break;
            std::pop_heap(frontier.begin(), frontier.end(), farther);
            frontier.pop_back();
            count = collect(level, at.row, count, to.rows, s);
        }
        if (expanded == 0 && announced.empty() && fetched.empty()) break;
        for (std::size_t i = 0; i < (std::min)(frontier.size(), std::size_t{3}); ++i)
            level.prefetch(frontier[i].row);
        ask_what_waits();
        score_nodes(level, s.fresh.data(), count, to, [&](float distance, std::uint32_t node) {
            if (useless(distance)) return;
            frontier.push_back({distance, node});
            std::push_heap(frontier.begin(), frontier.end(), farther);
            announced.push_back({distance, node});
            ask.announce(node);
        });
        if (hopeless(asked, kept, r.effort, most_asked)) return {{}, false};
        if (asked >= next_look) {
            next_look *= 2;
            r = reach_at((std::min)(1.0, (static_cast<double>(kept) + 30 * share) /
                                             (static_cast<double>(asked) + 30)));
        }
    }
    return {in_order(s.beam, r.width), true};
}

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

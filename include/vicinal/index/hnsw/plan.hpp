// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_PLAN_HPP
#define VICINAL_INDEX_HNSW_PLAN_HPP

#include <vicinal/index/hnsw/select.hpp>
#include <vicinal/index/hnsw/walk.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

/// Which links a node chooses, and which a list keeps when it is full: all that is computed when a
/// graph is built. It reads the graph and changes nothing, so that any number of threads may plan.
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// What a new node wants to be linked to.
struct plan {
    slot node = no_slot;
    /// Its own list on the ground level, the nearest first.
    std::vector<std::uint32_t> ground;
    /// Upper rows it wants to be linked to, from level 1 on; as many lists as it has levels.
    std::vector<std::vector<std::uint32_t>> upper;
    /// The nearest nodes found: one of them becomes its parent in the spanning tree.
    std::vector<slot> nearest;
};

/// One thread's hands: scratch memory, and the graph as it stands. Codec's `between` compares.
template <class Storage, class Codec, class Codes>
class planner {
public:
    /// Nodes that are offered as parents.
    static constexpr std::size_t parents_offered = 8;

    planner(columns<Storage> const& graph, Codec const& codec, Codes codes, std::size_t lines,
            float relaxed)
        : graph_(graph), codec_(codec), codes_(codes), lines_(lines), relaxed_(relaxed) {}

    /// The links of a node that is in no list yet: a list that leaves room for links back.
    void join(plan& p, std::size_t width) {
        auto const g = graph_.get();
        p.upper.assign(draw_level(g, p.node), {});
        p.ground.clear();
        p.nearest.clear();
        if (g.root == no_slot) return;
        auto const score = codec_.between(codes_.row(p.node));
        target<Codes, decltype(score)> const to{codes_, score, g.linked, lines_};
        auto const start = join_upper(p, g, to, width);
        auto const level = graph_.ground_level(g);
        beam_search(level, start, beam_of(width), to, scratch_);
        collect_beam(p.node);
        for (std::size_t i = 0; i < (std::min)(candidates_.size(), parents_offered); ++i)
            p.nearest.push_back(candidates_[i].row);
        bound_.clear();
        select(level, g.neighbours + g.neighbours / 2, relaxed_, p.ground);
    }

    /// The links of a node that has joined, chosen again among all that a search finds and those it
    /// has. Its parent and its children stay.
    void join_again(plan& p, std::size_t width) {
        auto const g = graph_.get();
        auto const score = codec_.between(codes_.row(p.node));
        target<Codes, decltype(score)> const to{codes_, score, g.linked, lines_};
        auto const start = find_start(graph_.upper_levels(g), g, to);
        auto const level = graph_.ground_level(g);
        beam_search(level, start, beam_of(width), to, scratch_);
        collect_beam(p.node);
        auto const found = static_cast<std::ptrdiff_t>(candidates_.size());
        auto const* list = level.list(p.node);
        bound_.clear();
        for (std::size_t i = 0; i < level.width && list[i] != no_slot; ++i) {
            if (list[i] >= level.nodes) continue;
            if (in_tree(p.node, list[i])) bound_.push_back(list[i]);
            if (std::none_of(candidates_.begin(), candidates_.begin() + found,
                             [&](neighbour const& c) { return c.row == list[i]; }))
                candidates_.push_back({score(codes_.row(list[i])), list[i]});
        }
        std::sort(candidates_.begin(), candidates_.end());
        select(level, level.width, relaxed_, p.ground);
    }

    /// The list of `node` on a level with links back to `more` added: all of them where there is
    /// room, the chosen ones where there is not.
    template <class Level>
    void link_back(Level const& level, std::uint32_t node, std::uint32_t const* more,
                   std::size_t count, std::vector<std::uint32_t>& out) {
        auto const* list = level.list(node);
        std::size_t size = 0;
        while (size < level.width && list[size] != no_slot) ++size;
        out.assign(list, list + size);
        for (std::size_t i = 0; i < count; ++i)
            if (std::find(list, list + size, more[i]) == list + size) out.push_back(more[i]);
        if (out.size() <= level.width) return;
        auto const g = graph_.get();
        auto const score = codec_.between(codes_.row(level.row(node)));
        candidates_.clear();
        bound_.clear();
        for (auto const n : out) {
            if (n >= level.nodes || level.row(n) >= g.linked) continue;
            candidates_.push_back({score(codes_.row(level.row(n))), n});
            if (Level::header == 0 && in_tree(node, n)) bound_.push_back(n);
        }
        std::sort(candidates_.begin(), candidates_.end());
        select(level, level.width, Level::header == 0 ? relaxed_ : 1.0F, out);
    }

    /// Whether one of two ground nodes was joined to the graph through the other.
    [[nodiscard]] bool in_tree(slot a, slot b) const noexcept {
        return graph_.parent(a) == b || graph_.parent(b) == a;
    }

private:
    template <class Target>
    [[nodiscard]] position join_upper(plan& p, state const& g, Target const& to,
                                      std::size_t width) {
        auto const levels = graph_.upper_levels(g);
        auto const top = g.entry == no_slot ? 0 : levels.level(g.entry);
        auto const join = (std::min)(static_cast<std::uint32_t>(p.upper.size()), top);
        std::uint32_t at = no_slot;
        auto start = find_start(levels, g, to, join, &at);
        if (join == 0 || at == no_slot) return start;
        position here{start.distance, at};
        for (auto level = join; level >= 1; --level) {
            beam_search(levels, here, beam_of(width), to, scratch_);
            collect_beam(no_slot);
            bound_.clear();
            select(levels, g.neighbours, 1, p.upper[level - 1]);
            here = {candidates_.front().distance, candidates_.front().row};
            if (level == 1) break;
            auto const below = levels.below(here.node);
            // Only in a damaged graph: the levels below stay without this node.
            if (below >= levels.nodes || levels.row(below) >= to.rows) break;
            here.node = below;
        }
        return {here.distance, levels.row(here.node)};
    }

    void collect_beam(std::uint32_t without) {
        candidates_.clear();
        auto const& beam = scratch_.beam;
        for (std::size_t i = 0; i < beam.size(); ++i)
            if (beam.node(i) != without) candidates_.push_back({beam.distance(i), beam.node(i)});
        std::sort(candidates_.begin(), candidates_.end());
    }

    /// Chooses among candidates_; those of bound_ in any case.
    template <class Level>
    void select(Level const& level, std::size_t most, float relaxed,
                std::vector<std::uint32_t>& chosen) {
        selector_(
            candidates_, most, relaxed, [&](std::uint32_t n) { return codes_.row(level.row(n)); },
            [&](std::byte const* code) { return codec_.between(code); },
            [&](std::uint32_t n) {
                return std::find(bound_.begin(), bound_.end(), n) != bound_.end();
            },
            chosen);
    }

    columns<Storage> const& graph_;
    Codec const& codec_;
    Codes codes_;
    std::size_t lines_;
    float relaxed_;
    scratch scratch_;
    selector selector_;
    neighbours candidates_;
    /// Nodes of a list that are joined to the graph through its node, or its node through them.
    std::vector<std::uint32_t> bound_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_INSERT_HPP
#define VICINAL_INDEX_HNSW_INSERT_HPP

#include <vicinal/index/hnsw/select.hpp>
#include <vicinal/index/hnsw/walk.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

/// How a node joins the graph (Malkov & Yashunin 2018, algorithm 1), with one addition: a spanning
/// tree of links that pruning never drops.
///
/// In the published algorithm a node whose last incoming link is pruned away can't be found any
/// more. Here each node but the root is joined to a parent, and parent and child keep their links
/// to each other for good, so that every node can be reached from every other. A node takes at most
/// half of its list in children; the tree always has a leaf with room.
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// Inserts nodes one at a time. Computes everything first; `apply` then only copies.
template <class Storage, class Codec, class Codes>
class inserter {
public:
    inserter(columns<Storage>& graph, Codec const& codec, Codes codes, std::size_t lines)
        : graph_(graph), codec_(codec), codes_(codes), lines_(lines), state_(graph.get()) {}

    /// Works out the links of `node` and the changed lists of its neighbours. Changes nothing.
    void plan(slot node) {
        changes_.clear();
        state_ = graph_.get();
        node_ = node;
        level_ = draw_level(state_, node);
        if (state_.root == no_slot) {
            own_ = {};
            parent_ = no_slot;
            upper_links_.assign(level_, {});
            return;
        }
        auto const score = codec_.between(codes_.row(node));
        target<Codes, decltype(score)> const to{codes_, score, node, lines_};
        auto const start = plan_upper(to);
        plan_ground(to, start);
    }

    /// Puts the plan in place. The columns hold room for the node; no search may be inside.
    void apply() noexcept {
        auto const ground_width = 2 * std::size_t{state_.neighbours};
        write(graph_.links().edit(node_), own_, ground_width);
        std::memcpy(graph_.parents().edit(node_), &parent_, sizeof parent_);
        for (auto const& c : changes_) {
            if (c.upper)
                write(graph_.upper_column().edit(c.node) + 4 * upper_header, c.list,
                      state_.neighbours);
            else
                write(graph_.links().edit(c.node), c.list, ground_width);
        }
        for (std::uint32_t level = 1; level <= level_; ++level) {
            auto const row = state_.upper_rows + level - 1;
            std::uint32_t const head[upper_header] = {node_, level == 1 ? no_slot : row - 1, level};
            auto* const bytes = graph_.upper_column().edit(row);
            std::memcpy(bytes, head, sizeof head);
            write(bytes + sizeof head, upper_links_[level - 1], state_.neighbours);
        }
        if (state_.root == no_slot) state_.root = node_;
        if (level_ > top_) state_.entry = state_.upper_rows + level_ - 1;
        state_.upper_rows += level_;
        state_.covered = node_ + 1;
        graph_.put(state_);
    }

    /// Upper rows that the planned node takes.
    [[nodiscard]] std::uint32_t levels() const noexcept { return level_; }

private:
    using scorer = decltype(std::declval<Codec const&>().between(nullptr));
    using reader = decltype(std::declval<columns<Storage> const&>().upper_levels(state{}));
    using node_list = std::vector<std::uint32_t>;
    static constexpr std::size_t upper_header = reader::header;

    struct change {
        bool upper;
        std::uint32_t node;
        node_list list;
    };

    static void write(std::byte* row, node_list const& list, std::size_t width) noexcept {
        if (!list.empty()) std::memcpy(row, list.data(), list.size() * 4);
        if (list.size() < width)
            std::memset(row + list.size() * 4, 0xff, (width - list.size()) * 4);
    }

    template <class Level>
    void collect_beam(Level const&) {
        candidates_.clear();
        for (std::size_t i = 0; i < scratch_.beam.size(); ++i)
            candidates_.push_back({scratch_.beam[i].distance, scratch_.beam[i].node});
    }

    template <class Target>
    [[nodiscard]] position plan_upper(Target const& to) {
        upper_links_.assign(level_, {});
        auto const levels = graph_.upper_levels(state_);
        top_ = state_.entry == no_slot ? 0 : levels.level(state_.entry);
        auto const join = (std::min)(level_, top_);
        std::uint32_t at = no_slot;
        auto start = find_start(levels, state_, to, join, &at);
        if (join == 0 || at == no_slot) return start;
        position here{start.distance, at};
        for (auto level = join; level >= 1; --level) {
            beam_search(levels, here, state_.build_width, to, scratch_);
            collect_beam(levels);
            auto& own = upper_links_[level - 1];
            select(
                levels, state_.neighbours, [](std::uint32_t) { return false; }, own);
            auto const self = state_.upper_rows + level - 1;
            for (auto const n : own) add_back_link(levels, true, n, self, false);
            here = {candidates_.front().distance, candidates_.front().row};
            if (level == 1) break;
            auto const below = levels.below(here.node);
            // Only in a damaged graph: the levels below stay without this node.
            if (below >= levels.nodes || levels.row(below) >= to.rows) break;
            here.node = below;
        }
        return {here.distance, levels.row(here.node)};
    }

    template <class Target>
    void plan_ground(Target const& to, position start) {
        auto const level = graph_.ground_level(state_);
        beam_search(level, start, state_.build_width, to, scratch_);
        collect_beam(level);
        parent_ = choose_parent(level);
        select(
            level, state_.neighbours, [](std::uint32_t) { return false; }, own_);
        if (std::find(own_.begin(), own_.end(), parent_) == own_.end()) {
            if (own_.size() == state_.neighbours) own_.pop_back();
            own_.push_back(parent_);
        }
        for (auto const n : own_) add_back_link(level, false, n, node_, n == parent_);
    }

    /// The nearest candidate with room for a child; if none has, a node below the nearest that has.
    template <class Level>
    [[nodiscard]] slot choose_parent(Level const& level) {
        for (auto const& c : candidates_)
            if (children(level, c.row) < state_.neighbours) return c.row;
        node_list open{candidates_.front().row};
        for (std::size_t i = 0; i < open.size(); ++i) {
            if (children(level, open[i]) < state_.neighbours) return open[i];
            auto const* list = level.list(open[i]);
            for (std::size_t j = 0; j < level.width && list[j] != no_slot; ++j)
                if (list[j] < level.nodes && graph_.parent(list[j]) == open[i] &&
                    open.size() < level.nodes)
                    open.push_back(list[j]);
        }
        return open.back();
    }

    template <class Level>
    [[nodiscard]] std::size_t children(Level const& level, slot node) const noexcept {
        std::size_t n = 0;
        auto const* list = level.list(node);
        for (std::size_t i = 0; i < level.width && list[i] != no_slot; ++i)
            n += list[i] < level.nodes && graph_.parent(list[i]) == node ? 1U : 0U;
        return n;
    }

    template <class Level, class Must>
    void select(Level const& level, std::size_t most, Must const& must, node_list& chosen) {
        selector_(
            candidates_, most,
            [&](std::uint32_t n) { return codes_.row(n == self_ ? node_ : level.row(n)); },
            [&](std::byte const* code) { return codec_.between(code); }, must, chosen);
    }

    /// Plans the link from `from` back to the new node, pruning where its list is full. A ground
    /// node keeps its parent and its children.
    template <class Level>
    void add_back_link(Level const& level, bool upper, std::uint32_t from, std::uint32_t self,
                       bool is_parent) {
        changes_.push_back({upper, from, {}});
        auto& changed = changes_.back().list;
        auto const* list = level.list(from);
        std::size_t size = 0;
        while (size < level.width && list[size] != no_slot) ++size;
        if (size < level.width) {
            changed.assign(list, list + size);
            changed.push_back(self);
            return;
        }
        auto const score = codec_.between(codes_.row(level.row(from)));
        auto kept = std::exchange(candidates_, {});
        candidates_.clear();
        for (std::size_t i = 0; i < size; ++i)
            if (list[i] < level.nodes && level.row(list[i]) < node_)
                candidates_.push_back({score(codes_.row(level.row(list[i]))), list[i]});
        candidates_.push_back({score(codes_.row(node_)), self});
        std::sort(candidates_.begin(), candidates_.end());
        self_ = self;
        select(
            level, level.width,
            [&](std::uint32_t n) {
                if (upper) return false;
                if (n == self) return is_parent;
                return graph_.parent(n) == from || graph_.parent(from) == n;
            },
            changed);
        self_ = no_slot;
        candidates_ = std::move(kept);
    }

    columns<Storage>& graph_;
    Codec const& codec_;
    Codes codes_;
    std::size_t lines_;
    state state_;
    scratch scratch_;
    selector<scorer> selector_;
    neighbours candidates_;
    slot node_ = no_slot;
    std::uint32_t self_ = no_slot;
    std::uint32_t level_ = 0;
    std::uint32_t top_ = 0;
    slot parent_ = no_slot;
    node_list own_;
    std::vector<node_list> upper_links_;
    std::vector<change> changes_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_COMPACT_HPP
#define VICINAL_INDEX_HNSW_COMPACT_HPP

#include <vicinal/index/hnsw/forest.hpp>
#include <vicinal/index/hnsw/heal.hpp>
#include <vicinal/storage/replacement.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

/// A graph without its dead nodes, made beside the one that is being searched: the rest of the
/// nodes in their order, numbered densely, lists healed, one spanning tree, entry and root live.
///
/// Nothing of the old graph is changed, so that no reader ever sees a graph half healed, and every
/// live node can be reached before and after. The outcome depends on the graph and on which nodes
/// stay, not on threads. Cost: for each node that loses a neighbour about half of what linking it
/// cost; a quarter of all rows dead, that is nearly each.
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

template <class Storage, class Codec, class Codes>
class compaction {
public:
    using numbers = std::vector<std::uint32_t>;

    compaction(columns<Storage> const& graph, Codec const& codec, Codes codes, std::size_t lines,
               float relaxed, std::size_t threads)
        : graph_(graph), before_(graph.get()), codec_(codec), codes_(codes), lines_(lines),
          relaxed_(relaxed), threads_(threads) {}

    /// Adds what the columns of the graph are to hold when the slots of `kept`, ascending, become
    /// slots 0, 1 and so on. A graph of fewer nodes than it wants is empty. Errors: out_of_memory.
    /// ground(links) makes the column of the ground level of its lists.
    template <class Ground>
    [[nodiscard]] result<void> run(std::span<slot const> kept,
                                   std::vector<storage::replacement>& out, Ground const& ground) {
        kept_ = kept;
        auto after = before_;
        after.root = no_slot;
        after.entry = no_slot;
        after.upper_rows = 0;
        numbers links, parents, upper;
        if (before_.covered == 0 || kept.empty() || kept.size() < before_.flat_below) {
            after.covered = after.linked = 0;
        } else {
            after.covered = after.linked = static_cast<slot>(kept.size());
            new_of_.assign(before_.linked, no_slot);
            for (std::size_t i = 0; i < kept.size(); ++i) new_of_[kept[i]] = static_cast<slot>(i);
            VICINAL_CHECK(make_ground(after, links, parents));
            VICINAL_CHECK(make_upper(after, upper));
        }
        out.push_back(ground(std::move(links)));
        out.push_back(storage::owned_rows("hnsw.parents", 4, std::move(parents)));
        out.push_back(storage::owned_rows(
            "hnsw.upper", (header + std::size_t{before_.neighbours}) * 4, std::move(upper)));
        out.push_back(storage::owned_rows("hnsw.state", sizeof(state), std::vector<state>{after}));
        return {};
    }

private:
    using ground_level = decltype(std::declval<columns<Storage> const&>().ground_level(state{}));
    using upper_level = decltype(std::declval<columns<Storage> const&>().upper_levels(state{}));
    static constexpr std::size_t header = upper_level::header;
    /// Nodes that are asked whether they have room for an orphan.
    static constexpr std::size_t parents_offered = 16;

    [[nodiscard]] result<void> make_ground(state& after, numbers& links, numbers& parents) {
        auto const level = graph_.ground_level(before_);
        parents.assign(kept_.size(), no_slot);
        for (std::size_t i = 0; i < kept_.size(); ++i)
            if (auto const p = graph_.parent(kept_[i]); p < before_.linked) parents[i] = new_of_[p];
        forest tree(std::move(parents), before_.neighbours);
        VICINAL_CHECK(join(tree, after));
        links.resize(kept_.size() * level.width);
        healed_lists<ground_level, Codec, Codes> lists(level, kept_, new_of_, codec_, codes_,
                                                       lines_, before_.linked, relaxed_, threads_);
        VICINAL_CHECK(lists.make(links, 0, before_.build_width, [&](std::size_t i, numbers& list) {
            auto const node = static_cast<slot>(i);
            if (auto const p = tree.parent(node); p != no_slot) list.push_back(kept_[p]);
            tree.each_child(node, [&](slot c) { list.push_back(kept_[c]); });
        }));
        parents = tree.parents();
        return {};
    }

    /// Makes one tree of those that the dead nodes have left.
    [[nodiscard]] result<void> join(forest& tree, state& after) {
        auto const level = graph_.ground_level(before_);
        survivors<ground_level, Codec, Codes> near(level, new_of_, codec_, codes_, lines_,
                                                   before_.linked);
        after.root = 0;
        if (before_.root < before_.linked) after.root = new_of_[before_.root];
        if (after.root == no_slot) {
            auto const& around = near.around(before_.root, 1, 1);
            after.root = around.empty() ? 0 : new_of_[around.front().row];
        }
        after.root = tree.top(after.root);
        std::vector<slot> orphans;
        for (slot i = 0; i < kept_.size(); ++i)
            if (i != after.root && tree.parent(i) == no_slot) orphans.push_back(i);
        // The neighbours are looked for on all threads, a piece at a time; the tree is one thing.
        constexpr std::size_t at_once = 4096;
        std::vector<std::vector<slot>> offers((std::min)(orphans.size(), at_once));
        for (std::size_t done = 0; done < orphans.size(); done += at_once) {
            auto const part = (std::min)(orphans.size() - done, at_once);
            auto const offered =
                run_parts(part, 16, threads_, [&](std::size_t from, std::size_t to) {
                    return vicinal::detail::guarded([&]() -> result<void> {
                        survivors<ground_level, Codec, Codes> mine(level, new_of_, codec_, codes_,
                                                                   lines_, before_.linked);
                        for (auto i = from; i < to; ++i) offer(mine, orphans[done + i], offers[i]);
                        return {};
                    });
                });
            VICINAL_CHECK(offered);
            for (std::size_t i = 0; i < part; ++i)
                tree.attach(orphans[done + i], offers[i], after.root);
        }
        return {};
    }

    /// The nearest nodes that stay, and at last the one next above in the old tree.
    void offer(survivors<ground_level, Codec, Codes>& near, slot orphan,
               std::vector<slot>& offered) const {
        offered.clear();
        auto const node = kept_[orphan];
        for (auto const& c : near.around(node, parents_offered, before_.build_width)) {
            if (offered.size() == parents_offered) break;
            offered.push_back(new_of_[c.row]);
        }
        auto above = graph_.parent(node);
        // A damaged tree may have circles.
        for (std::size_t i = 0; i < before_.linked && above < before_.linked; ++i) {
            if (new_of_[above] != no_slot) {
                offered.push_back(new_of_[above]);
                return;
            }
            above = graph_.parent(above);
        }
    }

    [[nodiscard]] result<void> make_upper(state& after, numbers& upper) {
        auto const levels = graph_.upper_levels(before_);
        numbers kept;
        numbers new_row(before_.upper_rows, no_slot);
        for (std::uint32_t row = 0; row < before_.upper_rows; ++row)
            if (auto const s = levels.row(row); s < new_of_.size() && new_of_[s] != no_slot) {
                new_row[row] = static_cast<std::uint32_t>(kept.size());
                kept.push_back(row);
            }
        after.upper_rows = static_cast<std::uint32_t>(kept.size());
        auto const stride = header + levels.width;
        upper.resize(kept.size() * stride);
        healed_lists<upper_level, Codec, Codes> lists(levels, kept, new_row, codec_, codes_, lines_,
                                                      before_.linked, 1, threads_);
        VICINAL_CHECK(lists.make(upper, header, before_.build_width, [](std::size_t, numbers&) {}));
        for (std::size_t i = 0; i < kept.size(); ++i) {
            auto const below = levels.below(kept[i]);
            auto* const row = upper.data() + i * stride;
            row[0] = new_of_[levels.row(kept[i])];
            row[1] = below < new_row.size() ? new_row[below] : no_slot;
            row[2] = levels.level(kept[i]);
            if (after.entry == no_slot || row[2] > upper[after.entry * stride + 2])
                after.entry = static_cast<std::uint32_t>(i);
        }
        return {};
    }

    columns<Storage> const& graph_;
    state before_;
    Codec const& codec_;
    Codes codes_;
    std::size_t lines_;
    float relaxed_;
    std::size_t threads_;
    std::span<slot const> kept_;
    /// What becomes of each slot: no_slot where it goes.
    numbers new_of_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

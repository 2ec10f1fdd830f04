// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_FOREST_HPP
#define VICINAL_INDEX_HNSW_FOREST_HPP

#include <vicinal/core/record.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// The spanning tree while nodes are taken out of it: trees that are joined to one again. Nodes are
/// numbers below the size; each has at most `most` children.
///
/// Which tree a node is in is asked of a union-find (Tarjan, "Efficiency of a good but not linear
/// set union algorithm", JACM 1975), so that joining all trees costs little more than a step each.
class forest {
public:
    /// parents[n] is n's parent, no_slot where it has none any more. Circles and children beyond
    /// `most`, as in a damaged graph, are cut.
    forest(std::vector<slot> parents, std::size_t most)
        : most_(most), parents_(std::move(parents)), sets_(parents_.size()),
          children_(parents_.size(), 0), first_child_(parents_.size(), no_slot),
          next_(parents_.size(), no_slot) {
        for (std::size_t n = 0; n < sets_.size(); ++n) sets_[n] = static_cast<slot>(n);
        for (std::size_t n = 0; n < sets_.size(); ++n) {
            auto const node = static_cast<slot>(n);
            auto const parent = std::exchange(parents_[n], no_slot);
            if (parent < sets_.size() && children_[parent] < most_ &&
                set_of(parent) != set_of(node))
                link(node, parent);
        }
    }

    [[nodiscard]] slot parent(slot node) const noexcept { return parents_[node]; }
    [[nodiscard]] std::vector<slot> const& parents() const noexcept { return parents_; }
    /// Calls body(child) for each child of a node.
    template <class Body>
    void each_child(slot node, Body const& body) const {
        for (auto c = first_child_[node]; c != no_slot; c = next_[c]) body(c);
    }
    /// The node at the top of the tree that a node is in.
    [[nodiscard]] slot top(slot node) const noexcept {
        while (parents_[node] != no_slot) node = parents_[node];
        return node;
    }

    /// Gives `node`, which is the top of a tree, a parent in another: the first of `near` that has
    /// room, else one below the first of them that is in another tree, else one below `root`, which
    /// is. Gives the parent.
    slot attach(slot node, std::span<slot const> near, slot root) {
        auto anchor = root;
        for (auto const n : near) {
            if (set_of(n) == set_of(node)) continue;
            if (children_[n] < most_) return link(node, n);
            if (anchor == root) anchor = n;
        }
        return link(node, below(anchor));
    }

private:
    slot link(slot node, slot parent) noexcept {
        parents_[node] = parent;
        next_[node] = std::exchange(first_child_[parent], node);
        ++children_[parent];
        sets_[set_of(node)] = set_of(parent);
        return parent;
    }

    [[nodiscard]] slot set_of(slot node) noexcept {
        while (sets_[node] != node) node = sets_[node] = sets_[sets_[node]];
        return node;
    }

    /// The nearest node with room in the tree below one; a leaf has it.
    [[nodiscard]] slot below(slot node) const {
        std::vector<slot> open{node};
        for (std::size_t i = 0; i < open.size(); ++i) {
            if (children_[open[i]] < most_) return open[i];
            each_child(open[i], [&](slot c) { open.push_back(c); });
        }
        return node;
    }

    std::size_t most_;
    std::vector<slot> parents_;
    std::vector<slot> sets_;
    std::vector<std::uint32_t> children_;
    std::vector<slot> first_child_;
    std::vector<slot> next_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

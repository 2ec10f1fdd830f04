// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_BUILD_HPP
#define VICINAL_INDEX_HNSW_BUILD_HPP

#include <vicinal/index/hnsw/plan.hpp>
#include <vicinal/index/workers.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

/// How nodes join the graph: in batches, each planned against the graph as the batch before left
/// it, so that the outcome depends on the rows, their order and the seed alone, not on threads.
///
/// A batch is an eighth of what this call has linked so far, so that a node finds nearly all of
/// those that came with it; the order is drawn from the seed, so that rows that come sorted are no
/// trap. A second pass then lets each new node choose again in the finished graph.
/// Source: prefix doubling as in Manohar et al., "ParlayANN", PPoPP 2024; two passes as in Jayaram
/// Subramanya et al., "DiskANN", NeurIPS 2019.
///
/// In the published algorithms a node whose last incoming link is pruned away can't be found any
/// more. Here each node but the root is joined to a parent, and parent and child keep their links
/// to each other for good, so that every node can be reached from every other. A node takes at most
/// half of its list in children; the tree always has a leaf with room.
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// Links nodes. Section runs what searches must not see half done.
template <class Storage, class Codec, class Codes, class Section>
class builder {
public:
    builder(columns<Storage>& graph, Codec const& codec, Codes codes, std::size_t lines,
            float relaxed, std::size_t threads, Section const& section)
        : graph_(graph), codec_(codec), codes_(codes), lines_(lines), relaxed_(relaxed),
          threads_(threads), section_(section) {}

    /// Links the slots, none of which is in the graph; puts them into the order of linking. The
    /// columns hold rows for all of them. Errors: out_of_memory; what was linked before stays.
    [[nodiscard]] result<void> link(std::vector<slot>& slots) {
        auto const g = graph_.get();
        std::sort(slots.begin(), slots.end(), [&g](slot a, slot b) {
            auto const of_a = vicinal::detail::mix(g.seed ^ ~vicinal::detail::mix(a));
            auto const of_b = vicinal::detail::mix(g.seed ^ ~vicinal::detail::mix(b));
            return of_a < of_b || (of_a == of_b && a < b);
        });
        std::size_t const width = g.build_width;
        bool const twice = slots.size() >= least_for_two;
        std::span<slot const> const all(slots);
        for (std::size_t done = 0; done < all.size();) {
            auto const size = (std::min)(
                {(std::max)(done / 8, std::size_t{1}), largest_batch, all.size() - done});
            VICINAL_CHECK(
                join(all.subspan(done, size),
                     twice ? (std::max)(width / 2, std::size_t{g.neighbours}) : 2 * width));
            done += size;
        }
        if (!twice) return {};
        auto const part = (std::max)((std::min)(all.size() / 16, largest_batch), std::size_t{1});
        for (std::size_t done = 0; done < all.size(); done += part)
            VICINAL_CHECK(
                join_again(all.subspan(done, (std::min)(part, all.size() - done)), width));
        return {};
    }

    /// Of a graph with records: the nodes whose links link() has put in place, in any order, some
    /// of them twice.
    [[nodiscard]] std::vector<slot>& touched() noexcept { return touched_; }

private:
    using node_list = std::vector<std::uint32_t>;
    using hands = planner<Storage, Codec, Codes>;
    using upper_level = decltype(std::declval<columns<Storage> const&>().upper_levels(state{}));
    static constexpr std::size_t least_for_two = 64;
    static constexpr std::size_t largest_batch = 4096;
    /// Near rows are planned by the same thread, and some regions take longer than others.
    static constexpr std::size_t parts_each = 8;
    /// Lists that are put in place at once, while searches wait: some 20 microseconds.
    static constexpr std::size_t lists_at_once = 512;

    /// A link back that a list shall get: from `to` to `from`.
    struct back {
        std::uint32_t to;
        std::uint32_t from;
        friend bool operator<(back const& a, back const& b) noexcept {
            return a.to < b.to || (a.to == b.to && a.from < b.from);
        }
    };

    [[nodiscard]] result<void> join(std::span<slot const> batch, std::size_t width) {
        VICINAL_CHECK(make_plans(batch, [&](hands& h, plan& p) { h.join(p, width); }));
        choose_parents();
        ground_.clear();
        upper_.clear();
        auto g = graph_.get();
        auto row = g.upper_rows;
        for (auto const& p : plans_) {
            for (auto const n : p.ground) ground_.push_back({n, p.node});
            for (auto const& links : p.upper) {
                for (auto const n : links) upper_.push_back({n, row});
                ++row;
            }
        }
        VICINAL_CHECK(sort_links());
        section_([&] { put_nodes(); });
        auto linked = link_back(ground_, graph_.ground_level(graph_.get()));
        if (linked) linked = link_back(upper_, graph_.upper_levels(graph_.get()));
        if (!linked) section_([&] { take_back(); });
        return linked;
    }

    [[nodiscard]] result<void> join_again(std::span<slot const> batch, std::size_t width) {
        VICINAL_CHECK(make_plans(batch, [&](hands& h, plan& p) { h.join_again(p, width); }));
        ground_.clear();
        auto const level = graph_.ground_level(graph_.get());
        for (auto const& p : plans_) {
            auto const* list = level.list(p.node);
            auto const* end = std::find(list, list + level.width, no_slot);
            for (auto const n : p.ground)
                if (std::find(list, end, n) == end) ground_.push_back({n, p.node});
        }
        VICINAL_CHECK(sort_links());
        put_lists(plans_.size(),
                  [&](std::size_t i) { graph_.put_links(plans_[i].node, plans_[i].ground); });
        return link_back(ground_, level);
    }

    template <class Make>
    [[nodiscard]] result<void> make_plans(std::span<slot const> batch, Make const& make) {
        // A batch is planned in the order of slots, near rows of a load one after the other.
        in_turn_.assign(batch.begin(), batch.end());
        std::sort(in_turn_.begin(), in_turn_.end());
        plans_.resize(batch.size());
        return run_parts(
            batch.size(), 1, threads_,
            [&](std::size_t first, std::size_t last) {
                return vicinal::detail::guarded([&]() -> result<void> {
                    hands h(graph_, codec_, codes_, lines_, relaxed_);
                    for (auto i = first; i < last; ++i) {
                        plans_[i].node = in_turn_[i];
                        make(h, plans_[i]);
                    }
                    return {};
                });
            },
            parts_each);
    }

    /// Gives each new node a parent that has room, in the order of the plans.
    void choose_parents() {
        auto const g = graph_.get();
        auto const level = graph_.ground_level(g);
        new_children_.clear();
        // Lists may lead to nodes that were taken back: under one of them a node would have no way
        // to the root, and the two might choose each other.
        auto const joined = [&](slot node) {
            return node == g.root || graph_.parent(node) != no_slot;
        };
        auto const has_room = [&](slot node) {
            auto const at = new_children_.find(node);
            auto const fresh = at == new_children_.end() ? 0 : at->second.size();
            return children(level, node) + fresh < g.neighbours;
        };
        parents_.assign(plans_.size(), no_slot);
        for (std::size_t i = 0; i < plans_.size(); ++i) {
            auto& p = plans_[i];
            if (p.nearest.empty()) continue; // the first node of all
            auto const near = std::find_if(p.nearest.begin(), p.nearest.end(), [&](slot node) {
                return joined(node) && has_room(node);
            });
            auto const top = std::find_if(p.nearest.begin(), p.nearest.end(), joined);
            // A damaged graph may have no root.
            auto const start = top != p.nearest.end() ? *top
                               : g.root < level.nodes ? g.root
                                                      : p.nearest.front();
            auto const parent = near != p.nearest.end() ? *near : below(level, start, has_room);
            parents_[i] = parent;
            new_children_[parent].push_back(p.node);
            if (std::find(p.ground.begin(), p.ground.end(), parent) != p.ground.end()) continue;
            if (p.ground.size() == g.neighbours + g.neighbours / 2) p.ground.pop_back();
            p.ground.push_back(parent);
        }
    }

    /// A node with room in the tree below one that has none; the tree has what this batch adds.
    template <class Level, class HasRoom>
    [[nodiscard]] slot below(Level const& level, slot node, HasRoom const& has_room) const {
        node_list open{node};
        for (std::size_t i = 0; i < open.size(); ++i) {
            if (has_room(open[i])) return open[i];
            auto const* list = level.list(open[i]);
            for (std::size_t j = 0; j < level.width && list[j] != no_slot; ++j)
                if (list[j] < level.nodes && graph_.parent(list[j]) == open[i] &&
                    open.size() < level.nodes)
                    open.push_back(list[j]);
            if (auto const at = new_children_.find(open[i]); at != new_children_.end())
                open.insert(open.end(), at->second.begin(), at->second.end());
        }
        return open.back(); // only in a damaged graph
    }

    template <class Level>
    [[nodiscard]] std::size_t children(Level const& level, slot node) const noexcept {
        std::size_t n = 0;
        auto const* list = level.list(node);
        for (std::size_t i = 0; i < level.width && list[i] != no_slot; ++i)
            n += list[i] < level.nodes && graph_.parent(list[i]) == node ? 1U : 0U;
        return n;
    }

    /// Sorts the links back and takes the memory for the lists that they change, so that nothing
    /// fails between putting nodes in place and linking back to them.
    [[nodiscard]] result<void> sort_links() {
        return vicinal::detail::guarded([&]() -> result<void> {
            std::sort(ground_.begin(), ground_.end());
            std::sort(upper_.begin(), upper_.end());
            auto const most = (std::max)(ground_.size(), upper_.size());
            firsts_.reserve(most + 1);
            if (changed_.size() < most) changed_.resize(most);
            if (!graph_.has_records()) return {};
            for (auto const& p : plans_) touched_.push_back(p.node);
            for (auto const& b : ground_)
                if (touched_.empty() || touched_.back() != b.to) touched_.push_back(b.to);
            return {};
        });
    }

    /// Puts the new nodes in place: lists, parents, upper rows. No list leads to them yet.
    void put_nodes() noexcept {
        auto g = graph_.get();
        for (std::size_t i = 0; i < plans_.size(); ++i) {
            auto const& p = plans_[i];
            graph_.put_links(p.node, p.ground);
            std::memcpy(graph_.parents().edit(p.node), &parents_[i], sizeof(slot));
            if (g.root == no_slot) g.root = p.node;
            for (std::uint32_t level = 1; level <= p.upper.size(); ++level) {
                auto const row = g.upper_rows++;
                std::uint32_t const head[] = {p.node, level == 1 ? no_slot : row - 1, level};
                static_assert(sizeof head == 4 * upper_level::header);
                auto* const bytes = graph_.upper_column().edit(row);
                std::memcpy(bytes, head, sizeof head);
                graph_.put_list(bytes + sizeof head, p.upper[level - 1], g.neighbours);
                if (g.entry == no_slot || graph_.upper_levels(g).level(g.entry) < level)
                    g.entry = row;
            }
        }
        graph_.put(g);
    }

    /// Nodes that are not all linked back to count as not joined; they can join again.
    void take_back() noexcept {
        auto const root = graph_.get().root;
        slot const none = no_slot;
        for (auto const& p : plans_)
            if (p.node != root) std::memcpy(graph_.parents().edit(p.node), &none, sizeof none);
    }

    /// Works out the lists that links back change, and puts them in place.
    template <class Level>
    [[nodiscard]] result<void> link_back(std::vector<back> const& links, Level const& level) {
        firsts_.clear();
        for (std::size_t i = 0; i < links.size(); ++i)
            if (i == 0 || links[i].to != links[i - 1].to) firsts_.push_back(i);
        auto const lists = firsts_.size();
        firsts_.push_back(links.size());
        auto const planned = run_parts(
            lists, 16, threads_,
            [&](std::size_t first, std::size_t last) {
                return vicinal::detail::guarded([&]() -> result<void> {
                    hands h(graph_, codec_, codes_, lines_, relaxed_);
                    node_list from;
                    for (auto i = first; i < last; ++i) {
                        from.clear();
                        for (auto j = firsts_[i]; j < firsts_[i + 1]; ++j)
                            from.push_back(links[j].from);
                        h.link_back(level, links[firsts_[i]].to, from.data(), from.size(),
                                    changed_[i]);
                    }
                    return {};
                });
            },
            parts_each);
        VICINAL_CHECK(planned);
        put_lists(lists, [&](std::size_t i) {
            auto const node = links[firsts_[i]].to;
            if constexpr (Level::header == 0)
                graph_.put_links(node, changed_[i]);
            else
                graph_.put_list(graph_.upper_column().edit(node) + 4 * Level::header, changed_[i],
                                level.width);
        });
        return {};
    }

    /// Runs put(i) for each i below count, in sections that are soon over.
    template <class Put>
    void put_lists(std::size_t count, Put const& put) {
        for (std::size_t first = 0; first < count; first += lists_at_once)
            section_([&] {
                for (auto i = first; i < (std::min)(first + lists_at_once, count); ++i) put(i);
            });
    }

    columns<Storage>& graph_;
    Codec const& codec_;
    Codes codes_;
    std::size_t lines_;
    float relaxed_;
    std::size_t threads_;
    Section const& section_;
    std::vector<slot> in_turn_;
    std::vector<plan> plans_;
    std::vector<slot> parents_;
    /// Of nodes old and new: the children that this batch gives them.
    std::unordered_map<slot, node_list> new_children_;
    std::vector<back> ground_;
    std::vector<back> upper_;
    std::vector<std::size_t> firsts_;
    std::vector<node_list> changed_;
    std::vector<slot> touched_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_HPP
#define VICINAL_INDEX_HNSW_HPP

#include <vicinal/index/concept.hpp>
#include <vicinal/index/hnsw/insert.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::index {

/// A navigable graph: searches take about log(rows) steps and find nearly all of the nearest.
///
/// Source: Malkov & Yashunin, "Efficient and robust approximate nearest neighbor search using
/// hierarchical navigable small world graphs", TPAMI 2018. Differs: pruning never cuts a node off
/// (index/hnsw/insert.hpp), and the same rows in the same order always give the same graph.
template <codec::model Codec = codec::f32>
struct hnsw {
    using options = hnsw_options;
    using codec_type = Codec;
    static constexpr std::string_view name = "hnsw";

    /// Refuses options that no graph can be made with, before there is a file of it.
    [[nodiscard]] static result<void> check(hnsw_options const& o) { return hnsw_graph::check(o); }

    /// The graph for one metric over the rows of one storage. One thread takes in, any number
    /// search; see index::concept.hpp for what keeps them apart.
    template <metric::model Metric, storage::model Storage>
    class of {
    public:
        using element = metric::element_of<Metric>;
        using column = typename Storage::column;
        static constexpr bool exact = false;

        /// Errors: invalid_argument, corrupt_snapshot, out_of_memory.
        [[nodiscard]] static result<of> open(typename Storage::space& space, column const& vectors,
                                             std::size_t dim, hnsw_options const& options) {
            auto graph = hnsw_graph::columns<Storage>::open(space, options);
            VICINAL_CHECK(graph);
            if (vectors.rows() < graph->get().covered)
                return error{errc::corrupt_snapshot, "a vector for each node of the graph",
                             std::to_string(vectors.rows())};
            return of(*graph, vectors, dim);
        }

        [[nodiscard]] slot covered() const noexcept { return graph_.get().covered; }

        /// Inserts the slots up to `until`, those that `live` does not hold for as nodes without
        /// links. Below `flat_below` rows it declines. Cost: about build_width log(rows) distances
        /// a slot. Errors: out_of_memory; what was taken in before it stays.
        template <class Live, class Section>
        [[nodiscard]] result<void> take_in(slot until, Live const& live, Section const& section) {
            auto const before = graph_.get();
            if (until <= before.covered || (before.covered == 0 && until < before.flat_below))
                return {};
            return vicinal::detail::guarded([&]() -> result<void> {
                VICINAL_CHECK(make_room(graph_.links(), until, section));
                VICINAL_CHECK(make_room(graph_.parents(), until, section));
                hnsw_graph::inserter insert(graph_, codec_, vectors_->reader(), lines());
                for (slot s = before.covered; s < until; ++s) {
                    if (!live(s)) {
                        section([&] { skip(s); });
                        continue;
                    }
                    insert.plan(s);
                    auto const rows = graph_.get().upper_rows + insert.levels();
                    VICINAL_CHECK(make_room(graph_.upper_column(), rows, section));
                    section([&] { insert.apply(); });
                }
                return {};
            });
        }

        /// Forgets every row. Inside the caller's section.
        void clear() noexcept { graph_.clear(); }

        /// effort: the width of the beam ("ef"), at least `wanted`. Cost: about effort x neighbours
        /// distances.
        template <class Keep>
        [[nodiscard]] result<neighbours> search(element const* query, std::size_t wanted,
                                                std::size_t effort, Keep const& keep) const {
            return vicinal::detail::guarded([&]() -> result<neighbours> {
                auto const g = graph_.get();
                if (g.root == no_slot || wanted == 0) return neighbours{};
                auto const score = codec_.query(query);
                using codes = decltype(vectors_->reader());
                hnsw_graph::target<codes, decltype(score)> const to{vectors_->reader(), score,
                                                                    g.covered, lines()};
                auto const width = (std::min)((std::max)(wanted, effort), std::size_t{g.covered});
                auto s = scratch_->take();
                auto const start = hnsw_graph::find_start(graph_.upper_levels(g), g, to);
                if constexpr (std::same_as<Keep, keep_all>) {
                    hnsw_graph::beam_search(graph_.ground_level(g), start, width, to, *s);
                    neighbours found;
                    found.reserve(s->beam.size());
                    for (std::size_t i = 0; i < s->beam.size(); ++i)
                        found.push_back({s->beam[i].distance, s->beam[i].node});
                    return found;
                } else {
                    return hnsw_graph::filtered_search(graph_.ground_level(g), start, width, to,
                                                       keep, *s);
                }
            });
        }

        /// A beam that grows with k and with 1 / (1 - recall): 64 for ten neighbours at 0.95, 170
        /// at 0.99. It is a rule of thumb, not measured on the data at hand.
        [[nodiscard]] std::size_t effort_for(std::size_t wanted, double recall) const noexcept {
            double const missed = (std::max)(1 - recall, 0.001);
            double const width = static_cast<double>(wanted) * 1.5 + 11 / std::pow(missed, 0.5);
            return static_cast<std::size_t>(width);
        }

        /// How many nodes the spanning tree joins to the root: all live ones, in a sound graph.
        /// Walks all links, O(rows). For tests and checks.
        [[nodiscard]] std::size_t reachable() const {
            visited_set seen;
            return mark_reachable(seen);
        }

        /// The covered slots for which live(slot) holds and to which no walk leads: none, in a
        /// sound graph. Walks all links, O(rows).
        template <class Live>
        [[nodiscard]] std::vector<slot> unreachable(Live const& live) const {
            visited_set seen;
            static_cast<void>(mark_reachable(seen));
            std::vector<slot> lost;
            for (slot s = 0; s < covered(); ++s)
                if (live(s) && seen.mark(s)) lost.push_back(s);
            return lost;
        }

    private:
        of(hnsw_graph::columns<Storage> graph, column const& vectors, std::size_t dim)
            : graph_(graph), vectors_(&vectors), codec_(dim),
              scratch_(std::make_unique<scratch_pool>()) {}

        [[nodiscard]] std::size_t mark_reachable(visited_set& seen) const {
            auto const g = graph_.get();
            seen.reset(g.covered);
            if (g.root == no_slot) return 0;
            auto const ground = graph_.ground_level(g);
            std::vector<slot> open{g.root};
            static_cast<void>(seen.mark(g.root));
            for (std::size_t i = 0; i < open.size(); ++i) {
                auto const* list = ground.list(open[i]);
                for (std::size_t j = 0; j < ground.width && list[j] != no_slot; ++j)
                    if (list[j] < g.covered && seen.mark(list[j])) open.push_back(list[j]);
            }
            return open.size();
        }

        template <class Section>
        [[nodiscard]] static result<void> make_room(column& c, std::uint64_t rows,
                                                    Section const& section) {
            if (rows > c.capacity()) {
                VICINAL_CHECK(c.prepare(rows));
                section([&] { c.commit(); });
            }
            if (rows > c.rows()) c.resize(rows);
            return {};
        }

        /// Covers a slot that died before it was taken in.
        void skip(slot s) noexcept {
            std::memset(graph_.links().edit(s), 0xff, graph_.links().row_bytes());
            std::memset(graph_.parents().edit(s), 0xff, graph_.parents().row_bytes());
            auto g = graph_.get();
            g.covered = s + 1;
            graph_.put(g);
        }

        /// Cache lines of a code that are asked for ahead.
        [[nodiscard]] std::size_t lines() const noexcept {
            return (std::min)((vectors_->row_bytes() + 63) / 64, std::size_t{10});
        }

        hnsw_graph::columns<Storage> graph_;
        column const* vectors_;
        typename Codec::template of<Metric> codec_;
        std::unique_ptr<scratch_pool> scratch_;
    };
};

static_assert(model<hnsw<>>);

} // namespace vicinal::inline VICINAL_ABI::index

#endif

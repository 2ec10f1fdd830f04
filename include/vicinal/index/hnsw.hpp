// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_HPP
#define VICINAL_INDEX_HNSW_HPP

#include <vicinal/codec/fitting.hpp>
#include <vicinal/codec/sq8.hpp>
#include <vicinal/index/candidates.hpp>
#include <vicinal/index/concept.hpp>
#include <vicinal/index/hnsw/build.hpp>
#include <vicinal/index/hnsw/compact.hpp>
#include <vicinal/index/hnsw/tune.hpp>
#include <vicinal/index/scan_codes.hpp>
#include <vicinal/storage/faults.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

/// A navigable graph: searches take about log(rows) steps and find nearly all of the nearest.
///
/// It walks over codes: with codec::sq8, the default, a byte an element, which is a quarter of the
/// memory traffic; the store compares the few best by their vectors. codec::f32 walks over the
/// vectors and takes no memory for codes. Where the elements or the metric have no codes of 8 bits
/// (bytes, bits, a metric of the user's), `hnsw<codec::f32>` is the one to take.
///
/// Source: Malkov & Yashunin, "Efficient and robust approximate nearest neighbor search using
/// hierarchical navigable small world graphs", TPAMI 2018. Differs: pruning never cuts a node off,
/// nodes join in batches on any number of threads, and the same rows in the same order always give
/// the same graph (index/hnsw/build.hpp).
template <codec::model Codec = codec::sq8>
struct hnsw {
    using options = hnsw_options;
    using codec_type = Codec;
    static constexpr std::string_view name = "hnsw";

    /// Refuses options that no graph can be made with, before there is a file of it.
    [[nodiscard]] static result<void> check(hnsw_options const& o) { return hnsw_graph::check(o); }

    template <metric::model Metric, storage::model Storage>
    class of;
};

/// The graph for one metric over the rows of one storage. One thread takes in, any number search;
/// see index::concept.hpp for what keeps them apart.
template <codec::model Codec>
template <metric::model Metric, storage::model Storage>
class hnsw<Codec>::of {
    using coded = typename codec::fitting<Codec, Metric>::template of<Metric>;
    using reader = decltype(std::declval<typename Storage::column const&>().reader());
    static_assert(
        !(coded::reads_rows && reader::pages),
        "vicinal: this graph walks over the vectors, which storage::file does not keep in "
        "memory: use index::hnsw<codec::sq8>, storage::mmap or index::flat<>");

public:
    using element = metric::element_of<Metric>;
    using column = typename Storage::column;
    static constexpr bool exact = false;

    /// Errors: invalid_argument, corrupt_snapshot, out_of_memory.
    [[nodiscard]] static result<of> open(typename Storage::space& space, column const& vectors,
                                         std::size_t dim, hnsw_options const& options) {
        auto graph = hnsw_graph::columns<Storage>::open(space, options);
        VICINAL_CHECK(graph);
        of index(*graph, vectors, dim, options);
        if constexpr (!coded::reads_rows) {
            auto codes = space.column("hnsw.codes", index.codec_.row_bytes(), storage::heat::warm);
            VICINAL_CHECK(codes);
            index.own_codes_ = *codes;
        }
        auto const nodes = graph->get().linked;
        if (vectors.rows() < nodes || index.codes().rows() < nodes)
            return error{errc::corrupt_snapshot, "a vector and a code for each node of the graph",
                         std::to_string((std::min)(vectors.rows(), index.codes().rows()))};
        index.tuned_ = hnsw_graph::read_tuning(index.graph_.tuning_column().reader(),
                                               index.graph_.tuning_column().rows());
        return index;
    }

    [[nodiscard]] slot covered() const noexcept { return graph_.get().covered; }

    /// Inserts the slots up to `until`, those that `live` does not hold for as nodes without links.
    /// Below `flat_below` rows it declines, and where vectors have more elements than the codec's
    /// sums hold (32,768 for sq8; codec::f32 takes them). Cost: about 4 build_width neighbours
    /// distances a slot. Errors: out_of_memory; what was linked before it stays linked.
    template <class Live, class Section>
    [[nodiscard]] result<void> take_in(slot until, Live const& live, Section const& section) {
        auto const before = graph_.get();
        if (until <= before.covered || (before.covered == 0 && until < before.flat_below))
            return {};
        if constexpr (requires { coded::most_elements; })
            if (dim_ > coded::most_elements) return {};
        return vicinal::detail::guarded([&]() -> result<void> {
            VICINAL_CHECK(make_room(until, section));
            std::vector<slot> joining;
            auto upper_rows = before.upper_rows;
            for (slot s = before.covered; s < until; ++s)
                if (live(s) && !joined(before, s)) {
                    joining.push_back(s);
                    upper_rows += hnsw_graph::draw_level(before, s);
                }
            VICINAL_CHECK(storage::reserve(graph_.upper_column(), upper_rows, section));
            auto const relaxed = hnsw_graph::relaxed_for<Metric>;
            hnsw_graph::builder<Storage, coded, reader, Section> build(
                graph_, codec_, codes().reader(), lines(), relaxed, threads_, section);
            VICINAL_CHECK(build.link(joining));
            section([&] {
                auto g = graph_.get();
                g.covered = until;
                graph_.put(g);
            });
            // A row that comes alone does not wait for a measurement that a load has just paid.
            bool const bulk = joining.size() >= 64;
            if (tunes_ && until >= 1000 && until / (bulk ? 2 : 16) >= tuned_.rows)
                return tune(live, section);
            return {};
        });
    }

    /// Measures which effort gives which recall, for effort_for: up to 224 live rows stand in for
    /// queries, each searched for as if it and its copies were not there, beside the exact answer.
    /// Cost: about a tenth of the build. Errors: out_of_memory; what was measured before stays.
    template <class Live, class Section>
    [[nodiscard]] result<void> tune(Live const& live, Section const& section) {
        return vicinal::detail::guarded([&]() -> result<void> {
            auto const g = graph_.get();
            if (g.covered == 0) return {};
            hnsw_graph::held_out<Metric> queries(
                (std::min)(g.covered / 128 + 8, std::uint32_t{224}), g.covered, g.seed,
                [&](slot s) { return live(s) && hnsw_graph::draw_level(g, s) == 0; });
            auto fresh = hnsw_graph::measure_recall(
                queries, vectors_->reader(), dim_, g.covered, live, threads_,
                [&](element const* row, std::size_t width, std::span<slot const> without) {
                    neighbours found;
                    find(row, width, width, keep_all{}, without,
                         [&](auto const&, neighbours&& all) { found = std::move(all); });
                    std::erase_if(found, [&](neighbour const& n) {
                        return !live(n.row) ||
                               std::find(without.begin(), without.end(), n.row) != without.end();
                    });
                    return found;
                });
            VICINAL_CHECK(fresh);
            if (storage::fault_scope::met()) return {}; // misread: what was measured before stays
            VICINAL_CHECK(
                storage::reserve(graph_.tuning_column(), fresh->table.size() + 1, section));
            section([&] {
                hnsw_graph::write_tuning(graph_.tuning_column(), *fresh);
                tuned_ = std::move(*fresh);
            });
            return {};
        });
    }
    /// What was measured last; an empty table where nothing was. Inside the reader's section.
    [[nodiscard]] tuning const& tuned() const noexcept { return tuned_; }

    /// Forgets every row. Inside the caller's section.
    void clear() noexcept {
        graph_.clear();
        tuned_ = {};
    }

    /// Adds to `out` what the columns are to hold when the slots of `kept`, ascending and covered,
    /// become slots 0, 1 and so on: a graph without the others (index/hnsw/compact.hpp). Both stay
    /// in place until that is written. Errors: out_of_memory.
    [[nodiscard]] result<void> compact(std::span<slot const> kept,
                                       std::vector<storage::replacement>& out) const {
        return vicinal::detail::guarded([&]() -> result<void> {
            auto const g = graph_.get();
            if constexpr (!coded::reads_rows) {
                bool const empty = g.covered == 0 || kept.size() < g.flat_below;
                out.push_back(
                    storage::chosen_rows("hnsw.codes", *own_codes_, empty ? kept.first(0) : kept));
            }
            auto const codes_now = codes().reader();
            hnsw_graph::compaction<Storage, coded, decltype(codes_now)> compact(
                graph_, codec_, codes_now, lines(), hnsw_graph::relaxed_for<Metric>, threads_);
            return compact.run(kept, out);
        });
    }
    /// Takes the columns as compact() wrote them. Inside the caller's section.
    void compacted() noexcept {}

    /// effort: the width of the beam ("ef"), at least `wanted`. Cost: about effort x neighbours
    /// distances of codes.
    template <class Keep>
    [[nodiscard]] result<neighbours> search(element const* query, std::size_t wanted,
                                            std::size_t effort, Keep const& keep) const {
        return vicinal::detail::guarded([&]() -> result<neighbours> {
            neighbours found;
            find(query, wanted, effort, keep, {},
                 [&](auto const&, neighbours&& all) { found = std::move(all); });
            return found;
        });
    }

    /// The same, compared by their vectors: offers the best of the covered rows.
    template <class Keep, class Before>
    [[nodiscard]] result<void> search_into(element const* query, std::size_t effort,
                                           Keep const& keep, nearest<Before>& best) const {
        return vicinal::detail::guarded([&]() -> result<void> {
            find(query, best.wanted(), effort, keep, {}, [&](auto const& to, neighbours&& all) {
                compare_candidates<Metric>(all, query, dim_, to.score, to.codes, vectors_->reader(),
                                           covered(), best);
            });
            return {};
        });
    }

    /// The exact nearest of the covered rows that `keep` shows the bits of: their codes are looked
    /// at, and the vectors of those that the codes don't rule out.
    template <class Keep, class Before>
    [[nodiscard]] result<void> scan_into(element const* query, Keep const& keep,
                                         nearest<Before>& best) const {
        return vicinal::detail::guarded([&]() -> result<void> {
            if (best.wanted() == 0) return {};
            auto const score = codec_.query(query);
            scan_codes<Metric>(query, dim_, score, codes().reader(), lines(), vectors_->reader(),
                               covered(), keep, best);
            return {};
        });
    }

    /// The beam's width for a wanted recall, as tuning measured it on this graph. Before that a
    /// rule of thumb: 64 for ten neighbours at 0.95, 125 at 0.99.
    [[nodiscard]] std::size_t effort_for(std::size_t wanted, double recall) const noexcept {
        if (!tuned_.table.empty()) return hnsw_graph::effort_from(tuned_, wanted, recall);
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
    of(hnsw_graph::columns<Storage> graph, column const& vectors, std::size_t dim,
       hnsw_options const& options)
        : graph_(graph), vectors_(&vectors), codec_(dim), dim_(dim), threads_(options.threads),
          tunes_(options.tune), scratch_(std::make_unique<scratch_pool>()) {}

    [[nodiscard]] std::size_t mark_reachable(visited_set& seen) const {
        auto const g = graph_.get();
        seen.reset(g.linked);
        if (g.root == no_slot) return 0;
        auto const ground = graph_.ground_level(g);
        std::vector<slot> open{g.root};
        static_cast<void>(seen.mark(g.root));
        for (std::size_t i = 0; i < open.size(); ++i) {
            auto const* list = ground.list(open[i]);
            for (std::size_t j = 0; j < ground.width && list[j] != no_slot; ++j)
                if (list[j] < g.linked && seen.mark(list[j])) open.push_back(list[j]);
        }
        return open.size();
    }

    /// Rows for the slots up to `until`: codes, empty lists, no parents.
    template <class Section>
    [[nodiscard]] result<void> make_room(slot until, Section const& section) {
        auto const before = graph_.get().linked;
        if (until <= before) return {};
        if (until > most_nodes)
            return error{errc::limit_exceeded, "at most 2^31 - 1 rows in a graph",
                         std::to_string(until)};
        VICINAL_CHECK(storage::reserve(graph_.links(), until, section));
        VICINAL_CHECK(storage::reserve(graph_.parents(), until, section));
        if constexpr (!coded::reads_rows) {
            VICINAL_CHECK(storage::reserve(*own_codes_, until, section));
            VICINAL_CHECK(run_parts(until - before, 64, threads_, [&](auto first, auto last) {
                auto const vectors = vectors_->reader();
                for (auto s = before + first; s < before + last; ++s)
                    codec_.encode_row(reinterpret_cast<element const*>(vectors.row(s)),
                                      own_codes_->edit(s));
                return result<void>();
            }));
            // What was misread is encoded again with the next try.
            if (storage::fault_scope::met())
                return error{errc::io_failure, "vectors that can be read, to encode them"};
        }
        for (auto s = before; s < until; ++s) {
            std::memset(graph_.links().edit(s), 0xff, graph_.links().row_bytes());
            std::memset(graph_.parents().edit(s), 0xff, graph_.parents().row_bytes());
        }
        section([&] {
            auto g = graph_.get();
            g.linked = until;
            graph_.put(g);
        });
        return {};
    }

    /// Walks for the query and calls done(target, found) with what was found of the rows that
    /// `keep` holds for, nearest first, as if the nodes of `without` were not there.
    template <class Keep, class Done>
    void find(element const* query, std::size_t wanted, std::size_t effort, Keep const& keep,
              std::span<slot const> without, Done const& done) const {
        auto const g = graph_.get();
        if (g.root == no_slot || wanted == 0) return;
        auto const score = codec_.query(query);
        auto const codes_now = codes().reader();
        hnsw_graph::target<decltype(codes_now), decltype(score)> const to{codes_now, score,
                                                                          g.linked, lines()};
        auto const width = (std::min)((std::max)(wanted, effort), std::size_t{g.linked});
        auto s = scratch_->take();
        auto const ground = graph_.ground_level(g);
        auto const start = hnsw_graph::find_start(graph_.upper_levels(g), g, to);
        if constexpr (std::same_as<Keep, keep_all>) {
            hnsw_graph::beam_search(ground, start, width, to, *s, without);
            neighbours found;
            found.reserve(s->beam.size());
            for (std::size_t i = 0; i < s->beam.size(); ++i)
                found.push_back({s->beam.distance(i), s->beam.node(i)});
            hnsw_graph::order_ties(found);
            done(to, std::move(found));
        } else {
            done(to, hnsw_graph::filtered_search(ground, start, width, to, keep, *s));
        }
    }

    [[nodiscard]] bool joined(hnsw_graph::state const& g, slot s) const noexcept {
        return s < g.linked && (s == g.root || graph_.parent(s) != no_slot);
    }

    [[nodiscard]] column const& codes() const noexcept {
        if constexpr (coded::reads_rows)
            return *vectors_;
        else
            return *own_codes_;
    }

    /// Cache lines of a code that are asked for ahead: all of a short one, as it may begin anywhere
    /// in a line.
    [[nodiscard]] std::size_t lines() const noexcept {
        return (std::min)((codes().row_bytes() + 48 + 63) / 64, std::size_t{12});
    }

    static constexpr slot most_nodes = 0x7fffffff;

    hnsw_graph::columns<Storage> graph_;
    column const* vectors_;
    /// Null where the codec reads the vectors.
    column* own_codes_ = nullptr;
    coded codec_;
    std::size_t dim_;
    std::size_t threads_;
    bool tunes_;
    tuning tuned_;
    std::unique_ptr<scratch_pool> scratch_;
};

static_assert(model<hnsw<>>);

} // namespace vicinal::inline VICINAL_ABI::index

#endif

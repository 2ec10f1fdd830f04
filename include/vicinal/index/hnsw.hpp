// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_HPP
#define VICINAL_INDEX_HNSW_HPP

#include <vicinal/codec/fitting.hpp>
#include <vicinal/codec/sq8.hpp>
#include <vicinal/index/candidates.hpp>
#include <vicinal/index/concept.hpp>
#include <vicinal/index/hnsw/build.hpp>
#include <vicinal/index/hnsw/codes.hpp>
#include <vicinal/index/hnsw/compact.hpp>
#include <vicinal/index/hnsw/filtered_walk.hpp>
#include <vicinal/index/hnsw/reachable.hpp>
#include <vicinal/index/hnsw/tune.hpp>
#include <vicinal/index/scan_codes.hpp>
#include <vicinal/index/tally.hpp>
#include <vicinal/storage/faults.hpp>

#include <algorithm>
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
/// memory traffic; the store compares the few best by their vectors. codec::f16 and codec::bf16
/// take two bytes an element. codec::f32 walks over the vectors and takes no memory for codes; it
/// is the one to take where the elements or the metric have no codes (bytes, bits, a metric of the
/// user's).
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
        auto codes = hnsw_graph::codes<coded, Metric, Storage>::open(space, vectors, dim);
        VICINAL_CHECK(codes);
        of index(*graph, std::move(*codes), vectors, dim, options);
        auto const nodes = graph->get().linked;
        if (vectors.rows() < nodes || index.codes_.rows() < nodes)
            return error{errc::corrupt_snapshot, "a vector and a code for each node of the graph",
                         std::to_string((std::min)(vectors.rows(), index.codes_.rows()))};
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
                graph_, codes_.codec(), codes_.reader(), codes_.lines(), relaxed, threads_,
                section);
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
                [&](element const* row, std::size_t k, std::size_t effort, float growth,
                    std::span<slot const> without) {
                    neighbours found;
                    find(row, k, effort, growth, keep_all{}, without,
                         [&](auto const&, hnsw_graph::filtered&& all) {
                             found = std::move(all.found);
                         });
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
        codes_.clear();
        tuned_ = {};
    }

    /// Adds to `out` what the columns are to hold when the slots of `kept`, ascending and covered,
    /// become slots 0, 1 and so on: a graph without the others (index/hnsw/compact.hpp). Both stay
    /// in place until that is written. Errors: out_of_memory.
    [[nodiscard]] result<void> compact(std::span<slot const> kept,
                                       std::vector<storage::replacement>& out) const {
        return vicinal::detail::guarded([&]() -> result<void> {
            auto const g = graph_.get();
            bool const empty = g.covered == 0 || kept.size() < g.flat_below;
            codes_.compact(empty ? kept.first(0) : kept, out);
            auto const codes_now = codes_.reader();
            hnsw_graph::compaction<Storage, coded, decltype(codes_now)> compact(
                graph_, codes_.codec(), codes_now, codes_.lines(), hnsw_graph::relaxed_for<Metric>,
                threads_);
            return compact.run(kept, out);
        });
    }
    /// Takes the columns as compact() wrote them. Inside the caller's section.
    void compacted() noexcept {}

    /// effort: the width of a beam ("ef"), at least `wanted`, that finds about as much; where
    /// tuning has measured how distances grow, it looks less far (index/hnsw/reach.hpp). Cost:
    /// about effort x neighbours distances of codes.
    template <class Keep>
    [[nodiscard]] result<neighbours> search(element const* query, std::size_t wanted,
                                            std::size_t effort, Keep const& keep) const {
        return vicinal::detail::guarded([&]() -> result<neighbours> {
            neighbours found;
            find(query, wanted, effort, tuned_.growth, keep, {},
                 [&](auto const&, hnsw_graph::filtered&& all) { found = std::move(all.found); });
            return found;
        });
    }

    /// The same, compared by their vectors: offers the best of the covered rows. false, and nothing
    /// offered, where it would have to meet more than `most_met` nodes for them.
    template <class Keep, class Before, class Tally = no_tally>
    [[nodiscard]] result<bool>
    search_into(element const* query, std::size_t effort, Keep const& keep, nearest<Before>& best,
                std::size_t most_met = hnsw_graph::any_number, Tally const& tally = {}) const {
        return vicinal::detail::guarded([&]() -> result<bool> {
            bool finished = true;
            find(
                query, best.wanted(), effort, tuned_.growth, keep, {},
                [&](auto const& to, hnsw_graph::filtered&& all) {
                    finished = all.finished;
                    if (finished) compare(all.found, query, to, best);
                },
                most_met, tally);
            return finished;
        });
    }

    /// The exact nearest of the covered rows that `keep` shows the bits of: their codes are looked
    /// at, and the vectors of those that the codes don't rule out.
    template <class Keep, class Before, class Tally = no_tally>
    [[nodiscard]] result<void> scan_into(element const* query, Keep const& keep,
                                         nearest<Before>& best, Tally const& tally = {}) const {
        return vicinal::detail::guarded([&]() -> result<void> {
            if (best.wanted() == 0) return {};
            auto const score = codes_.codec().query(query);
            auto const codes_now = codes_.reader();
            auto const vectors = vectors_->reader();
            code_scan<Metric, decltype(score), decltype(codes_now), decltype(vectors), Tally> scan(
                query, dim_, score, codes_now, codes_.lines(), vectors, tally);
            scan(covered(), keep, best);
            return {};
        });
    }

    /// The best of the covered rows that `keep` shows the bits of, about `matching` of them: by a
    /// walk where the share that matches around the query promises one to be the shorter way, else
    /// by a scan of the matches, which is exact. A walk that turns out longer than the scan ends in
    /// it, so that both together cost at most twice the scan.
    ///
    /// effort: how many matches a walk finds; 0 for as many as `recall` needs, which are fewer than
    /// among all rows: the k nearest matches are the k / share nearest rows. Gives which way it
    /// went.
    template <class Keep, class Before, class Tally = no_tally>
    [[nodiscard]] result<way_among>
    search_among(element const* query, std::size_t effort, double recall, Keep const& keep,
                 std::size_t matching, nearest<Before>& best, Tally const& tally = {}) const {
        auto way = way_among::scan;
        if (!hnsw_graph::may_walk(matching)) {
            VICINAL_CHECK(scan_into(query, keep, best, tally));
            return way;
        }
        bool found = false;
        VICINAL_CHECK(vicinal::detail::guarded([&]() -> result<void> {
            visit(query, best.wanted(), tally, [&](auto const& ground, auto start, auto const& to) {
                auto s = scratch_->take();
                auto all = hnsw_graph::walk_if_shorter(
                    ground, start, best.wanted(), effort, matching, to, keep, *s, tuned_.growth,
                    [&](std::size_t rows) { return effort_for(rows, recall); });
                found = all.finished;
                if (all.began) way = found ? way_among::walk : way_among::walk_then_scan;
                if (found) compare(all.found, query, to, best);
            });
            return {};
        }));
        if (!found) VICINAL_CHECK(scan_into(query, keep, best, tally));
        return way;
    }

    /// The best of the covered rows that `ask` holds for, where asking a row costs a read of its
    /// payload, which ask.announce(slot) and then ask.fetch(slot) prepare. false, and nothing
    /// offered, where it would have to ask more than `most_asked` rows.
    ///
    /// share: of the rows that match, about, which is corrected on the way. effort as for
    /// search_among.
    template <class Ask, class Before, class Tally = no_tally>
    [[nodiscard]] result<bool> search_asking(element const* query, std::size_t effort,
                                             double recall, double share, Ask const& ask,
                                             std::size_t most_asked, nearest<Before>& best,
                                             Tally const& tally = {}) const {
        return vicinal::detail::guarded([&]() -> result<bool> {
            bool finished = false;
            visit(query, best.wanted(), tally, [&](auto const& ground, auto start, auto const& to) {
                auto s = scratch_->take();
                auto all = hnsw_graph::walk_asking(
                    ground, start, share, most_asked, to, ask, *s, [&](double now) {
                        auto const width = width_for(best.wanted(), effort, recall, now);
                        return hnsw_graph::reach_for(tuned_.growth, best.wanted(), width, to.rows);
                    });
                finished = all.finished;
                if (finished) compare(all.found, query, to, best);
            });
            return finished;
        });
    }

    /// How many rows such a walk asks for k, about.
    [[nodiscard]] std::size_t asked_for(std::size_t k, std::size_t effort, double recall,
                                        double share) const noexcept {
        auto const width = width_for(k, effort, recall, share);
        return static_cast<std::size_t>(
            (std::min)(hnsw_graph::rows_to_ask(width, share), static_cast<double>(covered())));
    }
    /// Bytes that a distance of codes reads.
    [[nodiscard]] std::size_t code_bytes() const noexcept { return codes_.row_bytes(); }
    /// Bytes of the graph, and of its codes where it has any of its own.
    [[nodiscard]] std::uint64_t link_bytes() const noexcept { return graph_.bytes(); }
    [[nodiscard]] std::uint64_t all_code_bytes() const noexcept {
        return coded::reads_rows ? 0 : std::uint64_t{graph_.get().linked} * code_bytes();
    }

    /// The beam's width for a wanted recall, as tuning measured it on this graph; before that by a
    /// rule of thumb.
    [[nodiscard]] std::size_t effort_for(std::size_t wanted, double recall) const noexcept {
        return hnsw_graph::effort_from(tuned_, wanted, recall);
    }

    /// How many nodes links lead to from the root: all live ones, in a sound graph. O(rows).
    [[nodiscard]] std::size_t reachable() const {
        auto const g = graph_.get();
        return hnsw_graph::reached(graph_.ground_level(g), g.root).count;
    }

    /// The covered slots for which live(slot) holds and to which no walk leads: none, in a
    /// sound graph. Walks all links, O(rows).
    template <class Live>
    [[nodiscard]] std::vector<slot> unreachable(Live const& live) const {
        auto const g = graph_.get();
        auto all = hnsw_graph::reached(graph_.ground_level(g), g.root);
        std::vector<slot> lost;
        for (slot s = 0; s < g.covered; ++s)
            if (live(s) && all.nodes.mark(s)) lost.push_back(s);
        return lost;
    }

private:
    of(hnsw_graph::columns<Storage> graph, hnsw_graph::codes<coded, Metric, Storage> codes,
       column const& vectors, std::size_t dim, hnsw_options const& options)
        : graph_(graph), codes_(std::move(codes)), vectors_(&vectors), dim_(dim),
          threads_(options.threads), tunes_(options.tune),
          scratch_(std::make_unique<scratch_pool>()) {}

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
        VICINAL_CHECK(codes_.make(before, until, threads_, section));
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

    /// Calls body(ground level, where a walk begins, target), if there is a graph and something is
    /// wanted.
    template <class Tally, class Body>
    void visit(element const* query, std::size_t wanted, Tally const& tally,
               Body const& body) const {
        auto const g = graph_.get();
        if (g.root == no_slot || wanted == 0) return;
        auto const score = codes_.codec().query(query);
        auto const codes_now = codes_.reader();
        hnsw_graph::target<decltype(codes_now), decltype(score), Tally> const to{
            codes_now, score, g.linked, codes_.lines(), tally};
        body(graph_.ground_level(g), hnsw_graph::find_start(graph_.upper_levels(g), g, to), to);
    }

    /// Walks for the query and calls done(target, found) with what was found of the rows that
    /// `keep` holds for, nearest first, as if the nodes of `without` were not there.
    template <class Keep, class Done, class Tally = no_tally>
    void find(element const* query, std::size_t wanted, std::size_t effort, float growth,
              Keep const& keep, std::span<slot const> without, Done const& done,
              std::size_t most_met = hnsw_graph::any_number, Tally const& tally = {}) const {
        visit(query, wanted, tally, [&](auto const& ground, auto start, auto const& to) {
            auto const r = hnsw_graph::reach_for(growth, wanted, effort, to.rows);
            auto s = scratch_->take();
            if constexpr (std::same_as<Keep, keep_all>) {
                hnsw_graph::beam_search(ground, start, r, to, *s, without);
                done(to, hnsw_graph::filtered{hnsw_graph::in_order(s->beam, r.effort), true});
            } else {
                done(to, hnsw_graph::walk_through(ground, start, r, most_met, to, keep, *s));
            }
        });
    }

    template <class Target, class Before>
    void compare(neighbours const& candidates, element const* query, Target const& to,
                 nearest<Before>& best) const {
        compare_candidates<Metric>(candidates, query, dim_, to.score, to.codes, vectors_->reader(),
                                   covered(), best, to.tally);
    }

    /// How many matches a walk finds for k of them where that share of rows matches: the k nearest
    /// matches are the k / share nearest rows.
    [[nodiscard]] std::size_t width_for(std::size_t k, std::size_t effort, double recall,
                                        double share) const noexcept {
        return hnsw_graph::width_among(k, effort, share, covered(),
                                       [&](std::size_t rows) { return effort_for(rows, recall); });
    }

    [[nodiscard]] bool joined(hnsw_graph::state const& g, slot s) const noexcept {
        return s < g.linked && (s == g.root || graph_.parent(s) != no_slot);
    }

    static constexpr slot most_nodes = 0x7fffffff;

    hnsw_graph::columns<Storage> graph_;
    hnsw_graph::codes<coded, Metric, Storage> codes_;
    column const* vectors_;
    std::size_t dim_;
    std::size_t threads_;
    bool tunes_;
    tuning tuned_;
    std::unique_ptr<scratch_pool> scratch_;
};

static_assert(model<hnsw<>>);

} // namespace vicinal::inline VICINAL_ABI::index

#endif

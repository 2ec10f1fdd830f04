// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_HPP
#define VICINAL_INDEX_HNSW_HPP

#include <vicinal/codec/fitting.hpp>
#include <vicinal/codec/rabitq.hpp>
#include <vicinal/codec/sq8.hpp>
#include <vicinal/index/concept.hpp>
#include <vicinal/index/hnsw/build.hpp>
#include <vicinal/index/hnsw/codes.hpp>
#include <vicinal/index/hnsw/compact.hpp>
#include <vicinal/index/hnsw/fusion.hpp>
#include <vicinal/index/hnsw/linking.hpp>
#include <vicinal/index/hnsw/reachable.hpp>
#include <vicinal/index/hnsw/searches.hpp>
#include <vicinal/index/hnsw/tune.hpp>
#include <vicinal/index/layout.hpp>
#include <vicinal/index/row_order.hpp>
#include <vicinal/storage/faults.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

namespace hnsw_graph {

/// The layout itself where the codec has codes for the metric.
template <class Codec, class Layout, class Metric>
using fitting_layout =
    std::conditional_t<codec::detail::has_codes<typename Codec::template of<Metric>>::value, Layout,
                       layout::plain>;

/// What a graph compares: in layout::fused a byte an element, as the bits of its records only rule
/// out what is far.
template <class Codec, class Layout, class Metric>
using walked = typename codec::fitting<
    std::conditional_t<std::same_as<Layout, layout::fused>, codec::sq8, Codec>,
    Metric>::template of<Metric>;

} // namespace hnsw_graph

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
///
/// With layout::fused and codec::rabitq<1> a node's links have a bit an element of its neighbours
/// behind them, as seen from it (index/hnsw/fusion.hpp): a hop looks at 32 neighbours at once and
/// compares the bytes (as with codec::sq8) of those that may be near enough. Rows that join later
/// have their records made anew with those of the nodes that they are linked to.
template <codec::model Codec = codec::sq8, class Layout = layout::plain>
struct hnsw {
    static_assert(std::same_as<Layout, layout::plain> || std::same_as<Codec, codec::rabitq<1>>,
                  "vicinal: the records of layout::fused hold one bit an element: "
                  "index::hnsw<codec::rabitq<1>, layout::fused>");
    using options = hnsw_options;
    using codec_type = Codec;
    static constexpr bool takes_codes_alone = true;
    static constexpr std::string_view name =
        std::same_as<Layout, layout::plain> ? "hnsw" : "hnsw_fused";

    /// Refuses options that no graph can be made with, before there is a file of it.
    [[nodiscard]] static result<void> check(hnsw_options const& o) { return hnsw_graph::check(o); }

    template <metric::model Metric, storage::model Storage>
    class of;
};

/// The graph for one metric over the rows of one storage. One thread takes in, any number search;
/// see index::concept.hpp for what keeps them apart.
template <codec::model Codec, class Layout>
template <metric::model Metric, storage::model Storage>
class hnsw<Codec, Layout>::of
    : public hnsw_graph::searches<hnsw_graph::walked<Codec, Layout, Metric>, Metric, Storage,
                                  hnsw_graph::fitting_layout<Codec, Layout, Metric>> {
    using coded = hnsw_graph::walked<Codec, Layout, Metric>;
    using base = hnsw_graph::searches<coded, Metric, Storage,
                                      hnsw_graph::fitting_layout<Codec, Layout, Metric>>;
    using typename base::fusion_type;
    using linking = hnsw_graph::linking<coded, Metric, Storage>;
    static_assert(sizeof(linking) > 0, "says what no graph can be linked by");
    using base::codes_;
    using base::dim_;
    using base::fusion_;
    using base::graph_;
    using base::tuned_;
    using base::vectors_;
    using typename base::vectors_type;
    using reader = decltype(std::declval<typename Storage::column const&>().reader());
    static_assert(!(fusion_type::exists && reader::pages),
                  "vicinal: the records of layout::fused are made from vectors, which "
                  "storage::file does not keep in memory: use storage::mmap or layout::plain");
    static_assert(
        !(coded::reads_rows && reader::pages),
        "vicinal: this graph walks over the vectors, which storage::file does not keep in "
        "memory: use index::hnsw<codec::sq8>, storage::mmap or index::flat<>");

public:
    using element = metric::element_of<Metric>;
    static constexpr bool exact = false;

    /// Errors: invalid_argument, corrupt_snapshot, out_of_memory.
    [[nodiscard]] static result<of> open(typename Storage::space& space,
                                         vectors_type const& vectors, std::size_t dim,
                                         hnsw_options const& options) {
        auto graph = hnsw_graph::columns<Storage>::open(
            space, options, [dim](std::size_t links) { return fusion_type::extra(links, dim); });
        VICINAL_CHECK(graph);
        auto codes = hnsw_graph::codes<coded, Metric, Storage>::open(space, vectors, dim,
                                                                     hnsw_graph::columns_of_codes);
        VICINAL_CHECK(codes);
        auto fused = [&]() -> result<fusion_type> {
            if constexpr (fusion_type::exists)
                return fusion_type::open(space, vectors, 2 * std::size_t{graph->get().neighbours},
                                         dim);
            else
                return fusion_type{};
        }();
        VICINAL_CHECK(fused);
        of index(*graph, std::move(*codes), std::move(*fused), vectors, dim, options);
        auto const nodes = graph->get().linked;
        if (vectors.rows() < nodes || index.codes_.rows() < nodes)
            return error{errc::corrupt_snapshot, "a vector and a code for each node of the graph",
                         std::to_string((std::min)(vectors.rows(), index.codes_.rows()))};
        index.tuned_ =
            read_tuning(index.graph_.tuning_column().reader(), index.graph_.tuning_column().rows());
        return index;
    }

    /// Inserts the slots up to `until`, those that `live` does not hold for as nodes without links.
    /// Below `flat_below` rows it declines, or where a codec has too few to learn from, and where
    /// vectors have more elements than the codec's sums hold (32,768 for sq8; codec::f32 takes
    /// them). Cost: about 4 build_width neighbours distances a slot. Errors: out_of_memory; what
    /// was linked before it stays linked.
    template <class Live, class Section>
    [[nodiscard]] result<void> take_in(slot until, Live const& live, Section const& section) {
        auto const before = graph_.get();
        if (until <= before.covered || (before.covered == 0 && until < before.flat_below))
            return {};
        if constexpr (requires { coded::most_elements; })
            if (dim_ > coded::most_elements) return {};
        if (!codes_.ready(until)) return {};
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
            linking const by(codes_, *vectors_, dim_);
            hnsw_graph::builder<Storage, typename linking::codec_type, reader, Section> build(
                graph_, by.codec, by.rows, by.lines, relaxed, threads_, section);
            VICINAL_CHECK(build.link(joining));
            if constexpr (fusion_type::exists) {
                // A load changes most lists, and may come after one that failed here.
                if (joining.size() > until / 16) build.touched() = fusion_.without_codes(graph_);
                VICINAL_CHECK(fusion_.make(graph_, build.touched(), threads_, section));
            }
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

    /// The order in which `count` rows are best given slots: near ones side by side
    /// (index/row_order.hpp). Searches take 0.94 (sift) and 0.89 (words) of the time at a recall of
    /// 0.95, the build 0.76 and 0.64, the order included. Empty where they are too few for that.
    /// row(i) is the element const* of the i-th. Errors: out_of_memory.
    template <class Row>
    [[nodiscard]] result<std::vector<slot>> order(std::size_t count, Row const& row) const {
        if (count < hnsw_graph::least_ordered) return std::vector<slot>{};
        return row_order<Metric, Row>(dim_, row)(count, threads_);
    }

    /// Measures which effort gives which recall, for effort_for: up to 224 live rows stand in for
    /// queries, each searched for as if it and its copies were not there, beside the exact answer.
    /// Cost: about a tenth of the build. Errors: out_of_memory; what was measured before stays.
    template <class Live, class Section>
    [[nodiscard]] result<void> tune(Live const& live, Section const& section) {
        return vicinal::detail::guarded([&]() -> result<void> {
            auto const g = graph_.get();
            if (g.covered == 0) return {};
            held_out<Metric> queries(
                (std::min)(g.covered / 128 + 8, std::uint32_t{224}), g.covered, g.seed,
                [&](slot s) { return live(s) && hnsw_graph::draw_level(g, s) == 0; });
            auto fresh = hnsw_graph::measure_recall(
                queries, vectors_->reader(), dim_, g.covered, live, threads_,
                [&](element const* row, std::size_t k, std::size_t effort, float growth,
                    std::span<slot const> without, auto const& use) {
                    this->find(row, k, effort, growth, keep_all{}, without,
                               [&](auto const& to, hnsw_graph::filtered&& all) {
                                   std::erase_if(all.found, [&](neighbour const& n) {
                                       return !live(n.row) ||
                                              std::find(without.begin(), without.end(), n.row) !=
                                                  without.end();
                                   });
                                   use([&](std::size_t wanted) {
                                       nearest<> best(wanted);
                                       this->compare(all.found, row, to, best);
                                       return best.take();
                                   });
                               });
                });
            VICINAL_CHECK(fresh);
            if (storage::fault_scope::met()) return {}; // misread: what was measured before stays
            return keep_tuning(graph_.tuning_column(), std::move(*fresh), tuned_, section);
        });
    }
    /// What was measured last; an empty table where nothing was. Inside the reader's section.
    [[nodiscard]] tuning const& tuned() const noexcept { return tuned_; }

    /// Forgets every row. Inside the caller's section.
    void clear() noexcept {
        graph_.clear();
        codes_.clear();
        if constexpr (fusion_type::exists) fusion_.clear();
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
            linking const by(codes_, *vectors_, dim_);
            hnsw_graph::compaction<Storage, typename linking::codec_type, reader> compact(
                graph_, by.codec, by.rows, by.lines, hnsw_graph::relaxed_for<Metric>, threads_);
            return compact.run(kept, out, [&](std::vector<std::uint32_t>&& links) {
                if constexpr (fusion_type::exists)
                    return fusion_.records(std::move(links), kept);
                else
                    return storage::owned_rows(graph_.links_name, graph_.links().row_bytes(),
                                               std::move(links));
            });
        });
    }
    /// Takes the columns as compact() wrote them. Inside the caller's section.
    void compacted() noexcept {}

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
       fusion_type fused, vectors_type const& vectors, std::size_t dim, hnsw_options const& options)
        : base(graph, std::move(codes), std::move(fused), vectors, dim), threads_(options.threads),
          tunes_(options.tune) {}

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
        if constexpr (fusion_type::exists)
            VICINAL_CHECK(fusion_.choose_frame(graph_, before, until, section));
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

    [[nodiscard]] bool joined(hnsw_graph::state const& g, slot s) const noexcept {
        return s < g.linked && (s == g.root || graph_.parent(s) != no_slot);
    }

    static constexpr slot most_nodes = 0x7fffffff;

    std::size_t threads_;
    bool tunes_;
};

static_assert(model<hnsw<>>);

} // namespace vicinal::inline VICINAL_ABI::index

#endif

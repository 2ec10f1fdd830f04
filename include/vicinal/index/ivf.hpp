// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_HPP
#define VICINAL_INDEX_IVF_HPP

#include <vicinal/codec/fitting.hpp>
#include <vicinal/codec/sq8.hpp>
#include <vicinal/index/concept.hpp>
#include <vicinal/index/ivf/compact.hpp>
#include <vicinal/index/ivf/fill.hpp>
#include <vicinal/index/ivf/searches.hpp>
#include <vicinal/index/ivf/split.hpp>
#include <vicinal/index/ivf/unreachable.hpp>
#include <vicinal/index/row_order.hpp>
#include <vicinal/storage/faults.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

/// Inverted lists: rows are shared out among the nearest of some 2 sqrt(rows) centres, and a search
/// looks at the lists of the centres that are nearest to the query. Built in seconds; the effort is
/// the number of lists ("nprobe").
///
/// A list is scanned by its codes, which lie one behind the other: with codec::sq8, the default, a
/// byte an element. The store compares the best by their vectors. codec::f32 scans the vectors and
/// takes no memory for codes. Elements are floats. Below `flat_below` rows there are no lists, and
/// answers are exact; lists that grow too large are split, and those that deletes have left small
/// are dissolved when the store is compacted.
///
/// Source: Sivic & Zisserman, "Video Google: a text retrieval approach to object matching in
/// videos", ICCV 2003; Jegou, Douze & Schmid, "Product quantization for nearest neighbor search",
/// TPAMI 2011. Differs: lists carry the radius of their rows, by which a search passes over those
/// that can hold nothing nearer, and the same rows in the same order always give the same lists.
template <codec::model Codec = codec::sq8>
struct ivf {
    using options = ivf_options;
    using codec_type = Codec;
    static constexpr bool takes_codes_alone = true;
    static constexpr std::string_view name = "ivf";

    /// Refuses options that no lists can be made with, before there is a file of them.
    [[nodiscard]] static result<void> check(ivf_options const& o) { return inverted::check(o); }

    template <metric::model Metric, storage::model Storage>
    class of;
};

/// Lists over the vectors themselves, without codes of their own: what others call IVF-Flat.
using ivf_flat = ivf<codec::f32>;

/// The lists for one metric over the rows of one storage. One thread takes in, any number search;
/// see index::concept.hpp for what keeps them apart.
template <codec::model Codec>
template <metric::model Metric, storage::model Storage>
class ivf<Codec>::of
    : public inverted::searches<typename codec::fitting<Codec, Metric>::template of<Metric>, Metric,
                                Storage> {
    using coded = typename codec::fitting<Codec, Metric>::template of<Metric>;
    using base = inverted::searches<coded, Metric, Storage>;
    using base::codes_;
    using base::dim_;
    using base::lists_;
    using base::tuned_;
    using base::vectors_;
    using typename base::vectors_type;
    using listed = inverted::listed_vectors<Metric, vectors_type>;
    using reader = decltype(std::declval<typename Storage::column const&>().reader());
    static_assert(std::same_as<metric::element_of<Metric>, float>,
                  "vicinal: inverted lists have centres, which are means of floats: use "
                  "index::hnsw<codec::f32> or index::flat<> for vectors of bytes, halves or bits");
    static_assert(
        !(coded::reads_rows && reader::pages),
        "vicinal: these lists are scanned by the vectors, which storage::file does not keep in "
        "memory: use index::ivf<codec::sq8>, storage::mmap or index::flat<>");

public:
    using element = metric::element_of<Metric>;
    static constexpr bool exact = false;

    /// Errors: invalid_argument, corrupt_snapshot, out_of_memory.
    [[nodiscard]] static result<of> open(typename Storage::space& space,
                                         vectors_type const& vectors, std::size_t dim,
                                         ivf_options const& options) {
        auto lists = inverted::columns<Storage>::open(space, dim, options);
        VICINAL_CHECK(lists);
        auto const s = lists->get();
        auto codes = inverted::codes<coded, Metric, Storage>::open(space, vectors, dim, s);
        VICINAL_CHECK(codes);
        if (vectors.rows() < s.covered)
            return error{errc::corrupt_snapshot, "a vector for each row of the lists",
                         std::to_string(vectors.rows())};
        of index(*lists, std::move(*codes), vectors, dim, options);
        index.tuned_ = read_tuning(lists->tuning_column().reader(), lists->tuning_column().rows());
        VICINAL_CHECK(index.group(no_section{}));
        return index;
    }

    /// Puts the slots up to `until` that `live` holds for into lists. Below `flat_below` rows it
    /// declines, or where a codec has too few to learn from, and where vectors have more elements
    /// than the codec's sums hold (32,768 for sq8; codec::f32 takes them), or none is finite. The
    /// first rows give the centres; a load of four times as many gives new ones. Cost: lists x dim
    /// multiply-adds a slot, of 20,000 lists and more some thousand x dim. Errors: out_of_memory;
    /// what was put in before stays.
    template <class Live, class Section>
    [[nodiscard]] result<void> take_in(slot until, Live const& live, Section const& section) {
        auto const before = lists_.get();
        if (until <= before.covered || (before.covered == 0 && until < before.flat_below))
            return {};
        if constexpr (requires { coded::most_elements; })
            if (dim_ > coded::most_elements) return {};
        if (!codes_.ready(until)) return {};
        return vicinal::detail::guarded([&]() -> result<void> {
            auto const outgrown = until / 4 >= before.trained && until / 2 >= before.covered;
            if (before.lists > 0 && outgrown) section([&] { clear(); });
            auto const joining = missing(until, live);
            listed const vectors(*vectors_, dim_, threads_);
            inverted::filling fill(lists_, codes_, vectors, section);
            if (lists_.get().lists == 0) {
                auto const trained = fill.train(joining);
                VICINAL_CHECK(trained);
                if (!*trained) return {};
            }
            VICINAL_CHECK(group(section));
            VICINAL_CHECK(put(fill, vectors, joining, live));
            VICINAL_CHECK(group(section));
            VICINAL_CHECK(lists_.reserve(0, 0, until, section));
            section([&] {
                auto s = lists_.get();
                s.covered = until;
                if (s.off.at_first == 0) s.off.at_first = static_cast<float>(s.off.mean());
                lists_.put(s);
            });
            // A row that comes alone does not wait for a measurement that a load has just paid.
            bool const bulk = joining.size() >= 64;
            if (tunes_ && until >= 1000 && until / (bulk ? 2 : 16) >= tuned_.rows)
                return tune(live, section);
            return {};
        });
    }

    /// The order in which `count` rows are best given slots, where lists are scanned by slot: near
    /// ones side by side (index/row_order.hpp). Empty where codes lie in lists, and for few rows.
    /// row(i) is the element const* of the i-th. Errors: out_of_memory.
    template <class Row>
    [[nodiscard]] result<std::vector<slot>> order(std::size_t count, Row const& row) const {
        if constexpr (inverted::codes<coded, Metric, Storage>::by_slot)
            if (count >= inverted::least_ordered)
                return row_order<Metric, Row>(dim_, row)(count, threads_);
        static_cast<void>(count);
        static_cast<void>(row);
        return std::vector<slot>{};
    }

    /// Measures how many lists give which recall, for effort_for: up to 96 live rows stand in for
    /// queries, each searched for as if it and its copies were not there, beside the exact answer.
    /// Errors: out_of_memory; what was measured before stays.
    template <class Live, class Section>
    [[nodiscard]] result<void> tune(Live const& live, Section const& section) {
        return vicinal::detail::guarded([&]() -> result<void> {
            auto const s = lists_.get();
            if (s.covered == 0) return {};
            held_out<Metric> queries((std::min)(s.covered / 128 + 8, std::uint32_t{96}), s.covered,
                                     s.seed, live);
            VICINAL_CHECK(
                compare_with_all(queries, vectors_->reader(), dim_, s.covered, live, threads_));
            auto fresh = inverted::measure_lists(
                queries, s.covered, s.lists, threads_,
                [&](std::size_t i, std::size_t k, std::size_t effort) {
                    auto const& without = queries.copies(i);
                    nearest<> best(k);
                    auto const keep = [&](slot row) {
                        return live(row) &&
                               std::find(without.begin(), without.end(), row) == without.end();
                    };
                    this->find(queries.vector(i), k, keep, no_tally{}, up_to{effort},
                               this->comparing(queries.vector(i), best, no_tally{}));
                    return best.take();
                });
            VICINAL_CHECK(fresh);
            if (storage::fault_scope::met()) return {}; // misread: what was measured before stays
            return keep_tuning(lists_.tuning_column(), std::move(*fresh), tuned_, section);
        });
    }
    /// What was measured last; an empty table where nothing was. Inside the reader's section.
    [[nodiscard]] tuning const& tuned() const noexcept { return tuned_; }

    /// How far the rows that were put into lists are from their centres.
    [[nodiscard]] inverted::deviation deviation() const noexcept { return lists_.get().off; }
    /// How much farther rows lie from their centres than when these were found: the ratio of the
    /// mean squared distances. 1 where nothing is known. Inside the reader's section.
    [[nodiscard]] double drift() const noexcept { return drift_of(lists_.get()); }
    /// Whether that is so much that renew() pays.
    [[nodiscard]] bool drifted() const noexcept { return drift() >= inverted::retrained_from; }
    /// Looks for centres anew and puts all covered rows into their lists; until that is done every
    /// one is compared. Cost: that of a build. Errors: as take_in(); what is in no list by then
    /// waits for the next.
    template <class Live, class Section>
    [[nodiscard]] result<void> renew(Live const& live, Section const& section) {
        auto const until = this->covered();
        section([&] { clear(); });
        return take_in(until, live, section);
    }

    /// Forgets every row. Inside the caller's section.
    void clear() noexcept {
        lists_.clear();
        codes_.clear();
        tuned_ = {};
    }

    /// Adds to `out` what the columns are to hold when the slots of `kept`, ascending and covered,
    /// become slots 0, 1 and so on. Both stay in place until that is written. Errors:
    /// out_of_memory, io_failure.
    [[nodiscard]] result<void> compact(std::span<slot const> kept,
                                       std::vector<storage::replacement>& out) const {
        return vicinal::detail::guarded([&]() -> result<void> {
            listed const vectors(*vectors_, dim_, threads_);
            inverted::compaction<coded, Metric, Storage> const compact(lists_, codes_, vectors);
            return compact.run(kept, out, compacted_groups_);
        });
    }
    /// Takes the columns as compact() wrote them. Inside the caller's section.
    void compacted() noexcept { lists_.put(std::move(compacted_groups_)); }

    /// The covered slots for which live(slot) holds and that no list names: none, in sound lists.
    /// O(rows).
    template <class Live>
    [[nodiscard]] std::vector<slot> unreachable(Live const& live) const {
        return inverted::unreachable(lists_, live);
    }

private:
    using typename base::up_to;

    of(inverted::columns<Storage> lists, inverted::codes<coded, Metric, Storage> codes,
       vectors_type const& vectors, std::size_t dim, ivf_options const& options)
        : base(lists, std::move(codes), vectors, dim), threads_(options.threads),
          tunes_(options.tune) {}

    /// Puts lists into groups where there are many, and anew where twice as many have come.
    template <class Section>
    [[nodiscard]] result<void> group(Section const& section) {
        auto const s = lists_.get();
        if (s.lists < inverted::grouped_from || s.lists / 2 < lists_.groups().made_of()) return {};
        auto fresh = listed(*vectors_, dim_, threads_).groups(lists_.centres(s), s.lists, s.seed);
        VICINAL_CHECK(fresh);
        section([&] { lists_.put(std::move(*fresh)); });
        return {};
    }

    /// The live slots up to `until` that are in no list.
    template <class Live>
    [[nodiscard]] std::vector<slot> missing(slot until, Live const& live) const {
        std::vector<slot> rows;
        for (auto s = lists_.get().covered; s < until; ++s)
            if (live(s) && lists_.place(s) == inverted::none) rows.push_back(s);
        return rows;
    }

    template <class Filling, class Live>
    [[nodiscard]] result<void> put(Filling& fill, listed const& vectors,
                                   std::vector<slot> const& joining, Live const& live) {
        if (joining.empty()) return {};
        std::vector<std::uint32_t> list_of(joining.size()), before(lists_.get().lists);
        for (std::uint32_t l = 0; l < before.size(); ++l) before[l] = lists_.list(l).rows;
        VICINAL_CHECK(fill.assign(joining, list_of.data()));
        VICINAL_CHECK(fill.put(joining, list_of));
        inverted::splitting<listed, Storage> const split(lists_, vectors);
        return split.where_needed(before, live, fill);
    }

    std::size_t threads_;
    bool tunes_;
    /// What compact() works out for compacted(); the writer's.
    mutable inverted::centre_groups compacted_groups_ = {};
};

static_assert(model<ivf<>>);

} // namespace vicinal::inline VICINAL_ABI::index

#endif

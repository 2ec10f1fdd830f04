// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_QUERY_HPP
#define VICINAL_STORE_QUERY_HPP

#include <vicinal/index/flat.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/index/way_among.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/store/filter_cache.hpp>
#include <vicinal/store/match_finder.hpp>
#include <vicinal/store/options.hpp>
#include <vicinal/store/planner.hpp>
#include <vicinal/store/trace.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Where distances are equal the smaller id comes first.
template <class Rows>
struct earlier_id {
    Rows const* rows;
    [[nodiscard]] bool operator()(slot a, slot b) const noexcept {
        return rows->id(a) < rows->id(b);
    }
};

/// A filter as a question to a slot that is answered by its payload, and may be told beforehand
/// which slots come next.
template <class Rows, class Trace>
class payload_question {
public:
    payload_question(Rows const& rows, filter const& where, Trace& trace) noexcept
        : rows_(rows), ask_(filter_cache::asking(where, rows, trace)) {}

    [[nodiscard]] bool operator()(slot s) const { return rows_.live(s) && ask_(s); }
    void announce(slot s) const noexcept { rows_.announce_payload(s); }
    void fetch(slot s) const noexcept { rows_.fetch_payload(s); }

private:
    Rows const& rows_;
    decltype(filter_cache::asking(std::declval<filter const&>(), std::declval<Rows const&>(),
                                  std::declval<Trace&>())) ask_;
};

/// Calls run(keep) with what a scan of these rows without a filter need ask of a slot: nothing
/// where every row is live, else the flags.
template <class Rows, class Run>
auto with_live(Rows const& rows, Run const& run) {
    if (rows.live_count() == rows.count()) return run(index::keep_all{});
    return run(rows.live_slots());
}

/// One query on its way down: from options to slots with exact distances. Runs while the caller's
/// reader section is open.
template <class Metric, class Rows, class Index, class Trace = no_trace const>
class query {
public:
    using element = metric::element_of<Metric>;

    query(Rows const& rows, Index const& index, std::size_t dim, element const* vector,
          filter const& where, search_options const& options, filter_cache& filters,
          Trace& trace = untold) noexcept
        : rows_(rows), index_(index), dim_(dim), vector_(vector), where_(where), options_(options),
          matches_(rows, where, options.where, filters, trace), trace_(trace) {}

    /// min(k, matching) neighbours, nearest first, ties by id.
    [[nodiscard]] result<index::neighbours> run() {
        auto const k = (std::min)(options_.k, rows_.live_count());
        if (k == 0) return index::neighbours{};
        index::nearest best(k, by_id{&rows_});
        VICINAL_CHECK(answer(best));
        auto found = best.take();
        while (!found.empty() && static_cast<double>(found.back().distance) > options_.max_distance)
            found.pop_back();
        return found;
    }

private:
    using by_id = earlier_id<Rows>;
    using nearest = index::nearest<by_id>;

    [[nodiscard]] result<void> answer(nearest& best) {
        if constexpr (Index::exact) {
            return where_.empty() ? scan(best) : scan_filtered(best);
        } else {
            if (options_.exact || index_.covered() == 0)
                return where_.empty() ? scan(best) : among(best, find_all(), true);
            if (!where_.empty()) return answer_filtered(best);
            if (rows_.live_count() == rows_.count()) return walk(best);
            return search_among(best, rows_.live_slots(), rows_.live_count(), search_plan::walk);
        }
    }

    /// Every live row, by the index itself where it is exact: it may know a shorter way.
    [[nodiscard]] result<void> scan(nearest& best) {
        trace_.plan(search_plan::scan);
        trace_.phase("scan");
        with_live(rows_, [&](auto const& keep) { scan_all(best, keep); });
        return {};
    }

    template <class Keep>
    void scan_all(nearest& best, Keep const& keep) {
        slot tail = 0;
        if constexpr (scans) {
            index_.scan(vector_, keep, best, trace_.tally());
            tail = index_.covered();
        }
        scan_rows(best, tail, keep);
    }

    template <class Keep>
    void scan_rows(nearest& best, slot first, Keep const& keep) {
        index::scan_exactly<Metric>(rows_.vectors().reader(), first, rows_.count(), vector_, dim_,
                                    keep, best, trace_.tally());
    }

    /// The index for what it covers, a scan for the fresh tail; a scan of everything if together
    /// they come to fewer than k.
    [[nodiscard]] result<void> walk(nearest& best) {
        trace_.plan(search_plan::walk);
        trace_.phase("walk");
        auto const effort = options_.effort != 0
                                ? options_.effort
                                : index_.effort_for(best.wanted(), options_.recall);
        VICINAL_CHECK(index_.search_into(vector_, effort, index::keep_all{}, best,
                                         (std::numeric_limits<std::size_t>::max)(),
                                         trace_.tally()));
        scan_rows(best, index_.covered(), index::keep_all{});
        if (best.size() == best.wanted()) return {};
        static_cast<void>(best.take());
        return scan(best);
    }

    /// The exact search with a filter over an index that looks at every row: it asks only those for
    /// their payload that are near enough, which is dear only where few match.
    [[nodiscard]] result<void> scan_filtered(nearest& best) {
        trace_.phase("estimate");
        auto const known = matches_.recall();
        if (known.found) return among(best, known.found, true);
        auto const e = matches_.estimate();
        auto const scanning = price_of_scan(best.wanted(), e.share * matches_.live_share());
        if (e.find < scanning || known.spent >= e.find) return among(best, find(e), true);
        trace_.plan(search_plan::scan_asking);
        trace_.phase("scan");
        scan_all(best, payload_question<Rows, Trace>(rows_, where_, trace_));
        matches_.add_spent(scanning);
        return {};
    }

    /// Nanoseconds of a scan of all rows, 40 bytes of vectors in each, that asks what is nearer
    /// than the k-th match so far: k for the first, and then as often as such a one moves.
    [[nodiscard]] double price_of_scan(std::size_t k, double share) const noexcept {
        auto const rows = static_cast<double>(rows_.count());
        auto const first = static_cast<double>(k) / (std::max)(share, 1e-9);
        auto const asked =
            first < rows ? (std::min)(rows, first * (1 + std::log(rows / first))) : rows;
        return rows * static_cast<double>(dim_ * sizeof(element)) / 40 +
               asked * matches_.costs().payload_in_order;
    }

    /// See store/planner.hpp.
    [[nodiscard]] result<void> answer_filtered(nearest& best) {
        trace_.phase("estimate");
        auto const known = matches_.recall();
        if (known.found) return among(best, known.found, false);
        auto const e = matches_.estimate();
        auto const share = (std::max)(e.share * matches_.live_share(), 1e-9);
        auto const c = matches_.costs();
        auto const asked = index_.asked_for(best.wanted(), options_.effort, options_.recall, share);
        auto const prices = prices_of(c, e, asked, rows_.count());
        if (prices.asks(known.spent)) {
            trace_.phase("walk");
            payload_question<Rows, Trace> const ask(rows_, where_, trace_);
            auto const finished =
                index_.search_asking(vector_, options_.effort, options_.recall, share, ask,
                                     prices.most_asked(c), best, trace_.tally());
            VICINAL_CHECK(finished);
            matches_.add_spent(prices.walk);
            if (*finished) {
                trace_.plan(search_plan::walk_asking);
                scan_rows(best, index_.covered(), ask);
                if (best.size() == best.wanted()) return {};
            }
            trace_.given_up(search_plan::walk_asking);
            static_cast<void>(best.take());
        }
        return among(best, find(e), false);
    }

    [[nodiscard]] filter_cache::pointer find(match_estimate const& e) {
        trace_.phase("find");
        return matches_.find(e);
    }
    [[nodiscard]] filter_cache::pointer find_all() {
        trace_.phase("estimate");
        auto known = matches_.recall();
        return known.found ? std::move(known.found) : find(matches_.estimate());
    }

    /// The search among known matches: exactly, or as the index likes.
    [[nodiscard]] result<void> among(nearest& best, filter_cache::pointer const& found,
                                     bool exactly) {
        if (found->count() == 0) {
            trace_.plan(search_plan::scan_matches);
            return {};
        }
        live_matches const all(*found, rows_.live_slots(), rows_.live_count() == rows_.count());
        if constexpr (!Index::exact)
            if (!exactly) {
                auto const share = matches_.live_share();
                return search_among(
                    best, all,
                    static_cast<std::size_t>(static_cast<double>(found->count()) * share),
                    search_plan::walk_matches);
            }
        trace_.plan(search_plan::scan_matches);
        trace_.phase("scan");
        if constexpr (Index::exact) {
            if (found->listed())
                scan_listed(best, all);
            else
                scan_all(best, all);
        } else {
            VICINAL_CHECK(index_.scan_into(vector_, all, best, trace_.tally()));
            scan_rows(best, index_.covered(), all);
        }
        return {};
    }

    /// A list of matches, of which the index scans those that it covers.
    template <class Matches>
    void scan_listed(nearest& best, Matches const& all) {
        auto const live = [&](slot s) { return all.live(s); };
        auto const few = all.few();
        slot tail = 0;
        if constexpr (scans) tail = index_.covered();
        auto const covered =
            static_cast<std::size_t>(std::lower_bound(few.begin(), few.end(), tail) - few.begin());
        if constexpr (scans)
            index_.scan_listed(vector_, few.first(covered), live, best, trace_.tally());
        index::scan_list<Metric>(rows_.vectors().reader(), few.subspan(covered), vector_, dim_,
                                 live, best, trace_.tally());
    }

    /// By the index among rows that show their bits, about `matching` of them, and a scan of the
    /// fresh tail.
    template <class Keep>
    [[nodiscard]] result<void> search_among(nearest& best, Keep const& keep, std::size_t matching,
                                            search_plan walking) {
        trace_.phase("search");
        auto const way = index_.search_among(vector_, options_.effort, options_.recall, keep,
                                             matching, best, trace_.tally());
        VICINAL_CHECK(way);
        auto const scanning =
            walking == search_plan::walk ? search_plan::scan : search_plan::scan_matches;
        trace_.plan(*way == index::way_among::walk ? walking : scanning);
        if (*way == index::way_among::walk_then_scan) trace_.given_up(walking);
        scan_rows(best, index_.covered(), keep);
        return {};
    }

    /// Whether the index scans its rows itself.
    static constexpr bool scans = requires(Index const& i, element const* v, nearest& best) {
        i.scan(v, index::keep_all{}, best, index::no_tally{});
    };

    Rows const& rows_;
    Index const& index_;
    std::size_t dim_;
    element const* vector_;
    filter const& where_;
    search_options const& options_;
    match_finder<Rows, Trace> matches_;
    Trace& trace_;
};

/// Whether an index answers many queries at once, exactly.
template <class Index>
concept batched = requires {
    requires Index::exact;
}
&&requires(Index const& index, typename Index::element const* queries,
           std::span<index::nearest<>> best) {
    {
        index.scan_batch(queries, best, index::keep_all{}, std::size_t{1})
        } -> std::same_as<result<void>>;
};

/// Many queries on their way down together: to each what `query` would give. Runs while the
/// caller's reader section is open, so that all see the same rows.
template <class Metric, class Rows, class Index>
class query_batch {
public:
    using element = metric::element_of<Metric>;

    query_batch(Rows const& rows, Index const& index, std::size_t dim, filter const& where,
                search_options const& options, filter_cache& filters) noexcept
        : rows_(rows), index_(index), dim_(dim), where_(where), options_(options),
          filters_(filters) {}

    /// For `count` queries, one behind the other.
    [[nodiscard]] result<std::vector<index::neighbours>> run(element const* queries,
                                                             std::size_t count) const {
        auto const k = (std::min)(options_.k, rows_.live_count());
        std::vector<index::neighbours> found(count);
        if (k == 0) return found;
        using nearest = index::nearest<earlier_id<Rows>>;
        std::vector<nearest> best(count, nearest(k, earlier_id<Rows>{&rows_}));
        auto const scanned = with_kept(count, [&](auto const& keep) -> result<void> {
            VICINAL_CHECK(index_.scan_batch(queries, std::span(best), keep, options_.threads));
            for (std::size_t i = 0; i < count; ++i)
                index::scan_exactly<Metric>(rows_.vectors().reader(), index_.covered(),
                                            rows_.count(), queries + i * dim_, dim_, keep, best[i]);
            return {};
        });
        VICINAL_CHECK(scanned);
        for (std::size_t i = 0; i < count; ++i) {
            found[i] = best[i].take();
            while (!found[i].empty() &&
                   static_cast<double>(found[i].back().distance) > options_.max_distance)
                found[i].pop_back();
        }
        return found;
    }

private:
    /// Calls run(keep) with what the scan of `count` queries asks of a slot. They share what
    /// finding the matches costs: where two or more come, all rows are asked once and not each by
    /// each.
    template <class Run>
    auto with_kept(std::size_t count, Run const& run) const {
        if (where_.empty()) return with_live(rows_, run);
        match_finder matches(rows_, where_, options_.where, filters_, untold);
        auto found = matches.recall().found;
        if (!found && count == 1) return run(payload_question(rows_, where_, untold));
        if (!found) found = matches.find(matches.estimate());
        return run(live_matches(*found, rows_.live_slots(), rows_.live_count() == rows_.count()));
    }

    Rows const& rows_;
    Index const& index_;
    std::size_t dim_;
    filter const& where_;
    search_options const& options_;
    filter_cache& filters_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_QUERY_HPP
#define VICINAL_STORE_QUERY_HPP

#include <vicinal/index/concept.hpp>
#include <vicinal/index/flat.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/index/way_among.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/store/match_finder.hpp>
#include <vicinal/store/payload_question.hpp>
#include <vicinal/store/planner.hpp>
#include <vicinal/store/search_call.hpp>
#include <vicinal/store/trace.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// One query on its way down: from options to slots with exact distances. Runs while the caller's
/// reader section is open.
template <class Metric, class Rows, class Index, class Trace>
class query {
public:
    using element = metric::element_of<Metric>;

    query(search_call<Rows, Index> const& call, element const* vector, Trace& trace) noexcept
        : call_(call), vector_(vector), matches_(call.matches(trace)), trace_(trace) {}

    /// min(k, matching) neighbours, nearest first, ties by id.
    [[nodiscard]] result<index::neighbours> run() {
        auto const k = (std::min)(call_.options.k, call_.rows.live_count());
        if (k == 0) return index::neighbours{};
        nearest best(k, call_.by_id());
        VICINAL_CHECK(answer(best));
        return call_.take(best);
    }

private:
    using nearest = index::nearest<earlier_id<Rows>>;

    [[nodiscard]] result<void> answer(nearest& best) {
        if constexpr (index::looks_at_all<Index>) {
            return call_.where.empty() ? scan(best) : scan_filtered(best);
        } else {
            if (call_.options.exact || call_.index.covered() == 0)
                return call_.where.empty() ? scan(best) : among(best, find_all(), true);
            if (!call_.where.empty()) return answer_filtered(best);
            if (call_.rows.live_count() == call_.rows.count()) return walk(best);
            return search_among(best, call_.rows.live_slots(), call_.rows.live_count(),
                                search_plan::walk);
        }
    }

    /// Every live row, by the index itself where it is exact: it may know a shorter way.
    [[nodiscard]] result<void> scan(nearest& best) {
        trace_.plan(search_plan::scan);
        trace_.phase("scan");
        with_live(call_.rows, [&](auto const& keep) { scan_all(best, keep); });
        return {};
    }

    template <class Keep>
    void scan_all(nearest& best, Keep const& keep) {
        auto const tail = scanned();
        if constexpr (scans)
            if (tail != 0) call_.index.scan(vector_, keep, best, trace_.tally());
        scan_rows(best, tail, keep);
    }

    /// How many of the first rows the index scans: none where an exact answer is asked for that it
    /// does not promise.
    [[nodiscard]] slot scanned() const noexcept {
        if constexpr (scans)
            if (Index::exact || !call_.options.exact) return call_.index.covered();
        return 0;
    }

    template <class Keep>
    void scan_rows(nearest& best, slot first, Keep const& keep) {
        index::scan_exactly<Metric>(call_.rows.vectors().reader(), first, call_.rows.count(),
                                    vector_, call_.dim, keep, best, trace_.tally());
    }

    /// The index for what it covers, a scan for the fresh tail; a scan of everything if together
    /// they come to fewer than k.
    [[nodiscard]] result<void> walk(nearest& best) {
        trace_.plan(search_plan::walk);
        trace_.phase("walk");
        auto const effort = call_.options.effort != 0
                                ? call_.options.effort
                                : call_.index.effort_for(best.wanted(), call_.options.recall);
        VICINAL_CHECK(call_.index.search_into(vector_, effort, index::keep_all{}, best,
                                              (std::numeric_limits<std::size_t>::max)(),
                                              trace_.tally()));
        scan_rows(best, call_.index.covered(), index::keep_all{});
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
        auto const scanning =
            price_of_scan(matches_.costs(), call_.rows.count(), call_.dim * sizeof(element),
                          best.wanted(), e.share * matches_.live_share());
        if (e.find < scanning || known.spent >= e.find) return among(best, find(e), true);
        trace_.plan(search_plan::scan_asking);
        trace_.phase("scan");
        scan_all(best, payload_question<Rows, Trace>(call_.rows, call_.where, trace_));
        matches_.add_spent(scanning);
        return {};
    }

    /// See store/planner.hpp.
    [[nodiscard]] result<void> answer_filtered(nearest& best) {
        trace_.phase("estimate");
        auto const known = matches_.recall();
        if (known.found) return among(best, known.found, false);
        auto const e = matches_.estimate();
        auto const share = (std::max)(e.share * matches_.live_share(), 1e-9);
        auto const c = matches_.costs();
        auto const asked =
            call_.index.asked_for(best.wanted(), call_.options.effort, call_.options.recall, share);
        auto const prices = prices_of(c, e, asked, call_.rows.count());
        if (prices.asks(known.spent)) {
            trace_.phase("walk");
            payload_question<Rows, Trace> const ask(call_.rows, call_.where, trace_);
            auto const finished =
                call_.index.search_asking(vector_, call_.options.effort, call_.options.recall,
                                          share, ask, prices.most_asked(c), best, trace_.tally());
            VICINAL_CHECK(finished);
            matches_.add_spent(prices.walk);
            if (*finished) {
                trace_.plan(search_plan::walk_asking);
                scan_rows(best, call_.index.covered(), ask);
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
        live_matches const all(*found, call_.rows.live_slots(),
                               call_.rows.live_count() == call_.rows.count());
        if constexpr (!index::looks_at_all<Index>)
            if (!exactly) {
                auto const share = matches_.live_share();
                return search_among(
                    best, all,
                    static_cast<std::size_t>(static_cast<double>(found->count()) * share),
                    search_plan::walk_matches);
            }
        trace_.plan(search_plan::scan_matches);
        trace_.phase("scan");
        if constexpr (index::looks_at_all<Index>) {
            if (found->listed())
                scan_listed(best, all);
            else
                scan_all(best, all);
        } else {
            VICINAL_CHECK(call_.index.scan_into(vector_, all, best, trace_.tally()));
            scan_rows(best, call_.index.covered(), all);
        }
        return {};
    }

    /// A list of matches, of which the index scans those that it covers.
    template <class Matches>
    void scan_listed(nearest& best, Matches const& all) {
        auto const live = [&](slot s) { return all.live(s); };
        auto const few = all.few();
        auto const tail = scanned();
        auto const covered =
            static_cast<std::size_t>(std::lower_bound(few.begin(), few.end(), tail) - few.begin());
        if constexpr (scans)
            call_.index.scan_listed(vector_, few.first(covered), live, best, trace_.tally());
        index::scan_list<Metric>(call_.rows.vectors().reader(), few.subspan(covered), vector_,
                                 call_.dim, live, best, trace_.tally());
    }

    /// By the index among rows that show their bits, about `matching` of them, and a scan of the
    /// fresh tail.
    template <class Keep>
    [[nodiscard]] result<void> search_among(nearest& best, Keep const& keep, std::size_t matching,
                                            search_plan walking) {
        trace_.phase("search");
        auto const way =
            call_.index.search_among(vector_, call_.options.effort, call_.options.recall, keep,
                                     matching, best, trace_.tally());
        VICINAL_CHECK(way);
        auto const scanning =
            walking == search_plan::walk ? search_plan::scan : search_plan::scan_matches;
        trace_.plan(*way == index::way_among::walk ? walking : scanning);
        if (*way == index::way_among::walk_then_scan) trace_.given_up(walking);
        scan_rows(best, call_.index.covered(), keep);
        return {};
    }

    /// Whether the index scans its rows itself.
    static constexpr bool scans = requires(Index const& i, element const* v, nearest& best) {
        i.scan(v, index::keep_all{}, best, index::no_tally{});
    };

    search_call<Rows, Index> call_;
    element const* vector_;
    match_finder<Rows, Trace> matches_;
    Trace& trace_;
};

/// One query, which tells the trace what it does. See query.
template <class Metric, class Rows, class Index, class Trace = no_trace const>
[[nodiscard]] result<index::neighbours> nearest_to(search_call<Rows, Index> const& call,
                                                   metric::element_of<Metric> const* vector,
                                                   Trace& trace = untold) {
    return query<Metric, Rows, Index, Trace>(call, vector, trace).run();
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

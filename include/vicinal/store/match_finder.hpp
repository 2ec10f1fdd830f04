// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_MATCH_FINDER_HPP
#define VICINAL_STORE_MATCH_FINDER_HPP

#include <vicinal/payload/filter.hpp>
#include <vicinal/store/filter_cache.hpp>
#include <vicinal/store/planner.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// The matches of one filter: what is known of them, and how to find them. Runs while the caller's
/// reader section is open. Throws std::bad_alloc.
template <class Rows, class Trace>
class match_finder {
public:
    using pointer = filter_cache::pointer;

    /// text: the filter as it was written, by which it is remembered.
    match_finder(Rows const& rows, filter const& where, std::string_view text, filter_cache& cache,
                 Trace& trace) noexcept
        : rows_(rows), where_(where), text_(text), cache_(cache), trace_(trace) {}

    [[nodiscard]] static constexpr filter_costs costs() noexcept {
        return costs_of(decltype(rows_.vectors().reader())::pages);
    }

    /// What an earlier search has found or spent.
    [[nodiscard]] filter_cache::memory recall() {
        auto known = cache_.recall(text_, where_, rows_, trace_);
        if (known.found) {
            trace_.estimated(static_cast<double>(known.found->count()) * live_share(),
                             match_source::cache);
            trace_.found(match_source::cache);
        }
        return known;
    }

    /// What finding the matches costs, and as much of their number as field indexes tell.
    [[nodiscard]] match_estimate prices() const {
        auto const c = costs();
        auto const rows = static_cast<double>(rows_.count());
        match_estimate e{.find = rows * c.payload_in_order};
        if (rows_.fields().empty()) return e;
        auto const known = rows_.fields().estimate(where_);
        auto const covered = static_cast<double>(rows_.fields().covered());
        if (!known.known || covered == 0) return e;
        auto const unknown = rows - covered + static_cast<double>(rows_.changed().size());
        auto const listed = static_cast<double>(known.at_most);
        bool const sure = known.at_least == known.at_most;
        auto const by_index = known.cost_ns + listed * (c.match_listed + (sure ? 0 : c.payload)) +
                              rows * c.row_copied + unknown * c.payload_in_order;
        e.least = static_cast<double>(known.at_least) / rows;
        e.most = (std::min)(1.0, (listed + unknown) / rows);
        e.selectable = by_index < e.find;
        e.find = (std::min)(e.find, by_index);
        e.source = match_source::indexes;
        return e;
    }
    /// The same with a share of matches between these bounds, which a sample tells where they lie
    /// apart.
    [[nodiscard]] match_estimate estimate() {
        auto e = prices();
        auto const rows = static_cast<double>(rows_.count());
        e.share = (e.least + e.most) / 2;
        if (e.most > e.least * 1.5 && e.most * rows > 64) {
            e.share = std::clamp(cache_.sample(rows_)->share_of(where_), e.least, e.most);
            if (e.source == match_source::none) e.source = match_source::sample;
        }
        e.share = (std::max)(e.share, 0.5 / (rows + 1));
        trace_.estimated(e.share * rows * live_share(), e.source);
        return e;
    }

    /// All of them; remembered for the next time.
    [[nodiscard]] pointer find(match_estimate const& e) {
        if (e.selectable)
            if (auto chosen = rows_.fields().select(where_)) {
                auto const ask = filter_cache::asking(where_, rows_, trace_);
                auto found =
                    std::make_shared<matching_slots>(chosen->slots, rows_.fields().covered(), 0);
                if (!chosen->exact) found->reduce(ask);
                if (!found->up_to_date(rows_)) found->look_at_new(rows_, ask);
                trace_.found(match_source::indexes);
                return cache_.keep(text_, rows_, std::move(found));
            }
        trace_.found(match_source::payloads);
        return cache_.evaluate(text_, where_, rows_, trace_);
    }

    /// Remembers that a search had to ask its way.
    void add_spent(double nanoseconds) { cache_.add_spent(text_, rows_.epoch(), nanoseconds); }

    /// The share of rows that are live.
    [[nodiscard]] double live_share() const noexcept {
        return static_cast<double>(rows_.live_count()) /
               static_cast<double>((std::max)(rows_.count(), slot{1}));
    }

private:
    Rows const& rows_;
    filter const& where_;
    std::string_view text_;
    filter_cache& cache_;
    Trace& trace_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

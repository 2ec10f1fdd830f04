// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_SEARCH_CALL_HPP
#define VICINAL_STORE_SEARCH_CALL_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/index/neighbour.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/store/filter_cache.hpp>
#include <vicinal/store/match_finder.hpp>
#include <vicinal/store/options.hpp>

#include <cstddef>

namespace vicinal::inline VICINAL_ABI::detail {

/// Where distances are equal the smaller id comes first.
template <class Rows>
struct earlier_id {
    Rows const* rows;
    [[nodiscard]] bool operator()(slot a, slot b) const noexcept {
        return rows->id(a) < rows->id(b);
    }
};

/// What a search is asked, and of whom: rows and index as a reader sees them, whose section is open
/// as long as this lives. Everything outlives it.
template <class Rows, class Index>
struct search_call {
    Rows const& rows;
    Index const& index;
    std::size_t dim;
    filter const& where;
    search_options const& options;
    filter_cache& filters;

    /// The same with other options.
    [[nodiscard]] search_call with(search_options const& other) const noexcept {
        return {rows, index, dim, where, other, filters};
    }

    /// The matches of the filter.
    template <class Trace>
    [[nodiscard]] match_finder<Rows, Trace> matches(Trace& trace) const noexcept {
        return {rows, where, options.where, filters, trace};
    }

    [[nodiscard]] earlier_id<Rows> by_id() const noexcept { return {&rows}; }

    /// What `best` has found, nearest first, up to the largest distance.
    template <class Nearest>
    [[nodiscard]] index::neighbours take(Nearest& best) const {
        auto found = best.take();
        while (!found.empty() && static_cast<double>(found.back().distance) > options.max_distance)
            found.pop_back();
        return found;
    }
};

template <class Rows, class Index>
search_call(Rows const&, Index const&, std::size_t, filter const&, search_options const&,
            filter_cache&) -> search_call<Rows, Index>;

/// Calls run(keep) with what a scan of these rows without a filter need ask of a slot: nothing
/// where every row is live, else the flags.
template <class Rows, class Run>
auto with_live(Rows const& rows, Run const& run) {
    if (rows.live_count() == rows.count()) return run(index::keep_all{});
    return run(rows.live_slots());
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

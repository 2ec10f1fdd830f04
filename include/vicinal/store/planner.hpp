// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_PLANNER_HPP
#define VICINAL_STORE_PLANNER_HPP

#include <vicinal/core/config.hpp>
#include <vicinal/store/explanation.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

/// Which way a filtered search goes: what each would cost, in nanoseconds, and the rule.
///
/// A filter whose matches are known (an earlier search, a field index) is answered by the index,
/// which scans the matches or walks among them. One that is not known can be asked of the nearest
/// rows that a walk meets, or be evaluated on every row first, which also tells the matches for the
/// next time. A walk that asks is given as much as the other way costs, so that both together cost
/// at most twice the cheaper; what such walks have taken is remembered with the filter, and when
/// they have paid for finding the matches, these are found: again at most twice.
namespace vicinal::inline VICINAL_ABI::detail {

/// Nanoseconds. Measured are payload_in_order in memory (50 to 57, on 1,000,000 records with four
/// fields: "find" of bench/store/planner_bench.cpp), match_scanned (index/hnsw/filter_costs.hpp)
/// and beginning (5 to 10 us, what a search takes there whose few matches are known). The others
/// are chosen: no measurement has them by themselves, and all of storage::file.
struct filter_costs {
    /// A payload evaluated in the order of rows.
    double payload_in_order;
    /// A payload read from its place; a row that a walk meets and asks.
    double payload;
    double row_asked;
    /// The same where the matches are known.
    double row_met = 110;
    /// A match scanned by its code.
    double match_scanned = 15;
    /// What a selection of an index costs beside: a match listed, a row's bit.
    double match_listed = 3;
    double row_copied = 0.02;
    /// A search's beginning.
    double beginning = 10'000;
};

/// pages: whether rows are read from a file through a cache (storage::file).
[[nodiscard]] constexpr filter_costs costs_of(bool pages) noexcept {
    return pages ? filter_costs{.payload_in_order = 120, .payload = 2000, .row_asked = 3000}
                 : filter_costs{.payload_in_order = 53, .payload = 60, .row_asked = 180};
}

/// Nanoseconds of a scan of all rows, 40 bytes of vectors in each, that asks what is nearer than
/// the k-th match so far: k for the first, and then as often as such a one moves.
[[nodiscard]] inline double price_of_scan(filter_costs const& c, std::size_t rows,
                                          std::size_t row_bytes, std::size_t k,
                                          double share) noexcept {
    auto const n = static_cast<double>(rows);
    auto const first = static_cast<double>(k) / (std::max)(share, 1e-9);
    auto const asked = first < n ? (std::min)(n, first * (1 + std::log(n / first))) : n;
    return n * static_cast<double>(row_bytes) / 40 + asked * c.payload_in_order;
}

/// How many records match, as far as is known before the search.
struct match_estimate {
    double share = 1;
    double least = 0;
    double most = 1;
    match_source source = match_source::none;
    /// Whether field indexes can find the matches, and what finding them costs, by these or else by
    /// evaluating the filter on every row.
    bool selectable = false;
    double find = 0;
};

/// What the ways cost for one search.
struct filter_prices {
    /// A walk that asks.
    double walk = 0;
    /// Finding the matches, and the search among them.
    double find = 0;
    double among = 0;

    /// Whether to walk and ask, where so much was spent on such walks before.
    [[nodiscard]] constexpr bool asks(double spent) const noexcept {
        return walk < find + among && (spent < find || walk <= among);
    }
    /// How many rows a walk may ask until it has cost the other way.
    [[nodiscard]] constexpr std::size_t most_asked(filter_costs const& c) const noexcept {
        return 256 + static_cast<std::size_t>((find + among) / c.row_asked);
    }
};

/// asked: how many rows a walk would ask.
[[nodiscard]] constexpr filter_prices prices_of(filter_costs const& c, match_estimate const& e,
                                                std::size_t asked, std::size_t rows) noexcept {
    auto const matching = e.share * static_cast<double>(rows);
    auto const met = static_cast<double>(asked);
    return {c.beginning + met * c.row_asked, e.find,
            (std::min)(matching * c.match_scanned, c.beginning + met * c.row_met)};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_PLANNER_HPP
#define VICINAL_STORE_PLANNER_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/record.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace vicinal::inline VICINAL_ABI::detail {

/// How a query is answered.
enum class plan : std::uint8_t {
    /// Every matching row is compared: exact.
    scan,
    /// The index leads to near rows; what does not match is walked through.
    walk,
};

/// The share of live rows that match, from at most 200 of them; never 0, as a sample can't show
/// that. The slots looked at depend on the count alone, so that the same store plans the same.
template <class Keep>
[[nodiscard]] double estimate_selectivity(slot count, Keep const& keep) {
    constexpr std::uint32_t most = 200;
    auto const looked_at = (std::min)(count, slot{most});
    std::uint32_t matched = 0;
    for (std::uint32_t i = 0; i < looked_at; ++i) {
        auto const s = count <= most ? i : static_cast<slot>(mix(i) % count);
        matched += keep(s) ? 1U : 0U;
    }
    return (matched + 0.5) / (looked_at + 0.5);
}

/// Chooses between scanning the matches and walking the index.
///
/// Costs in units of one distance. Scanning evaluates the filter on each row and compares the
/// matches. A filtered walk goes on until `effort` matches are found, through effort / selectivity
/// rows, and meets about eight neighbours for each that count (an estimate).
[[nodiscard]] inline plan choose_plan(slot count, double selectivity, std::size_t effort) noexcept {
    double const rows = count;
    double const scan = rows + selectivity * rows;
    double const walk = (std::min)(8.0 * static_cast<double>(effort) / selectivity, rows) * 2 * 1.5;
    return scan <= walk ? plan::scan : plan::walk;
}

/// The same where the matches are known and shown as bits, so that neither plan evaluates anything:
/// scanning compares their codes, one behind the other, at some 0.4 of the cost of a distance on a
/// walk. A walk for W nodes computes some 100 + 15 W distances (measured on sift, 32 links).
[[nodiscard]] inline plan choose_known_plan(slot count, std::size_t matching,
                                            std::size_t effort) noexcept {
    double const m = static_cast<double>((std::max)(matching, std::size_t{1}));
    double const nodes = static_cast<double>(effort) * count / m;
    return 0.4 * m <= 100 + 15 * nodes ? plan::scan : plan::walk;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

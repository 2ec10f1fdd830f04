// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_FOLDING_HPP
#define VICINAL_STORE_FOLDING_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>

#include <algorithm>
#include <cstddef>

/// Rows that the log had at opening are not in the index: they are scanned, and folded into it in
/// pieces by the writes that follow, or on a thread that the caller gave.
namespace vicinal::inline VICINAL_ABI::detail {

/// Rows that a write of one takes in beyond its own: some milliseconds' work.
inline constexpr std::size_t least_fold = 16;
/// A piece of the background's work: while it lasts, writers wait.
inline constexpr std::size_t background_fold = 128;

/// Lets the index take in the rows up to `until`. What fails, for want of memory, stays scanned.
template <class Rows, class Index, class Section>
void fold_until(Rows const& rows, Index& index, slot until, Section const& section) {
    static_cast<void>(index.take_in(
        until, [&rows](slot s) { return rows.live(s); }, section));
}

/// After a write of so many rows: takes in as many, and as many again and some of what a replay has
/// left, so that no single write pays for all of that.
template <class Rows, class Index, class Section>
void fold_some(Rows const& rows, Index& index, std::size_t written, Section const& section) {
    auto const most = 2 * written + least_fold;
    auto const left = std::size_t{rows.count()} - (std::min)(index.covered(), rows.count());
    // An index declines rows that are too few for it to begin with.
    for (auto n = most; n < left; n *= 2) {
        fold_until(rows, index, index.covered() + static_cast<slot>(n), section);
        if (index.covered() != 0) return;
    }
    fold_until(rows, index, rows.count(), section);
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

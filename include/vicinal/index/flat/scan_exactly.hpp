// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_SCAN_EXACTLY_HPP
#define VICINAL_INDEX_FLAT_SCAN_EXACTLY_HPP

#include <vicinal/index/flat/slots.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/index/tally.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/simd/row_sums.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <span>

namespace vicinal::inline VICINAL_ABI::index {

/// Scans rows [first, last) for those that `keep` holds for and offers each with its exact
/// distance. The one brute-force routine: the flat index, the fresh tail and the check of an answer
/// run it. (last - first) distances at most; a predicate that shows its bits is asked 64 rows at a
/// time.
template <class Metric, class Reader, class Keep, class Before, class Tally = no_tally>
void scan_exactly(Reader const& rows, slot first, slot last,
                  metric::element_of<Metric> const* query, std::size_t dim, Keep const& keep,
                  nearest<Before>& best, Tally const& tally = {}) {
    using element = metric::element_of<Metric>;
    if (first >= last) return;
    auto const distance = metric::bind_exact<Metric>(query, dim);
    auto const look_at = [&](slot s) {
        tally.vectors(1);
        float const d = distance(reinterpret_cast<element const*>(rows.row(s)));
        if (best.could_enter(d)) best.offer({d, s});
    };
    if constexpr (shows_bits<Keep>) {
        for (slot at = first; at < last; at += 64 - at % 64) {
            auto const shift = at % 64;
            for (auto bits = keep.word(at - shift) >> shift << shift; bits != 0; bits &= bits - 1) {
                auto const s = at - shift + static_cast<slot>(std::countr_zero(bits));
                if (s >= last) return;
                look_at(s);
            }
            if (last - at <= 64 - shift) return;
        }
    } else {
        // Two pages ahead, as the kernels of blocks fetch; not where rows may be passed over.
        auto const bytes = (std::max)(std::size_t{1}, dim * sizeof(element));
        auto const ahead = static_cast<slot>((simd::fetch_ahead + bytes - 1) / bytes);
        for (slot s = first; s < last; ++s) {
            if (std::same_as<Keep, keep_all> && last - s > ahead)
                rows.prefetch(s + ahead, (bytes + 63) / 64);
            if (keep(s)) look_at(s);
        }
    }
}

/// The same for a list of rows, each once.
template <class Metric, class Reader, class Keep, class Before, class Tally = no_tally>
void scan_list(Reader const& rows, std::span<slot const> slots,
               metric::element_of<Metric> const* query, std::size_t dim, Keep const& keep,
               nearest<Before>& best, Tally const& tally = {}) {
    using element = metric::element_of<Metric>;
    constexpr std::size_t ahead = 8;
    auto const distance = metric::bind_exact<Metric>(query, dim);
    auto const lines = (std::min)((dim * sizeof(element) + 63) / 64, std::size_t{16});
    for (std::size_t i = 0; i < slots.size(); ++i) {
        if (i + ahead < slots.size()) rows.prefetch(slots[i + ahead], lines);
        if (!keep(slots[i])) continue;
        tally.vectors(1);
        float const d = distance(reinterpret_cast<element const*>(rows.row(slots[i])));
        if (best.could_enter(d)) best.offer({d, slots[i]});
    }
}

} // namespace vicinal::inline VICINAL_ABI::index

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_SCAN_EXACTLY_HPP
#define VICINAL_INDEX_FLAT_SCAN_EXACTLY_HPP

#include <vicinal/index/nearest.hpp>
#include <vicinal/metric/concept.hpp>

#include <cstddef>

namespace vicinal::inline VICINAL_ABI::index {

/// Scans rows [first, last) for those that `keep` holds for and offers each with its exact
/// distance. The one brute-force routine: the flat index, the fresh tail and the check of an answer
/// run it. (last - first) distances.
template <class Metric, class Reader, class Keep, class Before>
void scan_exactly(Reader const& rows, slot first, slot last,
                  metric::element_of<Metric> const* query, std::size_t dim, Keep const& keep,
                  nearest<Before>& best) {
    using element = metric::element_of<Metric>;
    for (slot s = first; s < last; ++s) {
        if (!keep(s)) continue;
        float const d =
            metric::exact<Metric>(query, reinterpret_cast<element const*>(rows.row(s)), dim);
        if (best.could_enter(d)) best.offer({d, s});
    }
}

} // namespace vicinal::inline VICINAL_ABI::index

#endif

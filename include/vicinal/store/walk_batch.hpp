// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_WALK_BATCH_HPP
#define VICINAL_STORE_WALK_BATCH_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/index/flat.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/store/query.hpp>
#include <vicinal/store/search_call.hpp>
#include <vicinal/store/trace.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Whether an index that is not exact looks for many queries at once.
template <class Index>
concept walks_batches = requires(Index const& index, typename Index::element const* queries,
                                 std::span<index::nearest<>> best) {
    {
        index.search_batch(queries, std::size_t{1}, index::keep_all{}, best, std::size_t{1})
        } -> std::same_as<result<void>>;
};

/// Each of `count` queries without a filter, one behind the other: to each what `query` would give.
/// Runs while the caller's reader section is open, so that all see the same rows.
template <class Metric, class Rows, class Index>
[[nodiscard]] result<std::vector<index::neighbours>>
walk_to_each(search_call<Rows, Index> const& call, metric::element_of<Metric> const* queries,
             std::size_t count) {
    auto const& o = call.options;
    auto const k = (std::min)(o.k, call.rows.live_count());
    std::vector<index::neighbours> found(count);
    if (k == 0) return found;
    using nearest = index::nearest<earlier_id<Rows>>;
    std::vector<nearest> best(count, nearest(k, call.by_id()));
    auto const effort = o.effort != 0 ? o.effort : call.index.effort_for(k, o.recall);
    auto const walked = with_live(call.rows, [&](auto const& keep) -> result<void> {
        VICINAL_CHECK(call.index.search_batch(queries, effort, keep, std::span(best), o.threads));
        for (std::size_t i = 0; i < count; ++i)
            index::scan_exactly<Metric>(call.rows.vectors().reader(), call.index.covered(),
                                        call.rows.count(), queries + i * call.dim, call.dim, keep,
                                        best[i]);
        return {};
    });
    VICINAL_CHECK(walked);
    for (std::size_t i = 0; i < count; ++i) {
        if (best[i].size() == k) {
            found[i] = call.take(best[i]);
            continue;
        }
        // What the index finds too few for goes the way of one query.
        auto one = nearest_to<Metric>(call, queries + i * call.dim, untold);
        VICINAL_CHECK(one);
        found[i] = std::move(*one);
    }
    return found;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

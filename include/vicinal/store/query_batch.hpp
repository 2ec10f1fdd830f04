// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_QUERY_BATCH_HPP
#define VICINAL_STORE_QUERY_BATCH_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/index/concept.hpp>
#include <vicinal/index/flat.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/store/matching_slots.hpp>
#include <vicinal/store/payload_question.hpp>
#include <vicinal/store/search_call.hpp>
#include <vicinal/store/trace.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Whether an index answers many queries at once.
template <class Index>
concept batched = requires {
    requires index::looks_at_all<Index>;
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

    explicit query_batch(search_call<Rows, Index> const& call) noexcept : call_(call) {}

    /// For `count` queries, one behind the other.
    [[nodiscard]] result<std::vector<index::neighbours>> run(element const* queries,
                                                             std::size_t count) const {
        auto const k = (std::min)(call_.options.k, call_.rows.live_count());
        std::vector<index::neighbours> found(count);
        if (k == 0) return found;
        using nearest = index::nearest<earlier_id<Rows>>;
        std::vector<nearest> best(count, nearest(k, call_.by_id()));
        auto const scanned = with_kept(count, [&](auto const& keep) -> result<void> {
            slot tail = 0;
            if (Index::exact || !call_.options.exact) {
                VICINAL_CHECK(
                    call_.index.scan_batch(queries, std::span(best), keep, call_.options.threads));
                tail = call_.index.covered();
            }
            for (std::size_t i = 0; i < count; ++i)
                index::scan_exactly<Metric>(call_.rows.vectors().reader(), tail, call_.rows.count(),
                                            queries + i * call_.dim, call_.dim, keep, best[i]);
            return {};
        });
        VICINAL_CHECK(scanned);
        for (std::size_t i = 0; i < count; ++i) found[i] = call_.take(best[i]);
        return found;
    }

private:
    /// Calls run(keep) with what the scan of `count` queries asks of a slot. They share what
    /// finding the matches costs: where two or more come, all rows are asked once and not each by
    /// each.
    template <class Run>
    auto with_kept(std::size_t count, Run const& run) const {
        if (call_.where.empty()) return with_live(call_.rows, run);
        auto matches = call_.matches(untold);
        auto found = matches.recall().found;
        if (!found && count == 1) return run(payload_question(call_.rows, call_.where, untold));
        if (!found) found = matches.find(matches.estimate());
        return run(live_matches(*found, call_.rows.live_slots(),
                                call_.rows.live_count() == call_.rows.count()));
    }

    search_call<Rows, Index> call_;
};

/// Each of `count` queries, one behind the other. See query_batch.
template <class Metric, class Rows, class Index>
[[nodiscard]] result<std::vector<index::neighbours>>
nearest_to_each(search_call<Rows, Index> const& call, metric::element_of<Metric> const* queries,
                std::size_t count) {
    return query_batch<Metric, Rows, Index>(call).run(queries, count);
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

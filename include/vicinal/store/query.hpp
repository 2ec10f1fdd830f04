// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_QUERY_HPP
#define VICINAL_STORE_QUERY_HPP

#include <vicinal/index/flat.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/store/filter_cache.hpp>
#include <vicinal/store/options.hpp>
#include <vicinal/store/planner.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Where distances are equal the smaller id comes first.
template <class Rows>
struct earlier_id {
    Rows const* rows;
    [[nodiscard]] bool operator()(slot a, slot b) const noexcept {
        return rows->id(a) < rows->id(b);
    }
};

/// Calls run(keep) with what a scan of these rows and this filter need ask of a slot: nothing where
/// every row is live, the flags, or flags and filter.
template <class Rows, class Run>
auto with_matching(Rows const& rows, filter const& where, Run const& run) {
    if (!where.empty())
        return run([&](slot s) { return rows.live(s) && where.matches(rows.payload(s)); });
    if (rows.live_count() == rows.count()) return run(index::keep_all{});
    return run(rows.live_slots());
}

/// One query on its way down: from options to slots with exact distances. Runs while the caller's
/// reader section is open.
template <class Metric, class Rows, class Index>
class query {
public:
    using element = metric::element_of<Metric>;

    query(Rows const& rows, Index const& index, std::size_t dim, element const* vector,
          filter const& where, search_options const& options, filter_cache& filters) noexcept
        : rows_(rows), index_(index), dim_(dim), vector_(vector), where_(where), options_(options),
          filters_(filters) {}

    /// min(k, matching) neighbours, nearest first, ties by id.
    [[nodiscard]] result<index::neighbours> run() const {
        auto const k = (std::min)(options_.k, rows_.live_count());
        if (k == 0) return index::neighbours{};
        auto found = answer(k);
        VICINAL_CHECK(found);
        while (!found->empty() &&
               static_cast<double>(found->back().distance) > options_.max_distance)
            found->pop_back();
        return found;
    }

private:
    using by_id = earlier_id<Rows>;

    [[nodiscard]] result<index::neighbours> answer(std::size_t k) const {
        if constexpr (Index::exact) {
            return scan(k);
        } else {
            if (options_.exact || index_.covered() == 0) return scan(k);
            auto const effort =
                options_.effort != 0 ? options_.effort : index_.effort_for(k, options_.recall);
            if (!where_.empty()) return answer_filtered(k, effort);
            if (rows_.live_count() == rows_.count()) return walk(k, effort, index::keep_all{});
            return answer_among(k, rows_.live_slots(), rows_.live_count());
        }
    }

    /// A filter that was asked before is a bitmap. One that is new is asked on a walk, until it
    /// shows that too few rows match around the query; then all are looked at, which gives the
    /// bitmap.
    [[nodiscard]] result<index::neighbours> answer_filtered(std::size_t k,
                                                            std::size_t effort) const {
        auto found = filters_.matching(options_.where, where_, rows_, false);
        if (!found) {
            index::nearest best(k, by_id{&rows_});
            auto const keep = [this](slot s) { return matches(s); };
            auto const finished =
                index_.search_into(vector_, effort, keep, best, most_met_by_a_walk(rows_.count()));
            VICINAL_CHECK(finished);
            if (*finished) scan_into(best, index_.covered(), keep);
            if (*finished && best.size() == k) return best.take();
            found = filters_.matching(options_.where, where_, rows_, true);
        }
        auto const share =
            static_cast<double>(rows_.live_count()) / static_cast<double>(rows_.count());
        auto const matching = static_cast<std::size_t>(static_cast<double>(found->count) * share);
        live_matches const all(*found, rows_.live_slots(), rows_.live_count() == rows_.count());
        return answer_among((std::min)(k, found->count), all, matching);
    }

    /// Among rows that show their bits, about `matching` of them.
    template <class Keep>
    [[nodiscard]] result<index::neighbours> answer_among(std::size_t k, Keep const& keep,
                                                         std::size_t matching) const {
        index::nearest best(k, by_id{&rows_});
        VICINAL_CHECK(
            index_.search_among(vector_, options_.effort, options_.recall, keep, matching, best));
        scan_into(best, index_.covered(), keep);
        return best.take();
    }

    [[nodiscard]] bool matches(slot s) const noexcept {
        return rows_.live(s) && (where_.empty() || where_.matches(rows_.payload(s)));
    }

    /// By the index itself where it is exact: it may know a shorter way to the same answer.
    [[nodiscard]] result<index::neighbours> scan(std::size_t k) const {
        index::nearest best(k, by_id{&rows_});
        with_matching(rows_, where_, [&](auto const& keep) {
            slot tail = 0;
            if constexpr (requires { index_.scan(vector_, keep, best); }) {
                index_.scan(vector_, keep, best);
                tail = index_.covered();
            }
            scan_into(best, tail, keep);
        });
        return best.take();
    }

    template <class Keep>
    void scan_into(index::nearest<by_id>& best, slot first, Keep const& keep) const {
        index::scan_exactly<Metric>(rows_.vectors().reader(), first, rows_.count(), vector_, dim_,
                                    keep, best);
    }

    /// The index for what it covers, a scan for the fresh tail; a scan of everything if together
    /// they come to fewer than k.
    template <class Keep>
    [[nodiscard]] result<index::neighbours> walk(std::size_t k, std::size_t effort,
                                                 Keep const& keep) const {
        index::nearest best(k, by_id{&rows_});
        VICINAL_CHECK(index_.search_into(vector_, effort, keep, best));
        scan_into(best, index_.covered(), keep);
        if (best.size() < k) return scan(k);
        return best.take();
    }

    Rows const& rows_;
    Index const& index_;
    std::size_t dim_;
    element const* vector_;
    filter const& where_;
    search_options const& options_;
    filter_cache& filters_;
};

/// Whether an index answers many queries at once, exactly.
template <class Index>
concept batched = requires {
    requires Index::exact;
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

    query_batch(Rows const& rows, Index const& index, std::size_t dim, filter const& where,
                search_options const& options) noexcept
        : rows_(rows), index_(index), dim_(dim), where_(where), options_(options) {}

    /// For `count` queries, one behind the other.
    [[nodiscard]] result<std::vector<index::neighbours>> run(element const* queries,
                                                             std::size_t count) const {
        auto const k = (std::min)(options_.k, rows_.live_count());
        std::vector<index::neighbours> found(count);
        if (k == 0) return found;
        using nearest = index::nearest<earlier_id<Rows>>;
        std::vector<nearest> best(count, nearest(k, earlier_id<Rows>{&rows_}));
        auto const scanned = with_matching(rows_, where_, [&](auto const& keep) -> result<void> {
            VICINAL_CHECK(index_.scan_batch(queries, std::span(best), keep, options_.threads));
            for (std::size_t i = 0; i < count; ++i)
                index::scan_exactly<Metric>(rows_.vectors().reader(), index_.covered(),
                                            rows_.count(), queries + i * dim_, dim_, keep, best[i]);
            return {};
        });
        VICINAL_CHECK(scanned);
        for (std::size_t i = 0; i < count; ++i) {
            found[i] = best[i].take();
            while (!found[i].empty() &&
                   static_cast<double>(found[i].back().distance) > options_.max_distance)
                found[i].pop_back();
        }
        return found;
    }

private:
    Rows const& rows_;
    Index const& index_;
    std::size_t dim_;
    filter const& where_;
    search_options const& options_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

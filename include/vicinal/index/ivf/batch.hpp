// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_BATCH_HPP
#define VICINAL_INDEX_IVF_BATCH_HPP

#include <vicinal/cluster/grouped.hpp>
#include <vicinal/index/ivf/list_scan.hpp>
#include <vicinal/index/ivf/nearest_lists.hpp>
#include <vicinal/index/reservoir.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// Many queries before the lists. Each list is read once for all that look at it: for those whose
/// nearest it is first, so that the others know by then what a row must beat.
template <class Metric, class Storage, class Codes>
class batch {
    using view_type = typename Codes::view;
    using scorer = decltype(std::declval<Codes const&>().codec().query(nullptr));
    using scan_type = list_scan<Metric, Storage, scorer, view_type, no_tally>;

public:
    /// Queries that come at once, at most: what one needs is some KB.
    static constexpr std::size_t most = 512;

    /// All must outlive it.
    batch(columns<Storage> const& lists, Codes const& own, std::size_t dim)
        : lists_(lists), codes_(own), state_(lists.get()), view_(own.look(lists, state_)),
          dim_(dim) {}

    /// The best of each of `count` queries, one behind the other, in the `effort` nearest lists:
    /// calls done(query's number, its bound form, codes, what was found, nearest first, how much
    /// was looked at), and before it announce(what was found) for the query behind it.
    template <class Keep, class Announce, class Done>
    void run(float const* queries, std::size_t count, std::size_t effort, std::size_t kept,
             Keep const& keep, Announce const& announce, Done const& done) {
        rank(queries, count, (std::min)(effort, std::size_t{state_.lists}));
        scorers_.reserve(count);
        for (std::size_t q = 0; q < count; ++q) {
            auto const* const query = queries + q * dim_;
            scorers_.push_back(codes_.codec().query(query));
            scans_.emplace_back(lists_, state_, query, dim_, scorers_.back(), view_, codes_.lines(),
                                no_tally{});
            best_.emplace_back(kept);
        }
        met_.resize(count);
        visit(first_, keep);
        visit(later_, keep);
        neighbours found;
        neighbours next = best_.front().take();
        for (std::size_t q = 0; q < count; ++q) {
            found.swap(next);
            if (q + 1 < count) announce(next = best_[q + 1].take());
            done(q, scorers_[q], view_, found, met_[q]);
        }
    }

private:
    /// Which queries look at which lists, and how far they are from the centres.
    struct visits {
        std::vector<std::uint32_t> lists;
        std::vector<std::uint32_t> queries;
        std::vector<float> distances;
    };

    void rank(float const* queries, std::size_t count, std::size_t effort) {
        nearest_lists<Metric> nearest(lists_.centres(state_), state_.lists, dim_);
        for (std::size_t at = 0; at < count; at += nearest.width)
            nearest(queries + at * dim_, (std::min)(nearest.width, count - at), effort,
                    [&](std::size_t q, std::span<neighbour const> near) {
                        for (std::size_t i = 0; i < near.size(); ++i) {
                            auto& to = i == 0 ? first_ : later_;
                            to.lists.push_back(near[i].row);
                            to.queries.push_back(static_cast<std::uint32_t>(at + q));
                            to.distances.push_back(near[i].distance);
                        }
                    });
    }

    template <class Keep>
    void visit(visits const& of, Keep const& keep) {
        cluster::grouped const by_list(of.lists, state_.lists);
        std::vector<std::uint32_t> near;
        for (std::uint32_t l = 0; l < state_.lists; ++l) {
            auto const h = lists_.list(l);
            near.clear();
            for (auto const v : by_list.of(l)) {
                auto const q = of.queries[v];
                ++met_[q].lists;
                if (!scans_[q].too_far(h, of.distances[v], best_[q])) near.push_back(v);
            }
            if (near.empty()) continue;
            if (l + 1 < state_.lists) scans_.front().announce(lists_.list(l + 1));
            lists_.each_block(state_, h, [&](std::uint32_t block, std::uint32_t rows) {
                for (auto const v : near) {
                    auto const q = of.queries[v];
                    scans_[q].one_block(block, rows, of.distances[v], keep, best_[q], met_[q]);
                }
            });
        }
    }

    columns<Storage> const& lists_;
    Codes const& codes_;
    state state_;
    view_type view_;
    std::size_t dim_;
    visits first_;
    visits later_;
    std::vector<scorer> scorers_;
    std::vector<scan_type> scans_;
    std::vector<reservoir> best_;
    std::vector<probed> met_;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

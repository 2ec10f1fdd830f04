// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_CALLS_NEARBY_HPP
#define VICINAL_STORE_CALLS_NEARBY_HPP

#include <vicinal/store/calls/conditions.hpp>
#include <vicinal/store/grouping.hpp>
#include <vicinal/store/likeness.hpp>
#include <vicinal/store/widening.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// What a search within a distance asks for.
struct within_options {
    /// The most hits: the nearest ones.
    std::size_t limit = (std::numeric_limits<std::size_t>::max)();
    // As in search_options.
    std::string where = {};
    double recall = 0.95;
    std::size_t effort = 0;
    bool exact = false;
};

namespace detail {

/// Searches that ask for something else than the k nearest to one vector.
template <class Types>
class nearby_calls : public condition_calls<Types> {
protected:
    using condition_calls<Types>::condition_calls;
    using condition_calls<Types>::engine_;
    using metric_policy = typename Types::metric_type;
    using element = typename Types::scalar_type;

public:
    using typename Types::braces;
    using typename Types::examples;
    using typename Types::group;
    using typename Types::hits;
    using typename Types::vector_parameter;

    /// The nearest records by groups that have a value of a field in common: always
    /// min(groups, existing) of them, in the order of their nearest hits. A record whose field is
    /// an array belongs to the group of each of its distinct elements, as in Qdrant
    /// (https://qdrant.tech/documentation/search/search/); one without a value to none.
    ///
    /// Cost: searches for 64 or twice as many hits as asked for, then four times as many, until the
    /// groups are full; where that takes an eighth of the records, a distance for each match
    /// instead. Errors: as try_search(); invalid_argument (no field, no group, a size of 0).
    [[nodiscard]] result<std::vector<group>> try_search_groups(vector_parameter query,
                                                               group_options const& o) const {
        return guarded([&]() -> result<std::vector<group>> {
            if (o.by.empty() || o.groups == 0 || o.size == 0)
                return error{errc::invalid_argument, "a field, and groups and a size of at least 1",
                             "'" + o.by + "', " + std::to_string(o.groups) + " and " +
                                 std::to_string(o.size)};
            VICINAL_CHECK(check_field<typename Types::payload_policy>(o.by));
            search_options s;
            s.where = o.where;
            s.recall = o.recall;
            s.effort = o.effort;
            s.exact = o.exact;
            s.max_distance = o.max_distance;
            return widen<std::vector<group>>(
                s, query, [&](auto const& rows, auto const& search) -> result<std::vector<group>> {
                    grouping all(rows, o.by, o.groups, o.size);
                    auto const wanted = o.groups > 32 / o.size ? 2 * o.groups * o.size : 64;
                    auto const found =
                        search.until(query.data(), wanted,
                                     [&](index::neighbours const& list) { return all.take(list); });
                    VICINAL_CHECK(found);
                    static_cast<void>(all.take(*found));
                    std::vector<group> groups;
                    groups.reserve(all.list().size());
                    for (auto const& g : all.list())
                        groups.push_back({value_of(g.key.view()), hits_of(rows, g.hits)});
                    return groups;
                });
        });
    }
    [[nodiscard]] result<std::vector<group>> try_search_groups(braces query,
                                                               group_options const& o) const {
        return try_search_groups(vector_parameter(query.begin(), query.size()), o);
    }

    /// Every record up to a distance, inclusive, nearest first, ties by id. Through a graph
    /// `recall` of them.
    ///
    /// Cost: searches for 64 hits, then four times as many, until one is farther; where that takes
    /// an eighth of the records, a distance for each match instead. Errors: as try_search().
    [[nodiscard]] result<hits> try_search_within(vector_parameter query, double distance,
                                                 within_options const& o = {}) const {
        return guarded([&]() -> result<hits> {
            search_options s;
            s.where = o.where;
            s.recall = o.recall;
            s.effort = o.effort;
            s.exact = o.exact;
            s.max_distance = distance;
            return widen<hits>(s, query, [&](auto const& rows, auto const& search) -> result<hits> {
                auto found = search.until(query.data(), 64, [&](index::neighbours const& list) {
                    return list.size() >= o.limit;
                });
                VICINAL_CHECK(found);
                if (found->size() > o.limit) found->resize(o.limit);
                return hits_of(rows, *found);
            });
        });
    }
    [[nodiscard]] result<hits> try_search_within(braces query, double distance,
                                                 within_options const& o = {}) const {
        return try_search_within(vector_parameter(query.begin(), query.size()), distance, o);
    }

    /// The k records most like some examples and unlike others; see like_strategy. Examples that
    /// are given by id are not among the hits. A hit's distance is that to the average, or under
    /// best_score to the nearest positive example, by which hits that a negative one pushes down
    /// are not ordered.
    ///
    /// Cost: average: a search. best_score: a search for four times as many hits from each positive
    /// example, and a distance from each example to each of these hits. Errors: as try_search();
    /// invalid_argument (no positive example), not_found (an id), zero_vector (examples that cancel
    /// each other out), unsupported (an average of elements that are not floating point).
    [[nodiscard]] result<hits> try_search_like(examples const& of,
                                               search_options const& o = {}) const {
        return guarded([&]() -> result<hits> {
            auto const where = read_where<typename Types::payload_policy>(o);
            VICINAL_CHECK(where);
            return engine_->read([&](auto const& rows, auto const& index) -> result<hits> {
                auto const dim = engine_->dim();
                auto const vectors = read_examples<metric_policy>(rows, dim, of);
                VICINAL_CHECK(vectors);
                auto const k = (std::min)(o.k, rows.live_count()) + vectors->rows.size();
                auto wide = o;
                if (of.strategy == like_strategy::best_score)
                    wide.max_distance = std::numeric_limits<double>::infinity();
                auto const search = searching(rows, index, *where, wide);
                auto found = [&]() -> result<index::neighbours> {
                    if (of.strategy == like_strategy::best_score)
                        return best_scores(search, rows, dim, *vectors, k, o);
                    auto const query = average_of<metric_policy>(*vectors, dim);
                    VICINAL_CHECK(query);
                    return search.nearest(query->data(), k);
                }();
                VICINAL_CHECK(found);
                std::erase_if(*found, [&](auto const& n) {
                    return std::binary_search(vectors->rows.begin(), vectors->rows.end(), n.row);
                });
                if (found->size() > o.k) found->resize(o.k);
                return hits_of(rows, *found);
            });
        });
    }

private:
    template <class Rows>
    [[nodiscard]] static hits hits_of(Rows const& rows, index::neighbours const& found) {
        return searches<metric_policy, typename Types::engine_type, typename Types::hit>::hits_of(
            rows, found);
    }

    template <class Rows, class Index>
    [[nodiscard]] widening<metric_policy, Rows, Index>
    searching(Rows const& rows, Index const& index, filter const& where,
              search_options const& o) const {
        return widening<metric_policy, Rows, Index>(
            {rows, index, engine_->dim(), where, o, engine_->filters()});
    }

    /// Checks query and options and calls run(rows, search) as a reader.
    template <class Answer, class Run>
    [[nodiscard]] result<Answer> widen(search_options const& o, vector_parameter query,
                                       Run const& run) const {
        auto const where = read_where<typename Types::payload_policy>(o);
        VICINAL_CHECK(where);
        VICINAL_CHECK(
            check_vector<metric_policy>(query, engine_->dim(), [] { return "the query"; }));
        return engine_->read([&](auto const& rows, auto const& index) -> result<Answer> {
            return run(rows, searching(rows, index, *where, o));
        });
    }
};

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI

#endif

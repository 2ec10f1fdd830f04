// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_SEARCHES_HPP
#define VICINAL_STORE_SEARCHES_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/index/workers.hpp>
#include <vicinal/store/options.hpp>
#include <vicinal/store/query.hpp>
#include <vicinal/store/query_batch.hpp>
#include <vicinal/store/search_call.hpp>
#include <vicinal/store/vector_check.hpp>
#include <vicinal/store/walk_batch.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Searches of one engine with one filter and one set of options, as hits of the store's type.
template <class Metric, class Engine, class Hit>
class searches {
    using scalar = typename Engine::element;
    using hits = std::vector<Hit>;

public:
    /// All three must outlive it.
    searches(Engine& engine, filter const& where, search_options const& o) noexcept
        : engine_(engine), where_(where), options_(o) {}

    [[nodiscard]] result<hits> one(vector_view<scalar> query) const {
        return one(query, untold, [](auto const&, auto const&) {});
    }

    /// The same, which tells the trace what it does and ends with done(rows, index).
    template <class Trace, class Done>
    [[nodiscard]] result<hits> one(vector_view<scalar> query, Trace& trace,
                                   Done const& done) const {
        VICINAL_CHECK(check_vector<Metric>(query, engine_.dim(), [] { return "the query"; }));
        return engine_.read([&](auto const& rows, auto const& index) -> result<hits> {
            auto const found = nearest_to<Metric>(called(rows, index), query.data(), trace);
            VICINAL_CHECK(found);
            trace.phase("hits");
            auto all = hits_of(rows, *found);
            done(rows, index);
            return result<hits>(std::move(all));
        });
    }

    /// Each row of a matrix, together where the index can and else on `options.threads`.
    [[nodiscard]] result<std::vector<hits>> all(matrix_view<scalar> queries) const {
        auto const dim = engine_.dim();
        if (queries.columns() != dim)
            return error{errc::dimension_mismatch, std::to_string(dim) + " columns",
                         std::to_string(queries.columns()) + " for the queries"};
        if (queries.rest() != 0)
            return error{errc::dimension_mismatch,
                         "whole rows of " + std::to_string(dim) + " elements",
                         std::to_string(queries.rest()) + " elements behind the last query"};
        using index_type = typename Engine::index_type;
        if constexpr (batched<index_type>) return together(queries);
        if constexpr (walks_batches<index_type>)
            if (where_.empty() && !options_.exact && queries.rows() > 1) return together(queries);
        std::vector<hits> answers(queries.rows());
        auto const each = [&](std::size_t from, std::size_t to) {
            return guarded([&]() -> result<void> {
                for (auto i = from; i < to; ++i) {
                    auto found = one(queries.row(i));
                    VICINAL_CHECK(found);
                    answers[i] = std::move(*found);
                }
                return {};
            });
        };
        VICINAL_CHECK(index::run_parts(queries.rows(), 1, options_.threads, each));
        return answers;
    }

private:
    template <class Rows, class Index>
    [[nodiscard]] search_call<Rows, Index> called(Rows const& rows,
                                                  Index const& index) const noexcept {
        return {rows, index, engine_.dim(), where_, options_, engine_.filters()};
    }

    template <class Call>
    [[nodiscard]] static result<std::vector<index::neighbours>>
    each_of(Call const& call, matrix_view<scalar> queries) {
        auto const* const first = queries.row(0).data();
        if constexpr (batched<typename Engine::index_type>)
            return nearest_to_each<Metric>(call, first, queries.rows());
        else
            return walk_to_each<Metric>(call, first, queries.rows());
    }

    [[nodiscard]] result<std::vector<hits>> together(matrix_view<scalar> queries) const {
        for (std::size_t i = 0; i < queries.rows(); ++i)
            VICINAL_CHECK(check_vector<Metric>(queries.row(i), engine_.dim(),
                                               [i] { return "query " + std::to_string(i); }));
        std::vector<hits> answers;
        if (queries.rows() == 0) return answers;
        return engine_.read([&](auto const& rows, auto const& index) -> result<std::vector<hits>> {
            auto const found = each_of(called(rows, index), queries);
            VICINAL_CHECK(found);
            answers.reserve(found->size());
            for (auto const& list : *found) answers.push_back(hits_of(rows, list));
            return std::move(answers);
        });
    }

public:
    template <class Rows>
    [[nodiscard]] static hits hits_of(Rows const& rows, index::neighbours const& found) {
        hits out;
        out.reserve(found.size());
        for (auto const& n : found)
            out.push_back({decltype(Hit::id)(rows.id(n.row)), n.distance, rows.estimates()});
        return out;
    }

private:
    Engine& engine_;
    filter const& where_;
    search_options const& options_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

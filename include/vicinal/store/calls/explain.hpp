// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_CALLS_EXPLAIN_HPP
#define VICINAL_STORE_CALLS_EXPLAIN_HPP

#include <vicinal/index/concept.hpp>
#include <vicinal/store/calls/field_indexes.hpp>
#include <vicinal/store/explanation.hpp>
#include <vicinal/store/hints.hpp>
#include <vicinal/store/trace.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// What a store says about itself and its searches.
template <class Types>
class explain_calls : public field_index_calls<Types> {
protected:
    using field_index_calls<Types>::field_index_calls;
    using field_index_calls<Types>::engine_;
    using typename search_calls<Types>::searches;

public:
    using typename Types::braces;
    using typename Types::scalar_type;
    using typename Types::vector_parameter;

    /// An explanation with the hits that the search gave.
    struct explained : vicinal::explanation {
        typename Types::hits hits = {};
    };

    /// What the store holds, and what it has for filters. Looks at no record: microseconds. How
    /// many records each value of a field has, as of a field of namespaces, is facets()' to say.
    /// Throws std::bad_alloc.
    [[nodiscard]] store_stats stats() const {
        auto const filters = engine_->filters().stats();
        return engine_->read([&](auto const& rows, auto const& index) {
            store_stats s;
            s.records = rows.live_count();
            s.indexed_rows = index.covered();
            s.rows = rows.count();
            s.dead = s.rows - s.records;
            s.bytes.vectors = std::uint64_t{s.rows} * rows.vector_bytes();
            s.bytes.codes = std::uint64_t{s.rows} * rows.code_bytes();
            if constexpr (requires { index.link_bytes(); }) {
                s.bytes.links = index.link_bytes();
                s.bytes.codes += index.all_code_bytes();
            }
            if constexpr (requires { index.drift(); }) {
                s.partitions = index.partitions();
                s.drift = index.drift();
            }
            s.bytes.ids = rows.id_bytes();
            s.bytes.payloads =
                rows.payload_bytes() + std::uint64_t{s.rows} * rows.payload_overhead();
            s.field_indexes = rows.fields().stats();
            for (auto const& f : s.field_indexes) s.bytes.field_indexes += f.bytes;
            s.filters = filters;
            if (s.rows > 0) {
                auto const n = static_cast<double>(s.rows);
                s.mean_id = static_cast<double>(s.bytes.ids) / n - rows.id_overhead();
                s.mean_payload =
                    static_cast<double>(rows.payload_bytes() - rows.payload_bytes_left()) / n;
            }
            return s;
        });
    }

    /// The same search as search(), and what it did for its answer: the plan, how many records
    /// match and how many were thought to, distances, payloads and bytes, the time of each step,
    /// and hints; to_string() makes a page of it. Cost: the search, and the filter evaluated on
    /// every record, after the search, to count the matches. Errors: as try_search().
    [[nodiscard]] result<explained> try_explain(vector_parameter query,
                                                search_options const& o = {}) const {
        return guarded([&]() -> result<explained> {
            explained e;
            trace t(e);
            t.phase("parse");
            auto const where = read_where<typename Types::payload_policy>(o);
            VICINAL_CHECK(where);
            auto found = searches(*engine_, *where, o)
                             .one(query, t, [&](auto const& rows, auto const& index) {
                                 describe(e, t, rows, index, *where);
                             });
            VICINAL_CHECK(found);
            e.hits = std::move(*found);
            return e;
        });
    }
    [[nodiscard]] result<explained> try_explain(braces query, search_options const& o = {}) const {
        return try_explain(vector_parameter(query.begin(), query.size()), o);
    }

#if VICINAL_EXCEPTIONS
    [[nodiscard]] explained explain(vector_parameter query, search_options const& o = {}) const {
        return try_explain(query, o).value();
    }
    [[nodiscard]] explained explain(braces query, search_options const& o = {}) const {
        return try_explain(query, o).value();
    }
#endif

private:
    template <class Rows, class Index>
    static void describe(explanation& e, trace& t, Rows const& rows, Index const& index,
                         filter const& where) {
        std::size_t code_bytes = 0;
        if constexpr (requires { index.code_bytes(); }) code_bytes = index.code_bytes();
        t.finish(code_bytes, rows.vectors().row_bytes());
        e.records = rows.live_count();
        e.matching = e.records;
        if (!where.empty()) {
            e.matching = 0;
            for (slot s = 0; s < rows.count(); ++s)
                e.matching += rows.live(s) && where.matches(rows.payload(s)) ? 1U : 0U;
        }
        hint_at_indexes(e, where, rows.fields().stats());
        if constexpr (!index::looks_at_all<Index>)
            hint_at_fresh_rows(e, rows.count(), index.covered());
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

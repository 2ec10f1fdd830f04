// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_CALLS_SEARCHES_HPP
#define VICINAL_STORE_CALLS_SEARCHES_HPP

#include <vicinal/store/calls/payloads.hpp>
#include <vicinal/store/searches.hpp>
#include <vicinal/store/where.hpp>

#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The records nearest to a vector.
template <class Types>
class search_calls : public payload_calls<Types> {
protected:
    using payload_calls<Types>::payload_calls;
    using payload_calls<Types>::engine_;
    using searches = detail::searches<typename Types::metric_type, typename Types::engine_type,
                                      typename Types::hit>;

public:
    using typename Types::braces;
    using typename Types::hits;
    using typename Types::scalar_type;
    using typename Types::vector_parameter;

    /// The k records nearest to the query: always min(k, matching) of them, nearest first, ties by
    /// id.
    ///
    /// Cost: about log(size) x effort distances through a graph; size() where `exact`. Errors:
    /// dimension_mismatch, not_finite, zero_vector, invalid_filter, invalid_argument (a recall that
    /// is none), unsupported (a filter on a payload that has no fields), out_of_memory.
    [[nodiscard]] result<hits> try_search(vector_parameter query,
                                          search_options const& o = {}) const {
        return guarded([&]() -> result<hits> {
            auto const where = read_where<typename Types::payload_policy>(o);
            VICINAL_CHECK(where);
            return searches(*engine_, *where, o).one(query);
        });
    }
    [[nodiscard]] result<hits> try_search(braces query, search_options const& o = {}) const {
        return try_search(vector_parameter(query.begin(), query.size()), o);
    }
    /// The same for each row of a matrix.
    [[nodiscard]] result<std::vector<hits>> try_search(matrix_view<scalar_type> queries,
                                                       search_options const& o = {}) const {
        return guarded([&]() -> result<std::vector<hits>> {
            auto const where = read_where<typename Types::payload_policy>(o);
            VICINAL_CHECK(where);
            return searches(*engine_, *where, o).all(queries);
        });
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_CALLS_THROWING_HPP
#define VICINAL_STORE_CALLS_THROWING_HPP

#include <vicinal/store/calls/nearby.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The calls of a store or of a scope, with a twin `x` for each `try_x` that both have: it throws
/// what the other gives as an error.
template <class Types, class Calls>
class throwing_calls : public Calls {
protected:
    using Calls::Calls;

public:
    using typename Calls::braces;
    using typename Calls::examples;
    using typename Calls::group;
    using typename Calls::hits;
    using typename Calls::id_parameter;
    using typename Calls::page;
    using typename Calls::payload_type;
    using typename Calls::record;
    using typename Calls::vector_parameter;

#if VICINAL_EXCEPTIONS
    void upsert(id_parameter id, vector_parameter vector, payload_type const& payload = {}) {
        this->try_upsert(id, vector, payload).value();
    }
    void upsert(id_parameter id, braces vector, payload_type const& payload = {}) {
        this->try_upsert(id, vector, payload).value();
    }
    template <class Range>
        requires range_of<Range, record>
    void upsert(Range const& records) { this->try_upsert(records).value(); }
    [[nodiscard]] std::optional<record> get(id_parameter id) const {
        return this->try_get(id).value();
    }
    [[nodiscard]] bool contains(id_parameter id) const { return this->try_contains(id).value(); }
    bool erase(id_parameter id) { return this->try_erase(id).value(); }
    std::size_t erase_where(std::string const& where) {
        return this->try_erase_where(where).value();
    }
    void clear() { this->try_clear().value(); }

    bool update_payload(id_parameter id, payload_type const& payload) {
        return this->try_update_payload(id, payload).value();
    }
    bool merge_payload(id_parameter id, vicinal::fields const& some) {
        return this->try_merge_payload(id, some).value();
    }
    template <ids_of<id_parameter> Range>
    std::size_t merge_payload(Range const& ids, vicinal::fields const& some) {
        return this->try_merge_payload(ids, some).value();
    }

    [[nodiscard]] hits search(vector_parameter query, search_options const& o = {}) const {
        return this->try_search(query, o).value();
    }
    [[nodiscard]] hits search(braces query, search_options const& o = {}) const {
        return this->try_search(query, o).value();
    }
    [[nodiscard]] std::vector<hits> search(matrix_view<typename Types::scalar_type> queries,
                                           search_options const& o = {}) const {
        return this->try_search(queries, o).value();
    }
    [[nodiscard]] std::vector<group> search_groups(vector_parameter query,
                                                   group_options const& o) const {
        return this->try_search_groups(query, o).value();
    }
    [[nodiscard]] std::vector<group> search_groups(braces query, group_options const& o) const {
        return search_groups(vector_parameter(query.begin(), query.size()), o);
    }
    [[nodiscard]] hits search_within(vector_parameter query, double distance,
                                     within_options const& o = {}) const {
        return this->try_search_within(query, distance, o).value();
    }
    [[nodiscard]] hits search_within(braces query, double distance,
                                     within_options const& o = {}) const {
        return search_within(vector_parameter(query.begin(), query.size()), distance, o);
    }
    [[nodiscard]] hits search_like(examples const& of, search_options const& o = {}) const {
        return this->try_search_like(of, o).value();
    }

    [[nodiscard]] std::size_t count(std::string const& where = {}) const {
        return this->try_count(where).value();
    }
    [[nodiscard]] page select(select_options const& o = {}) const {
        return this->try_select(o).value();
    }
    [[nodiscard]] std::vector<facet> facets(std::string_view field,
                                            facet_options const& o = {}) const {
        return this->try_facets(field, o).value();
    }
#endif
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

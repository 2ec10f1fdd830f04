// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_CALLS_SCOPES_HPP
#define VICINAL_STORE_CALLS_SCOPES_HPP

#include <vicinal/store/calls/throwing.hpp>
#include <vicinal/store/scope.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

template <class Types>
class scope_calls;

/// The calls of a store_scope that give errors.
template <class Types>
class scope_view {
    using calls = scope_calls<Types>;
    using id_view = typename id_traits<typename Types::id_type>::view;
    using batch = detail::batch<typename Types::metric_type, typename Types::payload_policy,
                                typename Types::id_type>;

public:
    using braces = typename Types::braces;
    using examples = typename Types::examples;
    using group = typename Types::group;
    using hits = typename Types::hits;
    using id_parameter = typename Types::id_parameter;
    using page = typename calls::page;
    using payload_type = typename Types::payload_type;
    using record = typename Types::record;
    using vector_parameter = typename Types::vector_parameter;

    scope_view(calls& store, std::string name, std::string value)
        : store_(&store), scope_(std::move(name), std::move(value)) {}

    /// Errors also: duplicate_id (the id is that of a record outside of the scope),
    /// invalid_argument (the payload has the field with another value).
    result<void> try_upsert(id_parameter id, vector_parameter vector,
                            vicinal::fields const& payload = {}) {
        return guarded([&]() -> result<void> {
            auto const marked = scope_.marked(payload);
            VICINAL_CHECK(marked);
            batch b(store_->dim());
            VICINAL_CHECK(b.add(id, vector, *marked));
            return put(b);
        });
    }
    result<void> try_upsert(id_parameter id, braces vector, vicinal::fields const& payload = {}) {
        return try_upsert(id, vector_parameter(vector.begin(), vector.size()), payload);
    }
    template <class Range>
        requires range_of<Range, record> result<void> try_upsert(Range const& records) {
            return guarded([&]() -> result<void> {
                batch b(store_->dim());
                for (auto const& r : records) {
                    auto const marked = scope_.marked(r.payload);
                    VICINAL_CHECK(marked);
                    VICINAL_CHECK(b.add(r.id, r.vector, *marked));
                }
                VICINAL_CHECK(b.check_ids());
                return put(b);
            });
        }

    [[nodiscard]] result<std::optional<record>> try_get(id_parameter id) const {
        auto found = store_->try_get(id);
        if (found && *found && !scope_.has((*found)->payload)) found->reset();
        return found;
    }
    [[nodiscard]] result<bool> try_contains(id_parameter id) const {
        return store_->engine_->read([&](auto const& rows, auto const&) -> result<bool> {
            auto const s = rows.find(id);
            return s != no_slot && scope_.has(rows.payload(s));
        });
    }
    result<bool> try_erase(id_parameter id) {
        return store_->erase_if(id, [this](auto const& rows, slot s) -> result<bool> {
            return scope_.has(rows.payload(s));
        });
    }
    /// Errors also: invalid_argument (the payload has the field with another value).
    result<bool> try_update_payload(id_parameter id, vicinal::fields const& payload) {
        return guarded([&]() -> result<bool> {
            auto const marked = scope_.marked(payload);
            VICINAL_CHECK(marked);
            return store_->update_if(id, *marked, [this](auto const& rows, slot s) {
                return scope_.has(rows.payload(s));
            });
        });
    }
    /// Errors also: invalid_argument (they set the field to another value).
    result<bool> try_merge_payload(id_parameter id, vicinal::fields const& some) {
        return guarded([&]() -> result<bool> {
            auto const n = merge({id_view(id)}, some);
            VICINAL_CHECK(n);
            return *n != 0;
        });
    }
    template <ids_of<id_parameter> Range>
    result<std::size_t> try_merge_payload(Range const& ids, vicinal::fields const& some) {
        return guarded([&] { return merge(calls::distinct(ids), some); });
    }

    [[nodiscard]] result<hits> try_search(vector_parameter query,
                                          search_options const& o = {}) const {
        return narrowed(o, [&](auto const& own) { return store_->try_search(query, own); });
    }
    [[nodiscard]] result<hits> try_search(braces query, search_options const& o = {}) const {
        return try_search(vector_parameter(query.begin(), query.size()), o);
    }
    [[nodiscard]] result<std::vector<hits>>
    try_search(matrix_view<typename Types::scalar_type> queries,
               search_options const& o = {}) const {
        return narrowed(o, [&](auto const& own) { return store_->try_search(queries, own); });
    }
    [[nodiscard]] result<std::vector<group>> try_search_groups(vector_parameter query,
                                                               group_options const& o) const {
        return narrowed(o, [&](auto const& own) { return store_->try_search_groups(query, own); });
    }
    [[nodiscard]] result<hits> try_search_within(vector_parameter query, double distance,
                                                 within_options const& o = {}) const {
        return narrowed(
            o, [&](auto const& own) { return store_->try_search_within(query, distance, own); });
    }
    /// Examples that are given by id may be any of the store's.
    [[nodiscard]] result<hits> try_search_like(examples const& of,
                                               search_options const& o = {}) const {
        return narrowed(o, [&](auto const& own) { return store_->try_search_like(of, own); });
    }
    [[nodiscard]] result<page> try_select(select_options const& o = {}) const {
        return narrowed(o, [&](auto const& own) { return store_->try_select(own); });
    }
    [[nodiscard]] result<std::vector<facet>> try_facets(std::string_view field,
                                                        facet_options const& o = {}) const {
        return narrowed(o, [&](auto const& own) { return store_->try_facets(field, own); });
    }
    [[nodiscard]] result<std::size_t> try_count(std::string const& where = {}) const {
        return narrowed(where, [&](auto const& own) { return store_->try_count(own); });
    }
    result<std::size_t> try_erase_where(std::string const& where) {
        return narrowed(where, [&](auto const& own) { return store_->try_erase_where(own); });
    }
    /// Removes the scope's records.
    result<void> try_clear() {
        auto const n = try_erase_where({});
        return n ? result<void>() : n.error();
    }

private:
    /// What call(options) gives with the scope's filter in them.
    template <class Options, class Call>
    [[nodiscard]] auto narrowed(Options const& o, Call const& call) const -> decltype(call(o)) {
        return guarded([&]() -> decltype(call(o)) {
            auto const own = scope_.narrowed(o);
            VICINAL_CHECK(own);
            return call(*own);
        });
    }

    result<std::size_t> merge(std::vector<id_view> const& ids, vicinal::fields const& some) {
        auto const marked = scope_.marked(some);
        VICINAL_CHECK(marked);
        return store_->merge_if(
            ids, *marked, [this](auto const& rows, slot s) { return scope_.has(rows.payload(s)); });
    }

    [[nodiscard]] result<void> put(batch& b) {
        auto const entries = b.entries();
        if (entries.empty()) return {};
        return store_->engine_->upsert(entries, [&](auto const& rows) -> result<void> {
            for (auto const& e : entries)
                if (auto const s = rows.find(e.id); s != no_slot && !scope_.has(rows.payload(s)))
                    return error{errc::duplicate_id,
                                 "an id that no record outside of the scope " + scope_.condition() +
                                     " has",
                                 "'" + id_traits<typename Types::id_type>::text(e.id) + "'"};
            return {};
        });
    }

    calls* store_;
    scope_of_records scope_;
};

/// A view of the records of a store that have one text in one field, such as a namespace, with the
/// store's calls: writes put the field into payloads, everything else sees these records alone.
///
/// Ids are the store's: an id that a record outside of the scope has is refused. The store must
/// outlive the view and stay where it is. Threads as the store's. Errors of each call as the
/// store's, and those that are named.
template <class Types>
class store_scope : public throwing_calls<Types, scope_view<Types>> {
    using base = throwing_calls<Types, scope_view<Types>>;

public:
    store_scope(scope_calls<Types>& store, std::string name, std::string value)
        : base(store, std::move(name), std::move(value)) {}

#if VICINAL_EXCEPTIONS
    [[nodiscard]] std::size_t size() const { return this->count(); }
    [[nodiscard]] bool empty() const { return size() == 0; }
#endif
};

/// Views of a part of the records.
template <class Types>
class scope_calls : public throwing_calls<Types, nearby_calls<Types>> {
    using base = throwing_calls<Types, nearby_calls<Types>>;
    friend class scope_view<Types>;

protected:
    using base::base;
    using base::engine_;
    using base::has_fields;

public:
    /// The records whose field of that name (as it stands, dots and all) is that text; see
    /// store_scope. `docs.scope("namespace", "acme")`.
    [[nodiscard]] store_scope<Types> scope(std::string_view name,
                                           std::string_view value) requires(has_fields) {
        return {*this, std::string(name), std::string(value)};
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

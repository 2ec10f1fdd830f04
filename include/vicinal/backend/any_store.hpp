// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_ANY_STORE_HPP
#define VICINAL_BACKEND_ANY_STORE_HPP

#include <vicinal/backend/any_sink.hpp>
#include <vicinal/migrate/store_sides.hpp>
#include <vicinal/payload/as_fields.hpp>
#include <vicinal/store/faceting.hpp>
#include <vicinal/store/options.hpp>
#include <vicinal/store/selecting.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// A store of floats whose policies the program learns at run time. One virtual call a query.
///
/// Ids are text: those of an integer store are its numbers in decimal.
class any_store {
public:
    struct hit {
        std::string id;
        float distance = 0;
        float similarity = 0;
        /// See store::hit.
        bool estimated = false;
    };

    template <float_store S>
    explicit any_store(S store) : store_(std::make_unique<model<S>>(std::move(store))) {}

    [[nodiscard]] std::size_t size() const { return store_->size(); }
    [[nodiscard]] std::size_t dim() const { return store_->dim(); }
    [[nodiscard]] std::string_view metric() const { return store_->metric(); }
    [[nodiscard]] store_stats stats() const { return store_->stats(); }
    [[nodiscard]] result<std::vector<hit>> try_search(vector_view<float> query,
                                                      search_options const& options = {}) const {
        return store_->search(query, options);
    }
    /// What a search did for its answer, and the hits.
    struct explained : explanation {
        std::vector<hit> hits = {};
    };
    [[nodiscard]] result<explained> try_explain(vector_view<float> query,
                                                search_options const& options = {}) const {
        return store_->explain(query, options);
    }
    [[nodiscard]] result<std::optional<record>> try_get(std::string_view id) const {
        return store_->get(id);
    }
    [[nodiscard]] result<std::size_t> try_count(std::string const& where = {}) const {
        return store_->count(where);
    }
    [[nodiscard]] result<selected_page<record>>
    try_select(select_options const& options = {}) const {
        return store_->select(options);
    }
    [[nodiscard]] result<std::vector<facet>> try_facets(std::string_view field,
                                                        facet_options const& options = {}) const {
        return store_->facets(field, options);
    }

    /// Inserts the records or replaces those of the same ids: all or none.
    [[nodiscard]] result<void> try_upsert(std::span<record const> batch) {
        return store_->upsert(batch);
    }
    /// Gives a record another payload; false where there is none of that id. Errors: also
    /// unsupported (a store without fields).
    [[nodiscard]] result<bool> try_update_payload(std::string_view id, fields const& payload) {
        return store_->update_payload(id, payload);
    }
    /// Removes all that match; how many.
    [[nodiscard]] result<std::size_t> try_erase_where(std::string const& where) {
        return store_->erase_where(where);
    }
    /// Whether there was a record of that id.
    [[nodiscard]] result<bool> try_erase(std::string_view id) { return store_->erase(id); }

    /// Looks at all that the store has: files, records, index. Damage is in the report.
    [[nodiscard]] result<verify_report> try_verify() const { return store_->verify(); }

    /// The store as either side of a migration; the store must outlive it.
    [[nodiscard]] any_source source() const { return store_->source(); }
    [[nodiscard]] any_sink sink() { return store_->sink(); }

#if VICINAL_EXCEPTIONS
    [[nodiscard]] std::vector<hit> search(vector_view<float> query,
                                          search_options const& options = {}) const {
        return try_search(query, options).value();
    }
    [[nodiscard]] explained explain(vector_view<float> query,
                                    search_options const& options = {}) const {
        return try_explain(query, options).value();
    }
    [[nodiscard]] std::optional<record> get(std::string_view id) const {
        return try_get(id).value();
    }
    [[nodiscard]] verify_report verify() const { return try_verify().value(); }
#endif

private:
    struct interface {
        interface() = default;
        interface(interface const&) = delete;
        interface& operator=(interface const&) = delete;
        virtual ~interface() = default;
        virtual std::size_t size() const = 0;
        virtual std::size_t dim() const = 0;
        virtual std::string_view metric() const = 0;
        virtual store_stats stats() const = 0;
        virtual result<std::vector<hit>> search(vector_view<float>,
                                                search_options const&) const = 0;
        virtual result<explained> explain(vector_view<float>, search_options const&) const = 0;
        virtual result<std::optional<record>> get(std::string_view) const = 0;
        virtual result<std::size_t> count(std::string const&) const = 0;
        virtual result<selected_page<record>> select(select_options const&) const = 0;
        virtual result<std::vector<facet>> facets(std::string_view, facet_options const&) const = 0;
        virtual result<bool> update_payload(std::string_view, fields const&) = 0;
        virtual result<std::size_t> erase_where(std::string const&) = 0;
        virtual result<void> upsert(std::span<record const>) = 0;
        virtual result<bool> erase(std::string_view) = 0;
        virtual result<verify_report> verify() const = 0;
        virtual any_source source() const = 0;
        virtual any_sink sink() = 0;
    };
    template <class S>
    struct model final : interface {
        using traits = detail::id_traits<typename S::id_type>;

        explicit model(S s) : store(std::move(s)) {}
        std::size_t size() const override { return store.size(); }
        std::size_t dim() const override { return store.dim(); }
        std::string_view metric() const override {
            return metric::name_of<typename S::metric_type>();
        }
        store_stats stats() const override { return store.stats(); }
        result<std::vector<hit>> search(vector_view<float> query,
                                        search_options const& o) const override {
            auto found = store.try_search(query, o);
            VICINAL_CHECK(found);
            return with_text_ids(*found);
        }
        result<explained> explain(vector_view<float> query,
                                  search_options const& o) const override {
            auto found = store.try_explain(query, o);
            VICINAL_CHECK(found);
            explanation& what = *found;
            return explained{std::move(what), with_text_ids(found->hits)};
        }
        static std::vector<hit> with_text_ids(typename S::hits const& found) {
            std::vector<hit> hits;
            hits.reserve(found.size());
            for (auto const& h : found)
                hits.push_back({traits::text(h.id), h.distance, h.similarity(), h.estimated});
            return hits;
        }
        result<std::optional<record>> get(std::string_view id) const override {
            auto key = traits::from_text(id);
            VICINAL_CHECK(key);
            auto found = store.try_get(*key);
            VICINAL_CHECK(found);
            if (!*found) return std::optional<record>();
            auto r = carried(std::move(**found));
            VICINAL_CHECK(r);
            return std::optional<record>(std::move(*r));
        }
        result<std::size_t> count(std::string const& where) const override {
            return store.try_count(where);
        }
        result<selected_page<record>> select(select_options const& o) const override {
            auto found = store.try_select(o);
            VICINAL_CHECK(found);
            selected_page<record> page{{}, std::move(found->next)};
            page.records.reserve(found->records.size());
            for (auto& one : found->records) {
                auto r = carried(std::move(one));
                VICINAL_CHECK(r);
                page.records.push_back(std::move(*r));
            }
            return page;
        }
        result<std::vector<facet>> facets(std::string_view field,
                                          facet_options const& o) const override {
            return store.try_facets(field, o);
        }
        result<bool> update_payload(std::string_view id, fields const& all) override {
            if constexpr (payload::made_of_fields<typename S::payload_policy>) {
                auto key = traits::from_text(id);
                VICINAL_CHECK(key);
                auto const as_own = payload::from_fields<typename S::payload_policy>(all);
                VICINAL_CHECK(as_own);
                return store.try_update_payload(*key, *as_own);
            } else {
                return error{errc::unsupported, "a store with fields", "another payload"};
            }
        }
        result<std::size_t> erase_where(std::string const& where) override {
            return store.try_erase_where(where);
        }
        result<void> upsert(std::span<record const> batch) override {
            return store_sink<S>(store).write(batch);
        }
        result<bool> erase(std::string_view id) override {
            auto key = traits::from_text(id);
            VICINAL_CHECK(key);
            return store.try_erase(*key);
        }
        result<verify_report> verify() const override { return store.try_verify(); }
        any_source source() const override { return any_source(store_source<S>(store)); }
        any_sink sink() override { return any_sink(store_sink<S>(store)); }
        /// With its id as text and its payload as fields.
        static result<record> carried(typename S::record&& r) {
            record out{traits::text(r.id), std::move(r.vector), {}};
            if constexpr (payload::made_of_fields<typename S::payload_policy>) {
                auto all = payload::as_fields<typename S::payload_policy>(std::move(r.payload));
                VICINAL_CHECK(all);
                out.payload = std::move(*all);
            }
            return out;
        }
        S store;
    };

    std::unique_ptr<interface> store_;
};

} // namespace vicinal::inline VICINAL_ABI

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_VICINAL_SCHEME_HPP
#define VICINAL_BACKEND_VICINAL_SCHEME_HPP

#include <vicinal/backend/registry.hpp>
#include <vicinal/storage/mmap.hpp>
#include <vicinal/store/identity.hpp>

#include <charconv>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// "vicinal:DIR?index=hnsw&metric=cosine&dim=384": a durable store. One that is there names its own
/// policies, and parameters may only agree with it; a new one takes metric and dimension from what
/// comes in where the URI names none, and `hnsw` for its index.
namespace vicinal::inline VICINAL_ABI::backend {

namespace detail {

/// Opens a directory as the one of the listed store types that it says it is.
template <class... Stores>
class store_opener {
public:
    /// The parameters of a store to be made, as properties.
    struct wish {
        std::string metric;
        std::string index;
        std::size_t dim = 0;
    };

    [[nodiscard]] static result<wish> read_parameters(uri const& u) {
        VICINAL_CHECK(u.only({"metric", "index", "dim"}));
        wish w{u.get("metric"), u.get("index"), 0};
        if (auto const* dim = u.find("dim")) {
            auto const end = dim->data() + dim->size();
            auto const [at, problem] = std::from_chars(dim->data(), end, w.dim);
            if (problem != std::errc{} || at != end || w.dim == 0)
                return error{errc::invalid_uri, "dim=NUMBER", "'dim=" + *dim + "'"};
        }
        return w;
    }

    /// What the directory says of itself; nothing where there is no store yet.
    [[nodiscard]] static result<std::optional<storage::properties>> look(std::string const& path) {
        auto found = storage::mmap::space::inspect(path);
        if (found) return std::optional(found->properties);
        if (found.error().code() == errc::not_found) return std::optional<storage::properties>();
        return found.error();
    }

    /// Opens or makes it, and hands the store to `use`, which returns a result.
    template <class Result, class Use>
    [[nodiscard]] static Result open(std::string const& path, wish const& w, bool read_only,
                                     Use const& use) {
        std::optional<Result> out;
        (try_one<Stores>(path, w, read_only, use, out) || ...);
        if (out) return std::move(*out);
        return error{errc::unsupported, "one of the store types of this program: " + types(),
                     "metric " + w.metric + ", index " + w.index};
    }

private:
    template <class Store>
    [[nodiscard]] static storage::properties types_of(std::size_t dim) {
        return vicinal::detail::describe_types<
            typename Store::metric_type, typename Store::index_policy,
            typename Store::payload_policy, typename Store::id_type>(dim);
    }

    template <class Store, class Use, class Result>
    [[nodiscard]] static bool try_one(std::string const& path, wish const& w, bool read_only,
                                      Use const& use, std::optional<Result>& out) {
        auto const types = types_of<Store>(w.dim);
        if (*types.find("metric") != w.metric || *types.find("index") != w.index) return false;
        typename Store::options o;
        o.dim = w.dim;
        o.read_only = read_only;
        auto store = Store::try_open(path, o);
        if (!store)
            out.emplace(store.error());
        else
            out.emplace(use(std::move(*store)));
        return true;
    }

    [[nodiscard]] static std::string types() {
        std::string list;
        auto const add = [&list](storage::properties const& p) {
            list.append(list.empty() ? "" : ", ");
            list.append(*p.find("metric")).append(" ").append(*p.find("index"));
        };
        (add(types_of<Stores>(0)), ...);
        return list;
    }
};

/// A store that owns itself while a sink is written.
template <class Store>
class owning_sink {
public:
    explicit owning_sink(Store s) : store_(std::make_unique<Store>(std::move(s))), sink_(*store_) {}

    [[nodiscard]] result<void> begin(schema const& s) { return sink_.begin(s); }
    [[nodiscard]] result<void> resume(schema const& s) { return sink_.resume(s); }
    [[nodiscard]] result<bool> holds(record const& r) { return sink_.holds(r); }
    [[nodiscard]] result<std::uint64_t> count() { return sink_.count(); }
    [[nodiscard]] std::vector<std::string> losses(schema const& s) const { return sink_.losses(s); }
    [[nodiscard]] result<void> write(std::span<record const> batch) { return sink_.write(batch); }
    [[nodiscard]] result<void> finish() { return sink_.finish(); }
    [[nodiscard]] auto reopen() { return sink_.reopen(); }

private:
    std::unique_ptr<Store> store_;
    store_sink<Store> sink_;
};

} // namespace detail

/// The scheme for the store types that the program lists; all durable.
template <float_store... Stores>
[[nodiscard]] scheme vicinal_scheme() {
    using opener = detail::store_opener<Stores...>;

    // A directory that is there fills in what the URI left open; what it named must agree, which
    // opening checks.
    auto const settle = [](uri const& u, typename opener::wish& w) -> result<bool> {
        auto const found = opener::look(u.path());
        VICINAL_CHECK(found);
        if (!*found) return false;
        auto const take = [&](std::string& wanted, std::string_view name,
                              errc code) -> result<void> {
            auto const* is = (**found).find(name);
            if (is && wanted.empty()) wanted = *is;
            if (is && wanted == *is) return {};
            return error{code, std::string(name) + " " + wanted,
                         is ? "a store with " + *is : "a store that names none"};
        };
        VICINAL_CHECK(take(w.metric, "metric", errc::metric_mismatch));
        VICINAL_CHECK(take(w.index, "index", errc::index_mismatch));
        return true;
    };

    scheme s;
    s.store = [settle](uri const& u, bool read_only) -> result<any_store> {
        auto w = opener::read_parameters(u);
        VICINAL_CHECK(w);
        auto const there = settle(u, *w);
        VICINAL_CHECK(there);
        if (!*there) return error{errc::not_found, "a store at '" + u.path() + "'", "none"};
        return opener::template open<result<any_store>>(
            u.path(), *w, read_only, [](auto store) { return any_store(std::move(store)); });
    };
    s.source = [settle](uri const& u) -> result<any_source> {
        auto w = opener::read_parameters(u);
        VICINAL_CHECK(w);
        auto const there = settle(u, *w);
        VICINAL_CHECK(there);
        if (!*there) return error{errc::not_found, "a store at '" + u.path() + "'", "none"};
        return opener::template open<result<any_source>>(u.path(), *w, true, [](auto store) {
            using type = decltype(store);
            return any_source(store_source<type>(std::make_unique<type>(std::move(store))));
        });
    };
    s.sink = [settle](uri const& u, schema const& incoming) -> result<any_sink> {
        auto w = opener::read_parameters(u);
        VICINAL_CHECK(w);
        auto const there = settle(u, *w);
        VICINAL_CHECK(there);
        if (!*there) {
            if (w->metric.empty()) w->metric = incoming.metric;
            if (w->index.empty()) w->index = "hnsw";
            if (w->dim == 0) w->dim = incoming.dim;
            if (w->metric.empty())
                return error{errc::invalid_uri,
                             "metric=squared_l2, inner_product or cosine for the new store, as the "
                             "source names none",
                             "'" + u.scheme() + ":" + u.path() + "'"};
        }
        return opener::template open<result<any_sink>>(u.path(), *w, false, [](auto store) {
            return any_sink(detail::owning_sink<decltype(store)>(std::move(store)));
        });
    };
    return s;
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

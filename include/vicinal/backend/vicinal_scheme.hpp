// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_VICINAL_SCHEME_HPP
#define VICINAL_BACKEND_VICINAL_SCHEME_HPP

#include <vicinal/core/config.hpp>

#if VICINAL_HAS_FILES

#    include <vicinal/backend/registry.hpp>
#    include <vicinal/index/flat.hpp>
#    include <vicinal/storage/memory.hpp>
#    include <vicinal/storage/mmap.hpp>
#    include <vicinal/store/identity.hpp>

#    include <charconv>
#    include <cstddef>
#    include <memory>
#    include <optional>
#    include <span>
#    include <string>
#    include <string_view>
#    include <type_traits>
#    include <utility>
#    include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// A store in memory that takes the same records.
template <class Store>
struct in_memory;
template <class Metric, class Index, class Storage, class Payload, class Id>
struct in_memory<store<Metric, Index, Storage, Payload, Id>> {
    using type = store<Metric, index::flat<>, storage::memory, Payload, Id>;
};

/// Opens a directory as the one of the listed store types that it says it is.
template <class... Stores>
class store_opener {
public:
    /// What the parameters ask for, and what the directory says of itself where it is there.
    struct wish {
        std::string metric;
        std::string index;
        std::size_t dim = 0;
        std::optional<storage::properties> there = {};
    };

    [[nodiscard]] static result<wish> read_parameters(backend::uri const& u) {
        VICINAL_CHECK(u.only({"metric", "index", "dim"}));
        wish w{u.get("metric"), u.get("index")};
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
        auto const one = [&]<class Store>(std::type_identity<Store>) {
            if (!matches<Store>(w)) return false;
            typename Store::options o;
            o.dim = w.dim;
            o.read_only = read_only;
            auto store = Store::try_open(path, o);
            out.emplace(store ? use(std::move(*store)) : Result(store.error()));
            return true;
        };
        return (one(std::type_identity<Stores>()) || ...) ? std::move(*out) : none_matches(w);
    }

    /// As `open` for a store that is not there yet, but in memory.
    template <class Result, class Use>
    [[nodiscard]] static Result imitate(wish const& w, Use const& use) {
        std::optional<Result> out;
        auto const one = [&]<class Store>(std::type_identity<Store>) {
            if (!matches<Store>(w)) return false;
            typename in_memory<Store>::type::options o;
            o.dim = w.dim;
            auto store = in_memory<Store>::type::try_open(o);
            out.emplace(store ? use(std::move(*store)) : Result(store.error()));
            return true;
        };
        return (one(std::type_identity<Stores>()) || ...) ? std::move(*out) : none_matches(w);
    }

private:
    template <class Store>
    [[nodiscard]] static storage::properties types_of(std::size_t dim) {
        return describe_types<typename Store::metric_type, typename Store::index_policy,
                              typename Store::payload_policy, typename Store::id_type>(dim);
    }

    template <class Store>
    [[nodiscard]] static bool matches(wish const& w) {
        auto const types = types_of<Store>(0);
        if (w.there) return static_cast<bool>(check_types(types, *w.there));
        return *types.find("metric") == w.metric && *types.find("index") == w.index;
    }

    /// The types in words, as in "cosine hnsw (f32) with fields and string ids".
    [[nodiscard]] static std::string in_words(storage::properties const& p) {
        auto const get = [&p](std::string_view name) {
            auto const* v = p.find(name);
            return v ? *v : std::string("?");
        };
        return get("metric") + " " + get("index") + " (" + get("codec") + ") with payload " +
               get("payload") + " and " + get("id") + " ids";
    }

    [[nodiscard]] static error none_matches(wish const& w) {
        std::string list;
        auto const add = [&list](storage::properties const& p) {
            list.append(list.empty() ? "" : ", ").append(in_words(p));
        };
        (add(types_of<Stores>(0)), ...);
        return error{errc::unsupported, "one of the store types of this program: " + list,
                     w.there ? in_words(*w.there) : "metric " + w.metric + ", index " + w.index};
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
    [[nodiscard]] sink_traits traits() const { return sink_.traits(); }
    [[nodiscard]] std::string token_path() const { return sink_.token_path(); }
    [[nodiscard]] result<void> check(schema const& s) { return sink_.check(s); }
    [[nodiscard]] result<void> check(std::span<record const> batch) { return sink_.check(batch); }
    [[nodiscard]] result<std::uint64_t> count() { return sink_.count(); }
    [[nodiscard]] std::vector<std::string> losses(schema const& s) const { return sink_.losses(s); }
    [[nodiscard]] result<void> write(std::span<record const> batch) { return sink_.write(batch); }
    [[nodiscard]] result<void> finish() { return sink_.finish(); }
    [[nodiscard]] auto reopen() { return sink_.reopen(); }

private:
    std::unique_ptr<Store> store_;
    store_sink<Store> sink_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

/// "vicinal:DIR?index=hnsw&metric=cosine&dim=384": a durable store. One that is there names its own
/// policies, and parameters may only agree with it; a new one takes metric and dimension from what
/// comes in where the URI names none, and `hnsw` for its index.
namespace vicinal::inline VICINAL_ABI::backend {

/// The scheme for the store types that the program lists; all durable.
template <float_store... Stores>
[[nodiscard]] scheme vicinal_scheme() {
    using opener = detail::store_opener<Stores...>;

    // A directory that is there fills in what the URI left open; what it named must agree, which
    // opening checks.
    auto const settle = [](uri const& u) -> result<typename opener::wish> {
        auto w = opener::read_parameters(u);
        VICINAL_CHECK(w);
        auto found = opener::look(u.path());
        VICINAL_CHECK(found);
        w->there = std::move(*found);
        if (!w->there) return w;
        auto const take = [&](std::string& wanted, std::string_view name,
                              errc code) -> result<void> {
            auto const* is = w->there->find(name);
            if (is && wanted.empty()) wanted = *is;
            if (is && wanted == *is) return {};
            return error{code, std::string(name) + " " + wanted,
                         is ? "a store with " + *is : "a store that names none"};
        };
        VICINAL_CHECK(take(w->metric, "metric", errc::metric_mismatch));
        VICINAL_CHECK(take(w->index, "index", errc::index_mismatch));
        return w;
    };
    auto const settle_present = [settle](uri const& u) -> result<typename opener::wish> {
        auto w = settle(u);
        if (w && !w->there) return error{errc::not_found, "a store at '" + u.path() + "'", "none"};
        return w;
    };
    auto const settle_sink = [settle](uri const& u,
                                      schema const& incoming) -> result<typename opener::wish> {
        auto w = settle(u);
        VICINAL_CHECK(w);
        if (w->there) return w;
        if (w->metric.empty()) w->metric = incoming.metric;
        if (w->index.empty()) w->index = "hnsw";
        if (w->dim == 0) w->dim = incoming.dim;
        auto const place = "'" + u.scheme() + ":" + u.path() + "'";
        if (w->metric.empty())
            return error{errc::invalid_uri,
                         "metric=squared_l2, inner_product or cosine for the new store, as the "
                         "source names none",
                         place};
        if (w->dim == 0)
            return error{errc::invalid_uri,
                         "dim=NUMBER for the new store, as the source has no record to tell it",
                         place};
        return w;
    };

    scheme s;
    s.recognise = [](glimpse const& g) -> std::optional<guess> {
        auto const snapshot = std::any_of(g.entries.begin(), g.entries.end(), [](auto const& name) {
            return name.starts_with("snap-") && name.ends_with(".vic");
        });
        if (g.directory && snapshot)
            return guess{"vicinal:" + escaped_path(g.path), "a vicinal store", 100};
        if (g.head.starts_with("\x89VIC\r\n\x1a\n"))
            return guess{"vicinal:" + escaped_path(g.path), "one snapshot of a vicinal store", 100};
        return {};
    };
    s.store = [settle_present](uri const& u, bool read_only) -> result<any_store> {
        auto const w = settle_present(u);
        VICINAL_CHECK(w);
        return opener::template open<result<any_store>>(
            u.path(), *w, read_only,
            [](auto store) -> result<any_store> { return any_store(std::move(store)); });
    };
    s.source = [settle_present](uri const& u) -> result<any_source> {
        auto const w = settle_present(u);
        VICINAL_CHECK(w);
        return opener::template open<result<any_source>>(
            u.path(), *w, true, [](auto store) -> result<any_source> {
                using type = decltype(store);
                return any_source(store_source<type>(std::make_unique<type>(std::move(store))));
            });
    };
    auto const to_sink = [](auto store) -> result<any_sink> {
        return any_sink(detail::owning_sink<decltype(store)>(std::move(store)));
    };
    s.sink = [settle_sink, to_sink](uri const& u, schema const& incoming) -> result<any_sink> {
        auto const w = settle_sink(u, incoming);
        VICINAL_CHECK(w);
        return opener::template open<result<any_sink>>(u.path(), *w, false, to_sink);
    };
    s.dry_sink = [settle_sink, to_sink](uri const& u, schema const& incoming) -> result<any_sink> {
        auto const w = settle_sink(u, incoming);
        VICINAL_CHECK(w);
        if (w->there) return opener::template open<result<any_sink>>(u.path(), *w, true, to_sink);
        return opener::template imitate<result<any_sink>>(*w, to_sink);
    };
    return s;
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_STORE_KIND_HPP
#define VICINAL_BACKEND_STORE_KIND_HPP

#include <vicinal/core/config.hpp>

#if VICINAL_HAS_FILES

#    include <vicinal/backend/any_store.hpp>
#    include <vicinal/index/flat.hpp>
#    include <vicinal/storage/memory.hpp>
#    include <vicinal/store/identity.hpp>

#    include <cstddef>
#    include <memory>
#    include <optional>
#    include <span>
#    include <string>
#    include <utility>
#    include <vector>

namespace vicinal::inline VICINAL_ABI {

namespace detail {

/// A store in memory that takes the same records.
template <class Store>
struct in_memory;
template <class Metric, class Index, class Storage, class Payload, class Id>
struct in_memory<store<Metric, Index, Storage, Payload, Id>> {
    using type = store<Metric, index::flat<>, storage::memory, Payload, Id>;
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

/// Opens the directory, or makes it.
template <class Store, class Wish>
[[nodiscard]] result<Store> open_as(std::string const& path, Wish const& w, bool read_only) {
    typename Store::options o;
    o.dim = w.dim;
    o.read_only = read_only;
    if constexpr (requires { o.index.num_partitions; }) o.index.num_partitions = w.num_partitions;
    return Store::try_open(path, o);
}

} // namespace detail

namespace backend {

/// What is asked of a store that is made or opened by its kind.
struct store_wish {
    std::string metric;
    std::string index;
    /// Empty for the program's first of that metric and index.
    std::string codec = {};
    std::size_t dim = 0;
    /// Lists of an inverted index that is made; 0 for as many as suit the rows.
    std::size_t num_partitions = 0;
    /// What the directory says of itself where it is there.
    std::optional<storage::properties> there = {};
};

/// A durable store type as a value: how stores of it are opened. Compiled where store_kind_of names
/// it, so that a program with many may spread them over its source files.
struct store_kind {
    /// As the files of such a store name them; dim is 0.
    storage::properties types;
    /// Whether its index has lists, of which a wish may say how many.
    bool partitioned = false;
    result<any_store> (*open)(std::string const& path, store_wish const& w, bool read_only);
    result<any_source> (*source)(std::string const& path, store_wish const& w);
    result<any_sink> (*sink)(std::string const& path, store_wish const& w, bool read_only);
    /// A sink into a store in memory that takes the same records.
    result<any_sink> (*imitate)(store_wish const& w);

    /// Whether it is what the wish, or the directory that is there, names.
    [[nodiscard]] bool fits(store_wish const& w) const {
        if (w.there) return static_cast<bool>(detail::check_types(types, *w.there));
        return *types.find("metric") == w.metric && *types.find("index") == w.index &&
               (w.codec.empty() || *types.find("codec") == w.codec);
    }
};

/// The kind of a store type.
template <float_store Store>
[[nodiscard]] store_kind store_kind_of() {
    using memory_store = typename detail::in_memory<Store>::type;
    store_kind k;
    k.types = detail::describe_types<typename Store::metric_type, typename Store::index_policy,
                                     typename Store::payload_policy, typename Store::id_type>(0);
    k.partitioned = requires(typename Store::options o) { o.index.num_partitions; };
    k.open = [](std::string const& path, store_wish const& w, bool read_only) -> result<any_store> {
        auto s = detail::open_as<Store>(path, w, read_only);
        VICINAL_CHECK(s);
        return any_store(std::move(*s));
    };
    k.source = [](std::string const& path, store_wish const& w) -> result<any_source> {
        auto s = detail::open_as<Store>(path, w, true);
        VICINAL_CHECK(s);
        return any_source(store_source<Store>(std::make_unique<Store>(std::move(*s))));
    };
    k.sink = [](std::string const& path, store_wish const& w, bool read_only) -> result<any_sink> {
        auto s = detail::open_as<Store>(path, w, read_only);
        VICINAL_CHECK(s);
        return any_sink(detail::owning_sink<Store>(std::move(*s)));
    };
    k.imitate = [](store_wish const& w) -> result<any_sink> {
        typename memory_store::options o;
        o.dim = w.dim;
        auto s = memory_store::try_open(o);
        VICINAL_CHECK(s);
        return any_sink(detail::owning_sink<memory_store>(std::move(*s)));
    };
    return k;
}

} // namespace backend

} // namespace vicinal::inline VICINAL_ABI

#endif

#endif

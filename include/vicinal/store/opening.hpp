// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_OPENING_HPP
#define VICINAL_STORE_OPENING_HPP

#include <vicinal/simd/check.hpp>
#include <vicinal/storage/open_options.hpp>
#include <vicinal/store/engine.hpp>
#include <vicinal/store/options.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// Where a durable store was opened, and how; nothing for one in memory.
template <bool Durable, class Options>
struct origin {};
template <class Options>
struct origin<true, Options> {
    std::string path;
    Options how;
};

[[nodiscard]] inline result<void> check_dim(std::size_t dim) {
    if (dim >= 1 && dim <= 65536) return {};
    return error{errc::invalid_argument, "a dimension from 1 to 65536", std::to_string(dim)};
}

/// What the options say to the index: its links are made on the threads that the store may use.
template <class Index>
[[nodiscard]] typename Index::options index_options(store_options<Index> const& o) {
    auto index = o.index;
    if constexpr (requires { index.threads; }) index.threads = (std::max)(index.threads, o.threads);
    return index;
}

/// Opens the engine of a store in memory.
template <class Engine, class Index>
[[nodiscard]] result<std::unique_ptr<Engine>> open_engine(store_options<Index> const& o,
                                                          typename Engine::space space) {
    VICINAL_CHECK(simd::check());
    VICINAL_CHECK(Index::check(o.index));
    VICINAL_CHECK(check_dim(o.dim));
    return Engine::open(std::move(space), o.dim, index_options(o));
}

/// Opens the engine of a space that was filled from files: their types must be those of the
/// program.
template <class Engine, class Metric, class Index, class Payload, class Id>
[[nodiscard]] result<std::unique_ptr<Engine>> open_filled(store_options<Index> const& o,
                                                          typename Engine::space space) {
    auto const wanted = describe_types<Metric, Index, Payload, Id>(o.dim);
    VICINAL_CHECK(check_types(wanted, space.properties()));
    auto const dim = dim_of(space.properties());
    VICINAL_CHECK(check_dim(dim));
    return Engine::open(std::move(space), dim, index_options(o));
}

/// The same for a store in memory.
template <class Engine, class Metric, class Index, class Payload, class Id>
[[nodiscard]] result<std::unique_ptr<Engine>> open_loaded(store_options<Index> const& o,
                                                          typename Engine::space space) {
    VICINAL_CHECK(simd::check());
    VICINAL_CHECK(Index::check(o.index));
    return open_filled<Engine, Metric, Index, Payload, Id>(o, std::move(space));
}

/// Opens the engine of a directory, or makes it. A path without a dimension can only be that of a
/// store which is there.
template <class Engine, class Metric, class Index, class Payload, class Id>
[[nodiscard]] result<std::unique_ptr<Engine>> open_engine(std::string_view path,
                                                          store_options<Index> const& o) {
    using space = typename Engine::space;
    VICINAL_CHECK(simd::check());
    VICINAL_CHECK(Index::check(o.index));
    if (o.dim != 0) {
        VICINAL_CHECK(check_dim(o.dim));
    } else if (!o.read_only) {
        auto const found = space::inspect(path);
        if (!found && found.error().code() == errc::not_found)
            return error{errc::invalid_argument,
                         "a dimension for the new store at '" + std::string(path) + "'", "none"};
        VICINAL_CHECK(found);
    }
    auto const wanted = describe_types<Metric, Index, Payload, Id>(o.dim);
    storage::open_options how;
    how.durability = o.durability;
    how.read_only = o.read_only;
    how.lock_timeout_ms = o.lock_timeout_ms;
    how.check = o.check;
    how.checked_at_open = o.checked_at_open;
    how.cache_bytes = o.cache_bytes;
    how.copied_bytes = o.copied_bytes;
    how.read_threads = o.threads;
    auto opened = space::open(path, wanted, how);
    VICINAL_CHECK(opened);
    return open_filled<Engine, Metric, Index, Payload, Id>(o, std::move(*opened));
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

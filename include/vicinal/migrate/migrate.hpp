// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_MIGRATE_HPP
#define VICINAL_MIGRATE_MIGRATE_HPP

#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/mapping.hpp>
#include <vicinal/migrate/migration.hpp>
#include <vicinal/migrate/options.hpp>
#include <vicinal/migrate/report.hpp>
#include <vicinal/migrate/store_sides.hpp>

#include <type_traits>

namespace vicinal::inline VICINAL_ABI {

/// What `migrate` reads: a source, or any store of floats.
template <class S>
concept record_source = basic_source<S> || float_store<S>;

/// What `migrate` writes: a sink, or any store of floats.
template <class S>
concept record_sink = basic_sink<S> || float_store<S>;

namespace detail {

template <class S>
[[nodiscard]] decltype(auto) as_source(S& s) {
    if constexpr (basic_source<S>)
        return (s);
    else
        return store_source<std::remove_const_t<S>>(s);
}
template <class S>
[[nodiscard]] decltype(auto) as_sink(S& s) {
    if constexpr (basic_sink<S>)
        return (s);
    else
        return store_sink<S>(s);
}

} // namespace detail

/// Moves every record of `from` into `to`, then reads both anew and compares them as options.verify
/// says; the sink is verified from where it is kept, not from memory. A record that `to` has
/// already is replaced.
///
/// Stops at the first record that can't be read or that the sink refuses, with its id, unless
/// options.on_bad_record is set; whole batches written before it stay. Differences are in the
/// report, not an error: see ok(). Memory, whatever the size of the source: three batches, at most
/// 64 MB of ids' hashes, and at most 66 MiB for verifying. Errors: those of the two sides;
/// invalid_argument, invalid_filter, unsupported, foreign_file (resumed with another source).
template <class From, class To>
[[nodiscard]] result<migration_report> try_migrate(From&& from, To&& to,
                                                   migrate_options const& options = {}) {
    static_assert(record_source<std::remove_cvref_t<From>>,
                  "vicinal: migrate(source, sink): the source cannot be read; see "
                  "vicinal/migrate/concept.hpp");
    static_assert(record_sink<std::remove_cvref_t<To>>,
                  "vicinal: migrate(source, sink): the sink cannot be written; see "
                  "vicinal/migrate/concept.hpp");
    return detail::guarded([&]() -> result<migration_report> {
        decltype(auto) source = detail::as_source(from);
        decltype(auto) sink = detail::as_sink(to);
        using source_type = std::remove_cvref_t<decltype(source)>;
        auto mapped = detail::mapped_source<source_type>::make(source, options.mapping);
        VICINAL_CHECK(mapped);
        return detail::migration(*mapped, sink, options).run();
    });
}

#if VICINAL_EXCEPTIONS
/// As `try_migrate`, but throws its error.
template <class From, class To>
migration_report migrate(From&& from, To&& to, migrate_options const& options = {}) {
    return try_migrate(from, to, options).value();
}
#endif

} // namespace vicinal::inline VICINAL_ABI

#endif

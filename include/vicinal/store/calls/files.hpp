// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_CALLS_FILES_HPP
#define VICINAL_STORE_CALLS_FILES_HPP

#include <vicinal/store/calls/scopes.hpp>

#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail {

/// A store and its files: saved, checkpointed, backed up, refreshed.
template <class Types>
class file_calls : public scope_calls<Types> {
protected:
    using typename Types::engine_type;
    using scope_calls<Types>::scope_calls;
    using scope_calls<Types>::durable;
    using scope_calls<Types>::engine_;
    using scope_calls<Types>::from_;
    /// Whether the storage has files that it is saved to on request.
    static constexpr bool loadable =
        !durable && requires(typename Types::storage_policy::space & s) {
        s.load(std::string_view());
    };

public:
    using typename Types::options;

    /// The directory of a durable store, as it was opened.
    [[nodiscard]] std::string const& path() const noexcept requires(durable) { return from_.path; }
    /// Writes all of a store in memory to the file at `path`, which try_load() reads and a durable
    /// store opens read-only; what is there is replaced as one, and stays where it fails. Searches
    /// go on and writers wait. Cost: writing it and one sync. Errors: not_found (the directory),
    /// io_failure, limit_exceeded, unsupported (a big-endian host), out_of_memory.
    result<void> try_save(std::string_view path) const requires(loadable) {
        return engine_->save([&](auto const& space, auto const& types, auto replacements) {
            return space.save(path, types, replacements);
        });
    }
    /// The same to put(offset, bytes) -> result<void>, rows first, header last.
    template <class Put>
    result<void> try_save_to(Put const& put) const requires(!durable) {
        return engine_->save([&](auto const& space, auto const& types, auto replacements) {
            return space.write(types, replacements, put);
        });
    }

    /// Writes the next generation of a durable store, so that opening has no log to replay. Readers
    /// go on meanwhile. Errors: read_only, io_failure, out_of_memory; the store stays as it was.
    result<void> try_checkpoint() requires(durable) { return engine_->checkpoint(); }

    /// Copies the store as it is now to the directory `to`, as vicinal::try_backup does; searches
    /// and writes go on meanwhile.
    result<storage::copy_report> try_backup(std::string_view to) const requires(durable) {
        return guarded([&] { return engine_->backup(to); });
    }

    /// Moves a store that was opened read-only to the newest state that its writer has reached, in
    /// this or another process; false where it has that already, as a writer always does, and while
    /// a scan is open on an older generation. Cost: that of what is new, or of opening. Errors: as
    /// try_open(); the store stays as it was.
    result<bool> try_refresh() requires(durable) {
        return guarded([&] {
            auto o = from_.how;
            o.dim = engine_->dim();
            auto moved = engine_->refresh([&] { return open_directory(from_.path, o); });
            if (moved && *moved && o.threads > 0) engine_->fold_beside();
            return moved;
        });
    }

#if VICINAL_EXCEPTIONS
    void save(std::string_view path) const requires(loadable) { try_save(path).value(); }
    void checkpoint() requires(durable) { try_checkpoint().value(); }
    storage::copy_report backup(std::string_view to) const requires(durable) {
        return try_backup(to).value();
    }
    bool refresh() requires(durable) { return try_refresh().value(); }
#endif

protected:
    [[nodiscard]] static auto open_directory(std::string_view path, options const& o) {
        return open_engine<engine_type, typename Types::metric_type, typename Types::index_policy,
                           typename Types::payload_policy, typename Types::id_type>(path, o);
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

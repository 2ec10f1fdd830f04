// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_CALLS_UPKEEP_HPP
#define VICINAL_STORE_CALLS_UPKEEP_HPP

#include <vicinal/index/concept.hpp>
#include <vicinal/store/calls/files.hpp>

#include <cstddef>

namespace vicinal::inline VICINAL_ABI::detail {

/// What keeps a store in shape.
template <class Types>
class upkeep_calls : public file_calls<Types> {
protected:
    using file_calls<Types>::file_calls;
    using file_calls<Types>::engine_;
    using typename Types::engine_type;
    static constexpr bool paged = requires { Types::storage_policy::pages; };

public:
    /// What storage::file holds in memory and has read so far.
    [[nodiscard]] auto paging() const requires(paged) {
        return engine_->read([this](auto&, auto&) { return engine_->storage().paging(); });
    }

    /// Makes room for `records` records in all, so that a load of known length moves no rows and no
    /// entries of the id map while it goes on. Text ids, payloads and the index grow as they come.
    /// Room for vectors takes memory when it is filled, where storage has the standard allocator;
    /// the id map's, 11 to 22 bytes a record, at once. Searches go on and writers wait. Errors:
    /// read_only, limit_exceeded, out_of_memory; the store stays as it was.
    result<void> try_reserve(std::size_t records) {
        return guarded([&] { return engine_->reserve(records); });
    }

    /// Gives back what erased and replaced records hold, as every write does by itself once they
    /// are a quarter of the rows (and 1,000); a durable store writes a checkpoint for it. Inverted
    /// lists whose rows have come to lie elsewhere (stats().drift) get new centres by it. Without
    /// effect while a scan is open. Cost: all columns are written anew, in memory beside the old
    /// ones, and the lists of a graph healed, about a third of the time to build it; readers go on,
    /// writers wait. Errors: as try_checkpoint(); the store stays as it was.
    result<void> try_compact() {
        return guarded([&] { return engine_->compact(); });
    }

    /// Looks at all that the store has: every checksum of a durable one's files, every record and
    /// its id, and that the index leads to each. Damage is in the report, not an error: see ok().
    /// Cost: reads everything; searches go on and writers wait. Errors: io_failure, out_of_memory.
    [[nodiscard]] result<verify_report> try_verify() const {
        return guarded([&] { return engine_->verify(); });
    }

    /// Measures which effort gives which recall, so that `.recall` means what it says on these
    /// records; a bulk load does so at its end by itself. Searches go on and writers wait, about a
    /// tenth of the time that linking the records took. Errors: read_only, out_of_memory.
    result<index::tuning>
    try_tune() requires(!index::looks_at_all<typename engine_type::index_type>) {
        return guarded([&] { return engine_->tune(); });
    }

#if VICINAL_EXCEPTIONS
    void reserve(std::size_t records) { try_reserve(records).value(); }
    void compact() { try_compact().value(); }
    [[nodiscard]] verify_report verify() const { return try_verify().value(); }
    index::tuning tune() requires(!index::looks_at_all<typename engine_type::index_type>) {
        return try_tune().value();
    }
#endif
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

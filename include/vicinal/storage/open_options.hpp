// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_OPEN_OPTIONS_HPP
#define VICINAL_STORAGE_OPEN_OPTIONS_HPP

#include <vicinal/storage/check_level.hpp>
#include <vicinal/storage/durability.hpp>

#include <cstddef>
#include <cstdint>

namespace vicinal::inline VICINAL_ABI::storage {

/// How a durable store is opened.
struct open_options {
    vicinal::durability durability = vicinal::durability::full;
    /// Takes no lock and never writes to the directory; changes stay in memory.
    bool read_only = false;
    /// How long to wait for another writer to leave.
    std::uint32_t lock_timeout_ms = 0;
    /// How much of the snapshot is compared with its checksums now; see there.
    check_level check = check_level::lazy;
    /// The largest snapshot, in bytes, that check::lazy compares whole.
    std::uint64_t checked_at_open = std::uint64_t{64} << 20;
    /// What storage::file may hold in memory, in bytes; the others let the system choose.
    std::uint64_t cache_bytes = std::uint64_t{256} << 20;
    /// What storage::mmap may copy, in bytes, of columns that every step of a search reads.
    std::uint64_t copied_bytes = 0;
    /// Threads that storage::file may read on where the system has no io_uring for this process.
    std::size_t read_threads = 0;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

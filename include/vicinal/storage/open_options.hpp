// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_OPEN_OPTIONS_HPP
#define VICINAL_STORAGE_OPEN_OPTIONS_HPP

#include <vicinal/storage/durability.hpp>

#include <cstdint>

namespace vicinal::inline VICINAL_ABI::storage {

/// How a durable store is opened.
struct open_options {
    vicinal::durability durability = vicinal::durability::full;
    /// Takes no lock and never writes to the directory; changes stay in memory.
    bool read_only = false;
    /// How long to wait for another writer to leave.
    std::uint32_t lock_timeout_ms = 0;
    /// What storage::file may hold in memory; the other storages let the system choose.
    std::uint64_t cache_bytes = std::uint64_t{256} << 20;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

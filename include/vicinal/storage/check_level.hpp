// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_CHECK_LEVEL_HPP
#define VICINAL_STORAGE_CHECK_LEVEL_HPP

#include <vicinal/core/config.hpp>

#include <cstdint>

namespace vicinal::inline VICINAL_ABI {

/// How much of a snapshot is compared with its checksums when a store is opened. Header, section
/// table and extents always are, and no level lets a checkpoint copy rows that were not compared.
enum class check : std::uint8_t {
    /// Every block. Cost: reads the whole file, about 5 GB/s from memory.
    full,
    /// Every block of a small snapshot (64 MiB, see checked_at_open); of a larger one each 4 KiB
    /// page when it is first read, half a microsecond each. Damage is then an error of the call
    /// that met it, never a wrong answer.
    lazy,
    /// None. For files that nobody else can have changed on a disk that does not err: a damaged
    /// row gives a wrong answer.
    trusted,
};
/// The type's name where `check` means the function of storage/check.hpp.
using check_level = enum check;

} // namespace vicinal::inline VICINAL_ABI

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_DURABILITY_HPP
#define VICINAL_STORAGE_DURABILITY_HPP

#include <vicinal/core/config.hpp>

#include <cstdint>

namespace vicinal::inline VICINAL_ABI {

/// What "written" means when a call that changes a durable store returns.
///
/// Whatever the level: files hold a checksum for every byte, so that a store opens in a state that
/// it once had, or is refused; it never answers from half of a write.
enum class durability : std::uint8_t {
    /// Each write is on the disk when the call returns (one fdatasync a batch). Killing the process
    /// and cutting the power both lose nothing that was acknowledged.
    full,
    /// Each write is with the operating system when the call returns; the disk follows at
    /// checkpoint, close and sync(). Killing the process loses nothing; a power cut may lose the
    /// newest batches: what opens afterwards is all batches up to some point, at least up to the
    /// last sync, and the loss is reported.
    normal,
    /// Nothing is ever waited for, not even at a checkpoint. Killing the process loses nothing that
    /// the system had taken; after a power cut the store may be refused. For data that can be made
    /// again.
    off,
};

} // namespace vicinal::inline VICINAL_ABI

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_INSPECT_HPP
#define VICINAL_STORAGE_INSPECT_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/generation.hpp>
#include <vicinal/storage/properties.hpp>
#include <vicinal/storage/snapshot_layout.hpp>
#include <vicinal/storage/store_directory.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// What a store's files say about it, without opening it.
struct summary {
    storage::properties properties;
    std::uint64_t generation = 0;
    /// The newest log record that is in the snapshot.
    std::uint64_t last_lsn = 0;
    std::uint64_t snapshot_bytes = 0;
    std::uint64_t log_bytes = 0;
    std::vector<section> sections;
};

/// Reads what the files say, without lock and without touching rows or log records.
template <class Os>
[[nodiscard]] result<summary> inspect_store(std::string_view path) {
    return vicinal::detail::guarded([&]() -> result<summary> {
        auto const directory = store_directory<Os>::open(path);
        if (!directory) return directory.error();
        auto const files = vicinal::detail::open_newest(*directory, false);
        if (!files) return files.error();
        auto const& l = files->snapshot.layout();
        return summary{l.properties,
                       l.generation,
                       l.last_lsn,
                       l.file_bytes,
                       files->log ? files->log.bytes() : 0,
                       l.sections};
    });
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

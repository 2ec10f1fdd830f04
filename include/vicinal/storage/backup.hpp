// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_BACKUP_HPP
#define VICINAL_STORAGE_BACKUP_HPP

#include <vicinal/core/config.hpp>

#if VICINAL_HAS_FILES

#    include <vicinal/core/result.hpp>
#    include <vicinal/storage/copy_files.hpp>
#    include <vicinal/storage/posix.hpp>

#    include <cstdint>
#    include <string_view>
#    include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// The newest state of the store at `path`, whether or not a writer has it open.
template <class Os>
[[nodiscard]] result<held_files<Os>> hold_newest(std::string_view path) {
    auto const directory = store_directory<Os>::open(path);
    if (!directory) return directory.error();
    auto files = detail::open_newest(*directory, false);
    if (!files) return files.error();
    held_files<Os> held;
    held.snapshot = std::move(files->snapshot);
    if (files->log) {
        auto log = files->log.view();
        if (!log) return log.error();
        held.log = *std::move(log);
    }
    return held;
}

/// vicinal::try_backup and try_restore over any operating system.
template <class Os>
[[nodiscard]] result<copy_report> copy_store(std::string_view from, std::string_view to,
                                             bool replaces) {
    return detail::guarded([&]() -> result<copy_report> {
        auto const held = hold_newest<Os>(from);
        if (!held) return held.error();
        return copy_to(*held, to, replaces);
    });
}

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI {

/// Copies the store at `from` to `to`, where nothing may be yet, or an empty directory. A process
/// that writes the store is not disturbed: the copy is the store at one moment, between two
/// batches. The program's own open store has a call of that name.
///
/// Everything is compared with its checksum on the way, so that no damage is copied, and reaches
/// the disk before the directory gets its name; until then it is called TO.partial. A copy is a
/// store, and opens as one. Cost: one reading and writing of the files. Errors: not_found,
/// invalid_argument (something is at `to`), corrupt_snapshot, corrupt_log, newer_format, locked
/// (another run to the same path), io_failure, out_of_memory.
[[nodiscard]] inline result<storage::copy_report> try_backup(std::string_view from,
                                                             std::string_view to) {
    return storage::copy_store<storage::posix>(from, to, false);
}

/// Puts the backup `from` in the place of the store at `to`, damaged or not, or where nothing is.
/// Nothing at `to` changes before the whole backup was checked, copied and is on the disk; then
/// the two directories exchange their names in one step, on systems that have that, and the old one
/// is removed. Processes that read the old store go on reading it until they refresh.
///
/// Errors: as try_backup; locked also where a writer has `to` open, foreign_file where files lie
/// there that are no store's.
[[nodiscard]] inline result<storage::copy_report> try_restore(std::string_view from,
                                                              std::string_view to) {
    return storage::copy_store<storage::posix>(from, to, true);
}

#    if VICINAL_EXCEPTIONS
inline storage::copy_report backup(std::string_view from, std::string_view to) {
    return try_backup(from, to).value();
}
inline storage::copy_report restore(std::string_view from, std::string_view to) {
    return try_restore(from, to).value();
}
#    endif

} // namespace vicinal::inline VICINAL_ABI

#endif

#endif

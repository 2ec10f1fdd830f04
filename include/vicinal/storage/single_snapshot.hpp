// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_SINGLE_SNAPSHOT_HPP
#define VICINAL_STORAGE_SINGLE_SNAPSHOT_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/snapshot.hpp>
#include <vicinal/storage/store_directory.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

/// A snapshot in a file of its own, outside a store's directory: what a store in memory is saved to
/// and a program ships.
namespace vicinal::inline VICINAL_ABI::storage {

/// Opens the snapshot at `path` for reading. errc::not_found, not_a_directory (on the way there),
/// newer_format, corrupt_snapshot, foreign_file (it does not begin as a snapshot does, not even a
/// damaged one), io_failure.
template <class Os>
[[nodiscard]] result<snapshot_file<Os>> open_snapshot(std::string_view path) {
    auto const place = detail::split_path(path);
    auto const directory = store_directory<Os>::open(place.directory);
    if (!directory) return directory.error();
    auto file = snapshot_file<Os>::open(directory->number(), place.name, std::string(path), false);
    if (file || file.error().code() != errc::corrupt_snapshot) return file;
    descriptor<Os> const again(detail::uninterrupted(
        [&] { return Os::open_read(directory->number(), place.name.c_str()); }));
    std::array<std::byte, detail::snapshot_magic.size()> first{};
    if (again && read_up_to<Os>(again.get(), 0, first, std::string(path))) {
        std::size_t same = 0;
        for (std::size_t i = 0; i < first.size(); ++i)
            same += first[i] == detail::snapshot_magic[i] ? 1U : 0U;
        if (same < first.size() / 2)
            return error{errc::foreign_file, "a store or a snapshot of one",
                         "another kind of file"};
    }
    return file;
}

/// Writes a snapshot to `path`, replacing what is there as one: it is written under another name,
/// synced, renamed, and the directory synced. Where it fails the old file stays as it was; only
/// where the last sync fails the new one is there, and perhaps not yet on the disk. A process that
/// is killed leaves PATH.XXXXXXXX.tmp. errc::not_found (the directory), io_failure,
/// limit_exceeded, out_of_memory.
template <class Os>
[[nodiscard]] result<void> save_snapshot(std::string_view path, snapshot_layout layout,
                                         std::span<section_source const> sources) {
    auto const place = detail::split_path(path);
    auto const directory = store_directory<Os>::open(place.directory);
    if (!directory) return directory.error();
    // A name of its own: two programs that save to one path must not write into one file.
    std::array<std::byte, 4> bytes{};
    if (Os::random_bytes(layout.uuid.data(), layout.uuid.size()) != 0 ||
        Os::random_bytes(bytes.data(), bytes.size()) != 0) {
        int const reason = errno;
        return detail::system_failure(reason, "random bytes for '" + std::string(path) + "'");
    }
    auto temporary = place.name + ".";
    for (auto const b : bytes)
        for (auto const digit : {b >> 4, b & std::byte{15}})
            temporary += "0123456789abcdef"[std::to_integer<std::size_t>(digit)];
    temporary += detail::temporary_suffix;
    auto done = write_snapshot<Os>(directory->number(), temporary, directory->shown(temporary),
                                   std::move(layout), sources, true);
    if (done) done = directory->rename(temporary, place.name);
    if (!done) {
        directory->remove(temporary);
    } else {
        done = directory->sync();
    }
    if (!done && done.error().code() == errc::writer_poisoned)
        return error{errc::io_failure, done.error().expected(), done.error().got()};
    return done;
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

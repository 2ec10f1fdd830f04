// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_COPY_FILES_HPP
#define VICINAL_STORAGE_COPY_FILES_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/descriptor.hpp>
#include <vicinal/storage/generation.hpp>
#include <vicinal/storage/log.hpp>
#include <vicinal/storage/new_directory.hpp>
#include <vicinal/storage/snapshot.hpp>
#include <vicinal/storage/store_directory.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// What a backup or a restored store holds.
struct copy_report {
    std::uint64_t generation = 0;
    std::uint64_t snapshot_bytes = 0;
    /// Batches of the log, and the number of the newest; 0 of them is a store that was just
    /// checkpointed.
    std::uint64_t log_records = 0;
    /// What stood behind the log's last valid record and was left out: a write that was cut off or
    /// is under way. 0 for the backup of an open store.
    std::uint64_t bytes_dropped = 0;
};

/// The files of one state of a store, held open: later checkpoints don't touch them.
template <class Os>
struct held_files {
    snapshot_file<Os> snapshot;
    log_view<Os> log;
    /// The log's records were valid up to its end when it was taken: nothing there may be dropped.
    bool whole = false;
};

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI::detail {

/// Copies a snapshot byte for byte, each block compared with its checksum on the way, and opens the
/// copy as any reader will. errc::corrupt_snapshot names the block.
template <class Os>
[[nodiscard]] result<void> copy_snapshot(storage::snapshot_file<Os> const& from,
                                         storage::store_directory<Os> const& to) {
    auto const name = snapshot_name(from.layout().generation);
    auto const shown = to.shown(name);
    storage::descriptor<Os> const file(
        uninterrupted([&] { return Os::open_empty(to.number(), name.c_str()); }));
    if (!file) {
        int const reason = errno;
        return system_failure(reason, "to make " + shown);
    }
    auto const& sections = from.layout().sections;
    auto const block = std::make_unique<storage::block_buffer>();
    auto const buffer = std::span(block->bytes);
    // The part before the rows: opening the copy finds out whether it was read well.
    auto const front = sections.empty() ? from.layout().file_bytes : sections.front().offset;
    for (std::uint64_t at = 0; at < front; at += buffer.size()) {
        auto const piece = buffer.first(
            static_cast<std::size_t>((std::min<std::uint64_t>)(buffer.size(), front - at)));
        auto const n = storage::read_up_to<Os>(from.number(), at, piece, from.shown());
        if (!n) return n.error();
        VICINAL_CHECK(storage::write_all<Os>(file.get(), at, piece, shown));
    }
    for (auto const& s : sections)
        for (std::uint64_t i = 0; i < s.blocks(); ++i) {
            VICINAL_CHECK(from.read_with_pages(s, i, *block));
            VICINAL_CHECK(storage::write_all<Os>(
                file.get(), s.offset + i * storage::snapshot_block_bytes, buffer, shown));
        }
    if (uninterrupted([&] { return Os::sync_all(file.get()); }) != 0) {
        int const reason = errno;
        return system_failure(reason, "to sync " + shown);
    }
    auto const again = storage::snapshot_file<Os>::open(to.number(), name, shown, false);
    if (!again) return again.error();
    if (again->layout().block_crcs != from.layout().block_crcs)
        return error{errc::corrupt_snapshot, "the front of " + from.shown() + " as it was",
                     "other checksums"};
    return {};
}

/// Makes the log of a copy, filled by `fill(log) -> result<void>`: closed in order, so that no
/// damage of it can pass for a write that was cut off. Its salt is its own.
template <class Os, class Fill>
[[nodiscard]] result<void> make_closed_log(storage::store_directory<Os> const& to,
                                           log_header const& header, Fill&& fill) {
    auto const name = log_name(header.generation);
    auto log = storage::log_file<Os>::make(to, name, header, false);
    if (!log) return log.error();
    VICINAL_CHECK(fill(*log));
    VICINAL_CHECK(log->append_clean(true));
    return to.rename(name, closed_log_name(header.generation));
}

/// Copies what was held into an empty directory, everything checked and on the disk. Where it fails
/// the directory holds pieces.
template <class Os>
[[nodiscard]] result<storage::copy_report> copy_files(storage::held_files<Os> const& from,
                                                      storage::store_directory<Os> const& to) {
    auto const& layout = from.snapshot.layout();
    storage::copy_report report;
    report.generation = layout.generation;
    report.snapshot_bytes = layout.file_bytes;
    VICINAL_CHECK(copy_snapshot(from.snapshot, to));
    if (!from.log.file) return report;
    auto const copied = make_closed_log<Os>(to, from.log.header, [&](auto& log) -> result<void> {
        auto const found =
            scan_log<Os>(from.log.file.get(), from.log.shown, from.log.end, from.log.header,
                         from.log.closed, [&](std::span<std::byte const> payload, log_kind kind) {
                             return log.append(kind, payload, false);
                         });
        if (!found) return found.error();
        report.log_records = found->batches;
        report.bytes_dropped = from.log.end - found->end;
        if (from.whole && report.bytes_dropped != 0)
            return log_damage(from.log.shown, found->end, found->last_lsn + 1, "damaged bytes");
        return {};
    });
    VICINAL_CHECK(copied);
    return report;
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::storage {

/// Copies a state of a store to `to`. The directory has that name when every byte has been compared
/// with its checksum and is on the disk; before that, and where it fails, nothing is changed there.
template <class Os>
[[nodiscard]] result<copy_report> copy_to(held_files<Os> const& from, std::string_view to,
                                          bool replaces) {
    auto made = new_directory<Os>::make(to, replaces);
    if (!made) return made.error();
    auto report = detail::copy_files(from, made->files());
    if (!report) return detail::unpoisoned(report.error());
    if (auto const done = made->publish(); !done) return detail::unpoisoned(done.error());
    return report;
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

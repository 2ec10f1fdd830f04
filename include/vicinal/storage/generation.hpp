// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_GENERATION_HPP
#define VICINAL_STORAGE_GENERATION_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/descriptor.hpp>
#include <vicinal/storage/log.hpp>
#include <vicinal/storage/snapshot.hpp>
#include <vicinal/storage/store_directory.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// A snapshot and its log; the log is missing where only the snapshot was shipped.
template <class Os>
struct generation_files {
    snapshot_file<Os> snapshot;
    log_file<Os> log;
};

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI::detail {

/// Whether a log holds more than its header: then a snapshot was published for it once.
template <class Os>
[[nodiscard]] bool has_records(storage::store_directory<Os> const& directory,
                               std::string const& name) {
    storage::descriptor<Os> const file(
        uninterrupted([&] { return Os::open_read(directory.number(), name.c_str()); }));
    return file && Os::file_bytes(file.get()) > static_cast<std::int64_t>(log_header_bytes);
}

/// The name of a log with records whose snapshot is gone; empty where all is in order. Opening an
/// older generation, or making a new store, would lose these records without a word.
template <class Os>
[[nodiscard]] std::string orphan(storage::store_directory<Os> const& directory,
                                 store_listing const& found) {
    for (auto const g : found.logs)
        if (g > found.newest() && has_records(directory, log_name(g))) return log_name(g);
    for (auto const g : found.closed_logs)
        if (g > found.newest()) return closed_log_name(g);
    return {};
}

[[nodiscard]] inline error missing_snapshot(std::string const& path, std::string const& log) {
    return error{errc::corrupt_snapshot,
                 "the snapshot that belongs to " + log + " in '" + path + "'", "none"};
}

/// What a directory without any snapshot is: an error, or success where a store may be made in it.
template <class Os>
[[nodiscard]] result<void> check_vacant(storage::store_directory<Os> const& directory,
                                        store_listing const& found) {
    if (!found.foreign.empty())
        return error{errc::foreign_file,
                     "a store or an empty directory at '" + directory.path() + "'",
                     "one that holds '" + found.foreign + "' and no snapshot"};
    if (auto const log = orphan(directory, found); !log.empty())
        return missing_snapshot(directory.path(), log);
    return {};
}

/// One attempt to open the newest generation of what was listed; nothing where a writer in another
/// process moved on meanwhile.
template <class Os>
[[nodiscard]] result<std::optional<storage::generation_files<Os>>>
open_listed(storage::store_directory<Os> const& directory, store_listing const& found,
            bool writable) {
    using answer = std::optional<storage::generation_files<Os>>;
    auto const g = found.newest();
    auto snapshot = storage::snapshot_file<Os>::open(directory.number(), snapshot_name(g),
                                                     directory.shown(snapshot_name(g)), writable);
    if (!snapshot) {
        if (snapshot.error().code() == errc::not_found) return answer{};
        return snapshot.error();
    }
    auto const& layout = snapshot->layout();
    if (layout.generation != g)
        return error{errc::corrupt_snapshot,
                     "generation " + std::to_string(g) + " in " + snapshot->shown(),
                     "generation " + std::to_string(layout.generation)};
    storage::generation_files<Os> files;
    bool const open_log = store_listing::has(found.logs, g);
    bool const closed = store_listing::has(found.closed_logs, g);
    if (open_log || closed) {
        auto log = storage::log_file<Os>::open(directory, closed ? closed_log_name(g) : log_name(g),
                                               writable, closed);
        if (!log) {
            if (log.error().code() == errc::not_found) return answer{};
            return log.error();
        }
        auto const& h = log->header();
        if (h.uuid != layout.uuid || h.generation != g || h.first_lsn != layout.last_lsn + 1)
            return error{errc::corrupt_log,
                         "the log that continues " + snapshot->shown() + " from record " +
                             std::to_string(layout.last_lsn + 1),
                         log->shown() + " of another store, or from record " +
                             std::to_string(h.first_lsn)};
        files.log = *std::move(log);
    }
    // Files were opened by names of one moment: they belong together only if these still stand.
    // A log that was reopened after that, for instance, must not be held to its old name.
    auto const again = directory.list();
    if (!again) return again.error();
    if (again->newest() != g || store_listing::has(again->logs, g) != open_log ||
        store_listing::has(again->closed_logs, g) != closed)
        return answer{};
    files.snapshot = *std::move(snapshot);
    return answer(std::move(files));
}

/// Opens the newest generation. A reader beside a busy writer tries up to eight times to see a
/// state that stands still.
template <class Os>
[[nodiscard]] result<storage::generation_files<Os>>
open_newest(storage::store_directory<Os> const& directory, bool writable) {
    for (int attempt = 0; attempt < 8; ++attempt) {
        auto const found = directory.list();
        if (!found) return found.error();
        if (found->newest() == 0) {
            VICINAL_CHECK(check_vacant(directory, *found));
            return error{errc::not_found, "a store at '" + directory.path() + "'",
                         "a directory without a snapshot"};
        }
        bool const last = attempt == 7;
        if (auto const log = orphan(directory, *found); !log.empty()) {
            if (writable || last) return missing_snapshot(directory.path(), log);
            continue;
        }
        auto const g = found->newest();
        if (store_listing::has(found->logs, g) && store_listing::has(found->closed_logs, g)) {
            if (writable || last)
                return error{errc::corrupt_log, "one log of generation " + std::to_string(g),
                             "both " + directory.shown(log_name(g)) + " and " + closed_log_name(g)};
            continue;
        }
        auto files = open_listed(directory, *found, writable);
        if (!files) return files.error();
        if (*files) return **std::move(files);
    }
    return error{errc::io_failure, "a state of '" + directory.path() + "' that stands still",
                 "eight changes by a writer while it was opened"};
}

/// What a writer finds in its way and may remove: pieces of a broken checkpoint, and what newer
/// generations have replaced. Snapshots go before their logs, so that a reader that finds the log
/// gone sees that the generation is.
template <class Os>
void remove_remains(storage::store_directory<Os> const& directory, store_listing const& found) {
    auto const newest = found.newest();
    for (auto const& name : found.temporary) directory.remove(name);
    for (auto const g : found.snapshots)
        if (g < newest) directory.remove(snapshot_name(g));
    for (auto const g : found.logs)
        if (g != newest) directory.remove(log_name(g));
    for (auto const g : found.closed_logs)
        if (g < newest) directory.remove(closed_log_name(g));
}

/// Writes snapshot and log of a generation beside the present one, not yet published: the snapshot
/// still has its temporary name. Removes both again where it fails.
template <class Os>
[[nodiscard]] result<storage::generation_files<Os>>
write_generation(storage::store_directory<Os> const& directory, storage::snapshot_layout layout,
                 std::span<storage::section_source const> sources, bool sync) {
    auto const name = snapshot_name(layout.generation).append(temporary_suffix);
    auto const shown = directory.shown(name);
    auto const log = log_name(layout.generation);
    log_header header;
    header.uuid = layout.uuid;
    header.generation = layout.generation;
    header.first_lsn = layout.last_lsn + 1;
    auto files = [&]() -> result<storage::generation_files<Os>> {
        VICINAL_CHECK(storage::write_snapshot<Os>(directory.number(), name, shown,
                                                  std::move(layout), sources, sync));
        auto made = storage::log_file<Os>::make(directory, log, header, sync);
        if (!made) return made.error();
        // Opened as any reader will, so that what is published has passed the same checks.
        auto opened = storage::snapshot_file<Os>::open(directory.number(), name, shown, true);
        if (!opened) return opened.error();
        return storage::generation_files<Os>{*std::move(opened), *std::move(made)};
    }();
    if (!files) {
        directory.remove(name);
        directory.remove(log);
    }
    return files;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

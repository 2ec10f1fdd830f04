// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_CHECK_HPP
#define VICINAL_STORAGE_CHECK_HPP

#include <vicinal/core/problems.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/storage/generation.hpp>
#include <vicinal/storage/single_snapshot.hpp>

#if VICINAL_HAS_FILES
#    include <vicinal/storage/posix.hpp>
#endif

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI {

/// What the files of a store are like; every damaged place is in `problems`.
struct check_report : problem_list {
    std::uint64_t generation = 0;
    /// Blocks of the snapshot, and those that don't match their checksums.
    std::uint64_t blocks = 0;
    std::uint64_t damaged_blocks = 0;
    /// Valid batches of the log, up to the first damage.
    std::uint64_t log_records = 0;
    /// What stands behind the log's end, as a write that was cut off leaves it; no damage.
    std::uint64_t bytes_dropped = 0;
};

namespace detail {

template <class Os>
void check_snapshot(result<storage::snapshot_file<Os>> const& file, check_report& report) {
    if (!file) return report.add(file.error().message());
    report.generation = file->layout().generation;
    auto const block = std::make_unique<storage::block_buffer>();
    for (auto const& s : file->layout().sections)
        for (std::uint64_t i = 0; i < s.blocks(); ++i) {
            ++report.blocks;
            auto const good = file->read_with_pages(s, i, *block);
            if (good) continue;
            ++report.damaged_blocks;
            report.add(good.error().message());
        }
}

template <class Os>
void check_log(storage::store_directory<Os> const& directory, std::string const& name, bool closed,
               check_report& report) {
    auto log = storage::log_file<Os>::open(directory, name, false, closed);
    if (!log) return report.add(log.error().message());
    auto const replayed = log->replay(
        [&](std::span<std::byte const>) {
            ++report.log_records;
            return result<void>();
        },
        false, false);
    if (!replayed) return report.add(replayed.error().message());
    report.bytes_dropped += replayed->bytes_dropped;
}

template <class Os>
[[nodiscard]] check_report check_files(std::string_view path) {
    check_report report;
    auto const done = guarded([&]() -> result<void> {
        auto const directory = storage::store_directory<Os>::open(path);
        if (!directory && directory.error().code() == errc::not_a_directory) {
            check_snapshot(storage::open_snapshot<Os>(path), report);
            return {};
        }
        if (!directory) return directory.error();
        auto const found = directory->list();
        if (!found) return found.error();
        report.generation = found->newest();
        if (auto const log = orphan(*directory, *found); !log.empty())
            report.add(missing_snapshot(directory->path(), log).message());
        else if (report.generation == 0)
            return error{errc::not_found, "a store at '" + directory->path() + "'", "no snapshot"};
        if (report.generation == 0) return {};
        auto const before = report.problem_count;
        auto const name = snapshot_name(report.generation);
        check_snapshot(storage::snapshot_file<Os>::open(directory->number(), name,
                                                        directory->shown(name), false),
                       report);
        if (store_listing::has(found->logs, report.generation))
            check_log(*directory, log_name(report.generation), false, report);
        if (store_listing::has(found->closed_logs, report.generation))
            check_log(*directory, closed_log_name(report.generation), true, report);
        // What no file shows alone: two logs, or one that belongs to another store.
        if (report.problem_count == before)
            if (auto const whole = open_newest(*directory, false); !whole) return whole.error();
        return {};
    });
    if (!done) report.add(done.error().message());
    return report;
}

} // namespace detail

#if VICINAL_HAS_FILES

/// Compares every byte of a store's files, or of one snapshot alone, with its checksum, whatever
/// the store's types, and goes on behind damage. Throws nothing: what kept it from looking is a
/// problem too. What the records say, and how the index leads to them, is the store's own verify()
/// to look at. Takes no lock.
[[nodiscard]] inline check_report check(std::string_view path) {
    return detail::check_files<storage::posix>(path);
}

#endif

} // namespace vicinal::inline VICINAL_ABI

#endif

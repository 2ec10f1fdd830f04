// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_FILE_SPACE_HPP
#define VICINAL_STORAGE_FILE_FILE_SPACE_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/column.hpp>
#include <vicinal/storage/file/file_columns.hpp>
#include <vicinal/storage/inspect.hpp>
#include <vicinal/storage/open_options.hpp>
#include <vicinal/storage/properties.hpp>
#include <vicinal/storage/store_files.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// What a paged storage holds in memory and has read.
struct paging_stats {
    /// What it may hold, in bytes.
    std::uint64_t budget = 0;
    /// What always is in memory: hot columns, rows since the last checkpoint, checksums.
    std::uint64_t resident = 0;
    /// Pages, which give way.
    std::uint64_t pages = 0;
    /// Reads so far.
    std::uint64_t reads = 0;
};

/// A durable directory, opened: columns by name, a log, checkpoints; see mapped_space, whose files
/// these are. One thread at a time calls it; readers of the columns may run beside everything but a
/// column's commit() and resize(), and adopt().
template <class Os>
class file_space {
public:
    /// Opens the store at `path`; where there is none, makes it with the properties `initial`,
    /// unless `read_only`. A snapshot of up to 64 MiB has every block checked; of a larger one what
    /// is read, when it is. errc::not_found, not_a_directory, foreign_file, locked, newer_format,
    /// corrupt_snapshot, corrupt_log, io_failure, limit_exceeded; unsupported on a big-endian host.
    [[nodiscard]] static result<file_space>
    open(std::string_view path, storage::properties const& initial, open_options const& options) {
        return detail::guarded([&]() -> result<file_space> {
            if constexpr (std::endian::native != std::endian::little)
                return error{errc::unsupported, "a little-endian host, as the rows in files are",
                             "a big-endian one; use storage::memory"};
            auto s = std::make_unique<state>(options);
            VICINAL_CHECK(s->files.open(path, initial));
            return file_space(std::move(s));
        });
    }
    /// Reads what the files say, without lock and without touching rows or log records.
    [[nodiscard]] static result<summary> inspect(std::string_view path) {
        return inspect_store<Os>(path);
    }

    [[nodiscard]] storage::properties const& properties() const noexcept {
        return s_->files.layout().properties;
    }
    /// Bytes of the log's records: what replaying would read.
    [[nodiscard]] std::uint64_t log_bytes() const noexcept { return s_->files.log_bytes(); }
    [[nodiscard]] std::uint64_t snapshot_bytes() const noexcept {
        return s_->files.layout().file_bytes;
    }
    [[nodiscard]] std::uint64_t generation() const noexcept {
        return s_->files.layout().generation;
    }
    [[nodiscard]] bool read_only() const noexcept { return s_->files.read_only(); }

    /// The column of that name, with the snapshot's rows or none; its address stays. Hot ones are
    /// read whole. errc::corrupt_snapshot where the file has rows of another width; limit_exceeded
    /// where a hot one is beyond the budget.
    [[nodiscard]] result<file_column<Os>*> column(std::string_view name, std::size_t row_bytes,
                                                  heat kind = heat::cold) {
        return detail::guarded([&] {
            return s_->columns.bind(s_->shared, s_->files.snapshot(), name, row_bytes, kind);
        });
    }

    /// See mapped_space.
    template <class Apply>
    [[nodiscard]] result<replay_report> replay(Apply&& apply) {
        return detail::guarded([&] { return s_->files.replay(apply); });
    }
    [[nodiscard]] result<void> log(std::span<std::byte const> record) {
        return detail::guarded([&]() -> result<void> {
            VICINAL_CHECK(s_->check_writable());
            return s_->files.append(record);
        });
    }

    /// Writes the next generation, from the columns' present rows or from `replacements`, and
    /// publishes it by a rename; a new log begins. Paged rows are read a page at a time, and
    /// checked. On failure the present generation stays. Then adopt() or discard() must be called
    /// before the next write.
    [[nodiscard]] result<void> checkpoint(std::span<replacement const> replacements,
                                          storage::properties const& props) {
        return detail::guarded([&] { return s_->checkpoint(replacements, props); });
    }
    /// Lets every column be what checkpoint() wrote: what was in memory beside the cold columns'
    /// pages is let go. No reader may be inside.
    void adopt() noexcept {
        if (!std::exchange(s_->adoption_due, false)) return;
        s_->columns.adopt();
        s_->older = {};
    }
    /// The other answer to checkpoint(): the columns keep the rows that they have, and the file
    /// that they are in.
    void discard() noexcept {
        if (std::exchange(s_->adoption_due, false)) s_->columns.unstage();
    }

    /// All that was logged is on the disk when it returns, whatever the durability.
    [[nodiscard]] result<void> sync() {
        return detail::guarded([&] { return s_->files.sync(); });
    }
    /// Compares every block of the snapshot and every record of the log with its checksum, as they
    /// are on the disk. errc::corrupt_snapshot names section and block, corrupt_log the offset.
    [[nodiscard]] result<void> verify() const {
        return detail::guarded([&] { return s_->files.verify(); });
    }

    /// The rows that could not be read so far.
    [[nodiscard]] storage::faults const& faults() const noexcept { return s_->shared.faults; }
    /// Whether what came since the last checkpoint takes half of what the budget leaves for pages:
    /// then it is time for one.
    [[nodiscard]] bool wants_checkpoint() const noexcept {
        auto const fresh = s_->columns.unpaged_bytes();
        auto const fixed = s_->shared.cache.charged() - fresh;
        auto const budget = s_->shared.cache.budget();
        return fresh > (std::max)((budget > fixed ? budget - fixed : 0) / 2, page_cache::least);
    }
    [[nodiscard]] paging_stats paging() const noexcept {
        auto& p = s_->shared;
        return {p.cache.budget(), p.cache.charged(), p.cache.page_bytes(), p.read.reads()};
    }

private:
    /// At one address, so that the space can be moved.
    struct state {
        explicit state(open_options const& options) noexcept
            : files(options), shared(options.cache_bytes) {}

        [[nodiscard]] result<void> check_writable() const {
            VICINAL_CHECK(files.check_writable());
            if (adoption_due)
                return error{errc::invalid_argument,
                             "adopt() or discard() between checkpoint() and a write"};
            return {};
        }

        [[nodiscard]] result<void> checkpoint(std::span<replacement const> replacements,
                                              storage::properties const& properties) {
            VICINAL_CHECK(check_writable());
            std::vector<section_source> sources;
            VICINAL_CHECK(columns.collect(shared, files.snapshot(), replacements, sources));
            auto const before = shared.faults.count();
            auto next = files.write_next(properties, sources);
            if (!next) return next.error();
            // A row that could not be read is in the new file as zeros.
            auto ready = shared.faults.since(before);
            if (ready) ready = columns.stage(next->snapshot, replacements);
            if (!ready) files.abandon_next();
            auto const done = ready ? files.publish_next(*next) : std::move(ready);
            if (!done) {
                columns.unstage();
                return done;
            }
            // Until adopt(), and behind discard(), columns are paged from the file before.
            if (!older) older = std::move(next->snapshot);
            adoption_due = true;
            return {};
        }

        // Destroyed in reverse: the lock is given back when no page is left.
        detail::store_files<Os> files;
        /// The snapshot that the columns are paged from, where it is not that of `files`.
        snapshot_file<Os> older;
        storage::paging<Os> shared;
        file_columns<Os> columns;
        bool adoption_due = false;
    };

    explicit file_space(std::unique_ptr<state> s) noexcept : s_(std::move(s)) {}

    std::unique_ptr<state> s_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

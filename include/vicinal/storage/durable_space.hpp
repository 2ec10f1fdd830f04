// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_DURABLE_SPACE_HPP
#define VICINAL_STORAGE_DURABLE_SPACE_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/column.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/storage/generation.hpp>
#include <vicinal/storage/open_options.hpp>
#include <vicinal/storage/properties.hpp>
#include <vicinal/storage/single_snapshot.hpp>
#include <vicinal/storage/store_directory.hpp>
#include <vicinal/storage/store_files.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
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

/// A durable directory, opened: columns by name, a log, checkpoints. docs/format.md defines the
/// files. How rows come into memory is `Columns`' affair (mapped_columns, file_columns). One thread
/// at a time calls it; readers of the columns may run beside everything but a column's commit() and
/// resize(), and adopt().
template <class Os, class Columns>
class durable_space {
public:
    using column_type = typename Columns::column_type;

    /// Opens the store at `path`; where there is none, makes it with the properties `initial`,
    /// unless `read_only`. With it the path may also be that of a snapshot file alone. How much of
    /// the rows is checked is options.check; what was not is checked before the next checkpoint, or
    /// by verify(). errc::not_found, not_a_directory, foreign_file, locked, newer_format,
    /// corrupt_snapshot, corrupt_log, io_failure; unsupported on a host that cannot read the files.
    [[nodiscard]] static result<durable_space>
    open(std::string_view path, storage::properties const& initial, open_options const& options) {
        return detail::guarded([&]() -> result<durable_space> {
            VICINAL_CHECK(check_host());
            auto s = std::make_unique<state>(options);
            VICINAL_CHECK(s->files.open(path, initial));
            VICINAL_CHECK(s->columns.open(s->files));
            return durable_space(std::move(s));
        });
    }

    /// Reads what the files say, without lock and without touching rows or log records.
    [[nodiscard]] static result<summary> inspect(std::string_view path) {
        return detail::guarded([&]() -> result<summary> {
            auto const directory = store_directory<Os>::open(path);
            if (!directory && directory.error().code() == errc::not_a_directory) {
                auto const file = open_snapshot<Os>(path);
                if (!file) return file.error();
                return summary_of(file->layout(), 0);
            }
            if (!directory) return directory.error();
            auto const files = detail::open_newest(*directory, false);
            if (!files) return files.error();
            return summary_of(files->snapshot.layout(), files->log ? files->log.bytes() : 0);
        });
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
    /// False in a child that a fork made.
    [[nodiscard]] bool own_process() const noexcept { return s_->files.own_process(); }

    /// The column of that name, with the snapshot's rows or none; its address stays.
    /// errc::corrupt_snapshot where the file has rows of another width, or where rows that are read
    /// at once are damaged; io_failure, out_of_memory.
    [[nodiscard]] result<column_type*> column(std::string_view name, std::size_t row_bytes,
                                              heat kind = heat::cold) {
        return detail::guarded(
            [&] { return s_->columns.bind(s_->files.snapshot(), name, row_bytes, kind); });
    }

    /// Hands every batch of the log to `apply(std::span<std::byte const>) -> result<void>`, in
    /// order. To be called once, after the columns are bound and before anything is written. A
    /// writer cuts off what a broken write left; either reports it. errc::corrupt_log names file
    /// and offset; the columns then hold what came before and the space is of no more use.
    template <class Apply>
    [[nodiscard]] result<replay_report> replay(Apply&& apply) {
        return detail::guarded([&] { return s_->files.replay(apply); });
    }

    /// For a reader, behind replay(): hands on what was logged since, and gives the number of
    /// batches; nothing where a newer generation is there, so that the store must be opened anew.
    template <class Apply>
    [[nodiscard]] result<std::optional<std::uint64_t>> catch_up(Apply&& apply) {
        return detail::guarded([&] { return s_->files.catch_up(apply); });
    }

    /// The files of the present state, for a backup that goes on while the store is written.
    [[nodiscard]] result<held_files<Os>> hold() const {
        return detail::guarded([&] { return s_->files.hold(); });
    }

    /// Appends one batch; when it returns the batch is as durable as the store promises. On failure
    /// nothing has changed. errc::writer_poisoned for this and all later writes where the disk is
    /// left in an unknown state; read_only, limit_exceeded, io_failure, out_of_memory.
    [[nodiscard]] result<void> log(std::span<std::byte const> record,
                                   detail::log_kind kind = detail::log_kind::batch) {
        return detail::guarded([&]() -> result<void> {
            VICINAL_CHECK(s_->check_writable());
            return s_->files.append(kind, record);
        });
    }

    /// Writes the next generation, from the columns' present rows or from `replacements`, and
    /// publishes it by a rename; a new log begins. Columns are not changed: readers go on. On
    /// failure, also to read rows that are not in memory, the present generation stays. Then
    /// adopt() or discard() must be called before the next write.
    [[nodiscard]] result<void> checkpoint(std::span<replacement const> replacements,
                                          storage::properties const& props) {
        return detail::guarded([&] { return s_->checkpoint(replacements, props); });
    }

    /// Binds every column to the snapshot that checkpoint() wrote and gives the memory of its rows
    /// back where it can. No reader may be inside.
    void adopt() noexcept {
        if (std::exchange(s_->adoption_due, false)) s_->columns.adopt();
    }

    /// The other answer to checkpoint(): the columns keep the rows that they have. The snapshot may
    /// hold them under other numbers; the log that goes on behind it does not know numbers.
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

    /// Whether it is time for a checkpoint because of the memory that rows take since the last.
    [[nodiscard]] bool wants_checkpoint() const noexcept {
        return s_->columns.wants_checkpoint(snapshot_bytes());
    }
    /// What a storage that pages holds in memory and has read.
    [[nodiscard]] auto paging() const noexcept requires requires(Columns const& c) { c.paging(); }
    { return s_->columns.paging(); }

private:
    /// At one address, so that the space can be moved.
    struct state {
        explicit state(open_options const& options) : files(options), columns(options) {}

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
            VICINAL_CHECK(columns.before_copying(files));
            std::vector<section_source> sources;
            VICINAL_CHECK(columns.collect(files.snapshot(), replacements, sources));
            // A row that could not be read is in the new file as something else.
            auto next = unless_faulty([&] { return files.write_next(properties, sources); });
            if (!next) {
                files.abandon_next();
                return next.error();
            }
            auto staged = columns.stage(next->snapshot, replacements);
            if (!staged) files.abandon_next();
            auto const done = staged ? files.publish_next(*next) : std::move(staged);
            adoption_due = static_cast<bool>(done);
            if (done)
                columns.published(std::move(next->snapshot));
            else
                columns.unstage();
            return done;
        }

        // Destroyed in reverse: the lock is given back when nothing is mapped or paged any more.
        detail::store_files<Os> files;
        Columns columns;
        bool adoption_due = false;
    };

    [[nodiscard]] static result<void> check_host() {
        if constexpr (std::endian::native != std::endian::little)
            return error{errc::unsupported, "a little-endian host, as the rows in files are",
                         "a big-endian one; use storage::memory"};
        return Columns::check_host();
    }

    [[nodiscard]] static summary summary_of(snapshot_layout const& l, std::uint64_t log_bytes) {
        return {l.properties, l.generation, l.last_lsn, l.file_bytes, log_bytes, l.sections};
    }

    explicit durable_space(std::unique_ptr<state> s) noexcept : s_(std::move(s)) {}

    std::unique_ptr<state> s_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_STORE_FILES_HPP
#define VICINAL_STORAGE_STORE_FILES_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/copy_files.hpp>
#include <vicinal/storage/durability.hpp>
#include <vicinal/storage/generation.hpp>
#include <vicinal/storage/lock.hpp>
#include <vicinal/storage/open_options.hpp>
#include <vicinal/storage/properties.hpp>
#include <vicinal/storage/single_snapshot.hpp>
#include <vicinal/storage/store_directory.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// The files of one open store: directory, lock, snapshot and log, and what a writer may still do
/// with them. It knows no columns; storages that map and storages that page share it.
template <class Os>
class store_files {
public:
    explicit store_files(storage::open_options const& options) noexcept : options_(options) {}
    store_files(store_files const&) = delete;
    store_files& operator=(store_files const&) = delete;
    /// Marks the log as closed in order. Where that fails the log stays as it is, complete too.
    ~store_files() {
        if (!open_ || read_only() || poisoned_ || !log_.replayed() || log_.closed()) return;
        if (!own_process()) return;
        static_cast<void>(guarded([this] { return close_log(); }));
    }

    [[nodiscard]] storage::snapshot_layout const& layout() const noexcept {
        return snapshot_.layout();
    }
    [[nodiscard]] storage::snapshot_file<Os> const& snapshot() const noexcept { return snapshot_; }
    [[nodiscard]] std::uint64_t log_bytes() const noexcept { return log_ ? log_.bytes() : 0; }
    [[nodiscard]] bool read_only() const noexcept { return options_.read_only; }
    /// False in a child that a fork made: two processes would write one log from there on.
    [[nodiscard]] bool own_process() const noexcept { return Os::process_id() == process_; }
    /// Whether every block of the snapshot is known to be right.
    [[nodiscard]] bool checked() const noexcept { return checked_; }

    [[nodiscard]] result<void> open(std::string_view path, storage::properties const& initial) {
        auto done = attach(path, initial);
        open_ = static_cast<bool>(done);
        // There is no writer yet that could be poisoned: opening again is the cure anyway.
        return done ? done : result<void>(unpoisoned(done.error()));
    }

    template <class Apply>
    [[nodiscard]] result<storage::replay_report> replay(Apply&& apply) {
        // A log that was made by this space has nothing to replay; nor has a snapshot without one.
        if (!log_ || log_.replayed())
            return storage::replay_report{0, 0, 0, log_ ? log_.last_lsn() : layout().last_lsn,
                                          true};
        auto report = log_.replay(apply, !read_only(), syncs_each());
        if (!report) note_poison(report.error());
        return report;
    }

    /// For a reader: hands on what was logged since, and gives the number of batches. Nothing where
    /// the store has other files by now, or another directory its name: then it must be opened
    /// anew.
    template <class Apply>
    [[nodiscard]] result<std::optional<std::uint64_t>> catch_up(Apply&& apply) {
        using answer = std::optional<std::uint64_t>;
        auto const now = storage::store_directory<Os>::open(directory_.path());
        if (!now) return now.error();
        auto const found = now->list();
        if (!found) return found.error();
        if (Os::same_file(now->number(), directory_.number()) != 1 ||
            found->newest() != layout().generation ||
            (!log_ && !(found->logs.empty() && found->closed_logs.empty())))
            return answer();
        if (!log_) return answer(0);
        auto const more = log_.replay_more(apply);
        if (!more) return more.error();
        return answer(*more);
    }

    /// The store as it is now, for a copy that goes on while it is written.
    [[nodiscard]] result<storage::held_files<Os>> hold() const {
        storage::held_files<Os> held;
        held.whole = true;
        auto snapshot = snapshot_.again();
        VICINAL_CHECK(snapshot);
        held.snapshot = *std::move(snapshot);
        if (log_) {
            auto log = log_.view();
            VICINAL_CHECK(log);
            held.log = *std::move(log);
        }
        return held;
    }

    [[nodiscard]] result<void> append(detail::log_kind kind, std::span<std::byte const> record) {
        VICINAL_CHECK(check_writable());
        VICINAL_CHECK(log_.make_room(record.size()));
        auto const g = layout().generation;
        auto const from = closed_log_name(g);
        auto const to = log_name(g);
        auto shown = directory_.shown(to);
        return risky([&]() -> result<void> {
            // The old name promises that no byte will follow: it goes before the first one comes.
            if (log_.closed()) {
                VICINAL_CHECK(directory_.rename(from, to));
                log_.renamed(std::move(shown), false);
                if (syncs()) VICINAL_CHECK(directory_.sync());
            }
            return log_.append(kind, record, syncs_each());
        });
    }

    [[nodiscard]] result<void> check_writable() const {
        if (read_only())
            return error{errc::read_only, "a store opened for writing",
                         "'" + directory_.path() + "' opened read-only"};
        if (!own_process())
            return error{errc::read_only,
                         "the process that opened '" + directory_.path() + "' for writing",
                         "a child of it, which shares lock and files"};
        VICINAL_CHECK(check_poison());
        if (!log_.replayed())
            return error{errc::invalid_argument, "replay() before the first write"};
        return {};
    }
    /// Rows that were never compared with their checksums must not get new ones: damage would be
    /// made valid.
    [[nodiscard]] result<void> check_before_copying() {
        if (!checked_) VICINAL_CHECK(snapshot_.check_all());
        checked_ = true;
        return {};
    }

    /// Writes the next generation beside this one. On failure nothing of it is left.
    [[nodiscard]] result<storage::generation_files<Os>>
    write_next(storage::properties const& properties,
               std::span<storage::section_source const> sources) {
        storage::snapshot_layout next;
        next.uuid = layout().uuid;
        next.generation = layout().generation + 1;
        next.last_lsn = log_.last_lsn();
        next.properties = properties;
        auto files = write_generation<Os>(directory_, std::move(next), sources, syncs());
        if (!files) note_poison(files.error());
        return files;
    }
    /// Publishes what write_next() gave and removes the generation before it, whose snapshot is
    /// left open in `next`. On failure the present one stays, and the next is removed unless it may
    /// have been published.
    [[nodiscard]] result<void> publish_next(storage::generation_files<Os>& next) {
        auto const old = layout().generation;
        auto const snapshot = snapshot_name(old);
        auto const log = log_name(old);
        auto const closed = closed_log_name(old);
        // Nothing may fail between the rename and the switch to the new log: a batch that went to
        // the old one would be lost.
        if (auto const done = publish(next); !done) {
            if (!poisoned_) abandon_next();
            return done;
        }
        std::swap(snapshot_, next.snapshot);
        log_ = std::move(next.log);
        checked_ = true;
        directory_.remove(snapshot);
        directory_.remove(log);
        directory_.remove(closed);
        return {};
    }
    void abandon_next() {
        auto const g = layout().generation + 1;
        directory_.remove(snapshot_name(g) + std::string(temporary_suffix));
        directory_.remove(log_name(g));
    }

    [[nodiscard]] result<void> sync() {
        if (read_only() || !log_.replayed()) return {};
        VICINAL_CHECK(check_poison());
        return risky([this] { return log_.sync(); });
    }

    [[nodiscard]] result<void> verify() const {
        VICINAL_CHECK(snapshot_.check_all());
        return log_ && log_.replayed() ? log_.check() : result<void>();
    }

private:
    [[nodiscard]] bool syncs() const noexcept {
        return options_.durability != vicinal::durability::off;
    }
    [[nodiscard]] bool syncs_each() const noexcept {
        return options_.durability == vicinal::durability::full;
    }

    [[nodiscard]] result<void> check_poison() const {
        if (!poisoned_) return {};
        return error{errc::writer_poisoned, "",
                     "an earlier write failed (" + poison_ +
                         "); close the store and open it again"};
    }
    void note_poison(error const& e) {
        if (e.code() != errc::writer_poisoned) return;
        poisoned_ = true;
        poison_ = e.message();
    }

    /// Runs calls after which memory and disk may differ. The writer is poisoned where they say so,
    /// and where memory runs out in the middle of them: only failures are put in words there, so
    /// something had failed.
    template <class Body>
    [[nodiscard]] result<void> risky(Body&& body) {
        poisoned_ = true;
        auto answer = guarded(body);
        poisoned_ = !answer && (answer.error().code() == errc::writer_poisoned ||
                                answer.error().code() == errc::out_of_memory);
        if (poisoned_) poison_ = answer.error().message();
        return answer;
    }

    [[nodiscard]] result<void> attach(std::string_view path, storage::properties const& initial) {
        auto directory = storage::store_directory<Os>::open(path);
        if (!directory && directory.error().code() == errc::not_found && !read_only()) {
            VICINAL_CHECK(storage::store_directory<Os>::make(path, syncs()));
            directory = storage::store_directory<Os>::open(path);
        }
        // A snapshot alone is what a program ships: there is no log, and no writer.
        if (!directory && directory.error().code() == errc::not_a_directory && read_only()) {
            auto file = storage::open_snapshot<Os>(path);
            if (!file) return file.error();
            snapshot_ = *std::move(file);
            return check_at_open();
        }
        if (!directory) return directory.error();
        directory_ = *std::move(directory);
        if (!read_only()) VICINAL_CHECK(enter_as_writer(initial));
        if (!snapshot_) {
            auto files = open_newest(directory_, !read_only());
            if (!files) return files.error();
            snapshot_ = std::move(files->snapshot);
            log_ = std::move(files->log);
        }
        VICINAL_CHECK(check_at_open());
        if (!log_ && !read_only()) return make_missing_log();
        return {};
    }

    [[nodiscard]] result<void> check_at_open() {
        if (options_.check == check_level::full ||
            (options_.check == check_level::lazy &&
             layout().file_bytes <= options_.checked_at_open)) {
            VICINAL_CHECK(snapshot_.check_all());
            checked_ = true;
        }
        return {};
    }

    /// Takes the lock, clears what broken runs left, and makes the store where there is none.
    [[nodiscard]] result<void> enter_as_writer(storage::properties const& initial) {
        auto found = directory_.list();
        if (!found) return found.error();
        // No file is put into somebody else's directory, not even LOCK.
        if (found->newest() == 0) VICINAL_CHECK(check_vacant(directory_, *found));
        auto lock = storage::writer_lock<Os>::take(directory_, options_.lock_timeout_ms);
        if (!lock) return lock.error();
        lock_ = *std::move(lock);
        found = directory_.list();
        if (!found) return found.error();
        if (auto const log = orphan(directory_, *found); !log.empty())
            return missing_snapshot(directory_.path(), log);
        remove_remains(directory_, *found);
        return found->newest() == 0 ? make_first(initial) : result<void>();
    }

    [[nodiscard]] result<void> make_first(storage::properties const& initial) {
        storage::snapshot_layout first;
        if (Os::random_bytes(first.uuid.data(), first.uuid.size()) != 0) {
            int const reason = errno;
            return system_failure(reason, "16 random bytes for a new store");
        }
        first.generation = 1;
        first.properties = initial;
        auto files = write_generation<Os>(directory_, std::move(first), {}, syncs());
        if (!files) return files.error();
        VICINAL_CHECK(publish(*files));
        snapshot_ = std::move(files->snapshot);
        log_ = std::move(files->log);
        return {};
    }

    /// Gives a snapshot without log (one that was shipped alone) a log. It gets its name when its
    /// header is complete.
    [[nodiscard]] result<void> make_missing_log() {
        auto const name = log_name(layout().generation);
        auto const temporary = name + std::string(temporary_suffix);
        log_header header;
        header.uuid = layout().uuid;
        header.generation = layout().generation;
        header.first_lsn = layout().last_lsn + 1;
        auto made = storage::log_file<Os>::make(directory_, temporary, header, syncs());
        if (!made) return made.error();
        log_ = *std::move(made);
        VICINAL_CHECK(directory_.rename(temporary, name));
        log_.renamed(directory_.shown(name), false);
        return syncs() ? directory_.sync() : result<void>();
    }

    /// The commit point of a generation: from here on it is what opens.
    [[nodiscard]] result<void> publish(storage::generation_files<Os>& files) {
        auto const name = snapshot_name(files.snapshot.layout().generation);
        auto const temporary = name + std::string(temporary_suffix);
        auto shown = directory_.shown(name);
        auto const done = risky([&]() -> result<void> {
            if (auto const renamed = directory_.rename(temporary, name); !renamed)
                return directory_.lacks(name)
                           ? renamed
                           : error{errc::writer_poisoned, renamed.error().expected(),
                                   renamed.error().got()};
            return syncs() ? directory_.sync() : result<void>();
        });
        VICINAL_CHECK(done);
        files.snapshot.renamed(std::move(shown));
        return {};
    }

    [[nodiscard]] result<void> close_log() {
        auto const g = layout().generation;
        auto const from = log_name(g);
        auto const to = closed_log_name(g);
        if (syncs()) VICINAL_CHECK(log_.sync());
        VICINAL_CHECK(log_.append_clean(syncs()));
        VICINAL_CHECK(directory_.rename(from, to));
        return syncs() ? directory_.sync() : result<void>();
    }

    // Destroyed in reverse: the lock is given back when nothing else is open.
    storage::store_directory<Os> directory_;
    storage::writer_lock<Os> lock_;
    storage::snapshot_file<Os> snapshot_;
    storage::log_file<Os> log_;
    storage::open_options options_;
    /// Every block of the snapshot is known to be right.
    bool checked_ = false;
    bool open_ = false;
    bool poisoned_ = false;
    std::string poison_;
    long process_ = Os::process_id();
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_SALVAGE_HPP
#define VICINAL_STORE_SALVAGE_HPP

#include <vicinal/core/problems.hpp>
#include <vicinal/payload/none.hpp>
#include <vicinal/storage/copy_files.hpp>
#include <vicinal/storage/log_walk.hpp>
#include <vicinal/storage/new_directory.hpp>
#include <vicinal/storage/repair.hpp>
#include <vicinal/store/field_definitions.hpp>
#include <vicinal/store/operations.hpp>
#include <vicinal/store/salvage_rows.hpp>

#if VICINAL_HAS_FILES
#    include <vicinal/storage/posix.hpp>
#endif

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// What was got out of a damaged store, and what was not: each loss also as a sentence in
/// `problems`, with its place.
struct salvage_report : problem_list {
    /// Records of the snapshot, and rows that were lost: something of them, or whether they were
    /// live at all, could not be proven.
    std::uint64_t records = 0;
    std::uint64_t lost_rows = 0;
    /// Writes since then, from the log, and numbers of writes that are missing between them.
    std::uint64_t writes = 0;
    std::uint64_t lost_writes = 0;
    /// Bytes of logs in which no valid write was found: a broken write at the end, or damage.
    std::uint64_t lost_log_bytes = 0;
};

namespace detail {

/// Reads a damaged directory and writes what it proves as one log of a new store.
template <class Os>
class salvager {
public:
    [[nodiscard]] result<salvage_report> run(std::string_view from, std::string_view to) {
        auto directory = storage::store_directory<Os>::open(from);
        if (!directory) return directory.error();
        from_ = *std::move(directory);
        auto const found = from_.list();
        if (!found) return found.error();
        auto snapshot = choose(*found);
        VICINAL_CHECK(snapshot);
        auto const& layout = snapshot->layout();
        if (auto const* const codes = snapshot->find("codes"); codes != nullptr && codes->rows > 0)
            return error{errc::vector_not_kept, "a snapshot of vectors, for a log of records",
                         "codes alone, of which no vector can be logged: restore a backup"};
        auto const* const id = layout.properties.find("id");
        text_ids_ = id == nullptr || *id == "string";
        auto const* const kind = layout.properties.find("payload");
        has_payloads_ = kind == nullptr || *kind != payload::none::name;
        last_lsn_ = layout.last_lsn;
        auto made = storage::new_directory<Os>::make(to, false);
        if (!made) return made.error();
        auto header = begin(made->files(), layout.properties);
        VICINAL_CHECK(header);
        auto const written =
            make_closed_log<Os>(made->files(), *header, [&](auto& log) -> result<void> {
                VICINAL_CHECK(take_rows(*snapshot, log));
                std::set<std::pair<std::uint64_t, bool>> logs;
                for (auto const g : found->closed_logs) logs.emplace(g, true);
                for (auto const g : found->logs) logs.emplace(g, false);
                for (auto const& [g, closed] : logs)
                    if (g >= layout.generation)
                        VICINAL_CHECK(
                            take_log(closed ? closed_log_name(g) : log_name(g), layout.uuid, log));
                return {};
            });
        VICINAL_CHECK(written);
        VICINAL_CHECK(made->publish());
        return std::move(report_);
    }

private:
    /// The newest snapshot whose layout can be had.
    [[nodiscard]] result<storage::snapshot_file<Os>> choose(store_listing const& found) {
        auto list = found.snapshots;
        std::sort(list.rbegin(), list.rend());
        for (auto const g : list) {
            auto const name = snapshot_name(g);
            auto file = open_damaged<Os>(from_.number(), name, from_.shown(name), report_);
            if (file || file.error().code() == errc::newer_format) return file;
            if (report_.ok()) report_.add(file.error().message());
        }
        if (list.empty())
            return error{errc::not_found, "a snapshot in '" + from_.path() + "'", "none"};
        return error{errc::corrupt_snapshot, "a snapshot that says what it holds",
                     report_.problems.empty() ? "" : report_.problems.front()};
    }

    /// The new store's empty snapshot; gives what its log begins with.
    [[nodiscard]] result<log_header> begin(storage::store_directory<Os> const& to,
                                           storage::properties const& properties) {
        storage::snapshot_layout first;
        if (Os::random_bytes(first.uuid.data(), first.uuid.size()) != 0) {
            int const reason = errno;
            return system_failure(reason, "16 random bytes for a new store");
        }
        first.generation = 1;
        first.properties = properties;
        forget_field_contents(first.properties);
        log_header header;
        header.uuid = first.uuid;
        header.generation = 1;
        auto const name = snapshot_name(1);
        VICINAL_CHECK(storage::write_snapshot<Os>(to.number(), name, to.shown(name),
                                                  std::move(first), {}, true));
        return header;
    }

    template <class Log>
    [[nodiscard]] result<void> take_rows(storage::snapshot_file<Os> const& file, Log& log) {
        auto const damaged = [this](std::string text) { report_.add(std::move(text)); };
        proven_rows<Os> rows(file, text_ids_, has_payloads_, damaged);
        using outcome = typename proven_rows<Os>::outcome;
        vector_bytes_ = rows.vector_bytes();
        std::vector<salvaged_row> batch;
        std::size_t bytes = 0;
        for (std::uint64_t s = 0; s < rows.count(); ++s) {
            salvaged_row row;
            auto const got = rows.read(s, row);
            VICINAL_CHECK(got);
            if (*got == outcome::lost) {
                ++report_.lost_rows;
                report_.add("row " + std::to_string(s) + name_of(row.id) + ": not proven");
            }
            if (*got != outcome::record) continue;
            bytes += row.id.size() + row.vector.size() + row.payload.size();
            batch.push_back(std::move(row));
            if (bytes >= batch_bytes) {
                VICINAL_CHECK(write(batch, log));
                batch.clear();
                bytes = 0;
            }
        }
        return write(batch, log);
    }
    template <class Log>
    [[nodiscard]] result<void> write(std::vector<salvaged_row> const& batch, Log& log) {
        if (batch.empty()) return {};
        std::vector<prepared<std::string>> entries;
        for (auto const& r : batch) {
            std::string_view const id(reinterpret_cast<char const*>(r.id.data()), r.id.size());
            entries.push_back({id, hash_bytes(id), r.vector.data(), r.payload});
        }
        report_.records += batch.size();
        auto const record = write_upsert<std::string>(
            std::span<prepared<std::string> const>(entries), vector_bytes_);
        return log.append(log_kind::batch, record.bytes(), false);
    }

    template <class Log>
    [[nodiscard]] result<void> take_log(std::string const& name, storage::store_uuid const& uuid,
                                        Log& log) {
        auto const shown = from_.shown(name);
        storage::descriptor<Os> const file(
            uninterrupted([&] { return Os::open_read(from_.number(), name.c_str()); }));
        auto const size = file ? Os::file_bytes(file.get()) : -1;
        std::array<std::byte, log_header_bytes> bytes{};
        auto const n = size < 0 ? result<std::size_t>(error{errc::io_failure, "to open " + shown})
                                : storage::read_up_to<Os>(file.get(), 0, bytes, shown);
        if (!n) {
            report_.add(n.error().message());
            return {};
        }
        auto header = decode_log_header(bytes.data(), shown);
        if (!header) {
            report_.add(header.error().message());
            static_cast<void>(
                repair_bit(std::span(bytes).first(60), load_le<std::uint32_t>(bytes.data() + 60)));
            header = decode_log_header(bytes.data(), shown);
        }
        if (header && header->uuid != uuid) {
            report_.add(shown + " is another store's");
            return {};
        }
        // Where more of the header is damaged the salt may be right still: records say so.
        auto const walked = walk_log<Os>(
            file.get(), shown, static_cast<std::uint64_t>(size),
            load_le<std::uint64_t>(bytes.data() + 48), last_lsn_,
            [&](whole_record const& r) { return take_record(r, shown, log); },
            [&](std::uint64_t from, std::uint64_t to) {
                report_.lost_log_bytes += to - from;
                report_.add("no valid record from byte " + std::to_string(from) + " to " +
                            std::to_string(to) + " of " + shown);
            });
        if (walked || walked.error().code() == errc::out_of_memory || !took_all_) return walked;
        report_.add(walked.error().message());
        return {};
    }
    template <class Log>
    [[nodiscard]] result<void> take_record(whole_record const& w, std::string const& shown,
                                           Log& log) {
        auto const lsn = w.record.lsn;
        if (lsn <= last_lsn_) return {};
        if (lsn != last_lsn_ + 1) {
            report_.lost_writes += lsn - last_lsn_ - 1;
            report_.add("writes " + std::to_string(last_lsn_ + 1) + " to " +
                        std::to_string(lsn - 1) + " are missing in " + shown);
        }
        last_lsn_ = lsn;
        auto const kind = static_cast<log_kind>(w.record.kind);
        if (kind != log_kind::batch && kind != log_kind::later_batch) return {};
        auto const payload = w.bytes.subspan(log_record_bytes, w.record.payload_bytes);
        // A store that was never checkpointed does not say how long its vectors are.
        if (vector_bytes_ != 0)
            if (auto const form = read_operation<std::string>(payload, vector_bytes_, looked_at{});
                !form) {
                ++report_.lost_writes;
                report_.add("write " + std::to_string(lsn) + " of " + shown + ": " +
                            form.error().message());
                return {};
            }
        ++report_.writes;
        auto done = log.append(kind, payload, false);
        took_all_ = static_cast<bool>(done);
        return done;
    }

    struct looked_at {
        [[nodiscard]] result<void> upsert(std::span<prepared<std::string> const>) const {
            return {};
        }
        [[nodiscard]] result<void> update(std::span<prepared<std::string> const>) const {
            return {};
        }
        [[nodiscard]] result<void> erase(std::string_view) const { return {}; }
        [[nodiscard]] result<void> clear() const { return {}; }
        [[nodiscard]] result<void> index_on(bool, std::string_view, field_index) const {
            return {};
        }
    };

    [[nodiscard]] std::string name_of(std::vector<std::byte> const& id) const {
        if (id.empty()) return {};
        if (text_ids_)
            return " ('" + std::string(reinterpret_cast<char const*>(id.data()), id.size()) + "')";
        return id.size() == 8 ? " (" + std::to_string(load_le<std::uint64_t>(id.data())) + ")" : "";
    }

    static constexpr std::size_t batch_bytes = std::size_t{1} << 20;

    storage::store_directory<Os> from_;
    salvage_report report_;
    bool text_ids_ = true;
    bool has_payloads_ = true;
    std::size_t vector_bytes_ = 0;
    std::uint64_t last_lsn_ = 0;
    /// What was written so far reached the new log.
    bool took_all_ = true;
};

template <class Os>
[[nodiscard]] result<salvage_report> salvage_store(std::string_view from, std::string_view to) {
    return guarded([&]() -> result<salvage_report> {
        auto done = salvager<Os>().run(from, to);
        if (!done) return unpoisoned(done.error());
        return done;
    });
}

} // namespace detail

#if VICINAL_HAS_FILES

/// Makes a store at `to` of what can be proven of the damaged one at `from`, which is only read:
/// rows of the snapshot whose blocks have the right checksums, then the log's writes, those behind
/// damage too. At `to` nothing may be yet; it opens with the types of the damaged one, and its
/// first checkpoint() builds the index.
///
/// A lost write may have been one that erased or replaced a record: what it did is not done in the
/// new store. A writer should not have `from` open. Errors: not_found, corrupt_snapshot (no
/// snapshot says what it holds), vector_not_kept (codes alone), newer_format, invalid_argument
/// (something is at `to`), locked, io_failure, out_of_memory.
[[nodiscard]] inline result<salvage_report> try_salvage(std::string_view from,
                                                        std::string_view to) {
    return detail::salvage_store<storage::posix>(from, to);
}

#    if VICINAL_EXCEPTIONS
inline salvage_report salvage(std::string_view from, std::string_view to) {
    return try_salvage(from, to).value();
}
#    endif

#endif

} // namespace vicinal::inline VICINAL_ABI

#endif

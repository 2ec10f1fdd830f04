// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_LOG_HPP
#define VICINAL_STORAGE_LOG_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/storage/descriptor.hpp>
#include <vicinal/storage/durability.hpp>
#include <vicinal/storage/log_format.hpp>
#include <vicinal/storage/log_scan.hpp>
#include <vicinal/storage/store_directory.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// What replaying a log found.
struct replay_report {
    /// Batches handed on, and their bytes in the file.
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    /// What stood behind the last valid record: a write that was cut off. 0 after a close in order
    /// and after a killed process, unless it was killed in the middle of a write.
    std::uint64_t bytes_dropped = 0;
    std::uint64_t last_lsn = 0;
    /// The last writer closed the store in order.
    bool clean = false;
};

/// A log up to some record, for reading beside whoever writes it.
template <class Os>
struct log_view {
    descriptor<Os> file = {};
    std::string shown = {};
    detail::log_header header = {};
    std::uint64_t end = 0;
    bool closed = false;
};

/// The log of one generation: opened, replayed once, then appended to.
template <class Os>
class log_file {
public:
    log_file() = default;

    /// Makes a log without records; it replaces one of that name.
    [[nodiscard]] static result<log_file> make(store_directory<Os> const& directory,
                                               std::string const& name, detail::log_header header,
                                               bool sync) {
        log_file l;
        l.shown_ = directory.shown(name);
        std::array<std::byte, 8> salt{};
        if (Os::random_bytes(salt.data(), salt.size()) != 0) {
            int const reason = errno;
            return detail::system_failure(reason, "8 random bytes for " + l.shown_);
        }
        header.salt = detail::load_le<std::uint64_t>(salt.data());
        l.file_ = descriptor<Os>(detail::uninterrupted(
            [&] { return Os::open_empty(directory.number(), name.c_str()); }));
        if (!l.file_) {
            int const reason = errno;
            return detail::system_failure(reason, "to make " + l.shown_);
        }
        std::array<std::byte, detail::log_header_bytes> bytes;
        detail::encode_log_header(header, bytes.data());
        VICINAL_CHECK(write_all<Os>(l.file_.get(), 0, bytes, l.shown_));
        if (sync) VICINAL_CHECK(l.sync_file());
        l.header_ = header;
        l.size_ = bytes.size();
        l.state_.last_lsn = header.first_lsn - 1;
        l.synced_lsn_ = sync ? l.state_.last_lsn : 0;
        l.replayed_ = true;
        return l;
    }

    /// Opens a log and checks its header. errc::not_found where there is none.
    [[nodiscard]] static result<log_file> open(store_directory<Os> const& directory,
                                               std::string const& name, bool writable,
                                               bool closed) {
        log_file l;
        l.shown_ = directory.shown(name);
        l.closed_ = closed;
        l.file_ = descriptor<Os>(detail::uninterrupted([&] {
            return writable ? Os::open_write(directory.number(), name.c_str())
                            : Os::open_read(directory.number(), name.c_str());
        }));
        if (!l.file_) {
            int const reason = errno;
            if (reason == ENOENT) return error{errc::not_found, l.shown_, "no such file"};
            return detail::system_failure(reason, "to open " + l.shown_);
        }
        auto const size = Os::file_bytes(l.file_.get());
        if (size < 0) {
            int const reason = errno;
            return detail::system_failure(reason, "to ask for the size of " + l.shown_);
        }
        l.size_ = static_cast<std::uint64_t>(size);
        std::array<std::byte, detail::log_header_bytes> bytes{};
        auto const n = read_up_to<Os>(l.file_.get(), 0, bytes, l.shown_);
        if (!n) return n.error();
        // A log gets its name after its header: a shorter one is no write that was cut off.
        if (*n < bytes.size())
            return error{errc::corrupt_log, "a header of 64 bytes in " + l.shown_,
                         std::to_string(*n) + " bytes"};
        auto const header = detail::decode_log_header(bytes.data(), l.shown_);
        if (!header) return header.error();
        l.header_ = *header;
        return l;
    }

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(file_); }
    [[nodiscard]] detail::log_header const& header() const noexcept { return header_; }
    [[nodiscard]] std::uint64_t last_lsn() const noexcept { return state_.last_lsn; }
    /// Bytes of the records, without header.
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        return (replayed_ ? state_.end : size_) - detail::log_header_bytes;
    }
    [[nodiscard]] std::string const& shown() const noexcept { return shown_; }
    /// The file has the name of a log that was closed in order.
    [[nodiscard]] bool closed() const noexcept { return closed_; }
    [[nodiscard]] bool replayed() const noexcept { return replayed_; }

    /// Hands every batch to `apply`. A writer cuts off what a broken write has left.
    template <class Apply>
    [[nodiscard]] result<replay_report> replay(Apply&& apply, bool writable, bool sync) {
        auto const found =
            detail::scan_log<Os>(file_.get(), shown_, size_, header_, closed_, apply);
        if (!found) return found.error();
        if (auto const dropped = size_ - found->end; dropped > 0 && writable) {
            if (detail::uninterrupted([&] { return Os::truncate_file(file_.get(), found->end); }) !=
                0) {
                int const reason = errno;
                return detail::system_failure(reason, "to cut the broken write off " + shown_);
            }
        }
        // What was read may still be in the page cache only, as after a killed writer; it counts as
        // acknowledged from here on.
        if (writable && sync && size_ > detail::log_header_bytes) VICINAL_CHECK(sync_file());
        state_ = *found;
        synced_lsn_ = sync ? state_.last_lsn : 0;
        replayed_ = true;
        return replay_report{state_.batches, state_.batch_bytes, size_ - state_.end,
                             state_.last_lsn, state_.clean && size_ == state_.end};
    }

    /// Hands on what a writer in another process has appended since, and gives how many batches
    /// that was; what it is writing just now comes another time. errc::corrupt_log names file and
    /// offset.
    template <class Apply>
    [[nodiscard]] result<std::uint64_t> replay_more(Apply&& apply) {
        auto const size = Os::file_bytes(file_.get());
        if (size < 0) {
            int const reason = errno;
            return detail::system_failure(reason, "to ask for the size of " + shown_);
        }
        size_ = static_cast<std::uint64_t>(size);
        auto const before = state_.batches;
        if (size_ > state_.end) {
            // It was opened again if it had been closed in order.
            closed_ = false;
            VICINAL_CHECK(
                detail::scan_on<Os>(state_, file_.get(), shown_, size_, header_, closed_, apply));
        }
        return state_.batches - before;
    }

    /// Reads again what replaying and appending have seen, and compares every checksum.
    /// errc::corrupt_log names file and offset.
    [[nodiscard]] result<void> check() const {
        auto const found =
            detail::scan_log<Os>(file_.get(), shown_, state_.end, header_, closed_,
                                 [](std::span<std::byte const>) { return result<void>(); });
        if (!found) return found.error();
        if (found->end == state_.end) return {};
        return detail::log_damage(shown_, found->end, found->last_lsn + 1, "damaged bytes");
    }

    /// The log as it is now: up to the last record that was appended or replayed, or all of the
    /// file where it was not replayed.
    [[nodiscard]] result<log_view<Os>> view() const {
        log_view<Os> v{file_.duplicate(), shown_, header_, bytes() + detail::log_header_bytes,
                       closed_};
        if (v.file) return v;
        int const reason = errno;
        return detail::system_failure(reason, "to open " + shown_ + " once more");
    }

    /// Memory for one record of that payload: append() then needs no more unless it fails.
    /// errc::limit_exceeded above 1 GiB.
    [[nodiscard]] result<void> make_room(std::size_t payload_bytes) {
        if (payload_bytes > detail::most_payload_bytes)
            return error{errc::limit_exceeded, "at most 1 GiB in one log record",
                         std::to_string(payload_bytes) + " bytes"};
        scratch_.reserve(static_cast<std::size_t>(detail::log_record_bytes +
                                                  detail::round_up(payload_bytes, 8)));
        return {};
    }

    /// Appends a record with one write; syncs it if asked. On failure the record is not in the log:
    /// its bytes are cut off again. errc::writer_poisoned where that or the sync failed.
    [[nodiscard]] result<void> append(detail::log_kind kind, std::span<std::byte const> payload,
                                      bool sync) {
        VICINAL_CHECK(make_room(payload.size()));
        detail::log_record r;
        r.payload_bytes = static_cast<std::uint32_t>(payload.size());
        r.lsn = state_.last_lsn + 1;
        r.synced_lsn = synced_lsn_;
        r.kind = static_cast<std::uint8_t>(kind);
        scratch_.assign(static_cast<std::size_t>(r.bytes()), std::byte{0});
        std::copy(payload.begin(), payload.end(), scratch_.begin() + detail::log_record_bytes);
        detail::seal_record(r, header_.salt, state_.end, scratch_);
        if (auto const written = write_all<Os>(file_.get(), state_.end, scratch_, shown_);
            !written) {
            if (detail::uninterrupted([&] { return Os::truncate_file(file_.get(), state_.end); }) !=
                0)
                return error{errc::writer_poisoned, written.error().expected(),
                             written.error().got()};
            return written.error();
        }
        if (sync) VICINAL_CHECK(sync_file());
        state_.end += r.bytes();
        state_.last_lsn = r.lsn;
        state_.digest = detail::chain(state_.digest, r.crc);
        ++state_.count;
        state_.clean = kind == detail::log_kind::clean;
        if (sync) synced_lsn_ = r.lsn;
        // A batch that was large once must not hold its memory for good.
        if (scratch_.capacity() > most_scratch) scratch_ = {};
        return {};
    }

    /// Appends the mark of a close in order.
    [[nodiscard]] result<void> append_clean(bool sync) {
        std::array<std::byte, detail::clean_payload_bytes> payload{};
        detail::store_le(payload.data(), state_.count);
        detail::store_le(payload.data() + 8, state_.digest);
        return append(detail::log_kind::clean, payload, sync);
    }

    /// Everything appended so far reaches the disk.
    [[nodiscard]] result<void> sync() {
        if (synced_lsn_ == state_.last_lsn) return {};
        VICINAL_CHECK(sync_file());
        synced_lsn_ = state_.last_lsn;
        return {};
    }

    /// The file was renamed.
    void renamed(std::string shown, bool closed) noexcept {
        shown_ = std::move(shown);
        closed_ = closed;
    }

private:
    static constexpr std::size_t most_scratch = std::size_t{4} << 20;

    /// A failed sync leaves unknown what the disk holds, and a second one may succeed although the
    /// data is gone: the writer must stop.
    [[nodiscard]] result<void> sync_file() {
        if (detail::uninterrupted([&] { return Os::sync_data(file_.get()); }) == 0) return {};
        int const reason = errno;
        return error{errc::writer_poisoned, "to sync " + shown_,
                     std::generic_category().message(reason)};
    }

    descriptor<Os> file_;
    std::string shown_;
    detail::log_header header_;
    detail::log_state state_;
    std::uint64_t size_ = detail::log_header_bytes;
    std::uint64_t synced_lsn_ = 0;
    bool closed_ = false;
    bool replayed_ = false;
    std::vector<std::byte> scratch_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

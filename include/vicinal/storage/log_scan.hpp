// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_LOG_SCAN_HPP
#define VICINAL_STORAGE_LOG_SCAN_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/descriptor.hpp>
#include <vicinal/storage/log_format.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What a scan found: where the valid part ends and what the next record continues.
struct log_state {
    std::uint64_t end = log_header_bytes;
    /// The number of the newest record, marks included.
    std::uint64_t last_lsn = 0;
    /// Records of any kind, and the digest of their checksums.
    std::uint64_t count = 0;
    std::uint32_t digest = 0;
    /// Records with a batch in them, and the bytes of these.
    std::uint64_t batches = 0;
    std::uint64_t batch_bytes = 0;
    /// The newest record is the mark of a close in order.
    bool clean = false;
};

/// A log read through a buffer, so that replaying needs no more memory than its largest record.
template <class Os>
class log_window {
public:
    log_window(int file, std::uint64_t size, std::string const& shown) noexcept
        : file_(file), size_(size), shown_(shown) {}

    /// The bytes from `offset`, `n` of them; fewer where the file ends. Valid until the next call.
    [[nodiscard]] result<std::span<std::byte const>> at(std::uint64_t offset, std::uint64_t n) {
        n = (std::min)(n, size_ - (std::min)(offset, size_));
        if (offset < begin_ || offset - begin_ > buffer_.size() ||
            buffer_.size() - (offset - begin_) < n) {
            auto const wanted = (std::max)(
                n, (std::min)(std::uint64_t{1} << 20, size_ - (std::min)(offset, size_)));
            buffer_.resize(static_cast<std::size_t>(wanted));
            begin_ = offset;
            auto const got = storage::read_up_to<Os>(file_, offset, buffer_, shown_);
            if (!got) return got.error();
            // A writer in another process may have cut the file meanwhile.
            buffer_.resize(*got);
        }
        auto const from = static_cast<std::size_t>(offset - begin_);
        auto const all = std::span<std::byte const>(buffer_).subspan(from);
        return all.first((std::min)(all.size(), static_cast<std::size_t>(n)));
    }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] std::string const& shown() const noexcept { return shown_; }

private:
    int file_;
    std::uint64_t size_;
    std::string const& shown_;
    std::vector<std::byte> buffer_;
    std::uint64_t begin_ = 0;
};

/// The record at `offset` with its payload, or nothing where its checksum does not hold or the file
/// ends inside it.
struct whole_record {
    log_record record;
    std::span<std::byte const> bytes;
};
template <class Os>
[[nodiscard]] result<std::optional<whole_record>>
read_record(log_window<Os>& window, std::uint64_t salt, std::uint64_t offset) {
    std::optional<whole_record> none;
    auto const head = window.at(offset, log_record_bytes);
    if (!head) return head.error();
    if (head->size() < log_record_bytes) return none;
    auto const r = load_record(head->data());
    if (r.payload_bytes > most_payload_bytes || r.bytes() > window.size() - offset) return none;
    auto const bytes = window.at(offset, r.bytes());
    if (!bytes) return bytes.error();
    if (bytes->size() < r.bytes() || record_crc(salt, offset, *bytes) != r.crc) return none;
    return std::optional<whole_record>(whole_record{r, *bytes});
}

[[nodiscard]] inline error log_damage(std::string const& shown, std::uint64_t offset,
                                      std::uint64_t lsn, std::string got) {
    return error{errc::corrupt_log,
                 "record " + std::to_string(lsn) + " at offset " + std::to_string(offset) + " of " +
                     shown,
                 std::move(got)};
}

/// Whether a record may start at `p`, by its 32 bytes: one of those behind an invalid one at
/// `offset`, where record `lsn` belongs. Its checksum is what decides.
[[nodiscard]] inline bool plausible(log_record const& r, std::uint64_t p, std::uint64_t offset,
                                    std::uint64_t lsn, std::uint64_t size) noexcept {
    return r.lsn > lsn && r.lsn - lsn <= (p - offset) / log_record_bytes && r.synced_lsn < r.lsn &&
           known_kind(r.kind) && r.payload_bytes <= most_payload_bytes && r.bytes() <= size - p;
}
/// Bytes of payloads may look like records by design of an attacker, each claiming the whole rest:
/// so many bytes are looked at behind a damaged place, and no more.
[[nodiscard]] inline std::uint64_t search_budget(std::uint64_t bytes) noexcept {
    return 8 * bytes + (std::uint64_t{1} << 26);
}

/// Decides what an invalid record at `offset`, where record `lsn` belongs, is. A write that was cut
/// off is success: nothing behind it shows that it had been complete. Damage is an error: a valid
/// record behind it says that record `lsn` was on the disk, or that the store was closed in order.
///
/// Records that were never synced (durability normal or off) reach the disk in any order, so that a
/// valid one behind the gap alone proves no damage; it is dropped with it.
template <class Os>
[[nodiscard]] result<void> check_torn(log_window<Os>& window, std::uint64_t salt,
                                      std::uint64_t offset, std::uint64_t lsn) {
    // A log that exceeds it is refused.
    auto budget = search_budget(window.size() - offset);
    for (auto p = offset + 8; p + log_record_bytes <= window.size(); p += 8) {
        auto const head = window.at(p, log_record_bytes);
        if (!head) return head.error();
        if (head->size() < log_record_bytes) break;
        auto const r = load_record(head->data());
        if (!plausible(r, p, offset, lsn, window.size())) continue;
        if (r.bytes() > budget)
            return log_damage(window.shown(), offset, lsn, "too many pieces of records behind it");
        budget -= r.bytes();
        auto const later = read_record(window, salt, p);
        if (!later) return later.error();
        if (!*later) continue;
        if (r.synced_lsn >= lsn || r.kind == static_cast<std::uint8_t>(log_kind::clean))
            return log_damage(window.shown(), offset, lsn,
                              "damaged bytes; record " + std::to_string(r.lsn) + " at offset " +
                                  std::to_string(p) + " shows that it was complete");
        p += r.bytes() - 8;
    }
    return {};
}

/// Hands the payload of each batch behind the state `s` to `apply(span) -> result<void>`, with its
/// kind where it takes one, up to the end of the valid part, and moves `s` there record by record.
/// `closed`: the log's name says that it was closed in order, so that every byte must hold.
/// errc::corrupt_log names file and offset.
template <class Os, class Apply>
[[nodiscard]] result<void> scan_on(log_state& s, int file, std::string const& shown,
                                   std::uint64_t size, log_header const& header, bool closed,
                                   Apply&& apply) {
    log_window<Os> window(file, size, shown);
    while (s.end < size) {
        auto const lsn = s.last_lsn + 1;
        auto const found = read_record(window, header.salt, s.end);
        if (!found) return found.error();
        if (!*found) {
            if (closed)
                return log_damage(shown, s.end, lsn, "damaged bytes in a log closed in order");
            return check_torn(window, header.salt, s.end, lsn);
        }
        auto const& [r, bytes] = **found;
        auto const payload = bytes.subspan(log_record_bytes, r.payload_bytes);
        if (r.lsn != lsn || r.synced_lsn >= r.lsn)
            return log_damage(shown, s.end, lsn, "record " + std::to_string(r.lsn));
        bool const clean = r.kind == static_cast<std::uint8_t>(log_kind::clean);
        if (!known_kind(r.kind) || !all_zero(bytes.subspan(25, 7)))
            return error{errc::newer_format,
                         "records of kind 1 to 3 at offset " + std::to_string(s.end) + " of " +
                             shown,
                         "kind " + std::to_string(r.kind) + ", written by a newer vicinal"};
        if (!all_zero(bytes.subspan(log_record_bytes + r.payload_bytes)))
            return log_damage(shown, s.end, lsn, "padding that is not zero");
        if (clean) {
            if (payload.size() != clean_payload_bytes ||
                load_le<std::uint64_t>(payload.data()) != s.count ||
                load_le<std::uint32_t>(payload.data() + 8) != s.digest ||
                !all_zero(payload.subspan(12)))
                return log_damage(shown, s.end, lsn, "a mark of a close that counts other records");
        } else {
            if constexpr (requires { apply(payload, log_kind::batch); })
                VICINAL_CHECK(apply(payload, static_cast<log_kind>(r.kind)));
            else
                VICINAL_CHECK(apply(payload));
            ++s.batches;
            s.batch_bytes += r.bytes();
        }
        s.digest = chain(s.digest, r.crc);
        ++s.count;
        s.last_lsn = lsn;
        s.end += r.bytes();
        s.clean = clean;
    }
    if (closed && !s.clean)
        return log_damage(shown, s.end, s.last_lsn + 1, "the end, without the mark of a close");
    return {};
}

/// The same from the log's first record on.
template <class Os, class Apply>
[[nodiscard]] result<log_state> scan_log(int file, std::string const& shown, std::uint64_t size,
                                         log_header const& header, bool closed, Apply&& apply) {
    log_state s;
    s.last_lsn = header.first_lsn - 1;
    VICINAL_CHECK(scan_on<Os>(s, file, shown, size, header, closed, apply));
    return s;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

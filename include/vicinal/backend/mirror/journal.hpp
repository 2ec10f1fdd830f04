// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_MIRROR_JOURNAL_HPP
#define VICINAL_BACKEND_MIRROR_JOURNAL_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/source_file.hpp>
#include <vicinal/storage/crc32c.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vicinal::inline VICINAL_ABI::detail {

/// What a mirror must not forget: the ids whose records may differ between its sides, and which
/// side leads. A file of records that are only ever appended, each with its length and CRC32C:
///
///     u32 bytes of the rest, u32 CRC32C of the rest, u8 kind, then
///     kind 1 (may differ), 2 (equal again): ids, each u32 bytes and the bytes; 3: u8 leading side
///
/// A record that a crash has cut off is dropped when the file is opened: nothing was done yet of
/// what it announced. While no id differs and the file is above 1 MiB it begins anew.
class mirror_journal {
public:
    mirror_journal() = default;
    mirror_journal(mirror_journal&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), size_(other.size_), leading_(other.leading_),
          path_(std::move(other.path_)), differing_(std::move(other.differing_)) {}
    mirror_journal& operator=(mirror_journal&& other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(size_, other.size_);
        std::swap(leading_, other.leading_);
        std::swap(path_, other.path_);
        std::swap(differing_, other.differing_);
        return *this;
    }
    ~mirror_journal() {
        if (fd_ >= 0) ::close(fd_);
    }

    /// Opens the journal or makes an empty one.
    ///
    /// Errors: locked (another mirror has it), not_found (no such directory), corrupt_source (a
    /// record in the middle is damaged), foreign_file, io_failure.
    [[nodiscard]] static result<mirror_journal> open(std::string path) {
        mirror_journal j;
        j.path_ = std::move(path);
        j.fd_ =
            ::open(j.path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (j.fd_ < 0) {
            auto const code = errno == ENOENT ? errc::not_found : errc::io_failure;
            return error{code, "a journal that can be written",
                         j.path_ + ": " + system_reason(errno)};
        }
        if (::flock(j.fd_, LOCK_EX | LOCK_NB) != 0)
            return error{errc::locked, "no other mirror", j.path_ + " has one"};
        struct stat status {};
        if (::fstat(j.fd_, &status) != 0) return j.failure("be looked at");
        if (!S_ISREG(status.st_mode))
            return error{errc::foreign_file, "a regular file", j.path_ + " is none"};
        VICINAL_CHECK(j.replay(static_cast<std::uint64_t>(status.st_size)));
        return j;
    }

    /// The ids whose records may differ, sorted.
    [[nodiscard]] std::set<std::string, std::less<>> const& differing() const noexcept {
        return differing_;
    }
    [[nodiscard]] unsigned leading() const noexcept { return leading_; }

    /// Remembers, durably, that these may differ from now on.
    [[nodiscard]] result<void> announce(std::span<std::string_view const> ids) {
        VICINAL_CHECK(append(encode(may_differ, ids), true));
        for (auto const id : ids) differing_.emplace(id);
        return {};
    }
    /// Forgets them. Not synced: that they are remembered once too often does no harm.
    [[nodiscard]] result<void> settle(std::span<std::string_view const> ids) {
        VICINAL_CHECK(append(encode(equal_again, ids), false));
        for (auto const id : ids)
            if (auto const at = differing_.find(id); at != differing_.end()) differing_.erase(at);
        if (differing_.empty() && size_ > most_bytes) return begin_anew();
        return {};
    }
    [[nodiscard]] result<void> lead(unsigned side) {
        std::string rest(1, static_cast<char>(leads));
        rest.push_back(static_cast<char>(side));
        VICINAL_CHECK(append(rest, true));
        leading_ = side;
        return {};
    }

private:
    enum kind : unsigned char { may_differ = 1, equal_again = 2, leads = 3 };
    static constexpr std::size_t head_bytes = 12;
    static constexpr std::uint64_t most_bytes = std::uint64_t{1} << 20;
    static constexpr std::uint32_t most_record = std::uint32_t{1} << 28;

    static void put(std::uint32_t n, std::string& out) {
        for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(n >> shift));
    }
    [[nodiscard]] static std::string encode(kind k, std::span<std::string_view const> ids) {
        std::string rest(1, static_cast<char>(k));
        for (auto const id : ids) {
            put(static_cast<std::uint32_t>(id.size()), rest);
            rest.append(id);
        }
        return rest;
    }
    [[nodiscard]] static std::uint32_t checksum(std::string_view rest) noexcept {
        return storage::crc32c(std::as_bytes(std::span(rest)));
    }
    [[nodiscard]] error failure(char const* what) const {
        return error{errc::io_failure, std::string("a journal that can ") + what,
                     path_ + ": " + system_reason(errno)};
    }

    [[nodiscard]] result<void> append(std::string_view rest, bool sync) {
        if (rest.size() > most_record)
            return error{errc::limit_exceeded, "ids of at most 256 MiB in one write",
                         std::to_string(rest.size())};
        std::string bytes;
        put(static_cast<std::uint32_t>(rest.size()), bytes);
        put(checksum(bytes), bytes);
        put(checksum(rest), bytes);
        bytes.append(rest);
        // What a failure leaves behind size_ is overwritten by the next record.
        for (std::size_t done = 0; done < bytes.size();) {
            auto const n = ::pwrite(fd_, bytes.data() + done, bytes.size() - done,
                                    static_cast<::off_t>(size_ + done));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return failure("be written");
            done += static_cast<std::size_t>(n);
        }
        if (sync && ::fdatasync(fd_) != 0) return failure("be synced");
        size_ += bytes.size();
        return {};
    }

    struct head {
        std::uint32_t length;
        std::uint32_t checksum;
    };
    /// What stands at an offset, if that is the head of a record.
    [[nodiscard]] result<std::optional<head>> head_at(std::uint64_t offset) const {
        std::byte bytes[head_bytes];
        auto const got = read(offset, bytes, sizeof bytes);
        VICINAL_CHECK(got);
        head const h{load_le<std::uint32_t>(bytes), load_le<std::uint32_t>(bytes + 8)};
        bool const whole =
            *got == sizeof bytes && h.length > 0 && h.length <= most_record &&
            storage::crc32c(std::span(bytes, 4)) == load_le<std::uint32_t>(bytes + 4);
        return whole ? std::optional(h) : std::nullopt;
    }
    /// Whether the record under this head is in the file, undamaged; its bytes are then in `rest`.
    [[nodiscard]] result<bool> read_record(head const& h, std::uint64_t offset, std::uint64_t bytes,
                                           std::string& rest) const {
        if (h.length > bytes - offset - head_bytes) return false;
        rest.resize(h.length);
        auto const got = read(offset + head_bytes, rest.data(), h.length);
        VICINAL_CHECK(got);
        return *got == h.length && checksum(rest) == h.checksum;
    }

    [[nodiscard]] result<void> replay(std::uint64_t bytes) {
        std::string rest;
        while (size_ < bytes) {
            auto const h = head_at(size_);
            VICINAL_CHECK(h);
            if (!*h) break;
            auto const whole = read_record(**h, size_, bytes, rest);
            VICINAL_CHECK(whole);
            if (!*whole || !apply(rest)) break;
            size_ += head_bytes + (*h)->length;
        }
        // A record that was cut off is the last one. What has records behind it is damage.
        for (auto at = size_ + 1; at + head_bytes < bytes; ++at) {
            auto const h = head_at(at);
            VICINAL_CHECK(h);
            if (!*h) continue;
            auto const whole = read_record(**h, at, bytes, rest);
            VICINAL_CHECK(whole);
            if (*whole)
                return error{errc::corrupt_source, "a journal without damage",
                             path_ + " at byte " + std::to_string(size_)};
        }
        if (size_ < bytes && ::ftruncate(fd_, static_cast<::off_t>(size_)) != 0)
            return failure("be cut");
        return {};
    }
    [[nodiscard]] result<std::size_t> read(std::uint64_t at, void* to, std::size_t most) const {
        std::size_t done = 0;
        while (done < most) {
            auto const n = ::pread(fd_, static_cast<char*>(to) + done, most - done,
                                   static_cast<::off_t>(at + done));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return failure("be read");
            if (n == 0) break;
            done += static_cast<std::size_t>(n);
        }
        return done;
    }
    [[nodiscard]] bool apply(std::string_view rest) {
        auto const k = static_cast<unsigned char>(rest.front());
        rest.remove_prefix(1);
        if (k == leads) {
            if (rest.size() != 1 || static_cast<unsigned char>(rest[0]) > 1) return false;
            leading_ = static_cast<unsigned char>(rest[0]);
            return true;
        }
        if (k != may_differ && k != equal_again) return false;
        while (!rest.empty()) {
            if (rest.size() < 4) return false;
            auto const n = load_le<std::uint32_t>(reinterpret_cast<std::byte const*>(rest.data()));
            rest.remove_prefix(4);
            if (n > rest.size()) return false;
            auto const id = rest.substr(0, n);
            rest.remove_prefix(n);
            if (k == may_differ)
                differing_.emplace(id);
            else if (auto const at = differing_.find(id); at != differing_.end())
                differing_.erase(at);
        }
        return true;
    }

    /// The leading side alone, under another name first: a crash leaves the old file or the new.
    [[nodiscard]] result<void> begin_anew() {
        std::remove((path_ + ".tmp").c_str());
        auto fresh = open(path_ + ".tmp");
        if (!fresh) return fresh.error();
        VICINAL_CHECK(fresh->lead(leading_));
        if (std::rename(fresh->path_.c_str(), path_.c_str()) != 0) return failure("be replaced");
        fresh->path_ = path_;
        *this = *std::move(fresh);
        return {};
    }

    int fd_ = -1;
    std::uint64_t size_ = 0; // of the records that count
    unsigned leading_ = 0;
    std::string path_;
    std::set<std::string, std::less<>> differing_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILES_SINK_FILE_HPP
#define VICINAL_MIGRATE_FILES_SINK_FILE_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/source_file.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vicinal::inline VICINAL_ABI::detail {

/// A file that comes into being as a whole: written beside its name, synced, then renamed.
class sink_file {
public:
    sink_file() = default;
    sink_file(sink_file&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), size_(other.size_), keep_(other.keep_),
          path_(std::move(other.path_)) {}
    sink_file& operator=(sink_file&& other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(size_, other.size_);
        std::swap(keep_, other.keep_);
        std::swap(path_, other.path_);
        return *this;
    }
    /// What was not published goes away, unless it is the work of an earlier run.
    ~sink_file() {
        if (fd_ < 0) return;
        if (!keep_) ::unlink(unfinished().c_str());
        ::close(fd_);
    }

    /// Starts `path` + ".tmp", empty, readable by its owner only.
    ///
    /// Errors: not_found (no such directory), locked (another writer has it), io_failure.
    [[nodiscard]] static result<sink_file> create(std::string path) {
        auto f = open(std::move(path), O_CREAT);
        if (!f) return f;
        if (::ftruncate(f->fd_, 0) != 0) return f->failure("be emptied");
        f->size_ = 0;
        f->keep_ = false;
        return f;
    }

    /// Goes on with the `path` + ".tmp" that a run left which was cut off; it stays where this one
    /// does not publish it either.
    ///
    /// Errors: not_found (there is none), locked, io_failure.
    [[nodiscard]] static result<sink_file> resume(std::string path) {
        return open(std::move(path), 0);
    }

    /// What was appended behind the first `bytes` does not count.
    void cut(std::uint64_t bytes) noexcept { size_ = bytes; }

    [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// Appends all of the bytes, or counts none of them.
    [[nodiscard]] result<void> append(std::string_view bytes) {
        if (auto written = write_at(size_, bytes); !written) {
            // What was half-written lies behind size_: the next append overwrites it, and publish
            // cuts it off.
            return written;
        }
        size_ += bytes.size();
        return {};
    }

    [[nodiscard]] result<void> write_at(std::uint64_t offset, std::string_view bytes) {
        for (std::size_t done = 0; done < bytes.size();) {
            auto const n = ::pwrite(fd_, bytes.data() + done, bytes.size() - done,
                                    static_cast<::off_t>(offset + done));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return failure("be written");
            done += static_cast<std::size_t>(n);
        }
        return {};
    }

    /// Reads up to `most` bytes at `offset`; fewer only at the end.
    [[nodiscard]] result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t most) {
        std::size_t done = 0;
        while (done < most) {
            auto const n =
                ::pread(fd_, to + done, most - done, static_cast<::off_t>(offset + done));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return failure("be read");
            if (n == 0) break;
            done += static_cast<std::size_t>(n);
        }
        return done;
    }

    /// Makes the file durable under its own name and closes it.
    ///
    /// Errors: io_failure; the file under that name is then the one that was there before, unless
    /// only the last step, syncing the directory, failed.
    [[nodiscard]] result<void> publish() {
        if (::ftruncate(fd_, static_cast<::off_t>(size_)) != 0) return failure("be cut");
        if (::fsync(fd_) != 0) return failure("be synced");
        if (std::rename(unfinished().c_str(), path_.c_str()) != 0) return failure("be renamed");
        ::close(std::exchange(fd_, -1));
        auto const slash = path_.find_last_of('/');
        std::string const directory = slash == std::string::npos ? "."
                                      : slash == 0               ? "/"
                                                                 : path_.substr(0, slash);
        int const fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool const synced = fd >= 0 && ::fsync(fd) == 0;
        int const number = errno;
        if (fd >= 0) ::close(fd);
        if (!synced)
            return error{errc::io_failure, "a directory that can be synced",
                         directory + ": " + system_reason(number)};
        return {};
    }

private:
    [[nodiscard]] static result<sink_file> open(std::string path, int flags) {
        sink_file f;
        f.path_ = std::move(path);
        f.keep_ = true;
        f.fd_ = ::open(f.unfinished().c_str(), O_RDWR | flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                       0600);
        if (f.fd_ < 0) {
            int const number = errno;
            return error{number == ENOENT || number == ENOTDIR ? errc::not_found : errc::io_failure,
                         "a file that can be written",
                         f.unfinished() + ": " + system_reason(number)};
        }
        // Between opening and locking, another writer may have published the file under its name:
        // then it is not to be written any more.
        struct stat mine {};
        struct stat named {};
        bool const locked = ::flock(f.fd_, LOCK_EX | LOCK_NB) == 0;
        if (!locked || ::fstat(f.fd_, &mine) != 0 || ::lstat(f.unfinished().c_str(), &named) != 0 ||
            mine.st_ino != named.st_ino || mine.st_dev != named.st_dev)
            return error{errc::locked, "no other writer", f.unfinished() + " has one"};
        if (!S_ISREG(mine.st_mode))
            return error{errc::foreign_file, "a regular file", f.unfinished() + " is none"};
        f.size_ = static_cast<std::uint64_t>(mine.st_size);
        return f;
    }

    [[nodiscard]] std::string unfinished() const { return path_ + ".tmp"; }
    [[nodiscard]] error failure(char const* what) const {
        int const number = errno;
        return error{errc::io_failure, std::string("a file that can ") + what,
                     unfinished() + ": " + system_reason(number)};
    }

    int fd_ = -1;
    std::uint64_t size_ = 0;
    bool keep_ = false;
    std::string path_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

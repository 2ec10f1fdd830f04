// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILES_SOURCE_FILE_HPP
#define VICINAL_MIGRATE_FILES_SOURCE_FILE_HPP

#include <vicinal/core/result.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vicinal::inline VICINAL_ABI::detail {

/// How many elements a vector from outside may have.
inline constexpr std::size_t source_dims = 65'536;

/// What the operating system says of an error number, as in "No such file or directory".
[[nodiscard]] inline std::string system_reason(int number) {
    return std::generic_category().message(number);
}

/// An open file that somebody else wrote: positioned and sequential reads, closed at the end.
class source_file {
public:
    source_file() = default;
    source_file(source_file&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
    source_file& operator=(source_file&& other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(path_, other.path_);
        return *this;
    }
    ~source_file() {
        if (fd_ >= 0) ::close(fd_);
    }

    /// Opens a regular file for reading.
    ///
    /// Errors: not_found, foreign_file (a directory, a device, a pipe), io_failure.
    [[nodiscard]] static result<source_file> open(std::string path) {
        source_file f;
        f.path_ = std::move(path);
        // Without O_NONBLOCK, a pipe that nobody writes would hold us here before it is refused.
        f.fd_ = ::open(f.path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (f.fd_ < 0) {
            int const number = errno;
            return error{number == ENOENT || number == ENOTDIR ? errc::not_found : errc::io_failure,
                         "a readable file", f.path_ + ": " + system_reason(number)};
        }
        struct stat status {};
        if (::fstat(f.fd_, &status) != 0)
            return error{errc::io_failure, "a readable file",
                         f.path_ + ": " + system_reason(errno)};
        if (!S_ISREG(status.st_mode))
            return error{errc::foreign_file, "a regular file", f.path_ + " is none"};
        return f;
    }

    [[nodiscard]] std::string const& path() const noexcept { return path_; }

    /// Bytes in the file now.
    [[nodiscard]] result<std::uint64_t> size() const {
        struct stat status {};
        if (::fstat(fd_, &status) != 0)
            return error{errc::io_failure, "the size of a file",
                         path_ + ": " + system_reason(errno)};
        return static_cast<std::uint64_t>(status.st_size);
    }

    /// Reads up to `most` bytes at `offset`; fewer only at the end of the file.
    [[nodiscard]] result<std::size_t> read_at(std::uint64_t offset, void* to,
                                              std::size_t most) const {
        std::size_t done = 0;
        while (done < most) {
            auto const n = ::pread(fd_, static_cast<char*>(to) + done, most - done,
                                   static_cast<::off_t>(offset + done));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0)
                return error{errc::io_failure, "bytes of a file",
                             path_ + " at " + std::to_string(offset + done) + ": " +
                                 system_reason(errno)};
            if (n == 0) break;
            done += static_cast<std::size_t>(n);
        }
        return done;
    }

private:
    int fd_ = -1;
    std::string path_;
};

/// Whether something of that name is there, of whatever kind.
[[nodiscard]] inline bool path_exists(std::string const& path) noexcept {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

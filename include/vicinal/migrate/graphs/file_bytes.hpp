// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_GRAPHS_FILE_BYTES_HPP
#define VICINAL_MIGRATE_GRAPHS_FILE_BYTES_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/source_file.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// The bytes of a file at any offset, through a window of 256 KiB that moves when it must.
class file_bytes {
public:
    /// The most that is asked for at a time.
    static constexpr std::size_t longest = std::size_t{1} << 20;

    /// Errors: not_found, foreign_file (no regular file), io_failure.
    [[nodiscard]] static result<file_bytes> open(std::string const& path) {
        file_bytes bytes;
        auto file = source_file::open(path);
        if (!file) return file.error();
        bytes.file_ = *std::move(file);
        auto const size = bytes.file_.size();
        if (!size) return size.error();
        bytes.size_ = *size;
        return bytes;
    }

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] std::string const& path() const noexcept { return file_.path(); }

    /// An error that names the file.
    [[nodiscard]] error wrong(errc code, std::string expected, std::string const& got) const {
        return error{code, std::move(expected), path() + ": " + got};
    }

    /// Whether `count` items of `width` bytes lie at `offset`.
    [[nodiscard]] bool holds(std::uint64_t offset, std::uint64_t count,
                             std::uint64_t width) const noexcept {
        return offset <= size_ && (width == 0 || count <= (size_ - offset) / width);
    }

    /// `n` bytes at `offset`, at most `longest`; valid until the next call.
    ///
    /// Errors: corrupt_source where the file ends before, io_failure.
    [[nodiscard]] result<std::byte const*> at(std::uint64_t offset, std::size_t n) {
        if (offset < begin_ || offset - begin_ > length_ || length_ - (offset - begin_) < n)
            VICINAL_CHECK(move(offset, n));
        return buffer_.get() + (offset - begin_);
    }

private:
    result<void> move(std::uint64_t offset, std::size_t n) {
        if (!holds(offset, n, 1))
            return wrong(errc::corrupt_source,
                         std::to_string(n) + " bytes at offset " + std::to_string(offset),
                         "it ends after " + std::to_string(size_));
        auto const wanted = (std::max)(n, std::size_t{1} << 18);
        if (wanted > capacity_) {
            buffer_ = std::unique_ptr<std::byte[]>(new std::byte[wanted]);
            capacity_ = wanted;
        }
        begin_ = offset;
        length_ = 0;
        auto const got = file_.read_at(offset, buffer_.get(), capacity_);
        if (!got) return got.error();
        length_ = *got;
        if (length_ < n)
            return wrong(errc::corrupt_source, "the bytes that were there", "it became shorter");
        return {};
    }

    source_file file_;
    std::uint64_t size_ = 0;
    std::unique_ptr<std::byte[]> buffer_;
    std::size_t capacity_ = 0;
    std::uint64_t begin_ = 0; // of the window in the file
    std::size_t length_ = 0;
};

/// So many items of one width, one behind the other in a file.
struct file_range {
    std::uint64_t offset = 0;
    std::uint64_t count = 0;
};

/// Reads values of fixed width one after the other, little endian.
class byte_cursor {
public:
    /// `bytes` must outlive the cursor.
    explicit byte_cursor(file_bytes& bytes, std::uint64_t from = 0) noexcept
        : bytes_(&bytes), at_(from) {}

    [[nodiscard]] std::uint64_t offset() const noexcept { return at_; }
    [[nodiscard]] file_bytes& bytes() const noexcept { return *bytes_; }

    /// Replaces `out` by the next value. Errors: corrupt_source at the end of the file, io_failure.
    template <class T>
        requires(std::integral<T> || std::floating_point<T>)
    result<void> read(T& out) {
        auto const p = bytes_->at(at_, sizeof(T));
        if (!p) return p.error();
        if constexpr (sizeof(T) == 1)
            out = static_cast<T>(**p);
        else if constexpr (sizeof(T) == 2)
            out = std::bit_cast<T>(load_le<std::uint16_t>(*p));
        else if constexpr (sizeof(T) == 4)
            out = std::bit_cast<T>(load_le<std::uint32_t>(*p));
        else
            out = std::bit_cast<T>(load_le<std::uint64_t>(*p));
        at_ += sizeof(T);
        return {};
    }

    /// Several values, each in the variable that is given.
    template <class T, class... More>
        requires(sizeof...(More) > 0)
    result<void> read(T& first, More&... more) {
        VICINAL_CHECK(read(first));
        return read(more...);
    }

    /// Steps over `count` items of `width` bytes, which are all there.
    [[nodiscard]] result<file_range> range(std::uint64_t count, std::uint64_t width) {
        if (!bytes_->holds(at_, count, width))
            return bytes_->wrong(errc::corrupt_source,
                                 std::to_string(count) + " items of " + std::to_string(width) +
                                     " bytes at offset " + std::to_string(at_),
                                 "it ends after " + std::to_string(bytes_->size()));
        return file_range{std::exchange(at_, at_ + count * width), count};
    }

private:
    file_bytes* bytes_;
    std::uint64_t at_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_ARRAYS_PIECE_READER_HPP
#define VICINAL_MIGRATE_ARRAYS_PIECE_READER_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/input.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// Hands out the bytes of an input in pieces of the length asked for, through a buffer of 256 KiB
/// or the longest piece.
class piece_reader {
public:
    explicit piece_reader(std::unique_ptr<backend::input> in) : in_(std::move(in)) {}

    /// The next `n` bytes, fewer only at the end; valid until the next call.
    [[nodiscard]] result<std::span<std::byte const>> take(std::size_t n) {
        auto const seen = peek(n);
        if (seen) {
            begin_ += seen->size();
            offset_ += seen->size();
        }
        return seen;
    }

    /// The same without stepping over them.
    [[nodiscard]] result<std::span<std::byte const>> peek(std::size_t n) {
        if (end_ - begin_ < n && !at_end_) VICINAL_CHECK(fill(n));
        return std::span<std::byte const>(buffer_.get() + begin_, (std::min)(n, end_ - begin_));
    }

    /// Bytes in front of the next one.
    [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
    [[nodiscard]] std::string const& path() const noexcept { return in_->path(); }

private:
    result<void> fill(std::size_t n) {
        if (n > capacity_) {
            auto const capacity = (std::max)(n, std::size_t{1} << 18);
            auto larger = std::unique_ptr<std::byte[]>(new std::byte[capacity]);
            if (end_ > begin_) std::memcpy(larger.get(), buffer_.get() + begin_, end_ - begin_);
            buffer_ = std::move(larger);
            capacity_ = capacity;
        } else if (begin_ > 0) {
            std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
        }
        end_ -= begin_;
        begin_ = 0;
        auto const got = in_->read(buffer_.get() + end_, capacity_ - end_);
        if (!got) return got.error();
        at_end_ = *got < capacity_ - end_;
        end_ += *got;
        return {};
    }

    std::unique_ptr<backend::input> in_;
    std::unique_ptr<std::byte[]> buffer_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::uint64_t offset_ = 0;
    bool at_end_ = false;
};

/// The size of what lies at `path`, where that is what an input began with: nothing for a file that
/// was unpacked on the way, whose size only reading tells.
[[nodiscard]] inline result<std::optional<std::uint64_t>>
unpacked_size(std::string const& path, std::span<std::byte const> beginning) {
    auto const file = source_file::open(path);
    if (!file) return file.error();
    std::byte bytes[16];
    auto const wanted = (std::min)(beginning.size(), sizeof bytes);
    auto const got = file->read_at(0, bytes, wanted);
    if (!got) return got.error();
    if (*got != wanted || !std::equal(bytes, bytes + wanted, beginning.begin()))
        return std::optional<std::uint64_t>();
    auto const size = file->size();
    if (!size) return size.error();
    return std::optional<std::uint64_t>(*size);
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILES_LINES_HPP
#define VICINAL_MIGRATE_FILES_LINES_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/input.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// The lines of a text file, one at a time, in a buffer that holds little more than the longest.
class line_reader {
public:
    static constexpr std::size_t longest_line = std::size_t{64} << 20;
    /// Bytes behind every line that may be read, whatever they hold: simdjson wants 64.
    static constexpr std::size_t padding = 64;

    explicit line_reader(std::unique_ptr<backend::input> in,
                         std::size_t first_buffer = std::size_t{1} << 20)
        : in_(std::move(in)) {
        grow(first_buffer);
    }

    /// Steps to the next line that is not blank; false at the end of the file.
    ///
    /// A byte order mark at the start is skipped. Errors: limit_exceeded (a line over 64 MiB),
    /// io_failure.
    [[nodiscard]] result<bool> next() {
        for (;;) {
            auto const* const from = buffer_.get() + begin_;
            auto const* const newline =
                static_cast<char const*>(std::memchr(from + seen_, '\n', end_ - begin_ - seen_));
            if (newline == nullptr && !at_end_) {
                VICINAL_CHECK(fill());
                continue;
            }
            if (newline == nullptr && begin_ == end_) return false;
            auto const length =
                newline != nullptr ? static_cast<std::size_t>(newline - from) : end_ - begin_;
            line_ = {from, length};
            if (length > longest_line) return too_long();
            begin_ += length + (newline != nullptr ? 1 : 0);
            seen_ = 0;
            line_at_ = std::exchange(next_at_, next_at_ + length + (newline != nullptr ? 1 : 0));
            whole_ = newline != nullptr;
            ++number_;
            if (number_ == 1 && line_.starts_with("\xef\xbb\xbf")) line_.remove_prefix(3);
            if (line_.find_first_not_of(" \t\r") != std::string_view::npos) return true;
        }
    }

    /// The line that `next` found, without its end; valid until the next call.
    [[nodiscard]] std::string_view line() const noexcept { return line_; }

    /// "file:line" of it, from 1.
    [[nodiscard]] std::string place() const { return in_->path() + ":" + std::to_string(number_); }

    /// The bytes of the file in front of it, and whether it ended before the file did.
    [[nodiscard]] std::uint64_t offset() const noexcept { return line_at_; }
    [[nodiscard]] bool whole() const noexcept { return whole_; }

private:
    void grow(std::size_t capacity) {
        // new char[n] leaves it uninitialised; but valgrind and MemorySanitizer must not see
        // simdjson look at the padding of the last line.
        auto larger = std::unique_ptr<char[]>(new char[capacity + padding]);
        std::memset(larger.get() + capacity, 0, padding);
        if (end_ > begin_) std::memcpy(larger.get(), buffer_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
        buffer_ = std::move(larger);
        capacity_ = capacity;
    }

    [[nodiscard]] error too_long() const {
        return error{errc::limit_exceeded, "lines of at most 64 MiB",
                     in_->path() + ":" + std::to_string(number_ + 1) + ": a longer one"};
    }

    [[nodiscard]] result<void> fill() {
        seen_ = end_ - begin_;
        if (seen_ > longest_line) return too_long();
        if (seen_ > capacity_ / 2) {
            grow(capacity_ * 2);
        } else if (begin_ > 0) {
            std::memmove(buffer_.get(), buffer_.get() + begin_, seen_);
            begin_ = 0;
            end_ = seen_;
        }
        auto const got = in_->read(buffer_.get() + end_, capacity_ - end_);
        if (!got) return got.error();
        at_end_ = *got < capacity_ - end_;
        end_ += *got;
        std::memset(buffer_.get() + end_, 0, padding);
        return {};
    }

    std::unique_ptr<backend::input> in_;
    std::unique_ptr<char[]> buffer_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0; // of what is not handed out yet
    std::size_t end_ = 0;   // of what was read
    std::size_t seen_ = 0;  // bytes from begin_ that hold no newline
    std::uint64_t number_ = 0;
    std::uint64_t line_at_ = 0;
    std::uint64_t next_at_ = 0;
    bool whole_ = false;
    bool at_end_ = false;
    std::string_view line_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

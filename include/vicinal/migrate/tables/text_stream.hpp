// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_TEXT_STREAM_HPP
#define VICINAL_MIGRATE_TABLES_TEXT_STREAM_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/input.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// A set of bytes, to stop at.
class byte_set {
public:
    constexpr explicit byte_set(std::string_view bytes) {
        for (char const c : bytes) in_[static_cast<unsigned char>(c)] = true;
    }
    [[nodiscard]] constexpr bool has(char c) const noexcept {
        return in_[static_cast<unsigned char>(c)];
    }

private:
    std::array<bool, 256> in_ = {};
};

/// The characters of a text file, one by one or up to one of a set, with the number of the line.
///
/// What fails while reading looks like the end of the file; `failure` tells, and is asked once a
/// row and not once a character.
class text_stream {
public:
    /// What one row, string or statement may have.
    static constexpr std::size_t longest = std::size_t{64} << 20;

    explicit text_stream(std::unique_ptr<backend::input> in)
        : in_(std::move(in)), buffer_(std::make_unique<char[]>(capacity + 1)) {
        if (fill() && std::string_view(buffer_.get(), end_).starts_with("\xef\xbb\xbf")) at_ = 3;
    }

    /// The next character, -1 at the end; `get` also steps over it.
    [[nodiscard]] int peek() {
        return at_ == end_ && !fill() ? -1 : static_cast<unsigned char>(buffer_[at_]);
    }
    /// The one behind it.
    [[nodiscard]] int peek_second() {
        if (peek() < 0) return -1;
        if (at_ + 1 == end_ && !extend()) return -1;
        return static_cast<unsigned char>(buffer_[at_ + 1]);
    }
    int get() {
        if (at_ == end_ && !fill()) return -1;
        char const c = buffer_[at_++];
        line_ += c == '\n' ? 1U : 0U;
        return static_cast<unsigned char>(c);
    }

    /// Appends what stands in front of the next byte of the set (or the end); false where that
    /// would make more than 64 MiB of `out`.
    bool append_until(byte_set const& stop, std::string& out) {
        while (at_ != end_ || fill()) {
            auto i = at_;
            while (i != end_ && !stop.has(buffer_[i])) ++i;
            line_ += static_cast<std::uint64_t>(
                std::count(buffer_.get() + at_, buffer_.get() + i, '\n'));
            if (!keep(i, out)) return false;
            if (i != end_) return true;
        }
        return true;
    }

    /// Replaces `out` by the rest of the line, without its end; steps over the end. False where the
    /// line has more than 64 MiB.
    bool rest_of_line(std::string& out) {
        out.clear();
        while (at_ != end_ || fill()) {
            auto const* const from = buffer_.get() + at_;
            auto const* const newline =
                static_cast<char const*>(std::memchr(from, '\n', end_ - at_));
            auto const stop =
                newline == nullptr ? end_ : at_ + static_cast<std::size_t>(newline - from);
            if (!keep(stop, out)) return false;
            if (newline == nullptr) continue;
            ++at_;
            ++line_;
            break;
        }
        if (out.ends_with('\r')) out.pop_back();
        return true;
    }

    /// What stopped the reading, where it was not the end of the file.
    [[nodiscard]] result<void> failure() const {
        if (failure_) return *failure_;
        return {};
    }

    /// From 1.
    [[nodiscard]] std::uint64_t line() const noexcept { return line_; }
    [[nodiscard]] std::string const& path() const noexcept { return in_->path(); }
    [[nodiscard]] std::string place(std::uint64_t line) const {
        return path() + ":" + std::to_string(line);
    }
    [[nodiscard]] error too_long() const {
        return error{errc::limit_exceeded, "rows of at most 64 MiB",
                     place(line_) + ": a longer one"};
    }

private:
    static constexpr std::size_t capacity = std::size_t{256} << 10;

    bool keep(std::size_t stop, std::string& out) {
        if (out.size() + (stop - at_) > longest) return false;
        out.append(buffer_.get() + at_, stop - at_);
        at_ = stop;
        return true;
    }

    bool fill() {
        at_ = end_ = 0;
        return extend();
    }

    // Keeps the one character at the end of the buffer, where there is one.
    bool extend() {
        if (failure_ || at_end_) return false;
        auto const kept = end_ - at_;
        if (kept > 0) buffer_[0] = buffer_[at_];
        at_ = 0;
        end_ = kept;
        auto const got = in_->read(buffer_.get() + kept, capacity);
        if (!got) {
            failure_ = got.error();
            return false;
        }
        end_ += *got;
        at_end_ = *got < capacity;
        return *got > 0;
    }

    std::unique_ptr<backend::input> in_;
    std::unique_ptr<char[]> buffer_;
    std::size_t at_ = 0;
    std::size_t end_ = 0;
    std::uint64_t line_ = 1;
    bool at_end_ = false;
    std::optional<error> failure_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_SPLITTER_HPP
#define VICINAL_MIGRATE_JSON_SPLITTER_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/input.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// Walks through JSON of any size in one pass: into containers, over values, and hands out whole
/// values as text. Documents may follow each other with or without separators.
///
/// Memory: a buffer of about twice the longest value that is handed out. What is stepped over is
/// not judged beyond its brackets; what is handed out is the parser's to judge.
/// Errors of all: invalid_json with the place, limit_exceeded (a value over 64 MiB), io_failure.
class json_splitter {
public:
    static constexpr std::size_t longest_value = std::size_t{64} << 20;
    /// Bytes behind every text handed out that may be read, whatever they hold.
    static constexpr std::size_t padding = 64;
    static constexpr std::size_t deepest = 1024;

    explicit json_splitter(std::unique_ptr<backend::input> in,
                           std::size_t first_buffer = std::size_t{1} << 20)
        : in_(std::move(in)) {
        grow((std::max)(first_buffer, std::size_t{16}));
    }

    /// The byte with which the next token starts; 0 at the end of the input.
    [[nodiscard]] result<char> peek() {
        for (;;) {
            while (at_ < end_ && space(buffer_[at_])) ++at_;
            if (at_ < end_) {
                if (base_ + at_ > 0 || buffer_[at_] != '\xef') return buffer_[at_];
                VICINAL_CHECK(wanted(3));
                if (!std::string_view(buffer_.get() + at_, end_ - at_).starts_with("\xef\xbb\xbf"))
                    return buffer_[at_];
                at_ += 3;
                continue;
            }
            if (at_end_) return '\0';
            VICINAL_CHECK(fill());
        }
    }

    /// Whether another value stands in the container that was entered last: steps over the comma
    /// before it, or over the bracket that closes the container.
    [[nodiscard]] result<bool> more(char closing) {
        auto c = peek();
        if (!c) return c.error();
        bool const first = std::exchange(opened_, false);
        if (*c == closing) {
            ++at_;
            return false;
        }
        if (first)
            return *c == ',' || *c == '\0' ? result<bool>(wrong("a value or a closing bracket"))
                                           : result<bool>(true);
        if (*c != ',') return wrong("a comma or a closing bracket");
        ++at_;
        c = peek();
        if (!c) return c.error();
        return *c == closing || *c == ',' || *c == '\0'
                   ? result<bool>(wrong("a value behind a comma"))
                   : result<bool>(true);
    }

    /// Into the array or object that starts here.
    void enter() noexcept {
        ++at_;
        opened_ = true;
    }

    /// The name of a member, with its quotes and escapes; steps to its value. Valid until the next
    /// name.
    [[nodiscard]] result<std::string_view> name() {
        auto c = peek();
        if (!c) return c.error();
        if (*c != '"') return wrong("a name in quotes");
        auto const text = take();
        if (!text) return text.error();
        name_ = *text;
        c = peek();
        if (!c) return c.error();
        if (*c != ':') return wrong("a colon behind a name");
        ++at_;
        c = peek();
        if (!c) return c.error();
        return std::string_view(name_);
    }

    /// The value that stands here, from its first byte to its last; `padding` bytes may be read
    /// behind it. Valid until the next call. Steps over it.
    [[nodiscard]] result<std::string_view> take() {
        auto const c = peek();
        if (!c) return c.error();
        bool const held_before = hold_ != none;
        if (!held_before) hold();
        auto const from = offset();
        auto const stepped = step_over();
        if (!held_before) release();
        if (!stepped) return stepped.error();
        auto const length = static_cast<std::size_t>(offset() - from);
        return std::string_view(buffer_.get() + at_ - length, length);
    }

    /// Over the value that stands here, in the memory of the buffer.
    [[nodiscard]] result<void> skip() {
        auto const c = peek();
        if (!c) return c.error();
        return step_over();
    }

    /// The first byte inside the container that starts here: what kind its first element is, or
    /// its closing bracket. Of an object, the first byte of its first value. Steps over nothing.
    [[nodiscard]] result<char> peek_inside() {
        auto const from = offset();
        auto const was_opened = opened_;
        bool const held_before = hold_ != none;
        if (!held_before) hold();
        bool const object = buffer_[at_] == '{';
        enter();
        auto c = peek();
        if (c && object && *c == '"') {
            auto const kept = name_;
            auto const inner = name();
            name_ = kept;
            c = inner ? peek() : result<char>(inner.error());
        }
        at_ = static_cast<std::size_t>(from - base_);
        if (!held_before) release();
        opened_ = was_opened;
        return c;
    }

    /// From here on all bytes are kept until `release`, so that `held` can hand them out.
    void hold() noexcept { hold_ = at_; }
    void release() noexcept { hold_ = none; }
    [[nodiscard]] std::string_view held() const noexcept {
        return {buffer_.get() + hold_, at_ - hold_};
    }

    /// The bytes in front of what stands here.
    [[nodiscard]] std::uint64_t offset() const noexcept { return base_ + at_; }

    /// Forward to that byte, at which a value starts.
    [[nodiscard]] result<void> go_to(std::uint64_t offset) {
        while (offset > base_ + end_) {
            if (at_end_) return wrong("a file that stays as it is");
            at_ = end_;
            VICINAL_CHECK(fill());
        }
        if (offset < base_ + at_) return wrong("values one behind the other");
        at_ = static_cast<std::size_t>(offset - base_);
        return {};
    }

    /// "file, byte 123".
    [[nodiscard]] std::string place() const {
        return in_->path() + ", byte " + std::to_string(offset());
    }

    [[nodiscard]] error wrong(char const* expected) const {
        bool const ended = at_ == end_ && at_end_;
        return error{errc::invalid_json, expected,
                     place() + (ended ? ": the end of the file" : ": something else")};
    }

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    [[nodiscard]] static bool space(char c) noexcept {
        // 0x1e separates texts in RFC 7464.
        return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\x1e';
    }

    // What a byte means outside a string: 1 quotes, 2 opens, 3 closes.
    static constexpr std::array<unsigned char, 256> kinds = [] {
        std::array<unsigned char, 256> k{};
        k['"'] = 1;
        k['{'] = k['['] = 2;
        k['}'] = k[']'] = 3;
        return k;
    }();

    [[nodiscard]] result<void> step_over() {
        opened_ = false;
        if (at_ == end_) return wrong("a value");
        switch (kinds[static_cast<unsigned char>(buffer_[at_])]) {
            case 1: ++at_; return finish_string();
            case 2: ++at_; return finish_container();
            case 3: return wrong("a value");
            default: return finish_scalar();
        }
    }

    [[nodiscard]] result<void> finish_container() {
        for (std::size_t open = 1; open > 0;) {
            while (at_ < end_ && kinds[static_cast<unsigned char>(buffer_[at_])] == 0) ++at_;
            if (at_ == end_) {
                if (at_end_) return wrong("a closing bracket");
                VICINAL_CHECK(fill());
                continue;
            }
            auto const kind = kinds[static_cast<unsigned char>(buffer_[at_++])];
            if (kind == 1)
                VICINAL_CHECK(finish_string());
            else if (kind == 3)
                --open;
            else if (++open > deepest)
                return wrong("at most 1024 levels of nesting");
        }
        return {};
    }

    [[nodiscard]] result<void> finish_string() {
        for (;;) {
            while (at_ < end_ && buffer_[at_] != '"' && buffer_[at_] != '\\') ++at_;
            if (at_ == end_ || (buffer_[at_] == '\\' && at_ + 1 == end_)) {
                if (at_end_) return wrong("a closing quote");
                VICINAL_CHECK(fill());
                continue;
            }
            if (buffer_[at_] == '"') {
                ++at_;
                return {};
            }
            at_ += 2;
        }
    }

    [[nodiscard]] result<void> finish_scalar() {
        auto const from = base_ + at_;
        for (;;) {
            while (at_ < end_ && !space(buffer_[at_]) && buffer_[at_] != ',' &&
                   buffer_[at_] != ':' && kinds[static_cast<unsigned char>(buffer_[at_])] == 0)
                ++at_;
            if (at_ < end_ || at_end_)
                return base_ + at_ > from ? result<void>{} : result<void>(wrong("a value"));
            VICINAL_CHECK(fill());
        }
    }

    // At least so many bytes from here on, where the file has them.
    [[nodiscard]] result<void> wanted(std::size_t bytes) {
        while (end_ - at_ < bytes && !at_end_) VICINAL_CHECK(fill());
        return {};
    }

    void grow(std::size_t capacity) {
        auto larger = std::unique_ptr<char[]>(new char[capacity + padding]);
        std::memset(larger.get() + capacity, 0, padding);
        if (end_ > 0) std::memcpy(larger.get(), buffer_.get(), end_);
        buffer_ = std::move(larger);
        capacity_ = capacity;
    }

    [[nodiscard]] result<void> fill() {
        auto const keep = (std::min)(at_, hold_);
        if (hold_ != none && end_ - keep > longest_value)
            return error{errc::limit_exceeded, "values of at most 64 MiB",
                         place() + ": a longer one"};
        if (keep > 0) {
            std::memmove(buffer_.get(), buffer_.get() + keep, end_ - keep);
            base_ += keep;
            at_ -= keep;
            end_ -= keep;
            if (hold_ != none) hold_ -= keep;
        }
        if (end_ > capacity_ / 2) grow(capacity_ * 2);
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
    std::uint64_t base_ = 0;  // bytes of the file in front of the buffer
    std::size_t at_ = 0;      // what stands here
    std::size_t end_ = 0;     // of what was read
    std::size_t hold_ = none; // from where on bytes are kept
    bool at_end_ = false;
    bool opened_ = false; // a container was entered and nothing taken from it
    std::string name_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

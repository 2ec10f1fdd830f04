// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_ARROW_MESSAGES_HPP
#define VICINAL_MIGRATE_COLUMNAR_ARROW_MESSAGES_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/arrow/flatbuffer.hpp>
#include <vicinal/migrate/files/input.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow {

/// What a message is (Apache Arrow, Message.fbs).
enum class message_kind : std::uint8_t { schema = 1, dictionary = 2, batch = 3 };

struct message {
    std::uint8_t kind = 0;
    std::string metadata;
    std::string body;
};

/// Where messages come from, in the order in which they can be used.
class message_source {
public:
    message_source() = default;
    message_source(message_source const&) = delete;
    message_source& operator=(message_source const&) = delete;
    virtual ~message_source() = default;

    [[nodiscard]] virtual std::string const& path() const noexcept = 0;
    /// The next message, its parts in `out`; false at the end.
    ///
    /// Errors: foreign_file, corrupt_source, limit_exceeded (metadata of over 256 MiB), io_failure.
    [[nodiscard]] virtual result<bool> next(message& out) = 0;

    [[nodiscard]] error wrong(std::string_view what) const {
        return error{errc::corrupt_source, "a whole Arrow file or stream",
                     path() + ": " + std::string(what)};
    }
};

/// The messages of a stream, one behind the other. Most files have the same ones between signature
/// and footer, so that they can be read in one go too.
class stream_messages final : public message_source {
public:
    explicit stream_messages(std::unique_ptr<backend::input> in) : in_(std::move(in)) {}

    [[nodiscard]] std::string const& path() const noexcept override { return in_->path(); }

    [[nodiscard]] result<bool> next(message& out) override {
        std::string head;
        VICINAL_CHECK(take(4, head));
        if (first_ && head == "ARRO") {
            VICINAL_CHECK(take(4, head));
            if (head != std::string_view("W1\0\0", 4)) return foreign();
            file_ = true;
            VICINAL_CHECK(take(4, head));
        }
        // Streams may end without a mark; a file has a footer behind it.
        if (head.empty() && !first_ && !file_) return false;
        if (head == "\xff\xff\xff\xff") {
            VICINAL_CHECK(take(4, head));
        } else if (first_ && !file_) {
            // Before version 0.15 there was no mark: then it can only be a small length.
            if (head.size() < 4 || little(head) > (1U << 24)) return foreign();
        }
        if (head.size() < 4) return wrong("cut off");
        std::uint64_t const length = little(head);
        if (length == 0) return false;
        if (length > (std::uint64_t{256} << 20))
            return error{errc::limit_exceeded, "metadata of at most 256 MiB", path()};
        VICINAL_CHECK(take(length, out.metadata));
        if (out.metadata.size() < length) return first_ && !file_ ? foreign() : wrong("cut off");
        flat_bytes bytes(out.metadata);
        auto const m = flat_table::root(bytes);
        out.kind = m.number<std::uint8_t>(1);
        auto const body = m.number<std::uint64_t>(3);
        if (!bytes.good() || !m.there())
            return first_ && !file_ ? foreign() : wrong("a message that is none");
        first_ = false;
        VICINAL_CHECK(take(body, out.body));
        if (out.body.size() < body) return wrong("cut off");
        return true;
    }

private:
    [[nodiscard]] static std::uint32_t little(std::string_view s) noexcept {
        return load_le<std::uint32_t>(reinterpret_cast<std::byte const*>(s.data()));
    }
    [[nodiscard]] error foreign() const {
        return error{errc::foreign_file, "a Parquet file, or an Arrow file or stream",
                     path() + " does not begin as one"};
    }

    /// Replaces `out` by the next `wanted` bytes, fewer only at the end. A length is a claim:
    /// memory follows what is there, in steps of two.
    [[nodiscard]] result<void> take(std::uint64_t wanted, std::string& out) {
        out.clear();
        while (out.size() < wanted) {
            auto const done = out.size();
            auto const step = (std::max)(done, std::size_t{1} << 20);
            auto const more = static_cast<std::size_t>(
                (std::min)(std::uint64_t{step}, wanted - std::uint64_t{done}));
            out.resize(done + more);
            auto const got = in_->read(out.data() + done, more);
            if (!got) return got.error();
            out.resize(done + *got);
            if (*got < more) break;
        }
        return {};
    }

    std::unique_ptr<backend::input> in_;
    bool first_ = true;
    bool file_ = false;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_ARROW_FILE_MESSAGES_HPP
#define VICINAL_MIGRATE_COLUMNAR_ARROW_FILE_MESSAGES_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/arrow/flatbuffer.hpp>
#include <vicinal/migrate/columnar/arrow/messages.hpp>
#include <vicinal/migrate/files/source_file.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow {

/// The messages of a file, as its footer lists them (Apache Arrow, File.fbs): the dictionaries,
/// then the batches. The schema is in the footer; Arrow for JavaScript writes it nowhere else.
class file_messages final : public message_source {
public:
    explicit file_messages(source_file file) : file_(std::move(file)) {}

    /// Errors: foreign_file, corrupt_source, limit_exceeded (a footer of over 256 MiB), io_failure.
    [[nodiscard]] static result<std::unique_ptr<file_messages>> open(source_file file) {
        auto out = std::make_unique<file_messages>(std::move(file));
        auto const size = out->file_.size();
        if (!size) return size.error();
        std::string head(8, '\0');
        std::string tail(10, '\0');
        VICINAL_CHECK(out->take(0, head));
        if (!head.starts_with("ARROW1"))
            return error{errc::foreign_file, "a Parquet file, or an Arrow file or stream",
                         out->path() + " does not begin as one"};
        if (*size < 18) return out->wrong("cut off");
        VICINAL_CHECK(out->take(*size - 10, tail));
        if (!tail.ends_with("ARROW1")) return out->wrong("no footer at its end: cut off");
        std::uint64_t const length =
            load_le<std::uint32_t>(reinterpret_cast<std::byte const*>(tail.data()));
        if (length > *size - 18) return out->wrong("a footer larger than the file");
        if (length > (std::uint64_t{256} << 20))
            return error{errc::limit_exceeded, "a footer of at most 256 MiB", out->path()};
        out->footer_.resize(static_cast<std::size_t>(length));
        VICINAL_CHECK(out->take(*size - 10 - length, out->footer_));
        flat_bytes bytes(out->footer_);
        auto const footer = flat_table::root(bytes);
        for (unsigned const list : {2U, 3U}) {
            auto const blocks = footer.vector(list, 24);
            for (std::size_t i = 0; i < blocks.count; ++i) {
                auto const at = blocks.at + 24 * i;
                block const b{bytes.load<std::uint64_t>(at), bytes.load<std::uint32_t>(at + 8),
                              bytes.load<std::uint64_t>(at + 16)};
                if (b.offset > *size || b.metadata > *size - b.offset ||
                    b.body > *size - b.offset - b.metadata || b.metadata < 8)
                    return out->wrong("a message beyond its end");
                out->blocks_.push_back(b);
            }
        }
        if (!bytes.good()) return out->wrong("a damaged footer");
        return out;
    }

    [[nodiscard]] std::string const& path() const noexcept override { return file_.path(); }
    [[nodiscard]] std::string const& footer() const noexcept { return footer_; }

    [[nodiscard]] result<bool> next(message& out) override {
        if (next_ == blocks_.size()) return false;
        auto const& b = blocks_[next_++];
        // A mark and a length, or, before version 0.15, the length alone.
        std::string head(4, '\0');
        VICINAL_CHECK(take(b.offset, head));
        std::size_t const front = head == "\xff\xff\xff\xff" ? 8 : 4;
        out.metadata.resize(b.metadata - front);
        VICINAL_CHECK(take(b.offset + front, out.metadata));
        flat_bytes bytes(out.metadata);
        out.kind = flat_table::root(bytes).number<std::uint8_t>(1);
        out.body.resize(static_cast<std::size_t>(b.body));
        VICINAL_CHECK(take(b.offset + b.metadata, out.body));
        if (!bytes.good()) return wrong("a message that is none");
        return true;
    }

private:
    struct block {
        std::uint64_t offset;
        std::uint32_t metadata;
        std::uint64_t body;
    };

    /// Fills `to` with the bytes at `at`.
    [[nodiscard]] result<void> take(std::uint64_t at, std::string& to) const {
        auto const got = file_.read_at(at, to.data(), to.size());
        if (!got) return got.error();
        if (*got < to.size()) return wrong("cut off");
        return {};
    }

    source_file file_;
    std::string footer_;
    std::vector<block> blocks_;
    std::size_t next_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow

#endif

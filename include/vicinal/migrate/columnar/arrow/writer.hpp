// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_ARROW_WRITER_HPP
#define VICINAL_MIGRATE_COLUMNAR_ARROW_WRITER_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/arrow/flat_builder.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/files/sink_file.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow {

/// Writes records as an Arrow file or stream: id, vector, payload.
class writer {
public:
    /// Vectors are a FixedSizeList, which other systems ask for.
    static constexpr bool fixed_dim = true;

    struct options {
        /// A stream has no footer: it can be read while it comes.
        bool stream = false;
        /// Bytes of a record batch.
        std::size_t batch = std::size_t{64} << 20;
    };

    explicit writer(options o) noexcept : options_(o) {}

    /// Of the vectors; 0 as long as there was none.
    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }

    [[nodiscard]] result<void> start(sink_file& to, schema const& incoming) {
        metric_ = incoming.metric;
        dim_ = incoming.dim;
        if (options_.stream) return {};
        return to.append(std::string_view("ARROW1\0\0", 8));
    }

    [[nodiscard]] result<void> add(sink_file& to, record const& r, std::string_view payload) {
        if (dim_ == 0 && !r.vector.empty()) {
            // What came before had no vectors, which a list of nothing says as well.
            dim_ = r.vector.size();
            numbers_.assign(4 * dim_ * rows_, '\0');
        }
        bool const present = !r.vector.empty();
        if (rows_ % 8 == 0) valid_.push_back('\0');
        if (present)
            valid_.back() =
                static_cast<char>(static_cast<unsigned char>(valid_.back()) | 1U << (rows_ % 8));
        else
            ++nulls_;
        auto const before = numbers_.size();
        numbers_.resize(before + 4 * dim_);
        for (std::size_t i = 0; i < r.vector.size(); ++i)
            store_le(reinterpret_cast<std::byte*>(&numbers_[before + 4 * i]),
                     std::bit_cast<std::uint32_t>(r.vector[i]));
        add_text(ids_, r.id);
        add_text(payloads_, payload);
        ++rows_;
        auto const bytes = numbers_.size() + ids_.bytes.size() + payloads_.bytes.size();
        return bytes < options_.batch ? result<void>{} : end_batch(to);
    }

    [[nodiscard]] result<void> end(sink_file& to) {
        VICINAL_CHECK(end_batch(to));
        VICINAL_CHECK(to.append(std::string_view("\xff\xff\xff\xff\0\0\0\0", 8)));
        if (options_.stream) return {};
        auto const footer = describe_file();
        std::string length(4, '\0');
        store_le(reinterpret_cast<std::byte*>(length.data()),
                 static_cast<std::uint32_t>(footer.size()));
        VICINAL_CHECK(to.append(footer));
        VICINAL_CHECK(to.append(length));
        return to.append("ARROW1");
    }

private:
    struct texts {
        std::string offsets = std::string(4, '\0');
        std::string bytes;
    };

    static void add_text(texts& to, std::string_view text) {
        to.bytes.append(text);
        auto const before = to.offsets.size();
        to.offsets.resize(before + 4);
        store_le(reinterpret_cast<std::byte*>(&to.offsets[before]),
                 static_cast<std::uint32_t>(to.bytes.size()));
    }

    /// A message of one table: a mark, the length, the table, then the body.
    [[nodiscard]] static result<void> append(sink_file& to, std::string const& metadata,
                                             std::string_view body) {
        std::string head("\xff\xff\xff\xff\0\0\0\0", 8);
        store_le(reinterpret_cast<std::byte*>(&head[4]),
                 static_cast<std::uint32_t>(metadata.size()));
        VICINAL_CHECK(to.append(head));
        VICINAL_CHECK(to.append(metadata));
        return to.append(body);
    }

    [[nodiscard]] result<void> end_batch(sink_file& to) {
        if (!schema_written_) {
            schema_dim_ = dim_;
            flat_builder b;
            auto const made = describe(b);
            VICINAL_CHECK(append(to, message(b, 1, made, 0), {}));
            schema_written_ = true;
        } else if (schema_dim_ != dim_) {
            return error{errc::dimension_mismatch, "a vector in the first record batch",
                         "the first one of " + std::to_string(dim_) + " elements behind it"};
        }
        if (rows_ == 0) return {};
        std::string body;
        std::vector<std::uint64_t> buffers;
        auto const add = [&](std::string_view bytes) {
            buffers.insert(buffers.end(), {body.size(), bytes.size()});
            body.append(bytes);
            body.resize(static_cast<std::size_t>(round_up(body.size(), 8)));
        };
        std::string const no_offsets(4 * (rows_ + 1), '\0');
        add({});
        add(ids_.offsets);
        add(ids_.bytes);
        add(nulls_ == 0 ? std::string_view() : valid_);
        if (dim_ == 0) add(no_offsets);
        add({});
        add(numbers_);
        add({});
        add(payloads_.offsets);
        add(payloads_.bytes);
        flat_builder b;
        auto const buffers_at = b.vector(buffers, 2);
        auto const nodes = b.vector({rows_, 0, rows_, nulls_, rows_ * dim_, 0, rows_, 0}, 2);
        b.begin();
        b.number(0, rows_);
        b.reference(1, nodes);
        b.reference(2, buffers_at);
        auto const table = b.end();
        auto const metadata = message(b, 3, table, body.size());
        blocks_.insert(blocks_.end(), {to.size(), metadata.size() + 8, body.size()});
        VICINAL_CHECK(append(to, metadata, body));
        ids_ = {};
        payloads_ = {};
        valid_.clear();
        numbers_.clear();
        rows_ = nulls_ = 0;
        return {};
    }

    static constexpr std::uint16_t version = 4; // V5

    [[nodiscard]] static std::string message(flat_builder& b, std::uint8_t kind,
                                             flat_builder::object table, std::uint64_t body) {
        b.begin();
        b.number(3, body);
        b.reference(2, table);
        b.number(0, version);
        b.number(1, kind);
        return b.finish(b.end());
    }

    [[nodiscard]] flat_builder::object describe(flat_builder& b) const {
        auto const field = [&b](std::string_view name, bool nullable, std::uint8_t kind,
                                flat_builder::object type,
                                std::vector<flat_builder::object> const& parts) {
            auto const called = b.text(name);
            auto const beneath = b.vector(parts);
            b.begin();
            b.reference(0, called);
            b.reference(3, type);
            b.reference(5, beneath);
            b.number(1, static_cast<std::uint8_t>(nullable ? 1 : 0));
            b.number(2, kind);
            return b.end();
        };
        auto const nothing = [&b] {
            b.begin();
            return b.end();
        };
        b.begin();
        b.number(0, std::uint16_t{1}); // single precision
        auto const single = b.end();
        auto const item = field("item", true, 3, single, {});
        b.begin();
        if (schema_dim_ > 0) b.number(0, static_cast<std::uint32_t>(schema_dim_));
        auto const list = b.end();
        auto const vector = field("vector", true, schema_dim_ > 0 ? 16 : 12, list, {item});
        auto const id = field("id", false, 5, nothing(), {});
        auto const payload = field("payload", false, 5, nothing(), {});
        auto const fields = b.vector({id, vector, payload});
        auto const note = [&b](std::string_view key, std::string_view text) {
            auto const k = b.text(key);
            auto const v = b.text(text);
            b.begin();
            b.reference(0, k);
            b.reference(1, v);
            return b.end();
        };
        std::vector<flat_builder::object> notes = {note("vicinal", "1")};
        if (!metric_.empty()) notes.push_back(note("vicinal.metric", metric_));
        auto const notes_at = b.vector(notes);
        b.begin();
        b.reference(1, fields);
        b.reference(2, notes_at);
        return b.end();
    }

    [[nodiscard]] std::string describe_file() const {
        flat_builder b;
        auto const made = describe(b);
        auto const batches = b.vector(blocks_, 3);
        auto const none = b.vector(std::vector<std::uint64_t>(), 3);
        b.begin();
        b.reference(1, made);
        b.reference(2, none);
        b.reference(3, batches);
        b.number(0, version);
        return b.finish(b.end());
    }

    options options_;
    std::string metric_;
    std::size_t dim_ = 0;
    std::size_t schema_dim_ = 0;
    bool schema_written_ = false;
    std::vector<std::uint64_t> blocks_; // offset, length of the metadata and of the body
    // Of the batch that grows.
    std::uint64_t rows_ = 0;
    std::uint64_t nulls_ = 0;
    texts ids_;
    texts payloads_;
    std::string valid_;
    std::string numbers_;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow

#endif

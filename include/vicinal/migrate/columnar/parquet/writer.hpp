// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_PARQUET_WRITER_HPP
#define VICINAL_MIGRATE_COLUMNAR_PARQUET_WRITER_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/parquet/footer.hpp>
#include <vicinal/migrate/columnar/parquet/thrift_writer.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/files/sink_file.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <zlib.h>
#include <zstd.h>

namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet {

/// Writes records as Parquet: id, vector, payload.
class writer {
public:
    /// All vectors need not be of one dimension.
    static constexpr bool fixed_dim = false;

    struct options {
        /// Whether pages are packed with zstd.
        bool compress = true;
        /// Bytes of a row group, packed as far as its pages are whole, before it is written.
        std::size_t row_group = std::size_t{64} << 20;
    };

    explicit writer(options o) noexcept : options_(o) {}

    [[nodiscard]] std::size_t dim() const noexcept { return 0; }

    [[nodiscard]] result<void> start(sink_file& to, schema const& incoming) {
        metric_ = incoming.metric;
        return to.append("PAR1");
    }

    /// Errors: io_failure. What was added is in the file at the end of its row group.
    [[nodiscard]] result<void> add(sink_file& to, record const& r, std::string_view payload) {
        add_text(columns_[0], r.id);
        add_text(columns_[2], payload);
        auto& c = columns_[1];
        // A list of nothing is not written: a record without a vector has none.
        auto const n = r.vector.size();
        add_run(c.definitions, c.defined, n == 0 ? 0 : 2, n == 0 ? 1 : n);
        add_run(c.repetitions, c.repeated, 0, 1);
        if (n > 1) add_run(c.repetitions, c.repeated, 1, n - 1);
        c.entries += n == 0 ? 1 : n;
        auto const before = c.values.size();
        c.values.resize(before + 4 * n);
        for (std::size_t i = 0; i < n; ++i)
            store_le(reinterpret_cast<std::byte*>(&c.values[before + 4 * i]),
                     std::bit_cast<std::uint32_t>(r.vector[i]));
        ++rows_;
        std::size_t held = 0;
        for (auto& grown : columns_) {
            if (grown.values.size() >= page_bytes || grown.entries >= page_entries)
                VICINAL_CHECK(end_page(grown));
            held += grown.pages.size() + grown.values.size();
        }
        return held < options_.row_group ? result<void>{} : end_row_group(to);
    }

    [[nodiscard]] result<void> end(sink_file& to) {
        if (rows_ > 0) VICINAL_CHECK(end_row_group(to));
        auto const footer = describe();
        std::array<std::byte, 4> length{};
        store_le(length.data(), static_cast<std::uint32_t>(footer.size()));
        VICINAL_CHECK(to.append(footer));
        VICINAL_CHECK(to.append({reinterpret_cast<char const*>(length.data()), length.size()}));
        return to.append("PAR1");
    }

private:
    static constexpr std::size_t page_bytes = std::size_t{1} << 20;
    static constexpr std::size_t page_entries = std::size_t{1} << 20;

    struct run {
        std::uint32_t level = 0;
        std::uint64_t length = 0;
    };
    struct column {
        // Of the page that grows.
        std::string values;
        std::string repetitions;
        std::string definitions;
        run repeated;
        run defined;
        std::size_t entries = 0;
        // Of the row group.
        std::string pages;
        std::size_t group_entries = 0;
        std::size_t unpacked = 0;
    };
    struct chunk {
        std::uint64_t offset;
        std::size_t bytes;
        std::size_t unpacked;
        std::size_t entries;
    };
    struct row_group {
        std::array<chunk, 3> columns;
        std::uint64_t rows;
    };

    void add_text(column& c, std::string_view text) {
        std::array<std::byte, 4> length{};
        store_le(length.data(), static_cast<std::uint32_t>(text.size()));
        c.values.append(reinterpret_cast<char const*>(length.data()), length.size());
        c.values.append(text);
        ++c.entries;
    }

    static void end_run(std::string& out, run& r) {
        if (r.length == 0) return;
        append_varint(r.length << 1, out);
        out.push_back(static_cast<char>(r.level));
        r.length = 0;
    }
    static void add_run(std::string& out, run& r, std::uint32_t level, std::uint64_t length) {
        if (r.level != level) end_run(out, r);
        r.level = level;
        r.length += length;
    }

    [[nodiscard]] result<void> end_page(column& c) {
        if (c.entries == 0) return {};
        std::string body;
        if (&c == &columns_[1]) {
            end_run(c.repetitions, c.repeated);
            end_run(c.definitions, c.defined);
            for (auto* const levels : {&c.repetitions, &c.definitions}) {
                std::array<std::byte, 4> length{};
                store_le(length.data(), static_cast<std::uint32_t>(levels->size()));
                body.append(reinterpret_cast<char const*>(length.data()), length.size());
                body.append(*levels);
                levels->clear();
            }
        }
        body.append(c.values);
        auto const unpacked = body.size();
        if (options_.compress) {
            std::string packed(ZSTD_compressBound(body.size()), '\0');
            auto const n = ZSTD_compress(packed.data(), packed.size(), body.data(), body.size(), 3);
            if (ZSTD_isError(n)) return error{errc::out_of_memory, "memory for zstd", "none"};
            packed.resize(n);
            body = std::move(packed);
        }
        thrift_writer header;
        header.begin();
        header.i32(1, 0); // a data page
        header.i32(2, static_cast<std::int64_t>(unpacked));
        header.i32(3, static_cast<std::int64_t>(body.size()));
        header.i32(4,
                   static_cast<std::int32_t>(::crc32(0, reinterpret_cast<Bytef const*>(body.data()),
                                                     static_cast<uInt>(body.size()))));
        header.begin(5);
        header.i32(1, static_cast<std::int64_t>(c.entries));
        header.i32(2, 0); // plain
        header.i32(3, 3); // levels in runs
        header.i32(4, 3);
        header.end();
        header.end();
        c.pages.append(header.bytes()).append(body);
        c.group_entries += c.entries;
        c.unpacked += header.bytes().size() + unpacked;
        c.entries = 0;
        c.values.clear();
        return {};
    }

    [[nodiscard]] result<void> end_row_group(sink_file& to) {
        row_group g{};
        g.rows = rows_;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            auto& c = columns_[i];
            VICINAL_CHECK(end_page(c));
            g.columns[i] = {to.size(), c.pages.size(), c.unpacked, c.group_entries};
            VICINAL_CHECK(to.append(c.pages));
            c.pages.clear();
            c.group_entries = c.unpacked = 0;
        }
        groups_.push_back(g);
        rows_ = 0;
        return {};
    }

    /// The footer: Apache Parquet, parquet.thrift.
    [[nodiscard]] std::string describe() const {
        thrift_writer out;
        out.begin();
        out.i32(1, 2);
        out.list(2, thrift_kind::structure, 6);
        auto const element = [&out](int type, int repetition, std::string_view name, int children,
                                    int converted, int logical) {
            out.begin();
            if (type >= 0) out.i32(1, type);
            if (repetition >= 0) out.i32(3, repetition);
            out.text(4, name);
            if (children > 0) out.i32(5, children);
            if (converted >= 0) out.i32(6, converted);
            if (logical > 0) {
                out.begin(10);
                out.empty(logical);
                out.end();
            }
            out.end();
        };
        constexpr int bytes = static_cast<int>(physical::bytes);
        element(-1, -1, "schema", 3, -1, 0);
        element(bytes, 0, "id", 0, 0, 1);
        element(-1, 1, "vector", 1, 3, 3);
        element(-1, 2, "list", 1, -1, 0);
        element(static_cast<int>(physical::float32), 0, "element", 0, -1, 0);
        element(bytes, 0, "payload", 0, 0, 1);
        std::uint64_t rows = 0;
        for (auto const& g : groups_) rows += g.rows;
        out.i64(3, static_cast<std::int64_t>(rows));
        out.list(4, thrift_kind::structure, groups_.size());
        for (auto const& g : groups_) add_group(g, out);
        out.list(5, thrift_kind::structure, metric_.empty() ? 1 : 2);
        auto const note = [&out](std::string_view key, std::string_view text) {
            out.begin();
            out.text(1, key);
            out.text(2, text);
            out.end();
        };
        note("vicinal", "1");
        if (!metric_.empty()) note("vicinal.metric", metric_);
        out.text(6, "vicinal");
        out.end();
        return out.bytes();
    }

    void add_group(row_group const& g, thrift_writer& out) const {
        out.begin();
        out.list(1, thrift_kind::structure, g.columns.size());
        std::int64_t bytes = 0;
        for (std::size_t i = 0; i < g.columns.size(); ++i) {
            auto const& c = g.columns[i];
            auto const offset = static_cast<std::int64_t>(c.offset);
            out.begin();
            out.i64(2, offset);
            out.begin(3);
            out.i32(1, static_cast<int>(i == 1 ? physical::float32 : physical::bytes));
            out.list(2, thrift_kind::i32, 2);
            out.element(std::int64_t{0});
            out.element(std::int64_t{3});
            static constexpr std::array<std::string_view, 3> path = {"vector", "list", "element"};
            out.list(3, thrift_kind::binary, i == 1 ? path.size() : 1);
            if (i == 1)
                for (auto const part : path) out.element(part);
            else
                out.element(std::string_view(i == 0 ? "id" : "payload"));
            out.i32(4, options_.compress ? 6 : 0);
            out.i64(5, static_cast<std::int64_t>(c.entries));
            out.i64(6, static_cast<std::int64_t>(c.unpacked));
            out.i64(7, static_cast<std::int64_t>(c.bytes));
            out.i64(9, offset);
            out.end();
            out.end();
            bytes += static_cast<std::int64_t>(c.unpacked);
        }
        out.i64(2, bytes);
        out.i64(3, static_cast<std::int64_t>(g.rows));
        out.end();
    }

    options options_;
    std::string metric_;
    std::array<column, 3> columns_;
    std::vector<row_group> groups_;
    std::uint64_t rows_ = 0; // of the row group
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_SQLITE_VEC0_ROWS_HPP
#define VICINAL_BACKEND_SQLITE_VEC0_ROWS_HPP

#include <vicinal/backend/sqlite.hpp>
#include <vicinal/backend/sqlite/catalogue.hpp>
#include <vicinal/backend/sqlite/plain_rows.hpp>
#include <vicinal/backend/sqlite/vec0_declaration.hpp>
#include <vicinal/backend/sqlite/vector_blob.hpp>
#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The rows of a table of sqlite-vec, read from the tables in which it keeps them: chunk by chunk,
/// and of each chunk only the columns that are asked for.
class vec0_rows final : public table_rows {
public:
    [[nodiscard]] static result<std::unique_ptr<vec0_rows>>
    open(std::shared_ptr<sqlite_database const> db, std::string const& table,
         vec0_declaration declaration) {
        auto rows = std::make_unique<vec0_rows>();
        rows->db_ = std::move(db);
        rows->table_ = table;
        rows->about_ = std::move(declaration);
        VICINAL_CHECK(rows->prepare());
        return rows;
    }

    [[nodiscard]] result<bool> next() override {
        broken_.reset();
        for (;;) {
            for (++slot_; slot_ < size_; ++slot_)
                if ((static_cast<unsigned>(validity_[slot_ / 8]) >> (slot_ % 8) & 1U) != 0)
                    return step_into_row();
            size_ = 0;
            auto const chunk = chunks_.step();
            if (!chunk) return chunk.error();
            if (!*chunk) return false;
            if (auto read = read_chunk(); !read) {
                broken_ = read.error();
                return true;
            }
        }
    }
    [[nodiscard]] result<void> intact() const override {
        if (broken_) return *broken_;
        return {};
    }
    [[nodiscard]] std::string place() const override {
        return db_->path() + ", table " + table_ + ", chunk " + std::to_string(chunk_) +
               (size_ == 0 ? "" : ", slot " + std::to_string(slot_));
    }

    [[nodiscard]] bool null(std::size_t column) const override {
        if (column == 0) return about_.text_id && id_.empty();
        auto const& c = about_.columns[column - 1];
        if (c.is == vec0_column::kind::auxiliary) return !has_auxiliary_ || auxiliary_.null(at(c));
        if (c.is == vec0_column::kind::partition) return chunks_.null(4 + at(c));
        return false;
    }
    [[nodiscard]] result<void> text(std::size_t column, std::string& out) override {
        if (column == 0) {
            out = about_.text_id ? id_ : std::to_string(rowid_);
            return {};
        }
        value v;
        VICINAL_CHECK(read(column, v));
        if (auto const* s = v.get_if<std::string>())
            out = *s;
        else if (auto const* i = v.get_if<std::int64_t>())
            out = std::to_string(*i);
        else
            return error{errc::invalid_id, "text or an integer", "another value"};
        return {};
    }
    [[nodiscard]] result<void> vector(std::size_t column, std::vector<float>& out) override {
        if (column == 0 || !about_.columns[column - 1].vector())
            return error{errc::unsupported, "a column of vectors", columns_[column].name};
        auto const& c = about_.columns[column - 1];
        auto const all = blob(column - 1);
        if (!all) return all.error();
        auto const bytes = std::span<std::byte const>(*all).subspan(slot_ * c.bytes(), c.bytes());
        if (c.is == vec0_column::kind::float_vector)
            return read_vector_blob(bytes, blob_encoding::f32, out);
        out.resize(c.dim);
        for (std::size_t i = 0; i < c.dim; ++i)
            out[i] = c.is == vec0_column::kind::int8_vector
                         ? static_cast<float>(static_cast<std::int8_t>(bytes[i]))
                         : static_cast<float>(static_cast<unsigned>(bytes[i / 8]) >> (i % 8) & 1U);
        return {};
    }
    [[nodiscard]] result<void> read(std::size_t column, value& out) override {
        if (column == 0 || about_.columns[column - 1].vector())
            return error{errc::unsupported, "a column of values", columns_[column].name};
        auto const& c = about_.columns[column - 1];
        if (c.is == vec0_column::kind::auxiliary) {
            out = sqlite_value(auxiliary_, at(c));
            return {};
        }
        if (c.is == vec0_column::kind::partition) {
            out = sqlite_value(chunks_, 4 + at(c));
            return {};
        }
        return read_metadata(column - 1, out);
    }

private:
    static int at(vec0_column const& c) noexcept { return static_cast<int>(c.place); }
    static std::string two_digits(std::size_t n) { return (n < 10 ? "0" : "") + std::to_string(n); }
    [[nodiscard]] std::string shadow(std::string const& suffix) const {
        return sql_name(table_ + suffix);
    }

    result<void> open_statement(std::string const& sql, sqlite_statement& out) {
        auto s = db_->prepare(sql);
        if (!s) return s.error();
        out = *std::move(s);
        return {};
    }

    result<void> prepare() {
        columns_.push_back({.name = about_.id, .type = column_type::text, .key = true});
        std::string partitions;
        std::string auxiliary;
        for (auto const& c : about_.columns) {
            auto const type = c.vector() ? column_type::vector : column_type::text;
            columns_.push_back({.name = c.name, .type = type, .dim = c.dim});
            blobs_.emplace_back();
            auto const place = two_digits(c.place);
            statements_.emplace_back();
            texts_.emplace_back();
            if (c.is == vec0_column::kind::partition) partitions += ", partition" + place;
            if (c.is == vec0_column::kind::auxiliary)
                auxiliary += (auxiliary.empty() ? "value" : ", value") + place;
            if (c.vector())
                VICINAL_CHECK(open_statement(
                    "select vectors from " + shadow("_vector_chunks" + place) + " where rowid = ?1",
                    statements_.back()));
            if (c.is != vec0_column::kind::metadata) continue;
            VICINAL_CHECK(open_statement("select data from " + shadow("_metadatachunks" + place) +
                                             " where rowid = ?1",
                                         statements_.back()));
            if (c.type == "text")
                VICINAL_CHECK(open_statement("select data from " + shadow("_metadatatext" + place) +
                                                 " where rowid = ?1",
                                             texts_.back()));
        }
        if (!auxiliary.empty()) {
            has_auxiliary_ = true;
            VICINAL_CHECK(open_statement("select " + auxiliary + " from " + shadow("_auxiliary") +
                                             " where rowid = ?1",
                                         auxiliary_));
        }
        if (about_.text_id)
            VICINAL_CHECK(
                open_statement("select id from " + shadow("_rowids") + " where rowid = ?1", ids_));
        return open_statement("select chunk_id, size, validity, rowids" + partitions + " from " +
                                  shadow("_chunks") + " order by chunk_id",
                              chunks_);
    }

    [[nodiscard]] error damaged(std::string expected, std::string got) const {
        return error{errc::corrupt_source, std::move(expected), std::move(got)};
    }

    result<void> read_chunk() {
        chunk_ = chunks_.integer(0);
        slot_ = static_cast<std::size_t>(-1);
        for (auto& b : blobs_) b.reset();
        auto const size = chunks_.integer(1);
        auto const validity = chunks_.blob(2);
        auto const rowids = chunks_.blob(3);
        if (size < 0 || size > (1 << 20) || size % 8 != 0 ||
            validity.size() != static_cast<std::size_t>(size) / 8 ||
            rowids.size() != static_cast<std::size_t>(size) * 8)
            return damaged("a chunk with a mark and a row number for each of its slots",
                           std::to_string(size) + " slots, " + std::to_string(validity.size()) +
                               " bytes of marks, " + std::to_string(rowids.size()) + " of numbers");
        validity_.assign(validity.begin(), validity.end());
        rowids_.assign(rowids.begin(), rowids.end());
        size_ = static_cast<std::size_t>(size);
        return {};
    }

    result<bool> step_into_row() {
        rowid_ = static_cast<std::int64_t>(load_le<std::uint64_t>(rowids_.data() + slot_ * 8));
        if (has_auxiliary_) {
            auxiliary_.reset();
            auto const row = auxiliary_.bind(1, rowid_).step();
            if (!row) return row.error();
            if (!*row)
                broken_ = damaged("its auxiliary columns", "none of row " + std::to_string(rowid_));
        }
        if (about_.text_id) {
            ids_.reset();
            auto const row = ids_.bind(1, rowid_).step();
            if (!row) return row.error();
            id_ = *row ? std::string(ids_.text(0)) : std::string();
        }
        return true;
    }

    // The bytes of one column of the chunk; read when they are first asked for.
    result<std::span<std::byte const>> blob(std::size_t column) {
        auto& have = blobs_[column];
        if (!have) {
            auto& s = statements_[column];
            s.reset();
            auto const row = s.bind(1, chunk_).step();
            if (!row) return row.error();
            auto const bytes = *row ? s.blob(0) : std::span<std::byte const>{};
            auto const& c = about_.columns[column];
            auto const wanted = c.vector() ? size_ * c.bytes() : metadata_bytes(c);
            if (bytes.size() != wanted)
                return damaged(std::to_string(wanted) + " bytes of column " + c.name,
                               std::to_string(bytes.size()));
            have.emplace(bytes.begin(), bytes.end());
        }
        return std::span<std::byte const>(*have);
    }

    static bool is(std::string_view type, std::initializer_list<std::string_view> names) {
        for (auto const n : names)
            if (type == n) return true;
        return false;
    }
    static bool is_boolean(std::string_view t) { return is(t, {"boolean", "bool"}); }
    static bool is_integer(std::string_view t) { return is(t, {"integer", "int", "int64"}); }
    static bool is_real(std::string_view t) {
        return is(t, {"float", "double", "f64", "float64", "real"});
    }
    [[nodiscard]] std::size_t metadata_bytes(vec0_column const& c) const {
        if (is_boolean(c.type)) return size_ / 8;
        return size_ * (is_integer(c.type) || is_real(c.type) ? 8 : 16);
    }

    result<void> read_metadata(std::size_t column, value& out) {
        auto const& c = about_.columns[column];
        auto const all = blob(column);
        if (!all) return all.error();
        auto const* const data = all->data();
        if (is_boolean(c.type)) {
            out = (static_cast<unsigned>(data[slot_ / 8]) >> (slot_ % 8) & 1U) != 0;
            return {};
        }
        if (is_integer(c.type)) {
            out = static_cast<std::int64_t>(load_le<std::uint64_t>(data + slot_ * 8));
            return {};
        }
        if (is_real(c.type)) {
            out = std::bit_cast<double>(load_le<std::uint64_t>(data + slot_ * 8));
            return {};
        }
        // Text: its length, then its first 12 bytes; what is longer lies in a table of its own.
        auto const length = load_le<std::uint32_t>(data + slot_ * 16);
        if (length <= 12) {
            out = std::string(reinterpret_cast<char const*>(data + slot_ * 16 + 4), length);
            return {};
        }
        auto& s = texts_[column];
        s.reset();
        auto const row = s.bind(1, rowid_).step();
        if (!row) return row.error();
        if (!*row || s.text(0).size() != length)
            return damaged("a text of " + std::to_string(length) + " bytes in column " + c.name,
                           *row ? std::to_string(s.text(0).size()) : std::string("none"));
        out = s.text(0);
        return {};
    }

    std::shared_ptr<sqlite_database const> db_;
    std::string table_;
    vec0_declaration about_;
    sqlite_statement chunks_;
    sqlite_statement auxiliary_;
    sqlite_statement ids_;
    std::vector<sqlite_statement> statements_; // of the blob of each column
    std::vector<sqlite_statement> texts_;
    bool has_auxiliary_ = false;

    std::int64_t chunk_ = 0;
    std::size_t size_ = 0;
    std::size_t slot_ = 0;
    std::vector<std::byte> validity_;
    std::vector<std::byte> rowids_;
    std::vector<std::optional<std::vector<std::byte>>> blobs_;
    std::int64_t rowid_ = 0;
    std::string id_;
    std::optional<error> broken_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

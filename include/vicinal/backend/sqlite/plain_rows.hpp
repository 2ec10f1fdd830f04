// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_SQLITE_PLAIN_ROWS_HPP
#define VICINAL_BACKEND_SQLITE_PLAIN_ROWS_HPP

#include <vicinal/backend/sqlite.hpp>
#include <vicinal/backend/sqlite/catalogue.hpp>
#include <vicinal/backend/sqlite/vector_blob.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/tables/column_guess.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>
#include <vicinal/migrate/tables/vector_text.hpp>

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

/// A BLOB as text, two digits a byte.
[[nodiscard]] inline std::string hex_text(std::span<std::byte const> bytes) {
    constexpr char hex[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (auto const b : bytes) {
        out += hex[static_cast<unsigned>(b) >> 4];
        out += hex[static_cast<unsigned>(b) & 15U];
    }
    return out;
}

/// A value as SQLite has it; a BLOB becomes hexadecimal text.
[[nodiscard]] inline value sqlite_value(sqlite_statement const& row, int column) {
    switch (row.type(column)) {
        case SQLITE_INTEGER: return row.integer(column);
        case SQLITE_FLOAT: return row.real(column);
        case SQLITE_TEXT: return row.text(column);
        case SQLITE_BLOB: return hex_text(row.blob(column));
        default: return {};
    }
}

/// The rows of a real table of a SQLite file, in the order in which SQLite scans it.
class sqlite_rows final : public table_rows {
public:
    /// With `with_rowid` the row number comes as a last column, "rowid".
    [[nodiscard]] static result<std::unique_ptr<sqlite_rows>>
    open(std::shared_ptr<sqlite_database const> db, std::string const& table, bool with_rowid,
         backend::cell_parser json) {
        auto rows = std::make_unique<sqlite_rows>(std::move(json));
        auto columns = table_columns(*db, table);
        if (!columns) return columns.error();
        rows->columns_ = *std::move(columns);
        std::string list;
        for (auto const& c : rows->columns_)
            list.append(list.empty() ? "" : ", ").append(sql_name(c.name));
        if (with_rowid) {
            rows->columns_.push_back({.name = "rowid", .key = true});
            list.append(list.empty() ? "rowid" : ", rowid");
        }
        auto statement = db->prepare("select " + list + " from " + sql_name(table));
        if (!statement) return statement.error();
        rows->place_ = db->path() + ", table " + table + ", row ";
        rows->row_ = *std::move(statement);
        rows->encodings_.resize(rows->columns_.size());
        rows->db_ = std::move(db);
        return rows;
    }
    explicit sqlite_rows(backend::cell_parser json) : json_(std::move(json)) {}

    [[nodiscard]] result<bool> next() override {
        ++number_;
        return row_.step();
    }
    [[nodiscard]] std::string place() const override { return place_ + std::to_string(number_); }

    [[nodiscard]] bool null(std::size_t column) const override { return row_.null(at(column)); }
    [[nodiscard]] result<void> text(std::size_t column, std::string& out) override {
        if (row_.type(at(column)) == SQLITE_BLOB)
            return error{errc::corrupt_source, "text or a number",
                         "a BLOB in column " + columns_[column].name};
        out = row_.text(at(column));
        return {};
    }
    [[nodiscard]] result<void> vector(std::size_t column, std::vector<float>& out) override {
        auto const encoding = encodings_[column].value_or(blob_encoding::f32);
        if (row_.type(at(column)) == SQLITE_BLOB)
            return read_vector_blob(row_.blob(at(column)), encoding, out);
        auto const text = row_.text(at(column));
        if (encodings_[column] && decode_base64(text, bytes_))
            return read_vector_blob(bytes_, encoding, out);
        return read_vector_text(text, out);
    }
    [[nodiscard]] result<void> read(std::size_t column, value& out) override {
        int const i = at(column);
        auto const& about = columns_[column];
        out = {};
        if (row_.type(i) == SQLITE_TEXT && about.type == column_type::json && json_ &&
            json_(row_.text(i), out))
            return {};
        out = sqlite_value(row_, i);
        if (row_.type(i) == SQLITE_BLOB) ++blobs_;
        auto const* number = out.get_if<std::int64_t>();
        if (number != nullptr && about.declared.starts_with("bool") && (*number | 1) == 1)
            out = *number == 1;
        return {};
    }
    [[nodiscard]] std::vector<std::string> remarks() const override {
        if (blobs_ == 0) return {};
        return {std::to_string(blobs_) + " BLOBs that are no vectors are carried as hexadecimal "
                                         "text"};
    }

    [[nodiscard]] std::vector<std::optional<blob_encoding>> const& encodings() const noexcept {
        return encodings_;
    }
    void encodings(std::vector<std::optional<blob_encoding>> e) { encodings_ = std::move(e); }

    /// Finds out from the first rows which columns hold vectors as BLOB or base64, and how; they
    /// become columns of vectors.
    [[nodiscard]] result<void> find_blobs() {
        std::vector<blob_guess> blobs(columns_.size());
        std::vector<blob_guess> packed(columns_.size());
        for (std::size_t n = 0; n < 1000; ++n) {
            auto const more = next();
            if (!more) return more.error();
            if (!*more) break;
            for (std::size_t i = 0; i < columns_.size(); ++i) {
                auto const type = row_.type(at(i));
                if (type == SQLITE_BLOB) blobs[i].feed(row_.blob(at(i)));
                // Words are base64 as well; vectors have more than two numbers.
                if (type == SQLITE_TEXT && row_.text(at(i)).size() >= 16 &&
                    decode_base64(row_.text(at(i)), bytes_))
                    packed[i].feed(bytes_);
                else if (type == SQLITE_TEXT)
                    packed[i].feed({});
            }
        }
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            encodings_[i] = blobs[i].encoding();
            if (!encodings_[i]) encodings_[i] = packed[i].encoding();
            if (encodings_[i]) columns_[i].type = column_type::vector;
        }
        return {};
    }

private:
    static int at(std::size_t column) noexcept { return static_cast<int>(column); }

    std::shared_ptr<sqlite_database const> db_;
    sqlite_statement row_;
    backend::cell_parser json_;
    std::vector<std::optional<blob_encoding>> encodings_;
    std::vector<std::byte> bytes_;
    std::string place_;
    std::uint64_t number_ = 0;
    std::uint64_t blobs_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_COPY_BINARY_HPP
#define VICINAL_MIGRATE_TABLES_COPY_BINARY_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/files/input.hpp>
#include <vicinal/migrate/tables/pg_types.hpp>
#include <vicinal/migrate/tables/pg_wire.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>
#include <vicinal/migrate/tables/text_stream.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

inline constexpr std::string_view copy_signature{"PGCOPY\n\xff\r\n\0", 11};

/// The rows of PostgreSQL's COPY BINARY, which says how long a cell is and not of what type.
class copy_binary_rows final : public table_rows {
public:
    /// Errors: foreign_file (another signature), corrupt_source, io_failure.
    [[nodiscard]] static result<std::unique_ptr<copy_binary_rows>>
    open(std::unique_ptr<backend::input> in, std::vector<table_column> columns,
         backend::cell_parser json) {
        auto rows = std::make_unique<copy_binary_rows>(std::move(in), std::move(json));
        rows->columns_ = std::move(columns);
        VICINAL_CHECK(rows->read_header());
        return rows;
    }
    copy_binary_rows(std::unique_ptr<backend::input> in, backend::cell_parser json)
        : in_(std::move(in)), json_(std::move(json)) {}

    [[nodiscard]] result<bool> next() override {
        ++row_;
        VICINAL_CHECK(take(2));
        auto const count = load_big<std::uint16_t>(piece_);
        if (count == 0xffffU) return false;
        row_bytes_.clear();
        cells_.clear();
        for (std::size_t i = 0; i < count; ++i) {
            VICINAL_CHECK(take(4));
            auto const size = load_big<std::uint32_t>(piece_);
            bool const null = size == 0xffffffffU;
            cells_.push_back({row_bytes_.size(), null ? 0 : size, null});
            if (!null) VICINAL_CHECK(append(size));
        }
        // Until something better is known, columns have numbers for names.
        for (std::size_t i = 0; columns_.size() == i && i < count; ++i)
            columns_.push_back({.name = "column" + std::to_string(i + 1)});
        if (cells_.size() < columns_.size()) cells_.resize(columns_.size());
        found_ = count;
        return true;
    }
    [[nodiscard]] result<void> intact() const override {
        if (found_ == columns_.size()) return {};
        return error{errc::corrupt_source, std::to_string(columns_.size()) + " cells",
                     std::to_string(found_)};
    }
    [[nodiscard]] std::string place() const override {
        return in_->path() + ", row " + std::to_string(row_);
    }

    [[nodiscard]] bool null(std::size_t column) const override { return cells_[column].null; }
    [[nodiscard]] result<void> text(std::size_t column, std::string& out) override {
        value v;
        VICINAL_CHECK(read_wire_value(bytes(column), columns_[column].declared, {}, v));
        if (auto const* s = v.get_if<std::string>())
            out = *s;
        else if (auto const* i = v.get_if<std::int64_t>())
            out = std::to_string(*i);
        else
            return error{errc::invalid_id, "text or an integer",
                         "a cell of " + columns_[column].declared};
        return {};
    }
    [[nodiscard]] result<void> vector(std::size_t column, std::vector<float>& out) override {
        if (columns_[column].type != column_type::numbers)
            return read_wire_vector(bytes(column), columns_[column].declared, out);
        value v;
        VICINAL_CHECK(read_wire_array(bytes(column), v));
        out.clear();
        for (auto const& e : *v.get_if<value::array>()) {
            auto const* const d = e.get_if<double>();
            if (d == nullptr || !std::isfinite(static_cast<float>(*d)) || out.size() == source_dims)
                return wrong_wire("an array of at most 65536 finite numbers", bytes(column));
            out.push_back(static_cast<float>(*d));
        }
        return {};
    }
    [[nodiscard]] result<void> read(std::size_t column, value& out) override {
        auto const type = columns_[column].type;
        if (type == column_type::numbers || type == column_type::list)
            return read_wire_array(bytes(column), out);
        return read_wire_value(bytes(column), columns_[column].declared, json_, out);
    }

    /// The bytes of a cell.
    [[nodiscard]] std::string_view bytes(std::size_t column) const noexcept {
        return std::string_view(row_bytes_).substr(cells_[column].at, cells_[column].size);
    }

private:
    struct cell {
        std::size_t at = 0;
        std::size_t size = 0;
        bool null = true;
    };

    [[nodiscard]] error ended() const {
        return error{errc::corrupt_source, "a mark at the end of the rows",
                     place() + ": the file ends too early"};
    }

    result<void> read_header() {
        VICINAL_CHECK(take(copy_signature.size()));
        if (piece_ != copy_signature)
            return error{errc::foreign_file, "a file of COPY BINARY",
                         in_->path() + ": another one"};
        VICINAL_CHECK(take(8));
        // 1 << 16 was for object ids, which no version of today writes.
        if (load_big<std::uint32_t>(piece_) != 0)
            return error{errc::unsupported, "a header without flags", in_->path() + ": some"};
        auto const extension = load_big<std::uint32_t>(piece_, 4);
        row_bytes_.clear();
        return append(extension);
    }

    // The next bytes of the file, as `piece_`.
    result<void> take(std::size_t size) {
        piece_.resize(size);
        auto const got = read(piece_.data(), size);
        if (!got) return got.error();
        if (*got < size) return ended();
        return {};
    }
    // The next bytes of the file, behind `row_bytes_`: memory grows with what really comes.
    result<void> append(std::uint32_t size) {
        if (size > text_stream::longest - row_bytes_.size())
            return error{errc::limit_exceeded, "rows of at most 64 MiB",
                         place() + ": a longer one"};
        for (std::size_t left = size; left > 0;) {
            auto const step = (std::min)(left, std::size_t{1} << 20);
            auto const before = row_bytes_.size();
            row_bytes_.resize(before + step);
            auto const got = read(row_bytes_.data() + before, step);
            if (!got) return got.error();
            if (*got < step) return ended();
            left -= step;
        }
        return {};
    }

    result<std::size_t> read(char* to, std::size_t most) {
        std::size_t done = 0;
        while (done < most) {
            if (at_ == buffer_.size()) {
                buffer_.resize(std::size_t{256} << 10);
                auto const got = in_->read(buffer_.data(), buffer_.size());
                if (!got) return got.error();
                buffer_.resize(*got);
                at_ = 0;
                if (*got == 0) break;
            }
            auto const step = (std::min)(most - done, buffer_.size() - at_);
            std::copy_n(buffer_.data() + at_, step, to + done);
            at_ += step;
            done += step;
        }
        return done;
    }

    std::unique_ptr<backend::input> in_;
    backend::cell_parser json_;
    std::string buffer_;
    std::size_t at_ = 0;
    std::string piece_;
    std::string row_bytes_;
    std::vector<cell> cells_;
    std::size_t found_ = 0;
    std::uint64_t row_ = 0;
};

/// The type of PostgreSQL that fits all cells of a column that have no other description.
class wire_guess {
public:
    void feed(std::string_view b) {
        ++cells_;
        auto const keep = [](bool& possible, bool here) { possible = possible && here; };
        keep(vector_, is_wire_vector(b, 4));
        keep(half_, is_wire_vector(b, 2));
        keep(sparse_, is_wire_sparse(b));
        keep(array_, is_wire_array(b));
        keep(bits_, is_wire_bits(b));
        keep(json_, b.size() > 2 && b[0] == 1 && (b[1] == '{' || b[1] == '['));
        keep(text_,
             b.find_first_of(std::string_view("\0\1\2\3\4\5\6\7", 8)) == std::string_view::npos &&
                 payload::detail::is_utf8(b));
        keep(boolean_, b.size() == 1 && (b[0] == 0 || b[0] == 1));
        keep(uuid_, b.size() == 16);
        size_ = cells_ == 1 || size_ == b.size() ? b.size() : 0;
        if (array_ && b.size() >= 20) floats_ = load_big<std::uint32_t>(b, 8) / 2 == 350;
    }

    [[nodiscard]] std::string_view type() const noexcept {
        if (cells_ == 0) return "text";
        if (text_) return "text";
        if (vector_) return "vector";
        if (half_) return "halfvec";
        if (sparse_) return "sparsevec";
        if (array_) return floats_ ? "real[]" : "text[]";
        if (json_) return "jsonb";
        if (boolean_) return "boolean";
        if (size_ == 2 || size_ == 4 || size_ == 8) return "bigint";
        if (bits_) return "bit";
        if (uuid_) return "uuid";
        return "bytea";
    }

private:
    std::size_t cells_ = 0;
    std::size_t size_ = 0;
    bool vector_ = true;
    bool half_ = true;
    bool sparse_ = true;
    bool array_ = true;
    bool floats_ = false;
    bool bits_ = true;
    bool json_ = true;
    bool text_ = true;
    bool boolean_ = true;
    bool uuid_ = true;
};

/// Gives the columns without a type the one that the first rows show. Names those in a sentence.
[[nodiscard]] inline result<std::string> guess_wire_types(copy_binary_rows& rows) {
    std::vector<wire_guess> guesses;
    for (std::size_t n = 0; n < 1000; ++n) {
        auto const more = rows.next();
        if (!more) return more.error();
        if (!*more) break;
        guesses.resize(rows.columns().size());
        if (!rows.intact()) continue;
        for (std::size_t i = 0; i < guesses.size(); ++i)
            if (!rows.null(i)) guesses[i].feed(rows.bytes(i));
    }
    guesses.resize(rows.columns().size());
    auto columns = rows.columns();
    std::string guessed;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].type != column_type::unknown) continue;
        columns[i] = pg_column(columns[i].name, guesses[i].type());
        guessed.append(guessed.empty() ? "" : ", ")
            .append(columns[i].name + " " + std::string(guesses[i].type()));
    }
    rows.columns(std::move(columns));
    return guessed;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

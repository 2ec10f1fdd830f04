// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_CSV_ROWS_HPP
#define VICINAL_MIGRATE_TABLES_CSV_ROWS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>
#include <vicinal/migrate/tables/text_cells.hpp>
#include <vicinal/migrate/tables/text_stream.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The rows of a CSV file after RFC 4180; the first one names the columns.
///
/// Lines end in LF or CR LF; the header is one line. A quote inside an unquoted cell is a character
/// like others; empty lines are skipped. An empty cell without quotes is null.
class csv_rows final : public text_cells {
public:
    /// A `delimiter` of 0 is found out: the one of , ; TAB and | that the first line has most.
    ///
    /// Errors: foreign_file (no header), corrupt_source, limit_exceeded, io_failure.
    [[nodiscard]] static result<std::unique_ptr<csv_rows>>
    open(std::unique_ptr<backend::input> in, char delimiter, backend::cell_parser json) {
        auto rows = std::make_unique<csv_rows>(std::move(in), std::move(json));
        VICINAL_CHECK(rows->read_header(delimiter));
        return rows;
    }
    csv_rows(std::unique_ptr<backend::input> in, backend::cell_parser json)
        : text_cells(std::move(json)), in_(std::move(in)) {}

    [[nodiscard]] result<bool> next() override {
        do {
            auto const more = read_row();
            if (!more || !*more) return more;
        } while (ends_.size() == 1 && buffer_.empty() && !quoted_.front());
        cells_.assign((std::max)(columns_.size(), ends_.size()), cell{});
        std::size_t from = 0;
        for (std::size_t i = 0; i < ends_.size(); ++i) {
            cells_[i].text = std::string_view(buffer_).substr(from, ends_[i] - from);
            cells_[i].null = cells_[i].text.empty() && !quoted_[i];
            from = ends_[i];
        }
        return true;
    }
    [[nodiscard]] result<void> intact() const override {
        if (ends_.size() == columns_.size()) return {};
        return error{errc::corrupt_source,
                     std::to_string(columns_.size()) + " cells, as the header has",
                     std::to_string(ends_.size())};
    }
    [[nodiscard]] std::string place() const override { return in_.place(row_line_); }

private:
    result<void> read_header(char delimiter) {
        std::string line;
        if (!in_.rest_of_line(line)) return in_.too_long();
        VICINAL_CHECK(in_.failure());
        delimiter_ = delimiter != 0 ? delimiter : most_frequent(line);
        split_header(line);
        if (columns_.empty() || (columns_.size() == 1 && columns_[0].name.empty()))
            return error{errc::foreign_file, "a line with the names of columns",
                         in_.path() + ": none"};
        if (columns_.size() > most_columns)
            return error{errc::limit_exceeded, "at most 70000 columns",
                         in_.path() + ": " + std::to_string(columns_.size())};
        make_names_unique(columns_);
        return {};
    }

    static char most_frequent(std::string_view line) {
        char best = ',';
        std::ptrdiff_t most = 0;
        for (char const d : {',', '\t', ';', '|'}) {
            auto const n = std::count(line.begin(), line.end(), d);
            if (n > most) {
                best = d;
                most = n;
            }
        }
        return best;
    }

    // A header of quoted names, none of which holds a newline.
    void split_header(std::string_view line) {
        std::string name;
        bool quoted = false;
        for (std::size_t i = 0; i <= line.size(); ++i) {
            if (i == line.size() || (!quoted && line[i] == delimiter_)) {
                columns_.push_back({.name = std::exchange(name, {})});
            } else if (line[i] == '"') {
                if (quoted && i + 1 < line.size() && line[i + 1] == '"')
                    name.push_back(line[i++]);
                else
                    quoted = !quoted;
            } else {
                name.push_back(line[i]);
            }
        }
    }

    // The texts of the cells go one behind the other into the buffer.
    result<bool> read_row() {
        buffer_.clear();
        ends_.clear();
        quoted_.clear();
        row_line_ = in_.line();
        if (in_.peek() < 0) {
            VICINAL_CHECK(in_.failure());
            return false;
        }
        for (;;) {
            bool quoted = false;
            if (in_.peek() == '"') {
                quoted = true;
                in_.get();
                VICINAL_CHECK(read_quoted());
            }
            if (!in_.append_until(plain_stops(), buffer_)) return in_.too_long();
            ends_.push_back(buffer_.size());
            quoted_.push_back(quoted);
            if (ends_.size() > most_columns)
                return error{errc::limit_exceeded, "at most 70000 cells a row", place() + ": more"};
            int const c = in_.get();
            if (c == static_cast<unsigned char>(delimiter_)) continue;
            if (c == '\r' && in_.peek() == '\n') in_.get();
            VICINAL_CHECK(in_.failure());
            return true;
        }
    }

    result<void> read_quoted() {
        static constexpr byte_set quote("\"");
        for (;;) {
            if (!in_.append_until(quote, buffer_)) return in_.too_long();
            if (in_.get() < 0) {
                VICINAL_CHECK(in_.failure());
                return error{errc::corrupt_source, "a quote at the end of each quoted cell",
                             place() + ": the file ends in one"};
            }
            if (in_.peek() != '"') return {};
            buffer_.push_back(static_cast<char>(in_.get()));
        }
    }

    [[nodiscard]] byte_set const& plain_stops() const noexcept {
        static constexpr byte_set comma(",\r\n");
        static constexpr byte_set semicolon(";\r\n");
        static constexpr byte_set tab("\t\r\n");
        static constexpr byte_set bar("|\r\n");
        return delimiter_ == ','    ? comma
               : delimiter_ == ';'  ? semicolon
               : delimiter_ == '\t' ? tab
                                    : bar;
    }

    static constexpr std::size_t most_columns = 70'000;

    text_stream in_;
    char delimiter_ = ',';
    std::string buffer_;
    std::vector<std::size_t> ends_;
    std::vector<bool> quoted_;
    std::uint64_t row_line_ = 1;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_TEXT_CELLS_HPP
#define VICINAL_MIGRATE_TABLES_TEXT_CELLS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/tables/array_text.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>
#include <vicinal/migrate/tables/vector_text.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// A vector of a column of that type, from its text.
inline result<void> read_vector_cell(std::string_view text, column_type type,
                                     std::vector<float>& out) {
    if (type == column_type::sparse) return read_sparse_text(text, out);
    if (type == column_type::bits) return read_bits_text(text, out);
    return read_vector_text(text, out);
}

/// Rows whose cells are all text, as CSV and the dumps of databases have them.
class text_cells : public table_rows {
public:
    explicit text_cells(backend::cell_parser json) : json_(std::move(json)) {}

    [[nodiscard]] bool null(std::size_t column) const override { return cells_[column].null; }
    [[nodiscard]] result<void> text(std::size_t column, std::string& out) override {
        out = cells_[column].text;
        return {};
    }
    [[nodiscard]] result<void> vector(std::size_t column, std::vector<float>& out) override {
        return read_vector_cell(cells_[column].text, columns_[column].type, out);
    }
    [[nodiscard]] result<void> read(std::size_t column, value& out) override {
        auto const& about = columns_[column];
        auto const text = cells_[column].text;
        switch (about.type) {
            case column_type::json:
                if (json_ && json_(text, out)) return {};
                break;
            case column_type::list:
            case column_type::numbers:
                if (read_array_text(text, about.element, out)) return {};
                break;
            case column_type::integer:
            case column_type::real:
            case column_type::boolean:
                out = scalar_value(text, about.type);
                if (out.type() != value::kind::string) return {};
                break;
            default: out = text; return {};
        }
        odd_.resize(columns_.size());
        ++odd_[column];
        out = text;
        return {};
    }
    [[nodiscard]] std::vector<std::string> remarks() const override {
        std::vector<std::string> all;
        for (std::size_t i = 0; i < odd_.size(); ++i) {
            if (odd_[i] == 0) continue;
            bool const unread = columns_[i].type == column_type::json && !json_;
            all.push_back("column " + columns_[i].name + ": " + std::to_string(odd_[i]) +
                          (unread ? " cells of JSON stay text, as there is no parser for them"
                                  : " cells are not of the column's type and stay text"));
        }
        return all;
    }

protected:
    struct cell {
        std::string_view text = {};
        bool null = false;
    };
    std::vector<cell> cells_;

private:
    backend::cell_parser json_;
    std::vector<std::uint64_t> odd_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

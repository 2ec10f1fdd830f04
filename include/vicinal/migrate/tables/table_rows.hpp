// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_TABLE_ROWS_HPP
#define VICINAL_MIGRATE_TABLES_TABLE_ROWS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

/// Reads one cell of JSON. A parameter, so that tables are read without a JSON library as well:
/// their JSON then stays text. `json_cells()` (migrate/json_cells.hpp) gives one made of simdjson.
using cell_parser = std::function<result<void>(std::string_view text, value& out)>;

} // namespace vicinal::inline VICINAL_ABI::backend

namespace vicinal::inline VICINAL_ABI::detail {

enum class column_type : std::uint8_t {
    unknown, // what it holds is found out from the first rows
    text,
    integer,
    real,
    boolean,
    json,
    list,    // PostgreSQL's text of an array: {a,"b c",NULL}
    numbers, // the same of floats, which may be meant as a vector
    vector,
    sparse,
    bits,
};

struct table_column {
    std::string name = {};
    column_type type = column_type::unknown;
    /// Of an array: what its elements are.
    column_type element = column_type::text;
    /// Elements of a vector, where the table says so.
    std::size_t dim = 0;
    /// The table has this column alone as its primary key.
    bool key = false;
    /// The type in the words of the table, in lower case.
    std::string declared = {};
};

/// The rows of a table, from the first to the last, cell by cell.
class table_rows {
public:
    table_rows() = default;
    table_rows(table_rows const&) = delete;
    table_rows& operator=(table_rows const&) = delete;
    virtual ~table_rows() = default;

    /// Steps to the next row; false at the end, behind which it is not called. An error here ends
    /// the reading.
    [[nodiscard]] virtual result<bool> next() = 0;
    /// Whether the row that stands here can be read; its error where it alone is bad.
    [[nodiscard]] virtual result<void> intact() const { return {}; }
    /// Where it stands, as in "file:line".
    [[nodiscard]] virtual std::string place() const = 0;

    [[nodiscard]] virtual bool null(std::size_t column) const = 0;
    /// Replaces `out` by a cell that is not null. Errors: corrupt_source and others of the cell.
    [[nodiscard]] virtual result<void> text(std::size_t column, std::string& out) = 0;
    [[nodiscard]] virtual result<void> vector(std::size_t column, std::vector<float>& out) = 0;
    [[nodiscard]] virtual result<void> read(std::size_t column, value& out) = 0;

    [[nodiscard]] std::vector<table_column> const& columns() const noexcept { return columns_; }
    void columns(std::vector<table_column> columns) { columns_ = std::move(columns); }
    /// Sentences about cells that were not what their column says, since the first row.
    [[nodiscard]] virtual std::vector<std::string> remarks() const { return {}; }

protected:
    std::vector<table_column> columns_;
};

/// The names of columns, for a message.
template <class Wanted>
[[nodiscard]] std::string names_of(std::vector<table_column> const& columns, Wanted&& wanted) {
    std::string list;
    for (auto const& c : columns)
        if (wanted(c)) list.append(list.empty() ? "" : ", ").append(c.name);
    return list;
}
[[nodiscard]] inline std::string names_of(std::vector<table_column> const& columns) {
    return names_of(columns, [](table_column const&) { return true; });
}

/// Gives a number to every name that stood before: fields have each name once.
inline void make_names_unique(std::vector<table_column>& columns) {
    auto const taken = [&](std::string const& name, std::size_t before) {
        for (std::size_t i = 0; i < before; ++i)
            if (columns[i].name == name) return true;
        return false;
    };
    for (std::size_t i = 1; i < columns.size(); ++i) {
        auto const name = columns[i].name;
        for (std::size_t n = 2; taken(columns[i].name, i); ++n)
            columns[i].name = name + "_" + std::to_string(n);
    }
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_SQLITE_CATALOGUE_HPP
#define VICINAL_BACKEND_SQLITE_CATALOGUE_HPP

#include <vicinal/backend/sqlite.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/tables/table_roles.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// A table of strangers that may hold records.
struct sqlite_table {
    std::string name;
    /// The text behind "using vec0" where it is a virtual one of sqlite-vec; else empty.
    std::string vec0;
};

/// A name as an identifier of SQL, whatever is in it.
[[nodiscard]] inline std::string sql_name(std::string_view name) {
    std::string out = "\"";
    for (char const c : name) out.append(c == '"' ? "\"\"" : std::string_view(&c, 1));
    return out + '"';
}

/// Whether a table is one in which a virtual table keeps its data: "docs_fts_data" of "docs_fts".
[[nodiscard]] inline bool is_shadow(std::string_view name,
                                    std::vector<std::string> const& virtual_tables) {
    for (auto const& owner : virtual_tables) {
        if (name.size() <= owner.size() + 1 || !name.starts_with(owner) ||
            name[owner.size()] != '_')
            continue;
        auto const rest = name.substr(owner.size() + 1);
        for (std::string_view const kept :
             {"data", "idx", "docsize", "config", "content", "segments", "segdir", "stat", "info",
              "chunks", "rowids", "auxiliary", "node", "parent", "rowid"})
            if (rest == kept) return true;
        if (rest.starts_with("vector_chunks") || rest.starts_with("metadata")) return true;
    }
    return false;
}

/// The tables that may hold records: real ones, and those of sqlite-vec. Views, other virtual
/// tables, and what virtual tables keep their data in are none.
[[nodiscard]] inline result<std::vector<sqlite_table>> list_tables(sqlite_database const& db) {
    auto rows = db.prepare("select name, sql, rootpage from sqlite_schema where type = 'table' "
                           "and name not like 'sqlite\\_%' escape '\\' order by rowid");
    if (!rows) return rows.error();
    std::vector<std::string> virtual_tables;
    std::vector<sqlite_table> all;
    for (;;) {
        auto const row = rows->step();
        if (!row) return row.error();
        if (!*row) break;
        std::string name(rows->text(0));
        if (rows->integer(2) > 0) {
            all.push_back({std::move(name), {}});
            continue;
        }
        virtual_tables.push_back(name);
        auto const sql = rows->text(1);
        auto const at = lower_case(sql).find("using vec0");
        if (at != std::string::npos)
            all.push_back({std::move(name), std::string(sql.substr(at + 10))});
    }
    all.erase(std::remove_if(all.begin(), all.end(),
                             [&](sqlite_table const& t) {
                                 return t.vec0.empty() && is_shadow(t.name, virtual_tables);
                             }),
              all.end());
    return all;
}

/// The columns of a real table that are stored: those that the schema computes are left out, so
/// that nothing of it is ever executed. `declared` is the type as written, `key` a primary key of
/// one column.
[[nodiscard]] inline result<std::vector<table_column>> table_columns(sqlite_database const& db,
                                                                     std::string const& table) {
    auto rows = db.prepare("pragma table_xinfo(" + sql_name(table) + ")");
    if (!rows) return rows.error();
    std::vector<table_column> columns;
    int keys = 0;
    for (;;) {
        auto const row = rows->step();
        if (!row) return row.error();
        if (!*row) break;
        if (rows->integer(6) != 0) continue;
        table_column c;
        c.name = rows->text(1);
        c.declared = lower_case(rows->text(2));
        c.key = rows->integer(5) != 0;
        keys += c.key ? 1 : 0;
        columns.push_back(std::move(c));
    }
    if (keys > 1)
        for (auto& c : columns) c.key = false;
    return columns;
}

/// How many rows a table has.
[[nodiscard]] inline result<std::uint64_t> count_rows(sqlite_database const& db,
                                                      std::string const& table) {
    auto rows = db.prepare("select count(*) from " + sql_name(table));
    if (!rows) return rows.error();
    auto const row = rows->step();
    if (!row) return row.error();
    return static_cast<std::uint64_t>(rows->integer(0));
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

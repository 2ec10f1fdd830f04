// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_SQLITE_SOURCE_HPP
#define VICINAL_BACKEND_SQLITE_SOURCE_HPP

#include <vicinal/backend/sqlite.hpp>
#include <vicinal/backend/sqlite/catalogue.hpp>
#include <vicinal/backend/sqlite/plain_rows.hpp>
#include <vicinal/backend/sqlite/vec0_declaration.hpp>
#include <vicinal/backend/sqlite/vec0_rows.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/json_cells.hpp>
#include <vicinal/migrate/tables/table_records.hpp>
#include <vicinal/migrate/tables/table_source.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

struct sqlite_options {
    /// Empty: the only table with vectors, else the only one that there is.
    std::string table = {};
    /// The column of vectors; empty: the one called embedding, vector or the like, else the only
    /// one that looks like it.
    std::string vector = {};
    /// The column of ids; empty: id, _id, uuid, key, else the primary key, else the row number.
    std::string id = {};
    /// How BLOBs (and base64 text) hold numbers: f32, f64, f32be, f64be; empty: found out.
    std::string encoding = {};
};

/// Reads one table of a SQLite file: tables of sqlite-vec (vec0), without that extension, and any
/// other table, with vectors as BLOB (float or double, either byte order), as JSON text, as numbers
/// between spaces or commas, or as base64.
///
/// Other columns become fields: integers, reals, text; text that is JSON in all of the first 1000
/// rows is parsed; a BLOB becomes hexadecimal text. A column metadata, cmetadata or payload of JSON
/// objects gives its fields instead of itself. A table without vectors gives records without them.
/// Vectors of int8 and bit become floats. Metric: that of the vec0 column (L2, cosine). The file is
/// opened read-only and nothing of its schema is executed; rows that are only in its -wal are read.
/// A bad row is one without an id, or with a vector that is none or of another length than most.
/// Memory: one batch, 32 MiB of pages, and one chunk of vec0. Needs SQLite and simdjson.
class sqlite_source : public detail::table_source {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit sqlite_source(std::string path, sqlite_options options = {})
        : sqlite_source(try_open(std::move(path), std::move(options)).value()) {}
#endif

    /// Errors: not_found (the file, table or column: the message lists them), invalid_argument
    /// (several of them: so too), foreign_file (not SQLite, no table), corrupt_source, locked,
    /// io_failure.
    [[nodiscard]] static result<sqlite_source> try_open(std::string path,
                                                        sqlite_options options = {}) {
        return detail::guarded([&]() -> result<sqlite_source> {
            auto tables = list(path);
            if (!tables) return tables.error();
            auto chosen = choose(path, *tables, options);
            if (!chosen) return chosen.error();
            auto const how = look(path, *chosen, options);
            if (!how) return how.error();
            auto open = opener(path, *chosen, *how, json_cells());
            auto sample = open();
            if (!sample) return sample.error();
            auto plan = detail::plan_table(**sample, {options.id, options.vector}, json_cells(),
                                           !chosen->vec0.empty());
            if (!plan) return plan.error();
            auto metric = metric_of(*chosen, *plan);
            sqlite_source source(std::move(path), std::move(chosen->name), std::move(metric),
                                 detail::table_records(*std::move(plan), std::move(open)));
            VICINAL_CHECK(source.rewind());
            return source;
        });
    }

    /// The tables that may hold records; what virtual tables keep their data in is left out.
    [[nodiscard]] static result<std::vector<detail::sqlite_table>> list(std::string const& path) {
        return detail::guarded([&]() -> result<std::vector<detail::sqlite_table>> {
            auto const db = detail::sqlite_database::open(path);
            if (!db) return db.error();
            return detail::list_tables(*db);
        });
    }

    [[nodiscard]] result<schema> describe() {
        return detail::guarded([&]() -> result<schema> {
            auto const db = detail::sqlite_database::open(path_);
            if (!db) return db.error();
            auto s = about("sqlite:" + path_ + " (table " + table_ + ")");
            s.metric = metric_;
            auto const real = db->has_table(table_);
            if (!real) return real.error();
            auto const rows = detail::count_rows(*db, *real ? table_ : table_ + "_rowids");
            if (!rows) return rows.error();
            s.records = *rows;
            return s;
        });
    }

private:
    // What the first rows of a table have shown.
    struct looks {
        bool with_rowid = false;
        std::vector<detail::column_type> types = {};
        std::vector<std::optional<detail::blob_encoding>> encodings = {};
    };

    sqlite_source(std::string path, std::string table, std::string metric,
                  detail::table_records records)
        : table_source(std::move(records)), path_(std::move(path)), table_(std::move(table)),
          metric_(std::move(metric)) {}

    static result<looks> look(std::string const& path, detail::sqlite_table const& table,
                              sqlite_options const& options) {
        looks how;
        if (!table.vec0.empty()) return how;
        auto opened = detail::sqlite_database::open(path);
        if (!opened) return opened.error();
        auto const db = std::make_shared<detail::sqlite_database const>(*std::move(opened));
        auto const columns = detail::table_columns(*db, table.name);
        if (!columns) return columns.error();
        // Tables WITHOUT ROWID have a primary key, so that they are not asked for one.
        how.with_rowid = options.id.empty() && !detail::id_column(*columns);
        auto rows = detail::sqlite_rows::open(db, table.name, how.with_rowid, {});
        if (!rows) return rows.error();
        VICINAL_CHECK((*rows)->find_blobs());
        how.encodings = (*rows)->encodings();
        for (auto const& c : (*rows)->columns()) how.types.push_back(c.type);
        if (options.encoding.empty()) return how;
        auto const named = detail::blob_encoding_named(options.encoding);
        if (!named)
            return error{errc::invalid_argument, "an encoding of f32, f64, f32be or f64be",
                         "'" + options.encoding + "'"};
        for (auto& e : how.encodings)
            if (e) e = named;
        if (!options.vector.empty()) {
            auto const at = detail::find_column((*rows)->columns(), options.vector, "vector");
            if (!at) return at.error();
            how.encodings[*at] = named;
            how.types[*at] = detail::column_type::vector;
        }
        return how;
    }

    static detail::table_records::opener opener(std::string const& path,
                                                detail::sqlite_table const& table, looks const& how,
                                                cell_parser json) {
        return [=]() -> result<std::unique_ptr<detail::table_rows>> {
            auto opened = detail::sqlite_database::open(path);
            if (!opened) return opened.error();
            auto const db = std::make_shared<detail::sqlite_database const>(*std::move(opened));
            if (!table.vec0.empty()) {
                auto declaration = detail::read_vec0_declaration(table.vec0);
                if (!declaration) return declaration.error();
                auto rows = detail::vec0_rows::open(db, table.name, *std::move(declaration));
                if (!rows) return rows.error();
                return std::unique_ptr<detail::table_rows>(*std::move(rows));
            }
            auto rows = detail::sqlite_rows::open(db, table.name, how.with_rowid, json);
            if (!rows) return rows.error();
            auto columns = (*rows)->columns();
            if (columns.size() != how.types.size())
                return error{errc::corrupt_source, "the columns that table " + table.name + " had",
                             path + ": others"};
            for (std::size_t i = 0; i < columns.size(); ++i) columns[i].type = how.types[i];
            (*rows)->columns(std::move(columns));
            (*rows)->encodings(how.encodings);
            return std::unique_ptr<detail::table_rows>(*std::move(rows));
        };
    }

    static result<detail::sqlite_table> choose(std::string const& path,
                                               std::vector<detail::sqlite_table> const& tables,
                                               sqlite_options const& options) {
        std::string list;
        std::vector<detail::sqlite_table const*> with_vectors;
        for (auto const& t : tables) {
            list.append(list.empty() ? "" : ", ").append(t.name);
            if (t.name == options.table) return t;
            if (!options.table.empty()) continue;
            bool has = !t.vec0.empty();
            if (!has) {
                auto const how = look(path, t, options);
                if (!how) return how.error();
                auto sample = opener(path, t, *how, {})();
                if (!sample) return sample.error();
                auto const plan =
                    detail::plan_table(**sample, {{}, options.vector}, json_cells(), false);
                // Several columns of vectors are vectors as well.
                has =
                    plan ? plan->roles.has_vector() : plan.error().code() == errc::invalid_argument;
            }
            if (has) with_vectors.push_back(&t);
        }
        if (!options.table.empty())
            return error{errc::not_found, "a table of " + path + ": " + list,
                         "'" + options.table + "'"};
        if (with_vectors.size() == 1) return *with_vectors.front();
        if (with_vectors.empty() && tables.size() == 1) return tables.front();
        if (tables.empty()) return error{errc::foreign_file, "a table", path + ": none"};
        if (with_vectors.empty())
            return error{errc::invalid_argument, "the name of one table (option table)",
                         path + " has several: " + list};
        list.clear();
        for (auto const* t : with_vectors) list.append(list.empty() ? "" : ", ").append(t->name);
        return error{errc::invalid_argument, "the name of one table (option table)",
                     path + " has several with vectors: " + list};
    }

    static std::string metric_of(detail::sqlite_table const& table, detail::table_plan& plan) {
        auto const declaration = detail::read_vec0_declaration(table.vec0);
        if (!declaration || plan.roles.vector.value_or(0) == 0) return {};
        auto const& column = declaration->columns[*plan.roles.vector - 1];
        if (column.is == detail::vec0_column::kind::bit_vector) return {};
        if (column.metric.empty() || column.metric == "l2") return "squared_l2";
        if (column.metric == "cosine") return "cosine";
        plan.losses.push_back("the distance " + column.metric + " of column " + column.name +
                              " has no counterpart");
        return {};
    }

    std::string path_;
    std::string table_;
    std::string metric_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_CSV_HPP
#define VICINAL_MIGRATE_TABLES_CSV_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/files/input.hpp>
#include <vicinal/migrate/tables/csv_rows.hpp>
#include <vicinal/migrate/tables/table_records.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>
#include <vicinal/migrate/tables/table_source.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

struct csv_options {
    /// The column of vectors; empty: the one called embedding, vector, values or emb, else the only
    /// one that looks like it, else columns of one element each (v0, v1, ... or 0, 1, ...).
    std::string vector = {};
    /// The column of ids; empty: the one called id, _id, uuid or key, else pandas' index without a
    /// name, else the records are numbered.
    std::string id = {};
    /// Only rows of that value in the column collection_id or collection; empty takes all.
    std::string collection = {};
    /// One of , ; | and TAB; 0: the one that the header has most.
    char delimiter = 0;
    input_opener open = open_file;
    /// Reads cells of JSON; without it they stay text.
    cell_parser json = {};
};

/// Reads CSV and TSV with a header (RFC 4180: quotes, newlines in quotes, CR LF; a byte order mark
/// is skipped), as pandas, databases and spreadsheets write them.
///
/// A vector is JSON "[1, 2]", PostgreSQL "{1,2}", what NumPy prints, or one column an element; each
/// element is the float nearest to its decimal. Other columns become fields: integer, real or
/// boolean where all of the first 1000 rows are, JSON where they are and there is a parser, else
/// text. A number with zeros in front is text. An empty cell is null. A column metadata, cmetadata
/// or payload that holds JSON objects gives its fields instead of itself. Memory: one batch and one
/// row, which may have 64 MiB. A bad row is one of too few cells, without an id, or with a vector
/// of another length than most have.
class csv_source : public detail::table_source {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit csv_source(std::string path, csv_options options = {})
        : csv_source(try_open(std::move(path), std::move(options)).value()) {}
#endif

    /// Reads the first 1000 rows to find out what the columns are.
    ///
    /// Errors: not_found (the file or a column), invalid_argument (several columns of vectors: the
    /// message lists them), unsupported (NumPy left elements out), foreign_file (no header, no
    /// vectors), corrupt_source, limit_exceeded, io_failure.
    [[nodiscard]] static result<csv_source> try_open(std::string path, csv_options options = {}) {
        return detail::guarded([&]() -> result<csv_source> {
            if (std::string_view(",;|\t").find(options.delimiter) == std::string_view::npos &&
                options.delimiter != 0)
                return error{errc::invalid_argument, "one of , ; | and TAB as delimiter",
                             std::string(1, options.delimiter)};
            auto open = [path, options]() -> result<std::unique_ptr<detail::table_rows>> {
                auto in = options.open(path);
                if (!in) return in.error();
                auto rows = detail::csv_rows::open(*std::move(in), options.delimiter, options.json);
                if (!rows) return rows.error();
                return std::unique_ptr<detail::table_rows>(*std::move(rows));
            };
            auto sample = open();
            if (!sample) return sample.error();
            auto plan =
                detail::plan_table(**sample, {options.id, options.vector}, options.json, false);
            if (!plan) return plan.error();
            if (!plan->roles.has_vector())
                return error{errc::foreign_file,
                             "a column of vectors (option vector), one of " +
                                 detail::names_of(plan->columns),
                             path + ": none that looks like it"};
            VICINAL_CHECK(detail::filter_collection(*plan, options.collection));
            csv_source source(std::move(path),
                              detail::table_records(*std::move(plan), std::move(open)));
            VICINAL_CHECK(source.rewind());
            return source;
        });
    }

    /// How many records there are only reading tells.
    [[nodiscard]] result<schema> describe() {
        return detail::guarded([&]() -> result<schema> { return about("csv:" + path_); });
    }

private:
    csv_source(std::string path, detail::table_records records)
        : table_source(std::move(records)), path_(std::move(path)) {}

    std::string path_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

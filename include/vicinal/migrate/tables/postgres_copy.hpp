// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_POSTGRES_COPY_HPP
#define VICINAL_MIGRATE_TABLES_POSTGRES_COPY_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/files/input.hpp>
#include <vicinal/migrate/tables/copy_binary.hpp>
#include <vicinal/migrate/tables/copy_text.hpp>
#include <vicinal/migrate/tables/dump_contents.hpp>
#include <vicinal/migrate/tables/pg_types.hpp>
#include <vicinal/migrate/tables/table_records.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>
#include <vicinal/migrate/tables/table_source.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

struct copy_options {
    /// Names of the columns in their order, each with its type behind it or without:
    /// "id bigint, body text, embedding vector(3)". Without a type it is found out from the rows.
    std::string columns = {};
    /// Instead of `columns`: a dump of pg_dump (the schema is enough) whose `table` has them.
    std::string dump = {};
    std::string table = {};
    std::string vector = {};
    std::string id = {};
    /// Only rows of that value in the column collection_id or collection; empty takes all.
    std::string collection = {};
    input_opener open = open_file;
    cell_parser json = {};
};

/// Reads what PostgreSQL's COPY has written, as text or BINARY (told by its signature). For COPY
/// CSV with a header there is csv_source.
///
/// Such a file names no columns: `columns` or `dump` does. Without them they are called column1,
/// column2, ..., and the first one is the id unless it is the vector. Types, fields, vectors and
/// bad rows are as with postgres_dump; timestamps of BINARY are printed in UTC. Types that BINARY
/// does not show are guessed from the sizes of the cells (eight bytes count as an integer), and
/// `describe().losses` names them. Memory: one batch and one row, which may have 64 MiB.
class postgres_copy : public detail::table_source {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit postgres_copy(std::string path, copy_options options = {})
        : postgres_copy(try_open(std::move(path), std::move(options)).value()) {}
#endif

    /// Errors: not_found (a file, table or column: the message lists them), invalid_argument
    /// (several columns of vectors, a wrong list of columns), foreign_file (no vectors),
    /// corrupt_source, unsupported, limit_exceeded, io_failure.
    [[nodiscard]] static result<postgres_copy> try_open(std::string path,
                                                        copy_options options = {}) {
        return detail::guarded([&]() -> result<postgres_copy> {
            auto columns = columns_of(options);
            if (!columns) return columns.error();
            bool const named = !columns->empty();
            auto const is_binary = binary(path, options);
            if (!is_binary) return is_binary.error();
            std::string guessed;
            if (*is_binary) {
                auto rows = open_binary(path, *columns, options);
                if (!rows) return rows.error();
                auto types = detail::guess_wire_types(**rows);
                if (!types) return types.error();
                guessed = *std::move(types);
                *columns = (*rows)->columns();
            } else if (!named) {
                auto rows = open_text(path, {}, options);
                if (!rows) return rows.error();
                auto const more = (*rows)->next();
                if (!more) return more.error();
                for (std::size_t i = 0; i < (*rows)->found(); ++i)
                    columns->push_back({.name = "column" + std::to_string(i + 1)});
            }
            auto open = [path, columns = *columns, options,
                         b = *is_binary]() -> result<std::unique_ptr<detail::table_rows>> {
                if (b) return widened(open_binary(path, columns, options));
                return widened(open_text(path, columns, options));
            };
            auto sample = open();
            if (!sample) return sample.error();
            auto plan = detail::plan_table(**sample, {options.id, options.vector}, options.json,
                                           *is_binary);
            if (!plan) return plan.error();
            if (!plan->roles.has_vector())
                return error{errc::foreign_file,
                             "a column of vectors (option vector), one of " +
                                 detail::names_of(plan->columns),
                             path + ": none that looks like it"};
            if (!plan->roles.id && !named && plan->roles.vector != 0) {
                plan->roles.id = 0;
                plan->losses = {"the file does not name its columns: the first one is taken for "
                                "the id"};
            }
            if (!guessed.empty())
                plan->losses.push_back("the file does not name the types of its columns; guessed "
                                       "from the sizes of the cells: " +
                                       guessed);
            VICINAL_CHECK(detail::filter_collection(*plan, options.collection));
            postgres_copy source(std::move(path),
                                 detail::table_records(*std::move(plan), std::move(open)));
            VICINAL_CHECK(source.rewind());
            return source;
        });
    }

    /// How many records there are only reading tells.
    [[nodiscard]] result<schema> describe() {
        return detail::guarded([&]() -> result<schema> { return about("pgcopy:" + path_); });
    }

private:
    postgres_copy(std::string path, detail::table_records records)
        : table_source(std::move(records)), path_(std::move(path)) {}

    static result<bool> binary(std::string const& path, copy_options const& options) {
        auto in = options.open(path);
        if (!in) return in.error();
        char magic[16] = {};
        auto const got = (*in)->read(magic, sizeof magic);
        if (!got) return got.error();
        return std::string_view(magic, *got).starts_with(detail::copy_signature);
    }

    static result<std::unique_ptr<detail::copy_binary_rows>>
    open_binary(std::string const& path, std::vector<detail::table_column> columns,
                copy_options const& options) {
        auto in = options.open(path);
        if (!in) return in.error();
        return detail::copy_binary_rows::open(*std::move(in), std::move(columns), options.json);
    }
    static result<std::unique_ptr<detail::copy_text_rows>>
    open_text(std::string const& path, std::vector<detail::table_column> columns,
              copy_options const& options) {
        auto in = options.open(path);
        if (!in) return in.error();
        return std::make_unique<detail::copy_text_rows>(*std::move(in), std::move(columns),
                                                        options.json);
    }
    template <class Rows>
    static result<std::unique_ptr<detail::table_rows>> widened(result<Rows> rows) {
        if (!rows) return rows.error();
        return std::unique_ptr<detail::table_rows>(*std::move(rows));
    }

    static result<std::vector<detail::table_column>> columns_of(copy_options const& options) {
        if (!options.columns.empty()) return detail::named_columns(options.columns);
        std::vector<detail::table_column> none;
        if (options.dump.empty()) return none;
        auto in = options.open(options.dump);
        if (!in) return in.error();
        auto contents = detail::read_dump_contents(*std::move(in));
        if (!contents) return contents.error();
        std::string list;
        for (auto const& t : contents->tables) {
            if (t.columns.empty()) continue;
            if (t.name == options.table || (options.table.empty() && contents->tables.size() == 1))
                return t.columns;
            list.append(list.empty() ? "" : ", ").append(t.name);
        }
        return error{errc::not_found, "a table (option table) of " + options.dump + ": " + list,
                     "'" + options.table + "'"};
    }

    std::string path_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_POSTGRES_DUMP_HPP
#define VICINAL_MIGRATE_TABLES_POSTGRES_DUMP_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/files/input.hpp>
#include <vicinal/migrate/tables/dump_contents.hpp>
#include <vicinal/migrate/tables/table_records.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>
#include <vicinal/migrate/tables/table_source.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

struct postgres_options {
    /// Empty: the only table with a column of vectors, else the only table with rows.
    std::string table = {};
    /// The column of vectors; empty where there is one of type vector or halfvec, else one of
    /// sparsevec or real[]. A column of bit or of another type has to be named.
    std::string vector = {};
    /// The column of ids; empty: id, _id, uuid, key, else the primary key.
    std::string id = {};
    /// Of LangChain's table: the name (or UUID) of the collection; "*" takes all of them.
    std::string collection = {};
    input_opener open = open_file;
    /// Reads json and jsonb; without it they stay text.
    cell_parser json = {};
};

/// Reads one table of a dump that pg_dump has written as SQL, with COPY or with INSERTs, and its
/// vectors of pgvector: vector, halfvec, sparsevec, bit, and real[].
///
/// Columns become fields by their types: integers, reals (numeric among them), booleans, JSON and
/// arrays; all else is text. A column metadata, cmetadata or payload of JSON objects gives its
/// fields instead of itself. Metric: that of the operator class of the column's indexes, where they
/// agree. A row without a vector is a record without one. The dump is gone through once when it is
/// opened and once for each rewind; memory: one batch and one row, which may have 64 MiB. A bad row
/// is one of too few cells, without an id, or with a vector that is none or of another dimension.
class postgres_dump : public detail::table_source {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit postgres_dump(std::string path, postgres_options options = {})
        : postgres_dump(try_open(std::move(path), std::move(options)).value()) {}
#endif

    /// Errors: not_found (the file, table, column or collection: the message lists them),
    /// invalid_argument (several of them: so too), unsupported (pg_dump's own format: the message
    /// says how to make SQL of it; an encoding other than UTF-8), foreign_file (no dump),
    /// corrupt_source, limit_exceeded, io_failure.
    [[nodiscard]] static result<postgres_dump> try_open(std::string path,
                                                        postgres_options options = {}) {
        return detail::guarded([&]() -> result<postgres_dump> {
            VICINAL_CHECK(refuse_other_formats(path, options));
            auto in = options.open(path);
            if (!in) return in.error();
            auto contents = detail::read_dump_contents(*std::move(in));
            if (!contents) return contents.error();
            if (contents->list().empty())
                return error{errc::foreign_file, "a dump of pg_dump with rows", path + ": none"};
            auto table = choose_table(path, *contents, options);
            if (!table) return table.error();
            auto plan = plan_of(path, *table, options);
            if (!plan) return plan.error();
            auto metric = metric_of(*table, *plan);
            VICINAL_CHECK(choose_collection(*plan, *contents, options));
            auto rows = plan->filter ? std::nullopt : std::optional(table->rows);
            detail::table_records records(*std::move(plan), opener(path, *table, options));
            postgres_dump source(std::move(path), std::move(table->name), std::move(metric), rows,
                                 std::move(records));
            VICINAL_CHECK(source.rewind());
            return source;
        });
    }

    [[nodiscard]] result<schema> describe() {
        return detail::guarded([&]() -> result<schema> {
            auto s = about("pgdump:" + path_ + " (table " + table_ + ")");
            s.metric = metric_;
            s.records = rows_;
            return s;
        });
    }

private:
    postgres_dump(std::string path, std::string table, std::string metric,
                  std::optional<std::uint64_t> rows, detail::table_records records)
        : table_source(std::move(records)), path_(std::move(path)), table_(std::move(table)),
          metric_(std::move(metric)), rows_(rows) {}

    static result<void> refuse_other_formats(std::string const& path,
                                             postgres_options const& options) {
        auto in = options.open(path);
        if (!in) return in.error();
        char magic[5] = {};
        auto const got = (*in)->read(magic, sizeof magic);
        if (!got) return got.error();
        if (std::string_view(magic, *got) == "PGDMP")
            return error{errc::unsupported,
                         "a dump as SQL: `pg_restore -f dump.sql " + path + "` makes one",
                         path + ": pg_dump's own format"};
        return {};
    }

    static detail::table_records::opener opener(std::string const& path,
                                                detail::dump_table const& table,
                                                postgres_options const& options) {
        return [path, name = table.name, columns = table.columns,
                options]() -> result<std::unique_ptr<detail::table_rows>> {
            auto in = options.open(path);
            if (!in) return in.error();
            return std::unique_ptr<detail::table_rows>(
                std::make_unique<detail::dump_rows>(*std::move(in), name, columns, options.json));
        };
    }

    static result<detail::table_plan> plan_of(std::string const& path,
                                              detail::dump_table const& table,
                                              postgres_options const& options) {
        auto sample = opener(path, table, options)();
        if (!sample) return sample.error();
        return detail::plan_table(**sample, {options.id, options.vector}, options.json,
                                  !table.columns.empty());
    }

    static result<detail::dump_table> choose_table(std::string const& path,
                                                   detail::dump_contents const& contents,
                                                   postgres_options const& options) {
        if (!options.table.empty()) {
            for (auto const& t : contents.tables)
                if (t.name == options.table || "public." + t.name == options.table) return t;
            return error{errc::not_found, "a table of the dump: " + contents.list(),
                         "'" + options.table + "'"};
        }
        std::vector<detail::dump_table const*> with_vectors;
        std::vector<detail::dump_table const*> with_rows;
        for (auto const& t : contents.tables) {
            if (t.rows == 0) continue;
            with_rows.push_back(&t);
            if (may_have_vectors(path, t, options)) with_vectors.push_back(&t);
        }
        auto const& from = with_vectors.empty() ? with_rows : with_vectors;
        if (from.size() == 1) return *from.front();
        return error{errc::invalid_argument, "the name of one table (option table)",
                     path + " has several: " + contents.list()};
    }

    static bool may_have_vectors(std::string const& path, detail::dump_table const& table,
                                 postgres_options const& options) {
        if (!table.columns.empty())
            return std::any_of(table.columns.begin(), table.columns.end(), [](auto const& c) {
                return c.type == detail::column_type::vector ||
                       c.type == detail::column_type::sparse;
            });
        // Only the rows were dumped: they show it.
        auto const plan = plan_of(path, table, options);
        return plan && plan->roles.has_vector();
    }

    // LangChain keeps all collections in one table and their names in another.
    static result<void> choose_collection(detail::table_plan& plan,
                                          detail::dump_contents const& contents,
                                          postgres_options const& options) {
        auto const& all = contents.collections;
        if (options.collection == "*") return {};
        if (all.empty() || detail::names_of(plan.columns, [](auto const& c) {
                               return c.name == "collection_id";
                           }).empty())
            return detail::filter_collection(plan, options.collection);
        std::string list;
        std::string wanted;
        for (auto const& [uuid, name] : all) {
            list.append(list.empty() ? "" : ", ").append(name);
            if (options.collection == name || options.collection == uuid) wanted = uuid;
        }
        if (options.collection.empty() && all.size() == 1) return {};
        if (options.collection.empty())
            return error{errc::invalid_argument,
                         "the name of a collection (option collection; * takes all)",
                         "several of them: " + list};
        if (wanted.empty())
            return error{errc::not_found, "a collection of the dump: " + list,
                         "'" + options.collection + "'"};
        return detail::filter_collection(plan, wanted);
    }

    static std::string metric_of(detail::dump_table const& table, detail::table_plan& plan) {
        std::string metric;
        if (!plan.roles.vector) return metric;
        for (auto const& [column, found] : table.metrics) {
            if (column != plan.columns[*plan.roles.vector].name || found == metric) continue;
            if (!metric.empty()) {
                plan.losses.push_back("indexes of several metrics are on column " + column +
                                      ", so that the dump names none");
                return {};
            }
            metric = found;
        }
        return metric;
    }

    std::string path_;
    std::string table_;
    std::string metric_;
    std::optional<std::uint64_t> rows_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

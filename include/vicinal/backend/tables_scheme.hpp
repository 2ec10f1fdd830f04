// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_TABLES_SCHEME_HPP
#define VICINAL_BACKEND_TABLES_SCHEME_HPP

#include <vicinal/backend/registry.hpp>
#include <vicinal/backend/tables_advice.hpp>
#include <vicinal/migrate/tables/csv.hpp>
#include <vicinal/migrate/tables/postgres_copy.hpp>
#include <vicinal/migrate/tables/postgres_dump.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::backend {

/// "csv:FILE?vector=COLUMN&id=COLUMN&collection=C&delimiter=D": CSV or TSV with a header, read.
/// D is one of comma, tab, semicolon, bar.
[[nodiscard]] inline scheme csv_scheme(input_opener open = open_file, cell_parser json = {}) {
    scheme s;
    s.source = [open, json](uri const& u) -> result<any_source> {
        VICINAL_CHECK(u.only({"vector", "id", "collection", "delimiter"}));
        csv_options options;
        options.vector = u.get("vector");
        options.id = u.get("id");
        options.collection = u.get("collection");
        options.open = open;
        options.json = json;
        auto const delimiter = u.get("delimiter");
        if (delimiter == "comma")
            options.delimiter = ',';
        else if (delimiter == "tab")
            options.delimiter = '\t';
        else if (delimiter == "semicolon")
            options.delimiter = ';';
        else if (delimiter == "bar")
            options.delimiter = '|';
        else if (!delimiter.empty())
            return error{errc::invalid_uri, "delimiter=comma, tab, semicolon or bar",
                         "'" + delimiter + "'"};
        auto source = csv_source::try_open(u.path(), std::move(options));
        VICINAL_CHECK(source);
        return any_source(std::move(*source));
    };
    s.recognise = [](glimpse const& g) -> std::optional<guess> {
        bool const tab = g.named(".tsv");
        if (g.directory || (!tab && !g.named(".csv"))) return {};
        // A header of several names, and something below it.
        auto const line = g.head.substr(0, g.head.find('\n'));
        bool const several = line.find_first_of(",;|\t") != std::string::npos;
        bool const text = line.find('\0') == std::string::npos && line.size() < g.head.size();
        return guess{.uri = "csv:" + escaped_path(g.path),
                     .what = tab ? "a TSV file" : "a CSV file",
                     .certainty = several && text ? 50 : 10};
    };
    return s;
}

/// "pgdump:FILE?table=T&vector=COLUMN&id=COLUMN&collection=C": a dump that pg_dump has written as
/// SQL, read.
[[nodiscard]] inline scheme postgres_dump_scheme(input_opener open = open_file,
                                                 cell_parser json = {}) {
    scheme s;
    s.source = [open, json](uri const& u) -> result<any_source> {
        VICINAL_CHECK(u.only({"table", "vector", "id", "collection"}));
        postgres_options options;
        options.table = u.get("table");
        options.vector = u.get("vector");
        options.id = u.get("id");
        options.collection = u.get("collection");
        options.open = open;
        options.json = json;
        auto source = postgres_dump::try_open(u.path(), std::move(options));
        VICINAL_CHECK(source);
        return any_source(std::move(*source));
    };
    s.recognise = [](glimpse const& g) -> std::optional<guess> {
        if (auto known = detail::guess_unreadable(g)) return known;
        auto const has = [&](std::string_view text) {
            return g.head.find(text) != std::string::npos;
        };
        bool const signature = has("-- PostgreSQL database dump");
        bool const rows = has("\nCOPY ") || g.head.starts_with("COPY ") || has("INSERT INTO ");
        if (g.directory || (!signature && !g.named(".sql"))) return {};
        return guess{.uri = "pgdump:" + escaped_path(g.path),
                     .what = "a dump of PostgreSQL as SQL",
                     .certainty = signature ? 100
                                  : rows    ? 50
                                            : 10};
    };
    return s;
}

/// "pgcopy:FILE?columns=LIST&dump=FILE&table=T&vector=COLUMN&id=COLUMN&collection=C": what COPY has
/// written, as text or BINARY, read.
[[nodiscard]] inline scheme postgres_copy_scheme(input_opener open = open_file,
                                                 cell_parser json = {}) {
    scheme s;
    s.source = [open, json](uri const& u) -> result<any_source> {
        VICINAL_CHECK(u.only({"columns", "dump", "table", "vector", "id", "collection"}));
        copy_options options;
        options.columns = u.get("columns");
        options.dump = u.get("dump");
        options.table = u.get("table");
        options.vector = u.get("vector");
        options.id = u.get("id");
        options.collection = u.get("collection");
        options.open = open;
        options.json = json;
        auto source = postgres_copy::try_open(u.path(), std::move(options));
        VICINAL_CHECK(source);
        return any_source(std::move(*source));
    };
    s.recognise = [](glimpse const& g) -> std::optional<guess> {
        if (!g.head.starts_with(detail::copy_signature)) return {};
        return guess{.uri = "pgcopy:" + escaped_path(g.path),
                     .what = "rows of PostgreSQL's COPY BINARY",
                     .certainty = 100};
    };
    return s;
}

/// Adds csv, pgdump and pgcopy. `json` reads cells of JSON (json_cells()); without it they stay
/// text.
inline void add_tables(registry& r, input_opener open = open_file, cell_parser const& json = {}) {
    r.add("csv", csv_scheme(open, json));
    r.add("pgdump", postgres_dump_scheme(open, json));
    r.add("pgcopy", postgres_copy_scheme(open, json));
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_DUMP_STATEMENTS_HPP
#define VICINAL_MIGRATE_TABLES_DUMP_STATEMENTS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/tables/pg_types.hpp>
#include <vicinal/migrate/tables/sql_literal.hpp>
#include <vicinal/migrate/tables/sql_tokens.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>
#include <vicinal/migrate/tables/text_stream.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// A table of a dump, as far as its statements were read.
struct dump_table {
    /// With its schema in front, unless that is "public".
    std::string name = {};
    std::vector<table_column> columns = {};
    std::uint64_t rows = 0;
    /// From its indexes: column and metric.
    std::vector<std::pair<std::string, std::string>> metrics = {};
};

/// Goes through the statements of a dump that pg_dump has written as SQL, up to each block of rows.
///
/// What the statements say of tables is kept; all others are skipped.
class dump_statements {
public:
    enum class found : std::uint8_t { end, copy, insert };

    explicit dump_statements(std::unique_ptr<backend::input> in)
        : in_(std::move(in)), tokens_(in_) {}

    [[nodiscard]] text_stream& stream() noexcept { return in_; }
    [[nodiscard]] std::deque<dump_table> const& tables() const noexcept { return tables_; }
    /// The table of that name, which is made where it was not heard of.
    [[nodiscard]] dump_table& table(std::string const& name) {
        for (auto& t : tables_)
            if (t.name == name) return t;
        return tables_.emplace_back(dump_table{.name = name});
    }

    /// Steps to the next block of rows, of COPY or INSERT; then `block_table` and `block_columns`
    /// (empty: all, in their order) say what it holds, and its rows have to be read to the end.
    ///
    /// Errors: corrupt_source, unsupported (an encoding other than UTF-8), limit_exceeded,
    /// io_failure.
    [[nodiscard]] result<found> next() {
        for (;;) {
            VICINAL_CHECK(step());
            if (t_.is == sql_token::kind::end) return found::end;
            if (t_.mark(';')) continue;
            if (t_.mark('\\')) { // a command of psql
                if (!in_.rest_of_line(line_)) return in_.too_long();
            } else if (t_.word("create")) {
                VICINAL_CHECK(create());
            } else if (t_.word("alter")) {
                VICINAL_CHECK(alter());
            } else if (t_.word("set")) {
                VICINAL_CHECK(set());
            } else if (t_.word("copy") || t_.word("insert")) {
                bool const copy = t_.word("copy");
                VICINAL_CHECK(step());
                if (!copy && t_.word("into")) VICINAL_CHECK(step());
                auto const rows = block(copy);
                if (!rows) return rows.error();
                if (*rows) return copy ? found::copy : found::insert;
            } else {
                VICINAL_CHECK(skip());
            }
        }
    }
    [[nodiscard]] std::string const& block_table() const noexcept { return block_table_; }
    [[nodiscard]] std::vector<std::string> const& block_columns() const noexcept {
        return block_columns_;
    }

    /// The next line of a COPY block; false at its end.
    [[nodiscard]] result<bool> copy_row(std::string& line) {
        if (in_.peek() < 0) {
            VICINAL_CHECK(in_.failure());
            return error{errc::corrupt_source, "a line \\. behind the rows of " + block_table_,
                         in_.place(in_.line()) + ": the file ends too early"};
        }
        if (!in_.rest_of_line(line)) return in_.too_long();
        VICINAL_CHECK(in_.failure());
        return line != "\\.";
    }

    /// The values of the next row of an INSERT; false behind the last one.
    [[nodiscard]] result<bool> insert_row(std::vector<sql_literal>& row) {
        VICINAL_CHECK(step());
        if (t_.mark(',')) VICINAL_CHECK(step());
        if (!t_.mark('(')) {
            VICINAL_CHECK(skip());
            return false;
        }
        row.clear();
        for (;;) {
            if (row.size() == 2'000) return misplaced("at most 2000 values a row");
            VICINAL_CHECK(step());
            VICINAL_CHECK(read_literal(tokens_, t_, row.emplace_back()));
            if (t_.mark(')')) return true;
            if (!t_.mark(',')) return misplaced("a comma between values");
        }
    }

private:
    result<void> step() { return tokens_.next(t_); }

    [[nodiscard]] error misplaced(std::string expected) const {
        return tokens_.misplaced(std::move(expected), t_);
    }

    // To the end of the statement.
    result<void> skip() {
        while (t_.is != sql_token::kind::end && !t_.mark(';')) VICINAL_CHECK(step());
        return {};
    }
    // A name with or without the schema in front; stands behind it.
    result<std::string> qualified_name() {
        std::string name;
        std::string schema;
        for (;;) {
            if (!t_.named()) return misplaced("the name of a table");
            schema = std::exchange(name, t_.text);
            VICINAL_CHECK(step());
            if (!t_.mark('.')) break;
            VICINAL_CHECK(step());
        }
        return schema.empty() || schema == "public" ? name : schema + "." + name;
    }

    // (a, b, c); stands behind it.
    result<void> name_list(std::vector<std::string>& names) {
        names.clear();
        for (;;) {
            VICINAL_CHECK(step());
            if (!t_.named() || names.size() == 2'000) return misplaced("the name of a column");
            names.push_back(t_.text);
            VICINAL_CHECK(step());
            if (t_.mark(')')) return step();
            if (!t_.mark(',')) return misplaced("a comma between names");
        }
    }

    result<void> create() {
        VICINAL_CHECK(step());
        while (t_.word("unlogged") || t_.word("unique") || t_.word("temporary") ||
               t_.word("foreign"))
            VICINAL_CHECK(step());
        bool const table = t_.word("table");
        if (!table && !t_.word("index")) return skip();
        do {
            VICINAL_CHECK(step());
        } while (t_.word("if") || t_.word("not") || t_.word("exists") || t_.word("concurrently"));
        return table ? create_table() : create_index();
    }

    result<void> create_table() {
        auto name = qualified_name();
        if (!name) return name.error();
        if (!t_.mark('(')) return skip();
        auto& about = this->table(*name);
        about.columns.clear();
        do {
            VICINAL_CHECK(step());
            bool const column = t_.is == sql_token::kind::name ||
                                (t_.is == sql_token::kind::word && !is_constraint(t_.text));
            auto const title = t_.text;
            if (t_.word("primary")) {
                VICINAL_CHECK(primary_key(about));
            } else if (column) {
                VICINAL_CHECK(step());
                VICINAL_CHECK(column_of(about, title));
            }
            while (t_.is != sql_token::kind::end && !t_.mark(',') && !t_.mark(')')) {
                if (t_.word("primary")) {
                    VICINAL_CHECK(step());
                    if (t_.word("key") && column && !about.columns.empty())
                        about.columns.back().key = true;
                    else if (t_.word("key"))
                        VICINAL_CHECK(primary_key_list(about));
                }
                if (t_.mark('(')) VICINAL_CHECK(skip_parentheses(tokens_, t_));
                VICINAL_CHECK(step());
            }
        } while (t_.mark(','));
        make_names_unique(about.columns);
        return skip();
    }

    static bool is_constraint(std::string_view word) noexcept {
        for (std::string_view const w :
             {"constraint", "primary", "unique", "check", "foreign", "exclude", "like"})
            if (word == w) return true;
        return false;
    }

    // The type of a column; stands behind it.
    result<void> column_of(dump_table& about, std::string const& title) {
        if (about.columns.size() == 2'000) return misplaced("at most 2000 columns");
        std::string type;
        while (t_.is != sql_token::kind::end && !t_.mark(',') && !t_.mark(')')) {
            if (t_.word("not") || t_.word("default") || t_.word("null") || t_.word("primary") ||
                t_.word("collate") || t_.word("generated") || t_.word("constraint") ||
                t_.word("unique") || t_.word("references") || t_.word("check"))
                break;
            if (t_.mark('(')) {
                while (t_.is != sql_token::kind::end && !t_.mark(')')) {
                    type += t_.text;
                    VICINAL_CHECK(step());
                }
            } else if (t_.named() && !type.empty() && type.back() != '.') {
                type += ' ';
            }
            type += t_.text;
            VICINAL_CHECK(step());
            if (type.size() > 10'000) return misplaced("a type of a column");
        }
        about.columns.push_back(pg_column(title, type));
        return {};
    }

    result<void> primary_key(dump_table& about) {
        VICINAL_CHECK(step());
        return t_.word("key") ? primary_key_list(about) : result<void>{};
    }
    result<void> primary_key_list(dump_table& about) {
        VICINAL_CHECK(step());
        if (!t_.mark('(')) return {};
        std::vector<std::string> names;
        VICINAL_CHECK(name_list(names));
        for (auto& c : about.columns)
            if (names.size() == 1 && c.name == names.front()) c.key = true;
        return {};
    }

    // ... ON [ONLY] table USING method (column opclass, ...)
    result<void> create_index() {
        while (t_.is != sql_token::kind::end && !t_.mark(';') && !t_.word("on"))
            VICINAL_CHECK(step());
        if (!t_.word("on")) return {};
        VICINAL_CHECK(step());
        if (t_.word("only")) VICINAL_CHECK(step());
        auto name = qualified_name();
        if (!name) return name.error();
        bool ivfflat = false;
        while (t_.is != sql_token::kind::end && !t_.mark(';') && !t_.mark('(')) {
            ivfflat = t_.word("ivfflat");
            VICINAL_CHECK(step());
        }
        if (!t_.mark('(')) return {};
        VICINAL_CHECK(step());
        auto const column = t_.text;
        VICINAL_CHECK(step());
        // pg_dump leaves out the class that an index method has by default; only this one has one.
        if (ivfflat && t_.mark(')')) table(*name).metrics.emplace_back(column, "squared_l2");
        while (t_.is != sql_token::kind::end && !t_.mark(';') && !t_.mark(')')) {
            if (auto const metric = pg_metric(t_.text); t_.named() && !metric.empty())
                table(*name).metrics.emplace_back(column, std::string(metric));
            VICINAL_CHECK(step());
        }
        return skip();
    }

    // ALTER TABLE [ONLY] name ADD CONSTRAINT name PRIMARY KEY (id)
    result<void> alter() {
        VICINAL_CHECK(step());
        if (!t_.word("table")) return skip();
        do {
            VICINAL_CHECK(step());
        } while (t_.word("only") || t_.word("if") || t_.word("exists"));
        auto name = qualified_name();
        if (!name) return name.error();
        while (t_.is != sql_token::kind::end && !t_.mark(';') && !t_.word("primary"))
            VICINAL_CHECK(step());
        if (t_.word("primary")) VICINAL_CHECK(primary_key(table(*name)));
        return skip();
    }

    result<void> set() {
        VICINAL_CHECK(step());
        auto const what = t_.text;
        std::string last;
        while (t_.is != sql_token::kind::end && !t_.mark(';')) {
            last = t_.text;
            VICINAL_CHECK(step());
        }
        if (what == "standard_conforming_strings") tokens_.backslashes(last == "off");
        if (what == "client_encoding" && lower_case(last) != "utf8" &&
            lower_case(last) != "sql_ascii" && lower_case(last) != "unicode")
            return error{errc::unsupported, "a dump in UTF-8 (pg_dump --encoding=UTF8)",
                         in_.place(in_.line()) + ": " + last};
        return {};
    }

    // COPY name (columns) FROM stdin; or INSERT INTO name (columns) VALUES
    result<bool> block(bool copy) {
        auto name = qualified_name();
        if (!name) return name.error();
        block_table_ = *std::move(name);
        block_columns_.clear();
        if (t_.mark('(')) VICINAL_CHECK(name_list(block_columns_));
        while (t_.is != sql_token::kind::end && !t_.mark(';')) {
            if (!copy && t_.word("values")) return true;
            if (copy && t_.word("stdin")) {
                VICINAL_CHECK(skip());
                if (!in_.rest_of_line(line_)) return in_.too_long();
                return true;
            }
            VICINAL_CHECK(step());
        }
        return false;
    }

    text_stream in_;
    sql_tokens tokens_;
    sql_token t_;
    std::deque<dump_table> tables_;
    std::string block_table_;
    std::vector<std::string> block_columns_;
    std::string line_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

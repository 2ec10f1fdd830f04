// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_DUMP_CONTENTS_HPP
#define VICINAL_MIGRATE_TABLES_DUMP_CONTENTS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/tables/copy_text.hpp>
#include <vicinal/migrate/tables/dump_statements.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>
#include <vicinal/migrate/tables/text_cells.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The rows of one table of a dump, of all its blocks of COPY and INSERT.
class dump_rows final : public text_cells {
public:
    /// `columns` may be empty where the dump has no CREATE TABLE: then they are those of the first
    /// block, of unknown types.
    dump_rows(std::unique_ptr<backend::input> in, std::string table,
              std::vector<table_column> columns, backend::cell_parser json)
        : text_cells(std::move(json)),
          statements_(std::make_unique<dump_statements>(std::move(in))), table_(std::move(table)) {
        columns_ = std::move(columns);
    }

    [[nodiscard]] result<bool> next() override {
        for (;;) {
            if (in_block_ != dump_statements::found::end) {
                auto const row = next_in_block();
                if (!row) return row.error();
                if (*row) return true;
            }
            auto const block = statements_->next();
            if (!block) return block.error();
            in_block_ = *block;
            if (*block == dump_statements::found::end) return false;
            wanted_ = statements_->block_table() == table_;
            if (wanted_) VICINAL_CHECK(place_columns());
        }
    }
    [[nodiscard]] result<void> intact() const override {
        if (found_ == expected_) return {};
        return error{errc::corrupt_source, std::to_string(expected_) + " cells",
                     std::to_string(found_)};
    }
    [[nodiscard]] std::string place() const override {
        return statements_->stream().place(row_line_);
    }

private:
    // Rows of other tables are gone through, since they are in the way.
    result<bool> next_in_block() {
        for (;;) {
            row_line_ = statements_->stream().line();
            bool const copy = in_block_ == dump_statements::found::copy;
            auto const more = copy ? statements_->copy_row(line_) : statements_->insert_row(row_);
            if (!more) return more.error();
            if (!*more) {
                in_block_ = dump_statements::found::end;
                return false;
            }
            if (!wanted_) continue;
            if (copy) {
                auto const& cells = split_.split(line_);
                fill(cells.size(), [&](std::size_t i) {
                    return cell{cells[i].text, cells[i].null};
                });
            } else {
                if (columns_.empty()) name_by_number();
                fill(row_.size(), [&](std::size_t i) { return cell{row_[i].text, row_[i].null}; });
            }
            return true;
        }
    }

    template <class Cell>
    void fill(std::size_t count, Cell&& at) {
        found_ = count;
        if (to_.empty()) expected_ = columns_.size();
        cells_.assign(columns_.size(), {.null = true});
        for (std::size_t i = 0; i < (std::min)(count, expected_); ++i)
            cells_[to_.empty() ? i : to_[i]] = at(i);
    }

    // Which of the columns the cells of the block are.
    result<void> place_columns() {
        to_.clear();
        auto const& names = statements_->block_columns();
        expected_ = names.empty() ? columns_.size() : names.size();
        if (columns_.empty()) {
            for (auto const& name : names) columns_.push_back({.name = name});
            make_names_unique(columns_);
        }
        for (auto const& name : names) {
            auto const at = std::find_if(columns_.begin(), columns_.end(),
                                         [&](table_column const& c) { return c.name == name; });
            if (at == columns_.end())
                return error{errc::corrupt_source,
                             "columns that table " + table_ + " has: " + names_of(columns_),
                             place() + ": " + name};
            to_.push_back(static_cast<std::size_t>(at - columns_.begin()));
        }
        return {};
    }

    void name_by_number() {
        for (std::size_t i = 0; i < row_.size(); ++i)
            columns_.push_back({.name = "column" + std::to_string(i + 1)});
    }

    std::unique_ptr<dump_statements> statements_;
    std::string table_;
    dump_statements::found in_block_ = dump_statements::found::end;
    bool wanted_ = false;
    std::vector<std::size_t> to_;
    std::size_t expected_ = 0;
    std::size_t found_ = 0;
    std::uint64_t row_line_ = 1;
    std::string line_;
    copy_line split_;
    std::vector<sql_literal> row_;
};

/// What a dump holds.
struct dump_contents {
    std::deque<dump_table> tables;
    /// LangChain's collections: UUID and name.
    std::vector<std::pair<std::string, std::string>> collections;

    /// Names and rows of the tables that have any, for messages.
    [[nodiscard]] std::string list() const {
        std::string all;
        for (auto const& t : tables)
            if (t.rows > 0)
                all.append(all.empty() ? "" : ", ")
                    .append(t.name + " (" + std::to_string(t.rows) + " rows)");
        return all;
    }
};

/// Goes through a whole dump once: which tables there are, how many rows, which indexes.
///
/// Errors: as for dump_statements; foreign_file where there is not a single statement of a dump.
[[nodiscard]] inline result<dump_contents> read_dump_contents(std::unique_ptr<backend::input> in) {
    dump_statements statements(std::move(in));
    dump_contents contents;
    std::string line;
    std::vector<sql_literal> row;
    copy_line split;
    for (;;) {
        auto const block = statements.next();
        if (!block) return block.error();
        if (*block == dump_statements::found::end) break;
        auto& table = statements.table(statements.block_table());
        bool const collections = table.name.ends_with("langchain_pg_collection");
        auto const& named = statements.block_columns();
        std::size_t uuid = 0;
        std::size_t name = 1;
        auto const look = [&](std::string_view column, std::size_t i) {
            if (column == "uuid") uuid = i;
            if (column == "name") name = i;
        };
        for (std::size_t i = 0; i < table.columns.size(); ++i) look(table.columns[i].name, i);
        for (std::size_t i = 0; i < named.size(); ++i) look(named[i], i);
        for (;;) {
            bool const copy = *block == dump_statements::found::copy;
            auto const more = copy ? statements.copy_row(line) : statements.insert_row(row);
            if (!more) return more.error();
            if (!*more) break;
            ++table.rows;
            if (!collections || contents.collections.size() == 10'000) continue;
            auto const add = [&](auto const& cells) {
                if (uuid < cells.size() && name < cells.size())
                    contents.collections.emplace_back(cells[uuid].text, cells[name].text);
            };
            if (copy)
                add(split.split(line));
            else
                add(row);
        }
    }
    VICINAL_CHECK(statements.stream().failure());
    contents.tables = statements.tables();
    return contents;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

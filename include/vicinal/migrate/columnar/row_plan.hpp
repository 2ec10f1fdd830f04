// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_ROW_PLAN_HPP
#define VICINAL_MIGRATE_COLUMNAR_ROW_PLAN_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/table.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar {

/// Who wrote the columns, and so what they are called.
enum class table_layout : std::uint8_t { any, own, pinecone, weaviate, vdf, chroma };

/// What the user and the directory say of the columns.
struct row_wishes {
    table_layout layout = table_layout::any;
    std::string id = {};                   // the column of the ids; empty: found by its name
    std::string vector = {};               // the column, or the named vector; empty: the only one
    std::vector<std::string> json = {};    // columns of JSON text, besides those known by name
    std::vector<std::string> vectors = {}; // all columns of vectors, where the directory says
    /// Only rows whose column of that name has this text: a collection among others.
    std::string only_column = {};
    std::string only_text = {};
};

/// What becomes of a column.
enum class column_use : std::uint8_t {
    id,
    vector,
    raw_vector,    // float32, little-endian, as a byte string
    named_vectors, // JSON {name: [...]}
    field,         // a payload field of the column's name
    members,       // JSON text, the members of which are payload fields
    json,          // JSON text that is the field of the column's name
    lost_vector,
    lost_sparse,
    lost_multi, // JSON {name: [[...]]}
    selector,
    nothing,
};

struct row_plan {
    std::vector<column_use> uses; // one a column
    bool numbered = false;        // no column of ids: rows are numbered
    bool strict = false;          // `members` columns hold JSON objects and nothing else
};

/// Decides what becomes of each column.
class row_planner {
public:
    row_planner(table const& t, row_wishes const& wishes, std::string place)
        : columns_(t.columns()), wishes_(wishes), place_(std::move(place)) {}

    /// Errors: not_found (no column of that name), invalid_argument (several columns of vectors and
    /// none chosen; no column of vectors; a column that can't be what it was chosen for). Messages
    /// list the columns.
    [[nodiscard]] result<row_plan> plan() {
        plan_.uses.assign(columns_.size(), column_use::field);
        plan_.strict = wishes_.layout != table_layout::any && wishes_.layout != table_layout::vdf;
        VICINAL_CHECK(find_id());
        VICINAL_CHECK(wishes_.layout == table_layout::weaviate ? weaviate_columns()
                                                               : find_vector());
        if (wishes_.layout == table_layout::chroma) {
            for (std::string_view const name : {"uuid", "collection_uuid"})
                if (auto const i = find(name); i != none) plan_.uses[i] = column_use::nothing;
        }
        if (!wishes_.only_column.empty()) {
            auto const i = find(wishes_.only_column);
            if (i == none) return missing(wishes_.only_column);
            plan_.uses[i] = column_use::selector;
        }
        for (auto const& name : wishes_.json) {
            auto const i = find(name);
            if (i == none) return missing(name);
            if (plan_.uses[i] == column_use::field) plan_.uses[i] = column_use::json;
        }
        for (std::size_t i = 0; i < columns_.size(); ++i)
            if (plan_.uses[i] == column_use::field) plan_.uses[i] = rest(columns_[i]);
        return plan_;
    }

private:
    static constexpr auto none = static_cast<std::size_t>(-1);

    [[nodiscard]] std::size_t find(std::string_view name) const noexcept {
        for (std::size_t i = 0; i < columns_.size(); ++i)
            if (columns_[i].name == name) return i;
        return none;
    }

    [[nodiscard]] std::string names() const {
        std::string list;
        for (auto const& c : columns_) list.append(list.empty() ? "" : ", ").append(c.name);
        return list.empty() ? "no columns" : "the columns " + list;
    }
    [[nodiscard]] error missing(std::string const& name) const {
        return error{errc::not_found, "a column '" + name + "'", place_ + " has " + names()};
    }

    [[nodiscard]] result<void> find_id() {
        auto const usable = [&](std::size_t i) {
            return i != none && columns_[i].kind != column_kind::reals &&
                   columns_[i].kind != column_kind::integers &&
                   columns_[i].kind != column_kind::other;
        };
        if (!wishes_.id.empty()) {
            auto const i = find(wishes_.id);
            if (i == none) return missing(wishes_.id);
            if (!usable(i))
                return error{errc::invalid_argument, "ids that are text or integers",
                             place_ + " has lists or structs in '" + wishes_.id + "'"};
            plan_.uses[i] = column_use::id;
            return {};
        }
        // pandas writes an index that it was not told to drop as the last of these.
        for (std::string_view const name :
             {"id", "_id", "ID", "Id", "uuid", "pk", "__id__", "ids", "__index_level_0__"}) {
            auto const i = find(name);
            if (!usable(i)) continue;
            plan_.uses[i] = column_use::id;
            return {};
        }
        plan_.numbered = true;
        return {};
    }

    [[nodiscard]] bool holds_vectors(table_column const& c) const {
        if (wishes_.vectors.empty()) return c.kind == column_kind::reals;
        bool const numbers = c.kind == column_kind::reals || c.kind == column_kind::integers;
        return numbers && std::find(wishes_.vectors.begin(), wishes_.vectors.end(), c.name) !=
                              wishes_.vectors.end();
    }

    [[nodiscard]] result<void> find_vector() {
        std::size_t chosen = none;
        std::string several;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (plan_.uses[i] == column_use::id || !holds_vectors(columns_[i])) continue;
            several.append(several.empty() ? "" : ", ").append(columns_[i].name);
            plan_.uses[i] = column_use::lost_vector;
            chosen = chosen == none ? i : columns_.size();
        }
        if (!wishes_.vector.empty()) {
            chosen = find(wishes_.vector);
            if (chosen == none) return missing(wishes_.vector);
        }
        if (chosen == none) chosen = integers_called_vector();
        if (chosen == none)
            return error{errc::invalid_argument, "a column of vectors (lists of numbers)",
                         place_ + " has " + names()};
        if (chosen == columns_.size())
            return error{errc::invalid_argument, "vector=NAME, as there are several of them",
                         place_ + " has the vectors " + several};
        auto const kind = columns_[chosen].kind;
        if (kind == column_kind::bytes) {
            plan_.uses[chosen] = column_use::raw_vector;
            return {};
        }
        if (kind != column_kind::reals && kind != column_kind::integers)
            return error{errc::invalid_argument, "vectors that are lists of numbers",
                         place_ + " has something else in '" + columns_[chosen].name + "'"};
        plan_.uses[chosen] = column_use::vector;
        return {};
    }

    /// Quantised vectors are lists of integers, but so is much else: the name must say it.
    [[nodiscard]] std::size_t integers_called_vector() const {
        for (std::string_view const name : {"vector", "embedding", "embeddings", "values"}) {
            auto const i = find(name);
            if (i != none && columns_[i].kind == column_kind::integers) return i;
        }
        return none;
    }

    [[nodiscard]] result<void> weaviate_columns() {
        auto const use = [&](std::string const& name, column_use as) -> result<void> {
            auto const i = find(name);
            if (i == none) return missing(name);
            auto const kind = columns_[i].kind;
            if (kind != column_kind::bytes && kind != column_kind::text &&
                kind != column_kind::json)
                return error{errc::invalid_argument, "byte strings in '" + name + "'",
                             place_ + " has something else"};
            plan_.uses[i] = as;
            return {};
        };
        VICINAL_CHECK(use("vector", column_use::raw_vector));
        VICINAL_CHECK(use("properties", column_use::members));
        VICINAL_CHECK(use("named_vectors", column_use::named_vectors));
        return use("multi_vectors", column_use::lost_multi);
    }

    /// What becomes of a column that is nothing special.
    [[nodiscard]] column_use rest(table_column const& c) const {
        bool const called = c.name == "metadata" || c.name == "$meta" || c.name == "payload";
        bool const text = c.kind == column_kind::text || c.kind == column_kind::json ||
                          c.kind == column_kind::bytes;
        if (called && text) return column_use::members;
        if (c.kind == column_kind::json) return column_use::json;
        if (c.name == "sparse_values" && c.kind == column_kind::other)
            return column_use::lost_sparse;
        return column_use::field;
    }

    std::vector<table_column> const& columns_;
    row_wishes const& wishes_;
    std::string place_;
    row_plan plan_;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_TABLE_ROLES_HPP
#define VICINAL_MIGRATE_TABLES_TABLE_ROLES_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/tables/column_guess.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What each column of a table is for; what is neither id nor vector is payload.
struct table_roles {
    std::optional<std::size_t> id;
    std::optional<std::size_t> vector;
    std::vector<std::size_t> elements; // instead of a vector: one column an element
    std::vector<std::size_t> lost;     // further vectors, which no record has room for

    [[nodiscard]] bool has_vector() const noexcept { return vector || !elements.empty(); }
};

/// What the user said of it; empty is to be found out.
struct table_wishes {
    std::string id = {};
    std::string vector = {};
};

[[nodiscard]] inline std::string lower_case(std::string_view s) {
    std::string out(s);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

/// The column of that name, in whatever case where that leaves no doubt.
[[nodiscard]] inline result<std::size_t> find_column(std::vector<table_column> const& columns,
                                                     std::string const& name,
                                                     std::string_view what) {
    std::optional<std::size_t> like;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].name == name) return i;
        if (lower_case(columns[i].name) == lower_case(name)) like = i;
    }
    if (like) return *like;
    return error{errc::not_found,
                 "a column for the " + std::string(what) + ": one of " + names_of(columns),
                 "'" + name + "'"};
}

[[nodiscard]] inline std::optional<std::size_t>
id_column(std::vector<table_column> const& columns) {
    for (std::string_view const usual : {"id", "_id", "uuid", "key"})
        for (std::size_t i = 0; i < columns.size(); ++i)
            if (lower_case(columns[i].name) == usual) return i;
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (columns[i].key) return i;
    // The index that pandas writes has no name.
    if (!columns.empty() && columns[0].name.empty()) return 0;
    return {};
}

[[nodiscard]] inline bool named_as_vector(std::string_view column) {
    auto const name = lower_case(column);
    for (std::string_view const usual :
         {"embedding", "embeddings", "vector", "vectors", "values", "emb", "vec", "dense"})
        if (name == usual) return true;
    return false;
}

/// Columns that are one element each: numbers called v0, v1, ... or 0, 1, ..., at least two.
[[nodiscard]] inline std::vector<std::size_t>
element_columns(std::vector<table_column> const& columns) {
    for (std::string_view const prefix :
         {"", "v", "x", "e", "f", "d", "dim", "dim_", "v_", "emb_", "embedding_", "vector_", "vec_",
          "feature_", "embedding.", "vector."}) {
        for (std::size_t const first : {std::size_t{0}, std::size_t{1}}) {
            std::vector<std::size_t> found;
            for (auto number = first;; ++number) {
                auto const name = std::string(prefix) + std::to_string(number);
                auto const at =
                    std::find_if(columns.begin(), columns.end(), [&](table_column const& c) {
                        return c.name == name &&
                               (c.type == column_type::real || c.type == column_type::integer);
                    });
                if (at == columns.end() || found.size() == source_dims) break;
                found.push_back(static_cast<std::size_t>(at - columns.begin()));
            }
            if (found.size() > 1) return found;
        }
    }
    return {};
}

/// Finds out what the columns are for. Their types are known; where `declared`, the table itself
/// says which columns hold vectors, otherwise cells that look like them do.
///
/// Errors: not_found (no such column), invalid_argument (several columns of vectors: the message
/// lists them), and what was wrong with the cells of a column whose name says that it is one.
[[nodiscard]] inline result<table_roles> find_roles(std::vector<table_column> const& columns,
                                                    std::vector<column_guess> const& guesses,
                                                    table_wishes const& wishes, bool declared) {
    table_roles roles;
    std::vector<std::size_t> dense;
    std::vector<std::size_t> other; // sparse ones and arrays of floats, if there is nothing better
    std::vector<std::size_t> named;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        auto const type = columns[i].type;
        if (type == column_type::vector) dense.push_back(i);
        if (type == column_type::sparse || type == column_type::numbers) other.push_back(i);
        if (type == column_type::vector && named_as_vector(columns[i].name)) named.push_back(i);
    }
    if (!wishes.vector.empty()) {
        auto const at = find_column(columns, wishes.vector, "vector");
        if (!at) return at.error();
        roles.vector = *at;
    } else {
        auto const& from = !declared && !named.empty() ? named : !dense.empty() ? dense : other;
        if (from.size() > 1) {
            std::string list;
            for (auto const i : from) list.append(list.empty() ? "" : ", ").append(columns[i].name);
            return error{errc::invalid_argument,
                         "the name of one column of vectors (option vector)",
                         "several of them: " + list};
        }
        if (from.size() == 1) roles.vector = from.front();
    }
    if (!roles.vector) roles.elements = element_columns(columns);
    if (!roles.has_vector())
        for (std::size_t i = 0; i < columns.size(); ++i)
            if (named_as_vector(columns[i].name) && guesses[i].trouble())
                return error{guesses[i].trouble()->code(), guesses[i].trouble()->expected(),
                             guesses[i].trouble()->got() + " in column " + columns[i].name};
    if (!wishes.id.empty()) {
        auto const at = find_column(columns, wishes.id, "id");
        if (!at) return at.error();
        roles.id = *at;
    } else {
        roles.id = id_column(columns);
    }
    return roles;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

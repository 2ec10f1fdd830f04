// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_PG_TYPES_HPP
#define VICINAL_MIGRATE_TABLES_PG_TYPES_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/tables/table_roles.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>
#include <vicinal/migrate/tables/vector_text.hpp>

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What a type of PostgreSQL is here: "bigint", "public.vector(8)", "text[]", "numeric(10,2)".
/// What has no counterpart is text.
[[nodiscard]] inline table_column pg_column(std::string name, std::string_view declared) {
    table_column c{.name = std::move(name), .type = column_type::text};
    auto type = lower_case(trimmed(declared));
    bool const array = type.ends_with("[]");
    if (array) type.resize(type.find_first_of('['));
    if (auto const point = type.find('.'); point != std::string::npos && point < type.find('('))
        type.erase(0, point + 1);
    std::size_t size = 0;
    if (auto const open = type.find('('); open != std::string::npos) {
        std::from_chars(type.data() + open + 1, type.data() + type.size(), size);
        type.resize(open);
    }
    auto const base = trimmed(type);
    c.declared = base;
    auto const one_of = [base](std::initializer_list<std::string_view> names) {
        for (auto const n : names)
            if (base == n) return true;
        return false;
    };
    if (one_of({"smallint", "integer", "bigint", "int", "int2", "int4", "int8", "serial",
                "bigserial", "smallserial", "oid"}))
        c.type = column_type::integer;
    else if (one_of(
                 {"real", "double precision", "float", "float4", "float8", "numeric", "decimal"}))
        c.type = column_type::real;
    else if (one_of({"boolean", "bool"}))
        c.type = column_type::boolean;
    else if (one_of({"json", "jsonb"}))
        c.type = column_type::json;
    else if (one_of({"vector", "halfvec"}))
        c.type = column_type::vector;
    else if (one_of({"sparsevec"}))
        c.type = column_type::sparse;
    else if (one_of({"bit", "bit varying", "varbit"}))
        c.type = column_type::bits;
    if (c.type == column_type::vector || c.type == column_type::sparse) c.dim = size;
    if (!array) return c;
    c.element = c.type;
    bool const floats = one_of({"real", "double precision", "float", "float4", "float8"});
    c.type = floats ? column_type::numbers : column_type::list;
    c.dim = 0;
    return c;
}

/// The columns that an option names: "id, body, embedding vector(3)", each name with its type
/// behind it or without. Errors: invalid_argument.
[[nodiscard]] inline result<std::vector<table_column>> named_columns(std::string_view list) {
    std::vector<table_column> columns;
    std::size_t depth = 0;
    for (std::size_t from = 0, i = 0; i <= list.size(); ++i) {
        if (i < list.size() && list[i] == '(') ++depth;
        if (i < list.size() && list[i] == ')' && depth > 0) --depth;
        if (i < list.size() && (list[i] != ',' || depth > 0)) continue;
        auto const one = trimmed(list.substr(from, i - from));
        from = i + 1;
        auto const space = one.find_first_of(" \t");
        if (one.empty())
            return error{errc::invalid_argument, "NAME or NAME TYPE, between commas",
                         "'" + std::string(list) + "'"};
        if (space == std::string_view::npos)
            columns.push_back({.name = std::string(one)});
        else
            columns.push_back(pg_column(std::string(one.substr(0, space)), one.substr(space)));
    }
    make_names_unique(columns);
    return columns;
}

/// The metric of an operator class of pgvector; empty for what is none that is known here.
[[nodiscard]] inline std::string_view pg_metric(std::string_view operator_class) noexcept {
    if (operator_class.ends_with("vec_cosine_ops") || operator_class == "vector_cosine_ops")
        return "cosine";
    if (operator_class.ends_with("vec_l2_ops") || operator_class == "vector_l2_ops")
        return "squared_l2";
    if (operator_class.ends_with("vec_ip_ops") || operator_class == "vector_ip_ops")
        return "inner_product";
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

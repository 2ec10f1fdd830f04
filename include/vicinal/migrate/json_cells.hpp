// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_CELLS_HPP
#define VICINAL_MIGRATE_JSON_CELLS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/json/read.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>

#include <memory>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::backend {

/// Reads cells of JSON in tables. Integers stay exact to 64 bits, what is longer becomes a double.
/// Copies share one parser: one thread at a time. Needs simdjson.
///
/// Errors of each call: invalid_json.
[[nodiscard]] inline cell_parser json_cells() {
    return [parser = std::make_shared<detail::json_parser>()](std::string_view text,
                                                              value& out) -> result<void> {
        auto const root = parser->parse(text);
        if (!root) return root.error();
        return detail::read_value(*root, out);
    };
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_ARRAY_TEXT_HPP
#define VICINAL_MIGRATE_TABLES_ARRAY_TEXT_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// The text as an integer or a double where all of it is one; false where it is not.
///
/// An integer has no sign but '-' and no zeros in front: "007" and "+1" are texts, such as
/// postcodes and telephone numbers are.
[[nodiscard]] inline bool read_integer(std::string_view text, std::int64_t& out) noexcept {
    auto const digits = text.substr(text.starts_with('-') ? 1 : 0);
    if (digits.empty() || (digits.size() > 1 && digits.front() == '0') || text == "-0")
        return false;
    auto const* const end = text.data() + text.size();
    auto const parsed = std::from_chars(text.data(), end, out);
    return parsed.ec == std::errc{} && parsed.ptr == end;
}
[[nodiscard]] inline bool read_real(std::string_view text, double& out) noexcept {
    auto const digits = text.substr(text.starts_with('-') ? 1 : 0);
    // Neither "007" nor the words for infinity and NaN.
    if (digits.empty() || digits.find_first_not_of("0123456789.eE+-") != std::string_view::npos ||
        (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9'))
        return false;
    auto const* const end = text.data() + text.size();
    auto const parsed = std::from_chars(text.data(), end, out);
    return parsed.ec == std::errc{} && parsed.ptr == end;
}
[[nodiscard]] inline bool read_boolean(std::string_view text, bool& out) noexcept {
    for (std::string_view const yes : {"true", "True", "TRUE", "t"})
        if (text == yes) return out = true;
    for (std::string_view const no : {"false", "False", "FALSE", "f"})
        if (text == no) return !(out = false);
    return false;
}

/// The text as a value of that type, or as a string where it is none.
[[nodiscard]] inline value scalar_value(std::string_view text, column_type type) {
    std::int64_t integer = 0;
    double real = 0;
    bool boolean = false;
    if (type == column_type::integer && read_integer(text, integer)) return integer;
    if (type == column_type::real && read_real(text, real)) return real;
    if (type == column_type::boolean && read_boolean(text, boolean)) return boolean;
    return text;
}

/// Replaces `out` by an array of PostgreSQL, as in `{a,"b \"c\"",NULL}`, of one dimension.
///
/// Errors: corrupt_source.
inline result<void> read_array_text(std::string_view text, column_type element, value& out) {
    auto const wrong = [&] {
        return error{errc::corrupt_source, "an array such as {a,b}",
                     "'" + std::string(text.substr(0, 40)) + "'"};
    };
    if (text.size() < 2 || text.front() != '{' || text.back() != '}') return wrong();
    auto const inner = text.substr(1, text.size() - 2);
    value::array array;
    for (std::size_t i = 0; i < inner.size();) {
        std::string one;
        bool const quoted = inner[i] == '"';
        if (quoted) ++i;
        for (;; ++i) {
            if (i == inner.size()) {
                if (quoted) return wrong();
                break;
            }
            char const c = inner[i];
            if (quoted ? c == '"' : c == ',') break;
            if (!quoted && (c == '{' || c == '}' || c == '"')) return wrong();
            if (c == '\\' && ++i == inner.size()) return wrong();
            one.push_back(inner[i]);
        }
        if (quoted && ++i < inner.size() && inner[i] != ',') return wrong();
        if (!quoted && one == "NULL")
            array.emplace_back();
        else
            array.push_back(scalar_value(one, element));
        if (i < inner.size() && ++i == inner.size()) return wrong(); // a comma at the end
    }
    out = std::move(array);
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_LITERALS_HPP
#define VICINAL_MIGRATE_FILTERS_LITERALS_HPP

#include <vicinal/core/value.hpp>
#include <vicinal/payload/filter/text.hpp>
#include <vicinal/payload/filter/token.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

// Names and values of other systems' filters, on both ways.

/// A field of that very name, dots included.
[[nodiscard]] inline std::string foreign_name(std::string_view name) {
    std::string out;
    payload::detail::append_quoted(out, name, '"');
    return out;
}

/// A literal of a filter; `v` is a text, a finite number or a boolean.
[[nodiscard]] inline std::string foreign_literal(value const& v) {
    std::string out;
    if (auto const* s = v.get_if<std::string>())
        payload::detail::append_literal(out, std::string_view(*s));
    else if (auto const* b = v.get_if<bool>())
        payload::detail::append_literal(out, *b);
    else if (auto const* i = v.get_if<std::int64_t>())
        payload::detail::append_literal(out, *i);
    else if (auto const* x = v.get_if<double>())
        payload::detail::append_literal(out, *x);
    return out;
}

[[nodiscard]] inline std::string foreign_list(std::vector<value> const& all) {
    std::string out = "(";
    for (auto const& v : all) out += (out.size() == 1 ? "" : ", ") + foreign_literal(v);
    return out + ")";
}

/// Below 2^53, where a double and an integer are the same.
[[nodiscard]] constexpr bool exact_in_double(double x) noexcept {
    constexpr double limit = 9007199254740992.0;
    return x < limit && x > -limit;
}

/// A date of the one form that orders as text does.
[[nodiscard]] constexpr bool is_utc_date(std::string_view s) noexcept {
    constexpr std::string_view form = "0000-00-00T00:00:00Z";
    if (s.size() != form.size()) return false;
    for (std::size_t i = 0; i < s.size(); ++i)
        if (form[i] == '0' ? !payload::detail::is_digit(s[i]) : s[i] != form[i]) return false;
    return true;
}

/// Blanks at an end of a text, or none between them: Weaviate takes such ends away.
[[nodiscard]] constexpr bool has_blank_ends(std::string_view s) noexcept {
    constexpr std::string_view blanks = " \t\n\v\f\r";
    return s.empty() || blanks.find(s.front()) != std::string_view::npos ||
           blanks.find(s.back()) != std::string_view::npos;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_COMPARE_HPP
#define VICINAL_PAYLOAD_FILTER_COMPARE_HPP

#include <vicinal/core/value.hpp>
#include <vicinal/payload/filter/tree.hpp>
#include <vicinal/payload/view.hpp>

#include <bit>
#include <compare>
#include <cstdint>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// SQL's three truth values, in this order: then `and` is the least, `or` the greatest.
enum class truth : std::uint8_t { no, unknown, yes };

[[nodiscard]] constexpr truth truth_of(bool b) noexcept { return b ? truth::yes : truth::no; }

[[nodiscard]] constexpr truth negate(truth t) noexcept {
    return static_cast<truth>(2 - static_cast<int>(t));
}

/// By value, without rounding the integer: 2^53 + 1 is greater than the double 2^53.
[[nodiscard]] inline std::partial_ordering compare_exactly(std::int64_t a, double b) noexcept {
    constexpr double beyond = 9223372036854775808.0;
    if (b != b) return std::partial_ordering::unordered;
    if (b >= beyond) return std::partial_ordering::less;
    if (b < -beyond) return std::partial_ordering::greater;
    auto const whole = static_cast<std::int64_t>(b);
    if (a != whole) return a <=> whole;
    // Exact: either b has no fraction, or it is below 2^53 and so is `whole`.
    return 0.0 <=> b - static_cast<double>(whole);
}

[[nodiscard]] inline std::partial_ordering reversed(std::partial_ordering o) noexcept {
    return 0 <=> o;
}

/// Where a number lies that `near` is within 2^-50 of; equivalent where that does not tell.
[[nodiscard]] inline std::partial_ordering compare_about(double near, double b) noexcept {
    double const margin = (b < 0 ? -b : b) * 0x1p-48;
    if (near - b > margin) return std::partial_ordering::greater;
    if (b - near > margin) return std::partial_ordering::less;
    return std::partial_ordering::equivalent;
}

/// A field's value against a literal: unordered where the kinds differ or a NaN is involved. Text
/// orders bytewise, false before true.
[[nodiscard]] inline std::partial_ordering
compare(value_view const& field, filter_value const& literal, filter_tree const& tree) noexcept {
    using enum value::kind;
    auto const type = field.type();
    auto const whole = static_cast<std::int64_t>(literal.bits);
    if (type == integer && literal.type == integer) return field.integer() <=> whole;
    if (type == string && literal.type == string)
        return field.text().compare(tree.text_of(literal)) <=> 0;
    if (type == boolean && literal.type == boolean)
        return static_cast<int>(field.boolean()) <=> static_cast<int>(literal.bits);
    if (type == integer && literal.type == real)
        return compare_exactly(field.integer(), std::bit_cast<double>(literal.bits));
    if (type == real && literal.type == integer) {
        // A rounded literal is within the margin of itself.
        auto const about = compare_about(field.about(), static_cast<double>(whole));
        return std::is_neq(about) ? about : reversed(compare_exactly(whole, field.real()));
    }
    if (type == real && literal.type == real) {
        auto const b = std::bit_cast<double>(literal.bits);
        auto const about = compare_about(field.about(), b);
        return std::is_neq(about) ? about : field.real() <=> b;
    }
    return std::partial_ordering::unordered;
}

/// Whether they are equal. Texts of different lengths need not be read.
[[nodiscard]] inline bool equals(value_view const& field, filter_value const& literal,
                                 filter_tree const& tree) noexcept {
    if (field.type() == value::kind::string && literal.type == value::kind::string)
        return field.text() == tree.text_of(literal);
    return std::is_eq(compare(field, literal, tree));
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

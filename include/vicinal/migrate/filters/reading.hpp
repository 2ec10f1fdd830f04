// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_READING_HPP
#define VICINAL_MIGRATE_FILTERS_READING_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/filters/expression.hpp>
#include <vicinal/migrate/filters/literals.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What the readers of foreign filters share: errors that name the place, as in "$and[1].year", and
/// the checks of values.
class foreign_reading {
protected:
    using expression = foreign_expression;

    /// Where a part of the JSON is; lives as long as that part is read.
    struct place {
        place const* outer = nullptr;
        std::string_view name = {};
        std::size_t index = 0;
        bool element = false;

        [[nodiscard]] place member(std::string_view n) const { return {this, n, 0, false}; }
        [[nodiscard]] place at(std::size_t i) const { return {this, {}, i, true}; }
        [[nodiscard]] std::string text() const {
            auto const before = outer ? outer->text() : std::string();
            if (element) return before + "[" + std::to_string(index) + "]";
            return before.empty() ? std::string(name) : before + "." + std::string(name);
        }
    };

    [[nodiscard]] static std::string shorter(std::string_view s) {
        return payload::detail::excerpt(s);
    }
    [[nodiscard]] static error wrong(place const& where, std::string expected, std::string got) {
        auto const at = shorter(where.text());
        return error{errc::invalid_filter,
                     std::move(expected) + (at.empty() ? "" : " at '" + at + "'"), std::move(got)};
    }
    /// What the other system can say and a filter can't.
    [[nodiscard]] static error refused(place const& where, std::string expected, std::string got) {
        auto const at = shorter(where.text());
        return error{errc::unsupported,
                     std::move(expected) + (at.empty() ? "" : " at '" + at + "'"), std::move(got)};
    }

    [[nodiscard]] static std::string named(value const& v) {
        switch (v.type()) {
            case value::kind::null: return "null";
            case value::kind::boolean: return "true or false";
            case value::kind::integer:
            case value::kind::real: return "a number";
            case value::kind::string: return "a text";
            case value::kind::array: return "an array";
            case value::kind::nested: return "an object";
        }
        return "nothing";
    }

    [[nodiscard]] static bool is_text(value const& v) { return v.type() == value::kind::string; }
    [[nodiscard]] static bool is_number(value const& v) {
        return v.type() == value::kind::integer || v.type() == value::kind::real;
    }
    [[nodiscard]] static bool is_scalar(value const& v) {
        return is_text(v) || is_number(v) || v.type() == value::kind::boolean;
    }

    [[nodiscard]] static result<fields const*> object(value const& v, place const& where) {
        auto const* o = v.get_if<fields>();
        if (!o) return wrong(where, "an object", named(v));
        return o;
    }
    [[nodiscard]] static result<value::array const*> array(value const& v, place const& where) {
        auto const* a = v.get_if<value::array>();
        if (!a) return wrong(where, "an array", named(v));
        return a;
    }
    [[nodiscard]] static result<value const*> scalar(value const& v, place const& where) {
        if (!is_scalar(v)) return wrong(where, "a text, a number, true or false", named(v));
        return &v;
    }
    [[nodiscard]] static result<value const*> number(value const& v, place const& where) {
        if (!is_number(v)) return wrong(where, "a number", named(v));
        return &v;
    }
    /// A number that is the same after a system has made a double of it.
    [[nodiscard]] static result<void> check_exact(value const& v, place const& where) {
        auto const* i = v.get_if<std::int64_t>();
        auto const* d = v.get_if<double>();
        double const x = i ? static_cast<double>(*i) : d ? *d : 0;
        if (exact_in_double(x)) return {};
        return refused(where, "a number below 2^53, beyond which the other system rounds",
                       foreign_literal(v));
    }
    /// The elements, each a scalar.
    [[nodiscard]] static result<value::array const*> scalars(value const& v, place const& where) {
        auto const list = array(v, where);
        if (!list) return list.error();
        for (std::size_t i = 0; i < (*list)->size(); ++i)
            if (auto const one = scalar((**list)[i], where.at(i)); !one) return one.error();
        return *list;
    }
    /// The same kind, where integers and doubles are one.
    [[nodiscard]] static bool alike(value::array const& list) {
        for (auto const& v : list)
            if (v.type() != list[0].type() && !(is_number(v) && is_number(list[0]))) return false;
        return true;
    }

    [[nodiscard]] static expression test(std::string const& name, std::string_view op,
                                         std::string const& operand = {}) {
        return expression::comparison(name + " " + std::string(op) +
                                      (operand.empty() ? "" : " " + operand));
    }
    [[nodiscard]] static expression test(std::string const& name, std::string_view op,
                                         value const& v) {
        return test(name, op, foreign_literal(v));
    }
    /// Missing, null or an array without elements.
    [[nodiscard]] static expression empty_or_missing(std::string const& name) {
        auto const has_elements =
            expression::any({test("any " + name, "is null"), test("any " + name, "is not null")});
        return expression::any({test(name, "is null"), has_elements.opposite()});
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

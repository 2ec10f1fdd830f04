// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_QDRANT_FIELDS_HPP
#define VICINAL_MIGRATE_FILTERS_QDRANT_FIELDS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/filters/options.hpp>
#include <vicinal/migrate/filters/reading.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Qdrant's conditions on one field, with the answers of Qdrant's
/// lib/segment/src/payload_storage/condition_checker.rs. A field that is an array matches where one
/// of its elements does.
class qdrant_fields : foreign_reading {
public:
    explicit qdrant_fields(backend::foreign_filter_options const& options) : options_(options) {}

    /// {"key": ..., "match": ...} and its like.
    [[nodiscard]] result<foreign_expression> read(fields const& all, place const& at) const {
        auto const key = path(all["key"], at.member("key"));
        if (!key) return key.error();
        value const* condition = nullptr;
        std::string_view kind;
        for (auto const& [name, operand] : all) {
            if (name == "key" || operand.is_null()) continue;
            if (condition) return wrong(at, "one condition for each key", "several");
            condition = &operand;
            kind = name;
        }
        if (!condition) return wrong(at, "match, range, values_count or is_empty", "none of them");
        auto const here = at.member(kind);
        if (kind == "match") return match(*key, *condition, here);
        if (kind == "range") return range(*key, *condition, here);
        if (kind == "values_count") return values_count(*key, *condition, here);
        if (kind == "is_empty") {
            auto const* wanted = condition->get_if<bool>();
            if (!wanted) return wrong(here, "true or false", named(*condition));
            return *wanted ? empty_or_missing(*key) : empty_or_missing(*key).opposite();
        }
        if (kind == "is_null")
            return refused(here, "no is_null: a filter can't tell null from a missing field",
                           "is_null");
        if (kind.starts_with("geo_"))
            return refused(here, "no places on the earth, which filters don't have", shorter(kind));
        return wrong(here, "match, range, values_count or is_empty", shorter(kind));
    }

    /// {"is_empty": {"key": ...}}
    [[nodiscard]] result<foreign_expression> is_empty(value const& v, place const& at) const {
        auto const o = object(v, at);
        if (!o) return o.error();
        if ((*o)->size() != 1 || !(*o)->contains("key")) return wrong(at, "a key alone", "more");
        auto const key = path((**o)["key"], at.member("key"));
        if (!key) return key.error();
        return empty_or_missing(*key);
    }

private:
    /// A key such as a.b."first name" as a name of ours.
    [[nodiscard]] static result<std::string> path(value const& v, place const& at) {
        auto const* key = v.get_if<std::string>();
        if (!key) return wrong(at, "a text", named(v));
        std::string out;
        std::string_view rest = *key;
        for (;;) {
            std::size_t size = 0;
            if (rest.starts_with('"')) {
                size = rest.find_first_of("\"\\", 1);
                if (size == std::string_view::npos || rest[size] == '\\')
                    return wrong(at, "a closing quote and no backslash", shorter(*key));
                out += foreign_name(rest.substr(1, size - 1));
                ++size;
            } else {
                while (size < rest.size() &&
                       (payload::detail::continues_name(rest[size]) || rest[size] == '-'))
                    ++size;
                if (size == 0) return wrong(at, "a name", shorter(*key));
                out += foreign_name(rest.substr(0, size));
            }
            rest.remove_prefix(size);
            if (rest.empty()) return out;
            if (rest[0] == '[')
                return refused(at, "no place inside an array, which has no name in a filter",
                               shorter(*key));
            if (rest[0] != '.') return wrong(at, "a dot or the end of the key", shorter(*key));
            rest.remove_prefix(1);
            out += '.';
        }
    }

    [[nodiscard]] result<foreign_expression> match(std::string const& key, value const& v,
                                                   place const& at) const {
        auto const o = object(v, at);
        if (!o) return o.error();
        if ((*o)->size() != 1) return wrong(at, "one way of matching", "several or none");
        auto const& [how, operand] = *(*o)->begin();
        auto const here = at.member(how);
        auto const any = "any " + key;
        if (how == "value") {
            if (auto const one = scalar(operand, here); !one) return one.error();
            if (operand.type() == value::kind::real)
                return wrong(here, "a whole number, a text, true or false", "another number");
            return test(any, "=", operand);
        }
        if (how == "any" || how == "except") {
            auto const list = scalars(operand, here);
            if (!list) return list.error();
            if ((*list)->empty())
                return how == "any" ? expression::never() : test(any, "is not null");
            auto const type = (**list)[0].type();
            for (auto const& one : **list)
                if (one.type() != type || (!is_text(one) && type != value::kind::integer))
                    return wrong(here, "texts or whole numbers alone", "other values");
            return test(any, how == "any" ? "in" : "not in", foreign_list(**list));
        }
        if (!is_text(operand)) return wrong(here, "a text", named(operand));
        if (how == "prefix") return test(any, "starts_with", operand);
        if (how != "text" && how != "phrase" && how != "text_any")
            return wrong(here, "value, any, except, text, text_any, phrase or prefix",
                         shorter(how));
        if (!options_.plain_text)
            return refused(here,
                           "no words, which Qdrant finds by a full-text index (without one "
                           "it finds a part of a text: promise plain_text)",
                           how);
        if (how != "text_any") return test(any, "contains", operand);
        return any_word(any, *operand.get_if<std::string>(), here);
    }

    /// The words of a text, each a part of the field's.
    [[nodiscard]] static result<foreign_expression>
    any_word(std::string const& any, std::string_view words, place const& at) {
        if (std::any_of(words.begin(), words.end(),
                        [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
            return refused(at, "words of ASCII, whose blanks are known here", "others");
        constexpr std::string_view blanks = " \t\n\v\f\r";
        std::vector<expression> parts;
        for (;;) {
            auto const first = words.find_first_not_of(blanks);
            if (first == std::string_view::npos) return expression::any(parts);
            words.remove_prefix(first);
            auto const size = (std::min)(words.find_first_of(blanks), words.size());
            parts.push_back(test(any, "contains", value(std::string(words.substr(0, size)))));
            words.remove_prefix(size);
        }
    }

    [[nodiscard]] result<foreign_expression> range(std::string const& key, value const& v,
                                                   place const& at) const {
        auto const o = object(v, at);
        if (!o) return o.error();
        std::vector<std::pair<std::string_view, value const*>> bounds;
        for (auto const& [name, bound] : **o) {
            auto const here = at.member(name);
            if (bound.is_null()) continue;
            if (name != "gt" && name != "gte" && name != "lt" && name != "lte")
                return wrong(here, "gt, gte, lt or lte", shorter(name));
            VICINAL_CHECK(check_bound(bound, here));
            if (!bounds.empty() && is_text(bound) != is_text(*bounds[0].second))
                return wrong(here, "bounds of one kind", "a date and a number");
            bounds.emplace_back(name, &bound);
        }
        if (bounds.empty()) return wrong(at, "gt, gte, lt or lte", "none of them");
        auto const any = "any " + key;
        if (bounds.size() == 1) {
            auto const& [name, bound] = bounds[0];
            return test(any,
                        name == "gt"    ? ">"
                        : name == "gte" ? ">="
                        : name == "lt"  ? "<"
                                        : "<=",
                        *bound);
        }
        if (!is_text(*bounds[0].second)) return within(any, bounds);
        if (bounds.size() == 2 && bounds[0].first == "gte" && bounds[1].first == "lte")
            return test(any, "between",
                        foreign_literal(*bounds[0].second) + " and " +
                            foreign_literal(*bounds[1].second));
        return refused(at, "gte and lte of dates, as one date of an array must be within both",
                       "other bounds");
    }

    [[nodiscard]] result<void> check_bound(value const& bound, place const& at) const {
        if (is_number(bound)) return exact_in_double(bound, at);
        if (!is_text(bound)) return wrong(at, "a number or a date", named(bound));
        if (!options_.utc_dates)
            return refused(at,
                           "no dates, which are texts here (promise utc_dates where all are "
                           "written as 2024-01-31T12:00:00Z)",
                           "a date");
        if (!is_utc_date(*bound.get_if<std::string>()))
            return refused(at, "a date written as 2024-01-31T12:00:00Z",
                           shorter(*bound.get_if<std::string>()));
        return {};
    }

    /// One element must be within all bounds, so they become those of one `between`: an open bound
    /// is the next double, between which and it there is no number of either kind.
    [[nodiscard]] static foreign_expression
    within(std::string const& any,
           std::vector<std::pair<std::string_view, value const*>> const& bounds) {
        constexpr auto infinity = std::numeric_limits<double>::infinity();
        double low = -infinity;
        double high = infinity;
        for (auto const& [name, bound] : bounds) {
            auto const* whole = bound->get_if<std::int64_t>();
            auto const x = whole ? static_cast<double>(*whole) : *bound->get_if<double>();
            if (name == "gte") low = (std::max)(low, x);
            if (name == "gt") low = (std::max)(low, std::nextafter(x, infinity));
            if (name == "lte") high = (std::min)(high, x);
            if (name == "lt") high = (std::min)(high, std::nextafter(x, -infinity));
        }
        if (low > high) return expression::never();
        if (high == infinity) return test(any, ">=", number_of(low));
        if (low == -infinity) return test(any, "<=", number_of(high));
        return test(any, "between",
                    foreign_literal(number_of(low)) + " and " + foreign_literal(number_of(high)));
    }

    /// An integer where it is one, as people write it. All are below 2^53.
    [[nodiscard]] static value number_of(double x) {
        auto const whole = static_cast<std::int64_t>(x);
        if (static_cast<double>(whole) == x) return whole;
        return x;
    }

    /// A count has no comparison of ours, but whether there is any element has.
    [[nodiscard]] static result<foreign_expression> values_count(std::string const& key,
                                                                 value const& v, place const& at) {
        auto const o = object(v, at);
        if (!o) return o.error();
        std::vector<std::pair<std::string_view, std::int64_t>> bounds;
        for (auto const& [name, bound] : **o) {
            auto const here = at.member(name);
            if (bound.is_null()) continue;
            if (name != "gt" && name != "gte" && name != "lt" && name != "lte")
                return wrong(here, "gt, gte, lt or lte", shorter(name));
            auto const* count = bound.get_if<std::int64_t>();
            if (!count || *count < 0) return wrong(here, "a whole number from 0 on", named(bound));
            bounds.emplace_back(name, *count);
        }
        if (bounds.empty()) return wrong(at, "gt, gte, lt or lte", "none of them");
        auto const accepted = [&](std::int64_t n) {
            return std::all_of(bounds.begin(), bounds.end(), [n](auto const& b) {
                return b.first == "gt"    ? n > b.second
                       : b.first == "gte" ? n >= b.second
                       : b.first == "lt"  ? n < b.second
                                          : n <= b.second;
            });
        };
        bool const none = accepted(0);
        bool const one = accepted(1);
        for (auto const& [name, bound] : bounds)
            for (auto const n : {bound, bound < INT64_MAX ? bound + 1 : bound})
                if (n > 1 && accepted(n) != one)
                    return refused(at, "no values_count but of none or any, as filters don't count",
                                   std::string(name) + " " + std::to_string(bound));
        if (none == one) return one ? expression::always() : expression::never();
        return none ? empty_or_missing(key) : empty_or_missing(key).opposite();
    }

    backend::foreign_filter_options const& options_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

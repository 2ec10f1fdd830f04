// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_QDRANT_BOUNDS_HPP
#define VICINAL_MIGRATE_FILTERS_QDRANT_BOUNDS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/filters/literals.hpp>
#include <vicinal/migrate/filters/options.hpp>
#include <vicinal/migrate/filters/reading.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Qdrant's {"gt": ..., "gte": ..., "lt": ..., "lte": ...}, of a field's elements or of their
/// count.
class qdrant_bounds : foreign_reading {
public:
    explicit qdrant_bounds(backend::foreign_filter_options const& options) : options_(options) {}

    /// One element of `key` is within all bounds.
    [[nodiscard]] result<foreign_expression> range(std::string const& key, value const& v,
                                                   place const& at) const {
        auto const read = bounds(v, at);
        VICINAL_CHECK(read);
        for (auto const& [name, bound] : *read) {
            VICINAL_CHECK(check_bound(*bound, at.member(name)));
            if (is_text(*bound) != is_text(*(*read)[0].second))
                return wrong(at.member(name), "bounds of one kind", "a date and a number");
        }
        auto const any = "any " + key;
        auto const& [name, first] = (*read)[0];
        if (read->size() == 1)
            return test(any,
                        name == "gt"    ? ">"
                        : name == "gte" ? ">="
                        : name == "lt"  ? "<"
                                        : "<=",
                        *first);
        if (!is_text(*first)) return within(any, *read);
        auto const& [other, second] = (*read)[1];
        if (read->size() == 2 && name == "gte" && other == "lte")
            return between(any, *first, *second);
        return refused(at, "gte and lte of dates, as one date of an array must be within both",
                       "other bounds");
    }

    /// How many elements `key` has: that is no comparison of ours, but whether there is any is.
    [[nodiscard]] result<foreign_expression> count(std::string const& key, value const& v,
                                                   place const& at) const {
        auto const read = bounds(v, at);
        VICINAL_CHECK(read);
        for (auto const& [name, bound] : *read)
            if (auto const* n = bound->get_if<std::int64_t>(); !n || *n < 0)
                return wrong(at.member(name), "a whole number from 0 on", named(*bound));
        auto const accepted = [&](std::int64_t n) {
            return std::all_of(read->begin(), read->end(), [n](auto const& b) {
                auto const bound = *b.second->template get_if<std::int64_t>();
                return b.first == "gt"    ? n > bound
                       : b.first == "gte" ? n >= bound
                       : b.first == "lt"  ? n < bound
                                          : n <= bound;
            });
        };
        bool const none = accepted(0);
        bool const one = accepted(1);
        for (auto const& b : *read) {
            auto const bound = *b.second->get_if<std::int64_t>();
            for (auto const n : {bound, bound < INT64_MAX ? bound + 1 : bound})
                if (n > 1 && accepted(n) != one)
                    return refused(at, "no values_count but of none or any, as filters don't count",
                                   std::string(b.first) + " " + std::to_string(bound));
        }
        if (none == one) return one ? expression::always() : expression::never();
        return none ? empty_or_missing(key) : empty_or_missing(key).opposite();
    }

private:
    using named_bounds = std::vector<std::pair<std::string_view, value const*>>;

    /// At least one, none of them null.
    [[nodiscard]] static result<named_bounds> bounds(value const& v, place const& at) {
        auto const o = object(v, at);
        VICINAL_CHECK(o);
        named_bounds found;
        for (auto const& [name, bound] : **o) {
            if (bound.is_null()) continue;
            if (name != "gt" && name != "gte" && name != "lt" && name != "lte")
                return wrong(at.member(name), "gt, gte, lt or lte", shorter(name));
            found.emplace_back(name, &bound);
        }
        if (found.empty()) return wrong(at, "gt, gte, lt or lte", "none of them");
        return found;
    }

    [[nodiscard]] result<void> check_bound(value const& bound, place const& at) const {
        if (is_number(bound)) return check_exact(bound, at);
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

    [[nodiscard]] static foreign_expression between(std::string const& any, value const& low,
                                                    value const& high) {
        return test(any, "between", foreign_literal(low) + " and " + foreign_literal(high));
    }

    /// One element must be within all bounds, so they become those of one `between`: an open bound
    /// is the next double, between which and it there is no number of either kind.
    [[nodiscard]] static foreign_expression within(std::string const& any,
                                                   named_bounds const& all) {
        constexpr auto infinity = std::numeric_limits<double>::infinity();
        double low = -infinity;
        double high = infinity;
        for (auto const& [name, bound] : all) {
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
        return between(any, number_of(low), number_of(high));
    }

    /// An integer where it is one, as people write it. All are below 2^53.
    [[nodiscard]] static value number_of(double x) {
        auto const whole = static_cast<std::int64_t>(x);
        if (static_cast<double>(whole) == x) return whole;
        return x;
    }

    backend::foreign_filter_options const& options_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

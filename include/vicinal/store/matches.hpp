// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_MATCHES_HPP
#define VICINAL_STORE_MATCHES_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/store/filter_cache.hpp>
#include <vicinal/store/match_finder.hpp>
#include <vicinal/store/trace.hpp>
#include <vicinal/store/where.hpp>

#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail {

/// The filter of a call that is no search. Errors: invalid_filter, unsupported (a filter on a
/// payload that has no fields).
template <class Payload>
[[nodiscard]] result<filter> read_condition(std::string const& where) {
    search_options o;
    o.where = where;
    return read_where<Payload>(o);
}

/// Refuses to look for a field in payloads that have none; no name is no field.
template <class Payload>
[[nodiscard]] result<void> check_field(std::string_view field) {
    if (Payload::filterable || field.empty()) return {};
    return error{errc::unsupported, "a payload with fields, such as '" + std::string(field) + "'",
                 "payload::" + std::string(Payload::name)};
}

/// Calls visit(slot) for each live slot that a filter matches, in ascending order: what every call
/// that is no search goes through. `text` is the filter as it came, by which it is remembered.
///
/// Cost: finding the matches, by field indexes or by an evaluation for each row that the filter was
/// not asked of yet; then a look at each match.
template <class Rows, class Visit>
void each_match(Rows const& rows, filter const& where, std::string const& text,
                filter_cache& filters, Visit const& visit) {
    if (where.empty()) {
        for (slot s = 0; s < rows.count(); ++s)
            if (rows.live(s)) visit(s);
        return;
    }
    match_finder matches(rows, where, text, filters, untold);
    auto found = matches.recall().found;
    if (!found) found = matches.find(matches.prices());
    found->each([&](slot s) {
        if (rows.live(s)) visit(s);
    });
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

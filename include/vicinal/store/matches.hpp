// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_MATCHES_HPP
#define VICINAL_STORE_MATCHES_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/store/filter_cache.hpp>
#include <vicinal/store/where.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
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
/// Cost: an evaluation for each row that the filter was not asked of yet, then a bit a row.
template <class Rows, class Visit>
void each_match(Rows const& rows, filter const& where, std::string const& text,
                filter_cache& filters, Visit const& visit) {
    auto const live = rows.live_slots();
    auto const matching = where.empty() ? nullptr : filters.matching(text, where, rows, true);
    for (slot first = 0; first < rows.count();
         first += (std::min)(slot{64}, rows.count() - first)) {
        auto bits = matching ? matching->words[first / 64] : ~std::uint64_t{0};
        if (bits != 0) bits &= live.word(first);
        for (; bits != 0; bits &= bits - 1)
            visit(first + static_cast<slot>(std::countr_zero(bits)));
    }
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

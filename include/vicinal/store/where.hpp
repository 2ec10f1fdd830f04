// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_WHERE_HPP
#define VICINAL_STORE_WHERE_HPP

#include <vicinal/payload/filter.hpp>
#include <vicinal/store/options.hpp>

#include <string>

namespace vicinal::inline VICINAL_ABI::detail {

/// The filter of a search whose options are sound. Errors: invalid_argument, invalid_filter,
/// unsupported (a filter on a payload that has no fields).
template <class Payload>
[[nodiscard]] result<filter> read_where(search_options const& o) {
    if (!(o.recall >= 0 && o.recall <= 1))
        return error{errc::invalid_argument, "a recall from 0 to 1", std::to_string(o.recall)};
    if (o.max_distance != o.max_distance)
        return error{errc::invalid_argument, "a number as max_distance", "NaN"};
    auto where = filter::parse(o.where);
    VICINAL_CHECK(where);
    if (!Payload::filterable && !where->empty())
        return error{errc::unsupported, "a payload with fields to filter by",
                     "payload::" + std::string(Payload::name)};
    return where;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

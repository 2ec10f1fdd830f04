// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_FIELD_CHECK_HPP
#define VICINAL_STORE_FIELD_CHECK_HPP

#include <vicinal/core/problems.hpp>
#include <vicinal/store/field_upkeep.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>

namespace vicinal::inline VICINAL_ABI::detail {

/// Compares each index on a field with the payloads: both as one segment must be the same bytes
/// behind the header, whose counts may be too large. Takes memory for both.
template <class Rows>
void verify_fields(Rows const& rows, problem_list& report) {
    if constexpr (Rows::fields_type::possible) {
        auto const& fields = rows.fields();
        auto const changed = changed_slots(rows);
        for (auto const& f : fields.list()) {
            auto const one = [&](std::span<field_part const> parts) {
                auto const views = views_of(parts, fields.parts());
                return payload::detail::merge_segments(
                    f.kind, 0, f.end(), std::span(views), [&](std::size_t, slot s) {
                        return std::binary_search(changed.begin(), changed.end(), s) ? no_slot : s;
                    });
            };
            field_parts fresh;
            build_parts(
                f, 0, f.end(), [&rows](slot s) { return rows.payload(s); }, fresh);
            auto const expected = one(fresh);
            auto const found = one(f.parts);
            auto const header = payload::detail::segment_layout::header_bytes / 8;
            if (!std::equal(expected->begin() + header, expected->end(), found->begin() + header,
                            found->end()))
                report.add("the " + std::string(name_of(f.kind)) + " index on " + f.path.shown() +
                           " does not hold what the payloads do");
        }
    }
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_VERIFICATION_HPP
#define VICINAL_STORE_VERIFICATION_HPP

#include <vicinal/core/problems.hpp>
#include <vicinal/store/field_check.hpp>
#include <vicinal/store/ids.hpp>
#include <vicinal/store/vector_check.hpp>

#include <cstddef>
#include <string>

namespace vicinal::inline VICINAL_ABI {

/// What a store found when it looked at all that it has.
struct verify_report : problem_list {
    /// Live records that were read.
    std::size_t records = 0;
    /// Rows that the index covers, and rows in use.
    std::size_t indexed_rows = 0;
    std::size_t rows = 0;
};

namespace detail {

/// Compares a durable store's files with their checksums. Damage goes into the report; an error is
/// what kept it from being looked for.
template <class Space>
[[nodiscard]] result<void> verify_files(Space const& space, verify_report& report) {
    auto const files = space.verify();
    if (files) return {};
    auto const code = files.error().code();
    if (code != errc::corrupt_snapshot && code != errc::corrupt_log) return files.error();
    report.add(files.error().message());
    return {};
}

/// Looks at every live record of the rows, and at the way that the index has to it.
///
/// Found are: an id that is none or does not lead back to its record, a vector that the metric
/// refuses, a payload that does not decode, a record that no walk of the index comes to, an index
/// on a field that says other than the payloads.
template <class Metric, class Payload, class Id, class Rows, class Index>
void verify_rows(Rows const& rows, Index const& index, std::size_t dim, verify_report& report) {
    using traits = id_traits<Id>;
    using element = metric::element_of<Metric>;
    auto const name = [&rows](slot s) {
        return "record '" + traits::text(rows.id(s)) + "' (row " + std::to_string(s) + ")";
    };
    auto const vectors = rows.vectors().reader();
    for (slot s = 0; s < rows.count(); ++s) {
        if (!rows.live(s)) continue;
        ++report.records;
        if (auto const id = traits::check(rows.id(s)); !id)
            report.add(name(s) + ": " + id.error().message());
        else if (auto const found = rows.find(rows.id(s)); found != s)
            report.add(name(s) + ": its id leads to " +
                       (found == no_slot ? "no row" : "row " + std::to_string(found)));
        vector_view<element> const vector(vectors.template row_as<element>(s), dim);
        if (auto const good = check_vector<Metric>(vector, dim, [] { return "its vector"; }); !good)
            report.add(name(s) + ": " + good.error().message());
        if (auto const payload = Payload::decode(rows.payload(s)); !payload)
            report.add(name(s) + ": " + payload.error().message());
    }
    verify_fields(rows, report);
    report.rows = rows.count();
    report.indexed_rows = index.covered();
    if (index.covered() > rows.count())
        report.add("the index covers " + std::to_string(index.covered()) + " rows of " +
                   std::to_string(rows.count()));
    else if constexpr (requires { index.unreachable([](slot) { return true; }); })
        for (auto const s : index.unreachable([&rows](slot r) { return rows.live(r); }))
            report.add(name(s) + ": no walk of the index comes to it");
}

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI

#endif

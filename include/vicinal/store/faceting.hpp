// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_FACETING_HPP
#define VICINAL_STORE_FACETING_HPP

#include <vicinal/store/field_keys.hpp>
#include <vicinal/store/matches.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// Which values of a field are counted.
struct facet_options {
    /// A filter (docs/filters.md); empty counts all records.
    std::string where = {};
    /// The most values that are given.
    std::size_t limit = 10;
};

/// A value of a field, and how many records have it.
struct facet {
    vicinal::value value;
    std::size_t count = 0;

    friend bool operator==(facet const&, facet const&) = default;
};

namespace detail {

/// The most frequent values; runs inside the reader's section. From an index on the field where
/// that knows all rows and none is dead, else by the payload of each match.
template <class Rows>
[[nodiscard]] std::vector<facet> count_facets(Rows const& rows, std::string_view field,
                                              filter const& where, facet_options const& o,
                                              filter_cache& filters) {
    map_by_key<std::size_t> counts;
    auto const add = [&](index_key const& key, std::size_t n) {
        auto const at = counts.find(key);
        if (at != counts.end())
            at->second += n;
        else
            counts.emplace(owned_key(key), n);
    };
    bool const indexed =
        where.empty() && rows.live_count() == rows.count() && rows.changed().empty() &&
        rows.fields().covered() == rows.count() &&
        rows.fields().values(field, [&](payload::value_view const& v, std::size_t n) {
            if (auto const key = payload::detail::key_of(v)) add(*key, n);
        });
    std::vector<index_key> scratch;
    if (!indexed)
        each_match(rows, where, o.where, filters, [&](slot s) {
            auto const encoded = rows.payload(s);
            each_key_of_field(encoded, field, scratch, [&](index_key const& k) { add(k, 1); });
        });
    using entry = map_by_key<std::size_t>::const_iterator;
    std::vector<entry> order;
    order.reserve(counts.size());
    for (auto at = counts.cbegin(); at != counts.cend(); ++at) order.push_back(at);
    // They are in the order of their values already.
    std::stable_sort(order.begin(), order.end(),
                     [](entry const& a, entry const& b) { return a->second > b->second; });
    order.resize((std::min)(order.size(), o.limit));
    std::vector<facet> facets;
    facets.reserve(order.size());
    for (auto const& at : order) facets.push_back({value_of(at->first.view()), at->second});
    return facets;
}

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI

#endif

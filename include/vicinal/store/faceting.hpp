// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_FACETING_HPP
#define VICINAL_STORE_FACETING_HPP

#include <vicinal/store/field_keys.hpp>
#include <vicinal/store/matches.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
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

/// Calls f(slot) for each dead one below `end`.
template <class Rows, class F>
void each_dead(Rows const& rows, slot end, F const& f) {
    if (rows.live_count() == rows.count()) return;
    auto const live = rows.live_slots();
    for (slot first = 0; first < end; first += 64) {
        auto dead = ~live.word(first);
        if (end - first < 64) dead &= (std::uint64_t{1} << (end - first)) - 1;
        for (; dead != 0; dead &= dead - 1) f(first + static_cast<slot>(std::countr_zero(dead)));
    }
}

/// The most frequent values; runs inside the reader's section. From an index on the field where no
/// payload has changed since it took it in, with a look at each row that is dead or not in it yet;
/// else by the payload of each match.
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
    std::vector<index_key> scratch;
    auto const each_key = [&](slot s, auto const& f) {
        auto const encoded = rows.payload(s);
        each_key_of_field(encoded, field, scratch, f);
    };
    auto const count_slot = [&](slot s) { each_key(s, [&](index_key const& k) { add(k, 1); }); };
    bool const indexed =
        where.empty() && rows.changed().empty() &&
        rows.fields().values(field, [&](payload::value_view const& v, std::size_t n) {
            if (auto const key = payload::detail::key_of(v)) add(*key, n);
        });
    if (!indexed) {
        each_match(rows, where, o.where, filters, count_slot);
    } else {
        each_dead(rows, rows.fields().covered(), [&](slot s) {
            each_key(s, [&](index_key const& k) {
                auto const at = counts.find(k);
                if (at != counts.end() && --at->second == 0) counts.erase(at);
            });
        });
        for (auto s = rows.fields().covered(); s < rows.count(); ++s)
            if (rows.live(s)) count_slot(s);
    }
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

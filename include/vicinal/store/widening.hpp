// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_WIDENING_HPP
#define VICINAL_STORE_WIDENING_HPP

#include <vicinal/index/neighbour.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/store/matches.hpp>
#include <vicinal/store/query.hpp>
#include <vicinal/store/search_call.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// Searches of which nobody knows beforehand how many hits they take: a search is asked for more
/// and more of them, and where they come to a share of the store, every match is looked at once.
/// Lives inside one reader's section, so that all its searches see the same rows.
template <class Metric, class Rows, class Index>
class widening {
public:
    using element = metric::element_of<Metric>;

    explicit widening(search_call<Rows, Index> const& call) noexcept : call_(call) {}

    /// As a search of the store with that k.
    [[nodiscard]] result<index::neighbours> nearest(element const* vector, std::size_t k) const {
        auto o = call_.options;
        o.k = k;
        return nearest_to<Metric>(call_.with(o), vector);
    }

    /// Every match up to max_distance, nearest first, ties by id. A distance for each match.
    [[nodiscard]] index::neighbours all(element const* vector) const {
        index::neighbours found;
        auto const distance = metric::bind_exact<Metric>(vector, call_.dim);
        auto const vectors = call_.rows.vectors().reader();
        each_match(call_.rows, call_.where, call_.options.where, call_.filters, [&](slot s) {
            float const d = distance(vectors.template row_as<element>(s));
            if (static_cast<double>(d) <= call_.options.max_distance) found.push_back({d, s});
        });
        sort(found);
        return found;
    }

    /// The shortest beginning of all(vector) for which enough(neighbours) holds, or a longer one,
    /// as `recall` has it; all of it where it never does. `first` is how many it looks for at
    /// first. Cost: that of a search for four times as many as it takes, or of all().
    template <class Enough>
    [[nodiscard]] result<index::neighbours> until(element const* vector, std::size_t first,
                                                  Enough const& enough) const {
        if (!call_.options.exact)
            for (auto k = first; k < call_.rows.live_count() / 8; k *= 4) {
                auto found = nearest(vector, k);
                VICINAL_CHECK(found);
                if (found->size() < k || enough(*found)) return found;
            }
        return all(vector);
    }

    void sort(index::neighbours& list) const {
        std::sort(list.begin(), list.end(), [this](auto const& a, auto const& b) {
            return a.distance < b.distance ||
                   (a.distance == b.distance && call_.by_id()(a.row, b.row));
        });
    }

private:
    search_call<Rows, Index> call_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

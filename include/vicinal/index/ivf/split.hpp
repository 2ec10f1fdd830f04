// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_SPLIT_HPP
#define VICINAL_INDEX_IVF_SPLIT_HPP

#include <vicinal/index/ivf/lists.hpp>
#include <vicinal/index/ivf/vectors.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// Splits lists that have grown too large.
template <class Vectors, class Storage>
class splitting {
public:
    /// All must outlive it.
    splitting(columns<Storage> const& lists, Vectors const& vectors) noexcept
        : lists_(lists), vectors_(vectors) {}

    /// Splits each list of more than most_rows(), but only where it has passed a quarter of that
    /// since it had before[list] rows: one of equal rows is so not tried again with each that
    /// comes. Dead rows, for which live(slot) does not hold, are left out of what is split.
    template <class Live, class Filling>
    [[nodiscard]] result<void> where_needed(std::span<std::uint32_t const> before, Live const& live,
                                            Filling& fill) const {
        auto const s = lists_.get();
        auto const most = most_rows(s.rows, s.partitions);
        auto const step = most / 4;
        for (std::uint32_t l = 0; l < s.lists; ++l) {
            auto const rows = lists_.list(l).rows;
            auto const had = l < before.size() ? before[l] : 0;
            if (rows > most && rows / step != had / step) VICINAL_CHECK(one(l, live, fill));
        }
        return {};
    }

private:
    template <class Live, class Filling>
    [[nodiscard]] result<void> one(std::uint32_t l, Live const& live, Filling& fill) const {
        auto const s = lists_.get();
        std::vector<slot> rows;
        auto const slots = lists_.slots().reader();
        lists_.each_block(s, lists_.list(l), [&](std::uint32_t block, std::uint32_t count) {
            auto const* const of = slots.template row_as<slot>(block);
            for (std::uint32_t i = 0; i < count; ++i)
                if (of[i] < vectors_.rows() && live(of[i])) rows.push_back(of[i]);
        });
        // What a crowded list has in equal parts, of the size that lists have on the average.
        auto const parts =
            (std::max)(rows.size() / fair_rows(s.rows, s.partitions), std::size_t{2});
        cluster::kmeans_options o;
        o.seed = s.seed + l;
        auto const centres = vectors_.centres(rows, parts, o);
        VICINAL_CHECK(centres);
        auto const count = static_cast<std::uint32_t>(centres->size() / vectors_.dim());
        if (count < 2) return {};
        std::vector<std::uint32_t> part(rows.size());
        VICINAL_CHECK(vectors_.nearest(rows, centres->data(), count, part.data()));
        VICINAL_CHECK(check_vectors());
        return fill.replace(l, *centres, rows, part);
    }

    columns<Storage> const& lists_;
    Vectors const& vectors_;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

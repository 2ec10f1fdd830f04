// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_NEAREST_LISTS_HPP
#define VICINAL_INDEX_IVF_NEAREST_LISTS_HPP

#include <vicinal/index/ivf/geometry.hpp>
#include <vicinal/index/ivf/lazy_order.hpp>
#include <vicinal/index/neighbour.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/simd/lane_selection.hpp>
#include <vicinal/simd/tile.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// The nearest lists of up to 32 queries at once: their products with all centres are one tiled
/// product, which chooses candidates; the distances of these are computed as for one query, so that
/// lists are ranked alike.
///
/// Of centres in groups too: comparing all of them together takes less than the groups of one query
/// after the other. 512 queries, centres of SIFT descriptors, 128 elements, microseconds a query on
/// one thread of a loaded machine: the 16 nearest of 20,000 lists in 46 in place of 101 (64 in 54
/// in place of 161), of 65,536 in 172 in place of 404; and it misses none, where groups have .98.
template <class Metric>
class nearest_lists {
    using space = geometry<Metric>;

public:
    static constexpr std::size_t width = simd::panel_queries;

    /// centres: `count` of them, one behind the other, which must outlive it.
    nearest_lists(float const* centres, std::size_t count, std::size_t dim)
        : centres_(centres), count_(count), dim_(dim), brought_(width * dim) {
        if constexpr (tiled) {
            panel_.resize(simd::panel_size(dim));
            values_.resize(count * width);
            squares_.resize(count);
            for (std::size_t c = 0; space::euclidean && c < count; ++c)
                squares_[c] = static_cast<float>(
                    simd::exact_dot::get()(centres + c * dim, centres + c * dim, dim));
        }
    }

    /// Calls f(q, lists) for each of up to 32 queries, one behind the other: the `wanted` nearest
    /// lists of the q-th, nearest first. wanted: at most as many as there are.
    template <class F>
    void operator()(float const* queries, std::size_t count, std::size_t wanted, F const& f) {
        for (std::size_t q = 0; q < count; ++q)
            space::bring(queries + q * dim_, dim_, brought_.data() + q * dim_);
        if constexpr (tiled) {
            auto const ends = choose(count, wanted);
            for (std::size_t q = 0; q < count; ++q)
                f(q, sorted(q, std::span(numbers_).subspan(ends[q].first, ends[q].second), wanted));
        } else {
            for (std::size_t q = 0; q < count; ++q) {
                std::vector<float> all(count_);
                space::distances(brought_.data() + q * dim_, centres_, count_, dim_, all.data());
                lazy_order order(std::move(all), wanted);
                near_.clear();
                while (near_.size() < wanted) near_.push_back(order.next());
                f(q, std::span<neighbour const>(near_));
            }
        }
    }

private:
    static constexpr bool tiled = space::euclidean || space::product;

    /// Candidates of each query: where they begin in numbers_, and how many they are. Some more
    /// than are wanted, as products are rounded.
    [[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> choose(std::size_t queries,
                                                                          std::size_t wanted) {
        simd::make_panel(brought_.data(), dim_, queries, dim_, panel_.data());
        simd::tile_product::get()(panel_.data(), centres_, dim_, count_, dim_, values_.data());
        simd::lane_distances::get()(squares_.data(), space::product ? -1.0F : -2.0F, count_,
                                    values_.data());
        auto const least = static_cast<std::uint32_t>((std::min)(wanted + wanted / 8 + 4, count_));
        float bounds[width];
        std::uint32_t counts[width];
        simd::lane_bounds::get()(values_.data(), count_, least, least + least / 4 + 4, bounds,
                                 counts);
        std::vector<std::pair<std::size_t, std::size_t>> ends(width);
        std::uint32_t at[width];
        std::uint32_t all = 0;
        for (std::size_t q = 0; q < width; ++q) {
            ends[q] = {all, counts[q]};
            at[q] = all;
            all += counts[q];
        }
        numbers_.resize(all);
        simd::lane_lists::get()(values_.data(), count_, bounds, at, numbers_.data());
        return ends;
    }
    [[nodiscard]] std::span<neighbour const>
    sorted(std::size_t q, std::span<std::uint32_t const> numbers, std::size_t wanted) {
        distances_.resize(numbers.size());
        space::distances(brought_.data() + q * dim_, centres_, numbers, dim_, distances_.data());
        near_.clear();
        for (std::size_t i = 0; i < numbers.size(); ++i)
            near_.push_back({distances_[i], numbers[i]});
        std::sort(near_.begin(), near_.end());
        return std::span<neighbour const>(near_).first(wanted);
    }

    float const* centres_;
    std::size_t count_;
    std::size_t dim_;
    std::vector<float> brought_;
    std::vector<float> panel_;
    std::vector<float> squares_;
    /// What ranks the centres, but for what is the query's alone: 32 queries of a centre together.
    std::vector<float> values_;
    std::vector<std::uint32_t> numbers_;
    std::vector<float> distances_;
    neighbours near_;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

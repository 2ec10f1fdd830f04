// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_LANE_SELECTION_HPP
#define VICINAL_SIMD_LANE_SELECTION_HPP

#include <vicinal/simd/selection.hpp>
#include <vicinal/simd/tile.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

/// Choosing the least numbers of each of 32 columns at once, as a tiled product leaves them: rows
/// of 32, a lane a query. So nothing is turned from rows of queries to queries of rows.
namespace vicinal::inline VICINAL_ABI::simd {

namespace detail {
inline namespace VICINAL_BASELINE {

/// What halving knows of 16 columns: bounds that are too low, and that are high enough.
struct lane_range {
    pack<float, 16> low, high, bound;
    pack<std::uint32_t, 16> count;

    VICINAL_ALWAYS_INLINE void begin() noexcept {
        low.fill(std::numeric_limits<float>::infinity());
        high.fill(-std::numeric_limits<float>::infinity());
    }
    VICINAL_ALWAYS_INLINE void widen(pack<float, 16> const& x) noexcept {
        low.lanes = x.lanes < low.lanes ? x.lanes : low.lanes;
        high.lanes = x.lanes > high.lanes ? x.lanes : high.lanes;
    }
    VICINAL_ALWAYS_INLINE void halve() noexcept {
        bound.lanes = low.lanes + (high.lanes - low.lanes) * 0.5F;
    }
    VICINAL_ALWAYS_INLINE void add(pack<float, 16> const& x) noexcept {
        pack<std::uint32_t, 16> one;
        one.set_bits(x.lanes <= bound.lanes);
        count.subtract(one);
    }
    /// Takes what was counted into account; whether every column has its bound.
    [[nodiscard]] VICINAL_ALWAYS_INLINE bool settle(std::uint32_t least,
                                                    std::uint32_t most) noexcept {
        pack<std::uint32_t, 16> few, many;
        few.set_bits(count.lanes < least);
        many.set_bits(count.lanes > most);
        low.lanes = few.lanes != 0U ? bound.lanes : low.lanes;
        high.lanes = few.lanes != 0U ? high.lanes : bound.lanes;
        // Found: both ends are where they meet, so that it stays.
        auto const found = (few.lanes | many.lanes) == 0U;
        low.lanes = found ? bound.lanes : low.lanes;
        few.lanes |= many.lanes;
        few.lanes &= 1U;
        return few.sum() == 0;
    }
};

struct lane_distances_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float const* add, float by, std::size_t rows,
                                          float* values) noexcept {
        constexpr auto infinity = std::numeric_limits<float>::infinity();
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t j = 0; j < panel_queries; j += 16) {
                auto* const at = values + r * panel_queries + j;
                pack<float, 16> x, far;
                far.fill(infinity);
                x.load(at);
                x.lanes = x.lanes * by + add[r];
                x.lanes = x.lanes == x.lanes ? x.lanes : far.lanes;
                x.store(at);
            }
    }
};

struct lane_bounds_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float const* values, std::size_t rows,
                                          std::uint32_t least, std::uint32_t most, float* bounds,
                                          std::uint32_t* counts) noexcept {
        lane_range left, right;
        left.begin();
        right.begin();
        for (std::size_t r = 0; r < rows; ++r) {
            pack<float, 16> x;
            x.load(values + r * panel_queries);
            left.widen(x);
            x.load(values + r * panel_queries + 16);
            right.widen(x);
        }
        for (int tries = 0; tries < bound_between_body::most_tries; ++tries) {
            left.halve();
            right.halve();
            count<Set>(values, rows, left, right);
            bool const one = left.settle(least, most);
            bool const other = right.settle(least, most);
            if (one && other) break;
        }
        // Where no bound has so few at or below it, the least that has enough.
        left.bound.lanes = left.high.lanes;
        right.bound.lanes = right.high.lanes;
        count<Set>(values, rows, left, right);
        left.bound.store(bounds);
        right.bound.store(bounds + 16);
        left.count.store(counts);
        right.count.store(counts + 16);
    }

private:
    template <class Set>
    VICINAL_ALWAYS_INLINE static void count(float const* values, std::size_t rows, lane_range& left,
                                            lane_range& right) noexcept {
        left.count.zero();
        right.count.zero();
        for (std::size_t r = 0; r < rows; ++r) {
            pack<float, 16> x;
            x.load(values + r * panel_queries);
            left.add(x);
            x.load(values + r * panel_queries + 16);
            right.add(x);
        }
    }
};

struct lane_lists_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float const* values, std::size_t rows,
                                          float const* bounds, std::uint32_t* at,
                                          std::uint32_t* numbers) noexcept {
        pack<float, 16> left, right, x;
        left.load(bounds);
        right.load(bounds + 16);
        for (std::size_t r = 0; r < rows; ++r) {
            x.load(values + r * panel_queries);
            auto bits = bits_at_most<Set>(x, left);
            x.load(values + r * panel_queries + 16);
            bits |= bits_at_most<Set>(x, right) << 16;
            for (; bits != 0; bits &= bits - 1)
                numbers[at[std::countr_zero(bits)]++] = static_cast<std::uint32_t>(r);
        }
    }
};

} // namespace VICINAL_BASELINE
} // namespace detail

/// `get()(add, by, rows, values)`: each value becomes itself times `by` plus that of its row; what
/// is no number infinity.
using lane_distances =
    kernel<detail::lane_distances_body, void, float const*, float, std::size_t, float*>;

/// `get()(values, rows, least, most, bounds, counts)`: for each column a number that at least
/// `least` of its values are at or below, and no more than `most` but where many are next to equal;
/// how many those are.
using lane_bounds = kernel<detail::lane_bounds_body, void, float const*, std::size_t, std::uint32_t,
                           std::uint32_t, float*, std::uint32_t*>;

/// `get()(values, rows, bounds, at, numbers)`: writes for each column j the rows whose values are
/// at most bounds[j], ascending, from numbers[at[j]] on, and moves at[j] behind them.
using lane_lists = kernel<detail::lane_lists_body, void, float const*, std::size_t, float const*,
                          std::uint32_t*, std::uint32_t*>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

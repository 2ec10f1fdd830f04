// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_SELECTION_HPP
#define VICINAL_SIMD_SELECTION_HPP

#include <vicinal/simd/dispatch.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

/// Choosing the least of many distances, each with a number that goes with it, without a branch to
/// mispredict for each.
///
/// Distances and numbers lie in two arrays, which have room for selection_step more than they hold:
/// what is written there means nothing.
namespace vicinal::inline VICINAL_ABI::simd {

/// Elements that the arrays have room for behind their last.
inline constexpr std::size_t selection_step = 32;

namespace detail {
inline namespace VICINAL_BASELINE {

inline constexpr pack<std::uint32_t, 16> bit_of_lane = {
    {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768}};

/// Whether a set has instructions for it: with fixed flags even registers of 64 bytes come without.
template <class Set>
inline constexpr bool compresses = requires(typename Set::template of<float>& x) {
    Set::compress(x, 0U);
};

/// Writes those of 16 distances and numbers whose bits are set to the front of two arrays: how
/// many.
template <class Set>
VICINAL_ALWAYS_INLINE std::size_t put_some(float const* distances, std::uint32_t const* numbers,
                                           std::uint32_t bits, float* to_distances,
                                           std::uint32_t* to_numbers) noexcept {
    if constexpr (compresses<Set>) {
        typename Set::template of<float> d;
        typename Set::template of<std::uint32_t> n;
        d.load(distances);
        n.load(numbers);
        Set::compress(d, bits);
        Set::compress(n, bits);
        d.store(to_distances);
        n.store(to_numbers);
        return static_cast<std::size_t>(std::popcount(bits));
    } else {
        std::size_t count = 0;
        for (; bits != 0; bits &= bits - 1) {
            auto const i = static_cast<std::size_t>(std::countr_zero(bits));
            to_distances[count] = distances[i];
            to_numbers[count++] = numbers[i];
        }
        return count;
    }
}

/// As bits, which of 16 distances are at most `bound`, one for all or one for each.
template <class Set>
VICINAL_ALWAYS_INLINE std::uint32_t bits_at_most(pack<float, 16> const& distances,
                                                 pack<float, 16> const& bound) noexcept {
    if constexpr (compresses<Set>) {
        return Set::at_most(distances, bound);
    } else {
        pack<std::uint32_t, 16> within;
        within.set_bits(distances.lanes <= bound.lanes);
        within.lanes &= bit_of_lane.lanes;
        return within.sum();
    }
}

struct append_below_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static std::size_t
    run(float const* distances, std::uint32_t const* numbers, std::uint32_t bits, std::uint32_t end,
        float* to_distances, std::uint32_t* to_numbers) noexcept {
        std::size_t count = 0;
        for (std::size_t i = 0; i < 32; i += 16, bits >>= 16) {
            pack<std::uint32_t, 16> all, within;
            all.load(numbers + i);
            within.set_bits(all.lanes < end);
            within.lanes &= bit_of_lane.lanes;
            count += put_some<Set>(distances + i, numbers + i, bits & within.sum(),
                                   to_distances + count, to_numbers + count);
        }
        return count;
    }
};

struct count_at_most_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static std::size_t run(float const* distances, std::size_t count,
                                                 float bound) noexcept {
        pack<std::uint32_t, 16> near, one;
        near.zero();
        std::size_t i = 0;
        for (; i + 16 <= count; i += 16) {
            pack<float, 16> d;
            d.load(distances + i);
            one.set_bits(d.lanes <= bound);
            near.subtract(one);
        }
        std::size_t all = near.sum();
        for (; i < count; ++i) all += distances[i] <= bound ? 1U : 0U;
        return all;
    }
};

struct bound_between_body {
    /// Halvings: of distances that lie about evenly each finds one more bit of the bound.
    static constexpr int most_tries = 12;

    template <class Set>
    VICINAL_ALWAYS_INLINE static float run(float const* distances, std::size_t count,
                                           std::size_t least, std::size_t most) noexcept {
        float low, high;
        ends(distances, count, low, high);
        for (int tries = 0; tries < most_tries; ++tries) {
            float const middle = low + (high - low) / 2;
            auto const near = count_at_most_body::run<Set>(distances, count, middle);
            if (near < least)
                low = middle;
            else if (near > most)
                high = middle;
            else
                return middle;
        }
        return std::numeric_limits<float>::quiet_NaN();
    }

private:
    VICINAL_ALWAYS_INLINE static void ends(float const* distances, std::size_t count, float& low,
                                           float& high) noexcept {
        pack<float, 16> least, most;
        least.fill(std::numeric_limits<float>::infinity());
        most.fill(-std::numeric_limits<float>::infinity());
        std::size_t i = 0;
        for (; i + 16 <= count; i += 16) {
            pack<float, 16> d;
            d.load(distances + i);
            least.lanes = d.lanes < least.lanes ? d.lanes : least.lanes;
            most.lanes = d.lanes > most.lanes ? d.lanes : most.lanes;
        }
        float all[2][16];
        least.store(all[0]);
        most.store(all[1]);
        low = all[0][0];
        high = all[1][0];
        for (std::size_t j = 1; j < 16; ++j) {
            low = all[0][j] < low ? all[0][j] : low;
            high = all[1][j] > high ? all[1][j] : high;
        }
        for (; i < count; ++i) {
            low = distances[i] < low ? distances[i] : low;
            high = distances[i] > high ? distances[i] : high;
        }
    }
};

struct keep_at_most_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static std::size_t run(float* distances, std::uint32_t* numbers,
                                                 std::size_t count, float bound) noexcept {
        std::size_t kept = 0;
        std::size_t i = 0;
        if constexpr (compresses<Set>)
            for (; i + 16 <= count; i += 16) {
                pack<float, 16> d, all;
                d.load(distances + i);
                all.fill(bound);
                kept += put_some<Set>(distances + i, numbers + i, bits_at_most<Set>(d, all),
                                      distances + kept, numbers + kept);
            }
        for (; i < count; ++i) {
            auto const d = distances[i];
            distances[kept] = d;
            numbers[kept] = numbers[i];
            kept += d <= bound ? 1U : 0U;
        }
        return kept;
    }
};

struct list_at_most_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static std::size_t run(float const* distances, std::size_t count,
                                                 float bound, std::uint32_t* numbers) noexcept {
        pack<float, 16> d, all;
        all.fill(bound);
        std::size_t found = 0;
        std::size_t i = 0;
        for (; i + 16 <= count; i += 16) {
            d.load(distances + i);
            for (auto bits = bits_at_most<Set>(d, all); bits != 0; bits &= bits - 1)
                numbers[found++] = static_cast<std::uint32_t>(i) +
                                   static_cast<std::uint32_t>(std::countr_zero(bits));
        }
        for (; i < count; ++i)
            if (distances[i] <= bound) numbers[found++] = static_cast<std::uint32_t>(i);
        return found;
    }
};

struct ranks_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float const* distances, std::size_t count,
                                          std::uint32_t* ranks) noexcept {
        for (std::size_t i = 0; i < count; i += 16) {
            pack<float, 16> own, other;
            pack<std::uint32_t, 16> rank, less;
            own.load(distances + i);
            rank.zero();
            for (std::size_t j = 0; j < count; ++j) {
                other.fill(distances[j]);
                less.set_bits(other.lanes < own.lanes);
                rank.subtract(less);
            }
            rank.store(ranks + i);
        }
    }
};

} // namespace VICINAL_BASELINE
} // namespace detail

/// `get()(distances, numbers, bits, end, to_distances, to_numbers)`: appends those of 32 whose bits
/// are set and whose numbers are below `end`, in their order: how many.
using append_below =
    kernel<detail::append_below_body, std::size_t, float const*, std::uint32_t const*,
           std::uint32_t, std::uint32_t, float*, std::uint32_t*>;

/// `get()(distances, count, bound)`: how many of the distances are at most `bound`.
using count_at_most =
    kernel<detail::count_at_most_body, std::size_t, float const*, std::size_t, float>;

/// `get()(distances, count, least, most)`: a number that at least `least` and no more than `most`
/// distances are at or below; a NaN where halving their range a dozen times finds none.
using bound_between =
    kernel<detail::bound_between_body, float, float const*, std::size_t, std::size_t, std::size_t>;

/// `get()(distances, numbers, count, bound)`: moves those that are at most `bound` to the front, in
/// their order: how many.
using keep_at_most =
    kernel<detail::keep_at_most_body, std::size_t, float*, std::uint32_t*, std::size_t, float>;

/// `get()(distances, count, bound, numbers)`: writes which of the distances are at most `bound`,
/// ascending: how many.
using list_at_most = kernel<detail::list_at_most_body, std::size_t, float const*, std::size_t,
                            float, std::uint32_t*>;

/// `get()(distances, count, ranks)`: for each distance how many are less.
using distance_ranks = kernel<detail::ranks_body, void, float const*, std::size_t, std::uint32_t*>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

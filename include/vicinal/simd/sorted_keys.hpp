// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_SORTED_KEYS_HPP
#define VICINAL_SIMD_SORTED_KEYS_HPP

#include <vicinal/simd/dispatch.hpp>
#include <vicinal/simd/pack.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

/// Numbers put into a sorted array of 64-bit numbers that keeps its length: what is pushed out at
/// the end is gone.
///
/// Where x comes in, element i becomes min(a[i], max(a[i - 1], x)): whole registers, and no branch
/// to mispredict. 40 numbers are 5 registers of AVX-512. A binary search and moving what lies
/// behind waits for the stores of the insert before.
namespace vicinal::inline VICINAL_ABI::simd {

namespace detail {
inline namespace VICINAL_BASELINE {

struct insert_sorted_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(std::int64_t* all, std::size_t length,
                                          std::int64_t const* more, std::size_t count) noexcept {
        // Registers of two numbers, or without a comparison of them, gain nothing.
        if constexpr (Set::bytes >= 32)
            in_registers<Set::bytes / 8>(all, length, more, count);
        else
            for (std::size_t i = 0; i < count; ++i) one_by_one(all, length, more[i]);
    }

private:
    template <std::size_t Width>
    VICINAL_ALWAYS_INLINE static void in_registers(std::int64_t* all, std::size_t length,
                                                   std::int64_t const* more,
                                                   std::size_t count) noexcept {
        using keys = pack<std::int64_t, Width>;
        for (std::size_t n = 0; n < count; ++n) {
            keys x, before;
            x.fill(more[n]);
            before.lanes = x.lanes; // max(x, x): nothing lies before the first
            for (auto i = first_register<Width>(all, length, more[n]); i < length; i += Width) {
                keys now, moved;
                now.load(all + i);
                shift(before, now, moved, std::make_index_sequence<Width>{});
                moved.lanes = moved.lanes > x.lanes ? moved.lanes : x.lanes;
                before.lanes = now.lanes;
                now.lanes = now.lanes < moved.lanes ? now.lanes : moved.lanes;
                now.store(all + i);
            }
        }
    }
    /// Where x goes or before it. A short array is gone through whole.
    template <std::size_t Width>
    VICINAL_ALWAYS_INLINE static std::size_t
    first_register(std::int64_t const* all, std::size_t length, std::int64_t x) noexcept {
        std::size_t at = 0;
        for (auto left = length / Width; left > 8;) {
            auto const half = left / 2;
            at += (half * Width) & (std::size_t{0} - (all[at + half * Width - 1] < x ? 1U : 0U));
            left -= half;
        }
        return at;
    }
    /// The last of `before`, and all of `now` but its last.
    template <class Keys, std::size_t... I>
    VICINAL_ALWAYS_INLINE static void shift(Keys const& before, Keys const& now, Keys& out,
                                            std::index_sequence<I...>) noexcept {
        out.lanes = __builtin_shufflevector(before.lanes, now.lanes,
                                            static_cast<int>(I + Keys::width - 1)...);
    }
    VICINAL_ALWAYS_INLINE static void one_by_one(std::int64_t* all, std::size_t length,
                                                 std::int64_t x) noexcept {
        if (length == 0 || all[length - 1] <= x) return;
        auto* first = all;
        // Which half it is, is a coin's throw: a mask, as a branch would be mispredicted.
        for (auto n = length; n > 1;) {
            auto const half = n / 2;
            first += half & (std::size_t{0} - (first[half - 1] <= x ? 1U : 0U));
            n -= half;
        }
        auto const behind = static_cast<std::size_t>(all + length - 1 - first);
        std::memmove(first + 1, first, behind * sizeof x);
        *first = x;
    }
};

} // namespace VICINAL_BASELINE
} // namespace detail

/// Numbers that `length` of insert_sorted is a multiple of.
inline constexpr std::size_t sorted_keys_step = 8;

/// `get()(all, length, more, count)`: puts `more`, in any order, into the ascending `all`, which
/// keeps the least.
using insert_sorted = kernel<detail::insert_sorted_body, void, std::int64_t*, std::size_t,
                             std::int64_t const*, std::size_t>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

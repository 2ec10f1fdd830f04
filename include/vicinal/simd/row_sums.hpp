// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_ROW_SUMS_HPP
#define VICINAL_SIMD_ROW_SUMS_HPP

#include <vicinal/simd/dispatch.hpp>

#include <cstddef>
#include <cstdint>

/// The loops of every kernel that sums something over a query and a row: one row, four rows, a
/// block of rows. What is summed is a Step:
///
/// * `query_type`, `row_type`: what the pointers point to; `result`: what a row gives.
/// * `of<Set>`: `width` (elements a register), the registers `query`, `row`, the accumulator `sum`;
///   `load` and `load_part` (the first n, zeros behind), `add(sum, query, row)`, `merge(sum, sum)`,
///   `finish(sum)`, `finish_four(sums..., out)`. Zeros on both sides add nothing.
namespace vicinal::inline VICINAL_ABI::simd {

namespace detail {

/// Puts the sums of four registers' lanes behind one another.
template <class T, std::size_t Width>
VICINAL_ALWAYS_INLINE void sum_four(pack<T, Width> const& a, pack<T, Width> const& b,
                                    pack<T, Width> const& c, pack<T, Width> const& d,
                                    T* out) noexcept {
    if constexpr (Width > 4) {
        pack<T, Width / 2> low[4];
        pack<T, Width / 2> high[4];
        a.halves(low[0], high[0]);
        b.halves(low[1], high[1]);
        c.halves(low[2], high[2]);
        d.halves(low[3], high[3]);
        low[0].add(high[0]);
        low[1].add(high[1]);
        low[2].add(high[2]);
        low[3].add(high[3]);
        sum_four(low[0], low[1], low[2], low[3], out);
    } else {
        static_assert(Width == 4);
        auto const ab = __builtin_shufflevector(a.lanes, b.lanes, 0, 4, 1, 5) +
                        __builtin_shufflevector(a.lanes, b.lanes, 2, 6, 3, 7);
        auto const cd = __builtin_shufflevector(c.lanes, d.lanes, 0, 4, 1, 5) +
                        __builtin_shufflevector(c.lanes, d.lanes, 2, 6, 3, 7);
        pack<T, 4> all;
        all.lanes = __builtin_shufflevector(ab, cd, 0, 1, 4, 5) +
                    __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
        all.store(out);
    }
}

/// Two sums in one pass.
template <class Sum>
struct sum_pair {
    Sum first;
    Sum second;

    VICINAL_ALWAYS_INLINE void zero() noexcept {
        first.zero();
        second.zero();
    }
};

/// What a step with two sums adds to a step with one; Result has two members, in that order.
template <class Set, class Step, class Result>
struct paired_step : Step {
    using sum = sum_pair<typename Step::sum>;

    VICINAL_ALWAYS_INLINE static void merge(sum& a, sum const& b) noexcept {
        a.first.add(b.first);
        a.second.add(b.second);
    }
    [[nodiscard]] VICINAL_ALWAYS_INLINE static Result finish(sum const& s) noexcept {
        return {s.first.sum(), s.second.sum()};
    }
    VICINAL_ALWAYS_INLINE static void finish_four(sum const& a, sum const& b, sum const& c,
                                                  sum const& d, Result* out) noexcept {
        decltype(a.first.sum()) first[4];
        decltype(a.first.sum()) second[4];
        sum_four(a.first, b.first, c.first, d.first, first);
        sum_four(a.second, b.second, c.second, d.second, second);
        for (std::size_t i = 0; i < 4; ++i) out[i] = {first[i], second[i]};
    }
};

} // namespace detail

/// How far ahead of the row a scan fetches: two pages, measured in bytes.
inline constexpr std::size_t fetch_ahead = 8192;

/// Asks for the cache line that many bytes behind p: an address, not a pointer, as it may lie
/// outside of the array.
VICINAL_ALWAYS_INLINE void fetch_behind(void const* p, std::size_t bytes) noexcept {
    __builtin_prefetch(reinterpret_cast<void const*>(reinterpret_cast<std::uintptr_t>(p) + bytes),
                       0, 3);
}

/// One row, in four accumulators that hide the latency of the multiply-add. They are named: as an
/// array GCC -O2 keeps them in memory, half as fast at 384.
template <class Step, bool Ahead = false>
struct one_row {
    using query_type = typename Step::query_type;
    using row_type = typename Step::row_type;

    template <class Set>
    VICINAL_ALWAYS_INLINE static typename Step::result run(query_type const* q, row_type const* r,
                                                           std::size_t n) noexcept {
        using step = typename Step::template of<Set>;
        constexpr std::size_t w = step::width;
        typename step::sum s0, s1, s2, s3;
        s0.zero();
        s1.zero();
        s2.zero();
        s3.zero();
        std::size_t i = 0;
        for (; i + 4 * w <= n; i += 4 * w) {
            add<step>(s0, q + step::query_at(i), r + step::row_at(i));
            add<step>(s1, q + step::query_at(i + w), r + step::row_at(i + w));
            add<step>(s2, q + step::query_at(i + 2 * w), r + step::row_at(i + 2 * w));
            add<step>(s3, q + step::query_at(i + 3 * w), r + step::row_at(i + 3 * w));
        }
        if (i + 2 * w <= n) {
            add<step>(s0, q + step::query_at(i), r + step::row_at(i));
            add<step>(s1, q + step::query_at(i + w), r + step::row_at(i + w));
            i += 2 * w;
        }
        if (i + w <= n) {
            add<step>(s2, q + step::query_at(i), r + step::row_at(i));
            i += w;
        }
        if (i < n) {
            typename step::query x;
            typename step::row y;
            step::load_part(x, q + step::query_at(i), n - i);
            step::load_part(y, r + step::row_at(i), n - i);
            step::add(s3, x, y);
        }
        step::merge(s0, s1);
        step::merge(s2, s3);
        step::merge(s0, s2);
        return step::finish(s0);
    }

private:
    template <class step>
    VICINAL_ALWAYS_INLINE static void add(typename step::sum& sum, query_type const* q,
                                          row_type const* r) noexcept {
        if constexpr (Ahead) fetch_behind(r, fetch_ahead);
        typename step::query x;
        typename step::row y;
        step::load(x, q);
        step::load(y, r);
        step::add(sum, x, y);
    }
};

/// Four rows at once, anywhere: the query is read once for all. out has room for four results.
template <class Step>
struct four_rows {
    using query_type = typename Step::query_type;
    using row_type = typename Step::row_type;

    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(query_type const* q, row_type const* const* rows,
                                          std::size_t n, typename Step::result* out) noexcept {
        using step = typename Step::template of<Set>;
        constexpr std::size_t w = step::width;
        row_type const* const r0 = rows[0];
        row_type const* const r1 = rows[1];
        row_type const* const r2 = rows[2];
        row_type const* const r3 = rows[3];
        typename step::sum s0, s1, s2, s3, t0, t1, t2, t3;
        s0.zero();
        s1.zero();
        s2.zero();
        s3.zero();
        t0.zero();
        t1.zero();
        t2.zero();
        t3.zero();
        std::size_t i = 0;
        for (; i + 2 * w <= n; i += 2 * w) {
            add<step>(s0, s1, s2, s3, q + step::query_at(i), r0 + step::row_at(i),
                      r1 + step::row_at(i), r2 + step::row_at(i), r3 + step::row_at(i));
            auto const j = i + w;
            add<step>(t0, t1, t2, t3, q + step::query_at(j), r0 + step::row_at(j),
                      r1 + step::row_at(j), r2 + step::row_at(j), r3 + step::row_at(j));
        }
        if (i + w <= n) {
            add<step>(s0, s1, s2, s3, q + step::query_at(i), r0 + step::row_at(i),
                      r1 + step::row_at(i), r2 + step::row_at(i), r3 + step::row_at(i));
            i += w;
        }
        if (i < n) {
            typename step::query x;
            typename step::row y;
            step::load_part(x, q + step::query_at(i), n - i);
            step::load_part(y, r0 + step::row_at(i), n - i);
            step::add(t0, x, y);
            step::load_part(y, r1 + step::row_at(i), n - i);
            step::add(t1, x, y);
            step::load_part(y, r2 + step::row_at(i), n - i);
            step::add(t2, x, y);
            step::load_part(y, r3 + step::row_at(i), n - i);
            step::add(t3, x, y);
        }
        step::merge(s0, t0);
        step::merge(s1, t1);
        step::merge(s2, t2);
        step::merge(s3, t3);
        step::finish_four(s0, s1, s2, s3, out);
    }

private:
    template <class step>
    VICINAL_ALWAYS_INLINE static void
    add(typename step::sum& s0, typename step::sum& s1, typename step::sum& s2,
        typename step::sum& s3, query_type const* q, row_type const* r0, row_type const* r1,
        row_type const* r2, row_type const* r3) noexcept {
        typename step::query x;
        typename step::row y;
        step::load(x, q);
        step::load(y, r0);
        step::add(s0, x, y);
        step::load(y, r1);
        step::add(s1, x, y);
        step::load(y, r2);
        step::add(s2, x, y);
        step::load(y, r3);
        step::add(s3, x, y);
    }
};

/// `count` rows, each `stride` elements of `row_type` behind the one before; a result a row.
template <class Step>
struct row_block {
    using query_type = typename Step::query_type;
    using row_type = typename Step::row_type;

    /// Rows shorter than this many bytes go four at a time: there the sum over a register's lanes
    /// is much of the work. Longer ones go one at a time, which reads memory faster.
    static constexpr std::size_t short_row = 512;

    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(query_type const* q, row_type const* rows,
                                          std::size_t stride, std::size_t count, std::size_t n,
                                          typename Step::result* out) noexcept {
        std::size_t i = 0;
        if (stride * sizeof(row_type) <= short_row)
            for (; i + 4 <= count; i += 4) {
                auto const* const first = rows + i * stride;
                for (std::size_t b = 0; b < 4 * stride * sizeof(row_type); b += 64)
                    fetch_behind(first, fetch_ahead + b);
                row_type const* const four[4] = {first, first + stride, first + 2 * stride,
                                                 first + 3 * stride};
                four_rows<Step>::template run<Set>(q, four, n, out + i);
            }
        for (; i < count; ++i)
            out[i] = one_row<Step, true>::template run<Set>(q, rows + i * stride, n);
    }
};

/// The loop with what its step gains from.
template <class Step, class Loop>
struct stepwise : Loop {};
template <class Step, class Loop>
    requires requires { Step::gains_from; }
struct stepwise<Step, Loop> : Loop {
    static constexpr instruction_set gains_from = Step::gains_from;
};

/// The three kernels of a step.
template <class Step>
struct row_kernels {
    using query_type = typename Step::query_type;
    using row_type = typename Step::row_type;
    using result = typename Step::result;

    /// `get()(query, row, n)`: one row's result.
    using one = kernel<stepwise<Step, one_row<Step>>, result, query_type const*, row_type const*,
                       std::size_t>;
    /// `get()(query, rows, n, out)`: four results for four pointers.
    using four = kernel<stepwise<Step, four_rows<Step>>, void, query_type const*,
                        row_type const* const*, std::size_t, result*>;
    /// `get()(query, rows, stride, count, n, out)`: `count` results; stride in elements.
    using block = kernel<stepwise<Step, row_block<Step>>, void, query_type const*, row_type const*,
                         std::size_t, std::size_t, std::size_t, result*>;
};

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

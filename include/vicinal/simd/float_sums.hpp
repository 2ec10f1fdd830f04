// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_FLOAT_SUMS_HPP
#define VICINAL_SIMD_FLOAT_SUMS_HPP

#include <vicinal/simd/dispatch.hpp>

#include <cstddef>

/// The sums that the float metrics are made of, at the speed of the CPU. The order of addition, and
/// with it the last bits, differs between instruction sets; simd/exact_sums.hpp has the fixed
/// order.
namespace vicinal::inline VICINAL_ABI::simd {

/// Walks two arrays once, in four independent accumulators that hide the latency of the
/// multiply-add. They are named: as an array GCC -O2 keeps them in memory, half as fast at 384.
template <class Step>
struct pairwise_sum {
    template <class Pack>
    VICINAL_ALWAYS_INLINE static float run(float const* a, float const* b, std::size_t n) noexcept {
        constexpr std::size_t w = Pack::width;
        Pack s0, s1, s2, s3;
        s0.zero();
        s1.zero();
        s2.zero();
        s3.zero();
        std::size_t i = 0;
        for (; i + 4 * w <= n; i += 4 * w) {
            Step::add(s0, a + i, b + i);
            Step::add(s1, a + i + w, b + i + w);
            Step::add(s2, a + i + 2 * w, b + i + 2 * w);
            Step::add(s3, a + i + 3 * w, b + i + 3 * w);
        }
        for (; i + w <= n; i += w) Step::add(s0, a + i, b + i);
        s0.add(s1);
        s2.add(s3);
        s0.add(s2);
        float total = s0.sum();
        for (; i < n; ++i) total += Step::one(a[i], b[i]);
        return total;
    }
};

struct difference_step {
    template <class Pack>
    VICINAL_ALWAYS_INLINE static void add(Pack& sum, float const* a, float const* b) noexcept {
        Pack x, y;
        x.load(a);
        y.load(b);
        x.subtract(y);
        sum.add_product(x, x);
    }
    VICINAL_ALWAYS_INLINE static float one(float a, float b) noexcept { return (a - b) * (a - b); }
};

struct product_step {
    template <class Pack>
    VICINAL_ALWAYS_INLINE static void add(Pack& sum, float const* a, float const* b) noexcept {
        Pack x, y;
        x.load(a);
        y.load(b);
        sum.add_product(x, y);
    }
    VICINAL_ALWAYS_INLINE static float one(float a, float b) noexcept { return a * b; }
};

/// Sum over i of (a[i] - b[i])^2.
using squared_difference =
    kernel<pairwise_sum<difference_step>, float, float, float const*, float const*, std::size_t>;

/// Sum over i of a[i] b[i].
using dot_product =
    kernel<pairwise_sum<product_step>, float, float, float const*, float const*, std::size_t>;

/// The two sums that an angle needs of a row, from one pass over it.
struct dot_and_square {
    float dot;
    float square;
};

struct dot_and_square_body {
    template <class Pack>
    VICINAL_ALWAYS_INLINE static dot_and_square run(float const* q, float const* row,
                                                    std::size_t n) noexcept {
        constexpr std::size_t w = Pack::width;
        Pack d0, d1, r0, r1;
        d0.zero();
        d1.zero();
        r0.zero();
        r1.zero();
        std::size_t i = 0;
        for (; i + 2 * w <= n; i += 2 * w) {
            add(d0, r0, q + i, row + i);
            add(d1, r1, q + i + w, row + i + w);
        }
        for (; i + w <= n; i += w) add(d0, r0, q + i, row + i);
        d0.add(d1);
        r0.add(r1);
        dot_and_square out{d0.sum(), r0.sum()};
        for (; i < n; ++i) {
            out.dot += q[i] * row[i];
            out.square += row[i] * row[i];
        }
        return out;
    }

private:
    template <class Pack>
    VICINAL_ALWAYS_INLINE static void add(Pack& dot, Pack& square, float const* q,
                                          float const* row) noexcept {
        Pack x, y;
        x.load(q);
        y.load(row);
        dot.add_product(x, y);
        square.add_product(y, y);
    }
};

/// Sum of q[i] row[i] and sum of row[i]^2.
using dot_and_row_square =
    kernel<dot_and_square_body, float, dot_and_square, float const*, float const*, std::size_t>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

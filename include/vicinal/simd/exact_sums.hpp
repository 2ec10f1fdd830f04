// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_EXACT_SUMS_HPP
#define VICINAL_SIMD_EXACT_SUMS_HPP

#include <vicinal/simd/dispatch.hpp>

#include <cstddef>

/// The same sums with the same bits on every instruction set: the distances that users see.
///
/// Eight double accumulators, element i in accumulator i mod 8, added up in one order. Each product
/// is of two floats and so exact in double: a compiler that contracts multiply and add into one
/// instruction changes nothing.
namespace vicinal::inline VICINAL_ABI::simd {

template <class Term>
struct exact_body {
    template <class Pack>
    VICINAL_ALWAYS_INLINE static double run(float const* a, float const* b,
                                            std::size_t n) noexcept {
        using floats = pack<float, 8>;
        using doubles = pack<double, 8>;
        doubles sum;
        sum.zero();
        std::size_t i = 0;
        for (; i + 8 <= n; i += 8) {
            floats x, y;
            x.load(a + i);
            y.load(b + i);
            Term::combine(x, y);
            doubles p, q;
            p.lanes = __builtin_convertvector(x.lanes, typename doubles::lanes_type);
            q.lanes = __builtin_convertvector(y.lanes, typename doubles::lanes_type);
            sum.add_product(p, q);
        }
        if (i < n) {
            float rest_a[8] = {};
            float rest_b[8] = {};
            for (std::size_t j = 0; i + j < n; ++j) {
                rest_a[j] = a[i + j];
                rest_b[j] = b[i + j];
            }
            floats x, y;
            x.load(rest_a);
            y.load(rest_b);
            Term::combine(x, y);
            doubles p, q;
            p.lanes = __builtin_convertvector(x.lanes, typename doubles::lanes_type);
            q.lanes = __builtin_convertvector(y.lanes, typename doubles::lanes_type);
            sum.add_product(p, q);
        }
        return sum.sum();
    }
};

struct product_term {
    template <class Pack>
    VICINAL_ALWAYS_INLINE static void combine(Pack&, Pack&) noexcept {}
};

struct difference_term {
    template <class Pack>
    VICINAL_ALWAYS_INLINE static void combine(Pack& x, Pack& y) noexcept {
        x.subtract(y);
        y = x;
    }
};

/// Sum over i of a[i] b[i], in double.
using exact_dot =
    kernel<exact_body<product_term>, float, double, float const*, float const*, std::size_t>;

/// Sum over i of (a[i] - b[i])^2, the difference rounded to float, the rest in double.
using exact_squared_difference =
    kernel<exact_body<difference_term>, float, double, float const*, float const*, std::size_t>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

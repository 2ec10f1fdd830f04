// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_EXACT_SUMS_HPP
#define VICINAL_SIMD_EXACT_SUMS_HPP

#include <vicinal/core/half.hpp>
#include <vicinal/simd/dispatch.hpp>

#include <cstddef>

/// The same sums with the same bits on every instruction set: the distances that users see.
///
/// Eight double accumulators, element i in accumulator i mod 8, added up in one order. Each product
/// is of two floats and so exact in double: a compiler that contracts multiply and add into one
/// instruction changes nothing.
namespace vicinal::inline VICINAL_ABI::simd {

namespace detail {

/// Eight elements as floats.
VICINAL_ALWAYS_INLINE void eight_floats(pack<float, 8>& to, float const* from) noexcept {
    to.load(from);
}
VICINAL_ALWAYS_INLINE void eight_floats(pack<float, 8>& to, f16 const* from) noexcept {
    floats_of_halves(to, from);
}
VICINAL_ALWAYS_INLINE void eight_floats(pack<float, 8>& to, bf16 const* from) noexcept {
    floats_of_bfloats(to, from);
}

} // namespace detail

template <class Term, class T>
struct exact_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static double run(T const* a, T const* b, std::size_t n) noexcept {
        pack<double, 8> sum;
        sum.zero();
        std::size_t i = 0;
        for (; i + 8 <= n; i += 8) add(sum, a + i, b + i);
        if (i < n) {
            T rest_a[8];
            T rest_b[8];
            std::memset(rest_a, 0, sizeof rest_a);
            std::memset(rest_b, 0, sizeof rest_b);
            for (std::size_t j = 0; i + j < n; ++j) {
                rest_a[j] = a[i + j];
                rest_b[j] = b[i + j];
            }
            add(sum, rest_a, rest_b);
        }
        return sum.sum();
    }

private:
    VICINAL_ALWAYS_INLINE static void add(pack<double, 8>& sum, T const* a, T const* b) noexcept {
        pack<float, 8> x, y;
        detail::eight_floats(x, a);
        detail::eight_floats(y, b);
        Term::combine(x, y);
        pack<double, 8> p, q;
        p.lanes = __builtin_convertvector(x.lanes, decltype(p.lanes));
        q.lanes = __builtin_convertvector(y.lanes, decltype(q.lanes));
        Term::add(sum, p, q);
    }
};

struct product_term {
    VICINAL_ALWAYS_INLINE static void combine(pack<float, 8>&, pack<float, 8>&) noexcept {}
    VICINAL_ALWAYS_INLINE static void add(pack<double, 8>& sum, pack<double, 8> const& x,
                                          pack<double, 8> const& y) noexcept {
        sum.add_product(x, y);
    }
};

struct difference_term {
    VICINAL_ALWAYS_INLINE static void combine(pack<float, 8>& x, pack<float, 8>& y) noexcept {
        x.subtract(y);
        y = x;
    }
    VICINAL_ALWAYS_INLINE static void add(pack<double, 8>& sum, pack<double, 8> const& x,
                                          pack<double, 8> const& y) noexcept {
        sum.add_product(x, y);
    }
};

struct distance_term {
    VICINAL_ALWAYS_INLINE static void combine(pack<float, 8>& x, pack<float, 8>& y) noexcept {
        x.subtract(y);
        x.absolute();
    }
    VICINAL_ALWAYS_INLINE static void add(pack<double, 8>& sum, pack<double, 8> const& x,
                                          pack<double, 8> const&) noexcept {
        sum.add(x);
    }
};

/// Sum over i of a[i] b[i], in double.
template <class T>
using exact_dot_of = kernel<exact_body<product_term, T>, double, T const*, T const*, std::size_t>;

/// Sum over i of (a[i] - b[i])^2, the difference rounded to float, the rest in double.
template <class T>
using exact_squared_difference_of =
    kernel<exact_body<difference_term, T>, double, T const*, T const*, std::size_t>;

/// Sum over i of |a[i] - b[i]|, the difference rounded to float, the rest in double.
template <class T>
using exact_absolute_difference_of =
    kernel<exact_body<distance_term, T>, double, T const*, T const*, std::size_t>;

using exact_dot = exact_dot_of<float>;
using exact_squared_difference = exact_squared_difference_of<float>;
using exact_absolute_difference = exact_absolute_difference_of<float>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

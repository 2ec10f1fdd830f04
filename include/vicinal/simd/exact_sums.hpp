// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_EXACT_SUMS_HPP
#define VICINAL_SIMD_EXACT_SUMS_HPP

#include <vicinal/simd/float_sums.hpp>

#include <cstddef>
#include <cstring>
#include <utility>

/// The same sums with the same bits on every instruction set: the distances that users see.
///
/// Sixteen double accumulators, element i in accumulator i mod 16, added up in one order; a set
/// holds them in as many registers as it needs. Each product is of two floats and so exact in
/// double: a compiler that contracts multiply and add into one instruction changes nothing.
namespace vicinal::inline VICINAL_ABI::simd {

namespace detail {

/// Accumulators, and elements that are added at once.
inline constexpr std::size_t exact_lanes = 16;

/// The accumulators in the order of their elements.
template <class Set>
struct exact_accumulators {
    using part = typename Set::template of<double>;
    static constexpr std::size_t count = exact_lanes / part::width;

    part parts[count];

    /// Adds up the second half of the first `Parts` to the first half, and so on.
    template <std::size_t Parts>
    VICINAL_ALWAYS_INLINE void fold() noexcept {
        if constexpr (Parts > 1) {
            fold_halves<Parts / 2>(std::make_index_sequence<Parts / 2>{});
            fold<Parts / 2>();
        }
    }

private:
    template <std::size_t Half, std::size_t... I>
    VICINAL_ALWAYS_INLINE void fold_halves(std::index_sequence<I...>) noexcept {
        (parts[I].add(parts[I + Half]), ...);
    }
};

} // namespace detail

template <class Term, class T>
struct exact_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static double run(T const* a, T const* b, std::size_t n) noexcept {
        constexpr auto registers = detail::exact_lanes / Set::template of<float>::width;
        return sum<Set>(a, b, n, std::make_index_sequence<registers>{});
    }

private:
    /// I counts registers of floats; that every index is a constant keeps the sums in registers.
    template <class Set, std::size_t... I>
    VICINAL_ALWAYS_INLINE static double sum(T const* a, T const* b, std::size_t n,
                                            std::index_sequence<I...>) noexcept {
        using accumulators = detail::exact_accumulators<Set>;
        constexpr std::size_t w = Set::template of<float>::width;
        accumulators s;
        ((s.parts[2 * I].zero(), s.parts[2 * I + 1].zero()), ...);
        std::size_t i = 0;
        for (; i + detail::exact_lanes <= n; i += detail::exact_lanes)
            (add<Set>(s.parts[2 * I], s.parts[2 * I + 1], a + i + I * w, b + i + I * w), ...);
        if (i < n) {
            T rest_a[detail::exact_lanes];
            T rest_b[detail::exact_lanes];
            std::memset(rest_a, 0, sizeof rest_a);
            std::memset(rest_b, 0, sizeof rest_b);
            for (std::size_t j = 0; i + j < n; ++j) {
                rest_a[j] = a[i + j];
                rest_b[j] = b[i + j];
            }
            (add<Set>(s.parts[2 * I], s.parts[2 * I + 1], rest_a + I * w, rest_b + I * w), ...);
        }
        s.template fold<accumulators::count>();
        return s.parts[0].sum();
    }
    template <class Set>
    VICINAL_ALWAYS_INLINE static void add(typename Set::template of<double>& low,
                                          typename Set::template of<double>& high, T const* a,
                                          T const* b) noexcept {
        typename Set::template of<float> x, y;
        typename Set::template of<double> x_low, x_high, y_low, y_high;
        detail::load_floats<Set>(x, a);
        detail::load_floats<Set>(y, b);
        Term::combine(x, y);
        Set::widen(x_low, x_high, x);
        if constexpr (Term::one_factor) {
            Term::add(low, x_low, x_low);
            Term::add(high, x_high, x_high);
        } else {
            Set::widen(y_low, y_high, y);
            Term::add(low, x_low, y_low);
            Term::add(high, x_high, y_high);
        }
    }
};

/// What a term makes of two registers of floats before they become doubles, and adds then; with
/// `one_factor` of what the first has become alone.
struct product_term {
    static constexpr bool one_factor = false;
    template <class Floats>
    VICINAL_ALWAYS_INLINE static void combine(Floats&, Floats const&) noexcept {}
    template <class Doubles>
    VICINAL_ALWAYS_INLINE static void add(Doubles& sum, Doubles const& x,
                                          Doubles const& y) noexcept {
        sum.add_product(x, y);
    }
};

struct difference_term {
    static constexpr bool one_factor = true;
    template <class Floats>
    VICINAL_ALWAYS_INLINE static void combine(Floats& x, Floats const& y) noexcept {
        x.subtract(y);
    }
    template <class Doubles>
    VICINAL_ALWAYS_INLINE static void add(Doubles& sum, Doubles const& x,
                                          Doubles const& y) noexcept {
        sum.add_product(x, y);
    }
};

struct distance_term {
    static constexpr bool one_factor = true;
    template <class Floats>
    VICINAL_ALWAYS_INLINE static void combine(Floats& x, Floats const& y) noexcept {
        x.subtract(y);
        x.absolute();
    }
    template <class Doubles>
    VICINAL_ALWAYS_INLINE static void add(Doubles& sum, Doubles const& x, Doubles const&) noexcept {
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

// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_EXACT_SUMS_HPP
#define VICINAL_SIMD_EXACT_SUMS_HPP

#include <vicinal/simd/float_sums.hpp>

#include <cstddef>
#include <type_traits>
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

/// The two sums that an angle needs of a row, from one pass over it.
struct exact_dot_and_square {
    double dot;
    double square;
};

/// With `Squares` the sum of b[i]^2 comes with the term's, in the bits that it has alone.
template <class Term, class T, bool Squares = false>
struct exact_body {
    using result = std::conditional_t<Squares, exact_dot_and_square, double>;

    template <class Set>
    VICINAL_ALWAYS_INLINE static result run(T const* a, T const* b, std::size_t n) noexcept {
        constexpr auto registers = detail::exact_lanes / Set::template of<float>::width;
        return sum<Set>(a, b, n, std::make_index_sequence<registers>{});
    }

private:
    /// I counts registers of floats; that every index is a constant keeps the sums in registers.
    template <class Set, std::size_t... I>
    VICINAL_ALWAYS_INLINE static result sum(T const* a, T const* b, std::size_t n,
                                            std::index_sequence<I...>) noexcept {
        constexpr std::size_t w = Set::template of<float>::width;
        detail::exact_accumulators<Set> s, squares;
        ((s.parts[2 * I].zero(), s.parts[2 * I + 1].zero()), ...);
        if constexpr (Squares)
            ((squares.parts[2 * I].zero(), squares.parts[2 * I + 1].zero()), ...);
        typename Set::template of<float> x[sizeof...(I)], y[sizeof...(I)];
        std::size_t i = 0;
        for (; i + detail::exact_lanes <= n; i += detail::exact_lanes) {
            ((detail::load_floats<Set>(x[I], a + i + I * w),
              detail::load_floats<Set>(y[I], b + i + I * w),
              add<Set, 2 * I>(s, squares, x[I], y[I])),
             ...);
        }
        if (i < n) {
            ((load_rest<Set>(x[I], a + i, n - i, I * w), load_rest<Set>(y[I], b + i, n - i, I * w),
              add<Set, 2 * I>(s, squares, x[I], y[I])),
             ...);
        }
        s.template fold<detail::exact_accumulators<Set>::count>();
        if constexpr (Squares) {
            squares.template fold<detail::exact_accumulators<Set>::count>();
            return {s.parts[0].sum(), squares.parts[0].sum()};
        } else {
            return s.parts[0].sum();
        }
    }
    /// A register from the `from`-th of the last `left` elements on, zeros behind them.
    template <class Set>
    VICINAL_ALWAYS_INLINE static void load_rest(typename Set::template of<float>& to, T const* rest,
                                                std::size_t left, std::size_t from) noexcept {
        constexpr std::size_t w = Set::template of<float>::width;
        if (left >= from + w)
            detail::load_floats<Set>(to, rest + from);
        else if (left > from)
            detail::float_step<Set>::load_part(to, rest + from, left - from);
        else
            to.zero();
    }
    template <class Set, std::size_t Part>
    VICINAL_ALWAYS_INLINE static void
    add(detail::exact_accumulators<Set>& s, detail::exact_accumulators<Set>& squares,
        typename Set::template of<float>& x, typename Set::template of<float> const& y) noexcept {
        typename Set::template of<double> x_low, x_high, y_low, y_high;
        Term::combine(x, y);
        Set::widen(x_low, x_high, x);
        if constexpr (Term::one_factor) {
            Term::add(s.parts[Part], x_low, x_low);
            Term::add(s.parts[Part + 1], x_high, x_high);
        } else {
            Set::widen(y_low, y_high, y);
            Term::add(s.parts[Part], x_low, y_low);
            Term::add(s.parts[Part + 1], x_high, y_high);
            if constexpr (Squares) {
                squares.parts[Part].add_product(y_low, y_low);
                squares.parts[Part + 1].add_product(y_high, y_high);
            }
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

/// The same, and the sum over i of b[i]^2.
template <class T>
using exact_dot_and_row_square_of = kernel<exact_body<product_term, T, true>, exact_dot_and_square,
                                           T const*, T const*, std::size_t>;

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

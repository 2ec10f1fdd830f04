// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_FLOAT_SUMS_HPP
#define VICINAL_SIMD_FLOAT_SUMS_HPP

#include <vicinal/core/half.hpp>
#include <vicinal/simd/row_sums.hpp>

#include <cstddef>
#include <cstdint>

/// The sums that metrics over f32, f16 and bf16 are made of, in float, at the speed of the CPU. The
/// order of addition, and with it the last bits, differs between instruction sets;
/// simd/exact_sums.hpp has the fixed order.
namespace vicinal::inline VICINAL_ABI::simd {

namespace detail {

/// A register of floats, made of floats, f16 or bf16.
template <class Set>
VICINAL_ALWAYS_INLINE void load_floats(typename Set::template of<float>& to,
                                       float const* from) noexcept {
    to.load(from);
}
template <class Set>
VICINAL_ALWAYS_INLINE void load_floats(typename Set::template of<float>& to,
                                       f16 const* from) noexcept {
    Set::load_halves(to, from);
}
template <class Set>
VICINAL_ALWAYS_INLINE void load_floats(typename Set::template of<float>& to,
                                       bf16 const* from) noexcept {
    Set::load_bfloats(to, from);
}

/// What the steps over floats share.
template <class Set>
struct float_step {
    static constexpr std::size_t width = Set::template of<float>::width;
    using query = typename Set::template of<float>;
    using row = query;
    using sum = query;

    [[nodiscard]] static constexpr std::size_t query_at(std::size_t i) noexcept { return i; }
    [[nodiscard]] static constexpr std::size_t row_at(std::size_t i) noexcept { return i; }
    template <class T>
    VICINAL_ALWAYS_INLINE static void load(query& to, T const* from) noexcept {
        load_floats<Set>(to, from);
    }
    template <class T>
    VICINAL_ALWAYS_INLINE static void load_part(query& to, T const* from, std::size_t n) noexcept {
        if constexpr (sizeof(T) == sizeof(float)) {
            Set::load_part(to, from, n);
        } else {
            T part[width];
            unsigned char buffer[sizeof part];
            copy_part(buffer, reinterpret_cast<unsigned char const*>(from), n * sizeof(T));
            std::memcpy(part, buffer, sizeof part);
            load_floats<Set>(to, part);
        }
    }
    VICINAL_ALWAYS_INLINE static void merge(sum& a, sum const& b) noexcept { a.add(b); }
    [[nodiscard]] VICINAL_ALWAYS_INLINE static float finish(sum const& s) noexcept {
        return s.sum();
    }
    VICINAL_ALWAYS_INLINE static void finish_four(sum const& a, sum const& b, sum const& c,
                                                  sum const& d, float* out) noexcept {
        sum_four(a, b, c, d, out);
    }
};

} // namespace detail

/// Sum over i of (query[i] - row[i])^2.
template <class Query, class Row = Query>
struct difference_step {
    using query_type = Query;
    using row_type = Row;
    using result = float;

    template <class Set>
    struct of : detail::float_step<Set> {
        using floats = typename Set::template of<float>;
        VICINAL_ALWAYS_INLINE static void add(floats& sum, floats const& q,
                                              floats const& r) noexcept {
            floats x = q;
            x.subtract(r);
            sum.add_product(x, x);
        }
    };
};

/// Sum over i of query[i] row[i].
template <class Query, class Row = Query>
struct product_step {
    using query_type = Query;
    using row_type = Row;
    using result = float;

    template <class Set>
    struct of : detail::float_step<Set> {
        using floats = typename Set::template of<float>;
        VICINAL_ALWAYS_INLINE static void add(floats& sum, floats const& q,
                                              floats const& r) noexcept {
            sum.add_product(q, r);
        }
    };
};

/// Sum over i of |query[i] - row[i]|.
template <class Query, class Row = Query>
struct distance_step {
    using query_type = Query;
    using row_type = Row;
    using result = float;

    template <class Set>
    struct of : detail::float_step<Set> {
        using floats = typename Set::template of<float>;
        VICINAL_ALWAYS_INLINE static void add(floats& sum, floats const& q,
                                              floats const& r) noexcept {
            floats x = q;
            x.subtract(r);
            x.absolute();
            sum.add(x);
        }
    };
};

/// The two sums that an angle needs of a row, from one pass over it.
struct dot_and_square {
    float dot;
    float square;
};

/// Sum of query[i] row[i] and sum of row[i]^2.
template <class Query, class Row = Query>
struct product_and_square_step {
    using query_type = Query;
    using row_type = Row;
    using result = dot_and_square;

    template <class Set>
    struct of : detail::paired_step<Set, detail::float_step<Set>, result> {
        using floats = typename Set::template of<float>;
        using sum = detail::sum_pair<floats>;
        VICINAL_ALWAYS_INLINE static void add(sum& s, floats const& q, floats const& r) noexcept {
            s.first.add_product(q, r);
            s.second.add_product(r, r);
        }
    };
};

/// `one`, `four` and `block` of each; see simd/row_sums.hpp for their arguments.
template <class Query, class Row = Query>
using squared_difference = row_kernels<difference_step<Query, Row>>;
template <class Query, class Row = Query>
using dot_product = row_kernels<product_step<Query, Row>>;
template <class Query, class Row = Query>
using absolute_difference = row_kernels<distance_step<Query, Row>>;
template <class Query, class Row = Query>
using dot_and_row_square = row_kernels<product_and_square_step<Query, Row>>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SQ8_BOUND_HPP
#define VICINAL_CODEC_SQ8_BOUND_HPP

#include <vicinal/codec/sq8/encoding.hpp>
#include <vicinal/codec/sq8/frame.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/metric/squared_l2.hpp>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

/// Which rows may be left out without a look at their floats.
///
/// With x^ and q^ the decoded row and query, e and f their errors, and I the centred integer
/// product, <q^, x^> = scale_x scale_q I. A row whose exact distance is at most t has
///
///     squared L2      |q^ - x^| <= sqrt(t) + e + f
///     cosine          the same of the directions, whose squared distance is 2 t
///     inner product   <q^, x^> >= -t - |q| e - |x^| f
///
/// and each of them, divided by the scales, reads I >= a limit that is linear in three numbers of
/// the row: limit = of_row.size * size + of_row.inverse * inverse + of_row.loss * loss. So a scan
/// is an integer product, two multiply-adds and a comparison for each row.
///
/// All of it is rounded towards keeping a row: 2^-19 of each term for float's arithmetic here, and
/// the rounding of the exact distance itself. A limit that is NaN keeps the row.
/// Source: the triangle inequality; the linear form is our own.
namespace vicinal::inline VICINAL_ABI::codec {

/// The numbers of a row that the limit is linear in.
struct sq8_row_terms {
    float size;
    float inverse;
    float loss;
};

/// The numbers of a query and a distance that they are multiplied by.
struct sq8_query_terms {
    float size;
    float inverse;
    float loss;
};

/// Metrics that have no bound.
template <class Metric>
struct sq8_bound {
    static constexpr bool exists = false;
};

namespace detail {

inline constexpr float sq8_down = 1 - 0x1p-19F;
inline constexpr float sq8_up = 1 + 0x1p-19F;

/// The float nearest to x; infinity beyond the range.
[[nodiscard]] inline float sq8_narrow(double x) noexcept {
    constexpr double most = (std::numeric_limits<float>::max)();
    if (!(std::fabs(x) <= most))
        return std::copysign(std::numeric_limits<float>::infinity(), x < 0 ? -1.0F : 1.0F);
    return static_cast<float>(x);
}

/// What squared L2 and cosine share: `square` is the squared distance that a row may have.
struct sq8_euclidean {
    template <class Lanes>
    VICINAL_ALWAYS_INLINE static void row(Lanes const& scale, Lanes const& error,
                                          Lanes const& square_sum, Lanes& size, Lanes& inverse,
                                          Lanes& loss) noexcept {
        inverse = 0.5F / scale;
        size = scale * square_sum * (0.5F * sq8_down) - error * error * inverse * sq8_up;
        loss = error * inverse;
    }
    [[nodiscard]] static sq8_query_terms query(sq8_factors const& q, double square) noexcept {
        double const scale = q.scale;
        double const reach = (std::sqrt(square) + q.error) * (1 + 0x1p-19);
        double const norm = scale * scale * q.square_sum;
        return {detail::sq8_narrow(1 / scale),
                detail::sq8_narrow((norm * (1 - 0x1p-19) - reach * reach) / scale),
                detail::sq8_narrow(-2 * reach / scale)};
    }
};

} // namespace detail

template <>
struct sq8_bound<metric::squared_l2> : detail::sq8_euclidean {
    static constexpr bool exists = true;
    static constexpr bool directions = false;

    [[nodiscard]] static sq8_query_terms query(sq8_factors const& q, float distance) noexcept {
        // The exact distance rounds each difference to float, and its sum; what is below the
        // smallest float is 0.
        return sq8_euclidean::query(q, distance * (1 + 0x1p-20) + 0x1p-148);
    }
};

template <>
struct sq8_bound<metric::cosine> : detail::sq8_euclidean {
    static constexpr bool exists = true;
    static constexpr bool directions = true;

    [[nodiscard]] static sq8_query_terms query(sq8_factors const& q, float distance) noexcept {
        // 1 - product / norms is within 2^-36 in double to 32,768 elements.
        return sq8_euclidean::query(q, 2 * (distance * (1 + 0x1p-20) + 0x1p-35));
    }
};

template <>
struct sq8_bound<metric::inner_product> {
    static constexpr bool exists = true;
    static constexpr bool directions = false;

    template <class Lanes>
    VICINAL_ALWAYS_INLINE static void row(Lanes const& scale, Lanes const& error,
                                          Lanes const& square_sum, Lanes& size, Lanes& inverse,
                                          Lanes& loss) noexcept {
        inverse = 1.0F / scale;
        // The root of n is at most (n / g + g) / 2 whatever g; halving the exponent gives a g that
        // makes it 0.06 % too large at most.
        decltype(scale < scale) bits;
        Lanes guess;
        std::memcpy(&bits, &square_sum, sizeof bits);
        bits = (bits >> 1) + 0x1fbb4f2e;
        std::memcpy(&guess, &bits, sizeof guess);
        size = (square_sum / guess + guess) * (0.5F * detail::sq8_up);
        loss = error * inverse;
    }
    /// shift: what rows' codes leave out of the product.
    [[nodiscard]] static sq8_query_terms query(sq8_factors const& q, float distance,
                                               sq8_shift const& shift = {}) noexcept {
        double const scale = q.scale;
        double const norm = scale * std::sqrt(double{1} * q.square_sum);
        double const t = distance;
        // Of the norms: the integer product in float, the exact sum in double: relative to the
        // norms.
        double const of_size = (q.error + norm * 0x1p-22) * (1 + 0x1p-19);
        double const of_loss = (norm + q.error) * (1 + 0x1p-19);
        return {
            detail::sq8_narrow(-of_size / scale),
            detail::sq8_narrow((-t - shift.value - std::fabs(t) * 0x1p-19 - shift.slack) / scale),
            detail::sq8_narrow(-of_loss / scale)};
    }
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

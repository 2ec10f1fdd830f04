// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_RABITQ_CERTAINTY_HPP
#define VICINAL_CODEC_RABITQ_CERTAINTY_HPP

#include <vicinal/codec/rabitq/encoding.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>

namespace vicinal::inline VICINAL_ABI::codec {

/// How many of the errors that rabitq_factors names a product is taken to be off by at most: more
/// in one of 2,000 directions. Where a miss costs no more than a candidate.
inline constexpr float rabitq_certainty = 3.3F;

/// What estimates of the distances of one query say of the distances: but for one direction in some
/// 2,000 (rabitq_certainty).
///
/// Only what of the query q is at a right angle to a row r makes an estimate wrong, as <q, r>
/// itself is in it as it is. Where that product is p, the square of what is left is |q|^2 - p^2 /
/// |r|^2; so of what an estimate may stand for the greatest p solves
///
///     (p - estimate)^2 = (certainty error)^2 (|q|^2 - p^2 / |r|^2)
///
/// Near a query that is a half to three quarters of what all of |q| would allow: so many rows could
/// be among the ten nearest of 20,000 by codes of one bit, of sift 288 in place of 529, of mnist 38
/// in place of 63. Source of the error: Gao & Long, SIGMOD 2024, whose bound takes a query of norm
/// 1 whole.
template <class Metric>
struct rabitq_rule {
    /// A distance is `parts` times what half the square of the row and of the query (of
    /// inner_product a constant) are beyond the product of both.
    static constexpr float parts =
        std::same_as<Metric, metric::inner_product> || std::same_as<Metric, metric::cosine> ? 1 : 2;
    static constexpr float of_square = std::same_as<Metric, metric::inner_product> ? 0 : 0.5F;

    /// Of the query: what every distance has added, the norm, and its square, a hair more.
    float add = 0;
    float norm = 0;
    float square = 0;
    /// What an estimate of a product is off by beyond the row's error: `off`, and `off_square`
    /// times the square of the row.
    float off = 0;
    float off_square = 0;

    rabitq_rule() = default;
    /// lost: what the query's form has lost of it, as rabitq_factors::error; of a query without
    /// codes it is infinite, and no row is ruled out. of_code: whether a row's code stands in the
    /// place of the query, which is itself not where it points to.
    rabitq_rule(float add_of_query, float norm_of_query, float lost, bool of_code = false) noexcept
        : add(add_of_query), norm(norm_of_query), square(norm * norm * (1 + 0x1p-17F)) {
        // A length is at most half of its square over another and of the other.
        float const length = norm > 0x1p-60F ? norm : 1;
        float const half = rabitq_certainty * lost / 2;
        off = half * length + (0x1p-18F * (std::fabs(add) + square) + 0x1p-100F) / parts;
        off_square = half / length + 0x1.8p-18F / parts;
        if (of_code) square = std::numeric_limits<float>::infinity();
    }

    /// A distance less what the row adds to it, as a product: what beyond() wants of a limit.
    [[nodiscard]] float at(float distance) const noexcept { return (add - distance) / parts; }

    /// Whether the distance is beyond the limit of `at`, where its estimate is `distance`: what
    /// at_least() tells, without its roots, as a scan asks it of every row.
    [[nodiscard]] bool beyond(rabitq_factors const& row, float distance,
                              float limit_at) const noexcept {
        float const product = of_square * row.square + limit_at;
        float const estimate = of_square * row.square + at(distance);
        float const over = product - estimate - off - off_square * row.square;
        float const left = row.square * square - product * (std::max)(product, 0.0F);
        float const error = rabitq_certainty * row.error;
        return over > 0 &&
               over * over * (row.square + 0x1p-110F) > error * error * (std::max)(left, 0.0F);
    }
    /// What the distance is at least, where its estimate is `distance`; -infinity where one of the
    /// two has no codes.
    [[nodiscard]] float at_least(rabitq_factors const& row, float distance) const noexcept {
        float const estimate = of_square * row.square + at(distance);
        float const most = most_product(row, estimate + off + off_square * row.square);
        float const least = distance - parts * (most - estimate);
        return least == least ? least : -std::numeric_limits<float>::infinity();
    }

private:
    [[nodiscard]] float most_product(rabitq_factors const& row, float estimate) const noexcept {
        float const error = rabitq_certainty * row.error;
        float const straight = estimate + error * norm;
        bool const sound = straight < std::numeric_limits<float>::infinity();
        if (!sound || straight <= 0 || row.square <= 0) return straight;
        float const squares = row.square * square;
        // No product is greater.
        if (estimate > 0 && estimate * estimate >= squares) return std::sqrt(squares);
        float const share = error * error / row.square;
        float const root = std::sqrt(share * ((1 + share) * squares - estimate * estimate));
        // In this order: the root is NaN where squares leave the range.
        return (std::min)(straight, (estimate + root) / (1 + share));
    }
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SQ8_SCORE_HPP
#define VICINAL_CODEC_SQ8_SCORE_HPP

#include <vicinal/codec/sq8/bound.hpp>
#include <vicinal/codec/sq8/encoding.hpp>
#include <vicinal/codec/sq8/lanes.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/simd/byte_sums.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

/// Distances between rows of codes, as a graph asks for them: any row, or any four.
namespace vicinal::inline VICINAL_ABI::codec {

/// A row as a graph keeps it: 16 bytes of its factors, then its codes.
struct sq8_row {
    [[nodiscard]] static sq8_factors factors(std::byte const* row) noexcept {
        sq8_factors f;
        std::memcpy(&f, row, sizeof f);
        return f;
    }
    [[nodiscard]] static std::uint8_t const* codes(std::byte const* row) noexcept {
        return reinterpret_cast<std::uint8_t const*>(row) + sizeof(sq8_factors);
    }
};

/// Under the inner product a row has other factors: what its product with any other row has of the
/// frame's mean, and error and norm in two bytes each, rounded up.
struct sq8_product_factors {
    float scale = 0;
    /// As the upper halves of floats, at least what they stand for.
    std::uint16_t norm = 0;
    std::uint16_t error = 0;
    /// The product of the mean and the vector less the mean.
    float of_mean = 0;
    std::uint32_t sum_and_zero = 0;

    sq8_product_factors() = default;
    sq8_product_factors(sq8_factors const& f, float product_with_mean) noexcept
        : scale(f.scale),
          norm(upwards(f.scale * std::sqrt(static_cast<float>(f.square_sum)) * (1 + 0x1p-20F))),
          error(upwards(f.error)), of_mean(product_with_mean), sum_and_zero(f.sum_and_zero) {}

    [[nodiscard]] static sq8_product_factors of(std::byte const* row) noexcept {
        sq8_product_factors f;
        std::memcpy(&f, row, sizeof f);
        return f;
    }
    [[nodiscard]] static float value(std::uint16_t upper) noexcept {
        return std::bit_cast<float>(std::uint32_t{upper} << 16);
    }

private:
    [[nodiscard]] static std::uint16_t upwards(float x) noexcept {
        return static_cast<std::uint16_t>((std::bit_cast<std::uint32_t>(x) + 0xffffU) >> 16);
    }
};
static_assert(sizeof(sq8_product_factors) == sizeof(sq8_factors));

/// What a distance needs of the row that others are compared with.
struct sq8_side {
    /// Not aligned.
    std::uint8_t const* codes = nullptr;
    /// Twice the scale under squared L2 and cosine, the scale under the inner product.
    float scale = 0;
    /// The square of the decoded vector; under the inner product what the row has of the mean.
    float square = 0;
    /// What the sum of a row's codes, and a row's zero, are multiplied by in the centred product.
    std::uint32_t of_sum = 0;
    std::uint32_t of_zero = 0;
};

namespace detail {
inline namespace VICINAL_BASELINE {

/// Turns four rows' factors into four lanes of each kind, and the products into distances.
template <class Metric>
struct sq8_finish {
    using integers = simd::pack<std::uint32_t, 4>;
    using floats = simd::pack<float, 4>;
    static constexpr bool product = std::same_as<Metric, metric::inner_product>;
    static constexpr bool half = std::same_as<Metric, metric::cosine>;

    VICINAL_ALWAYS_INLINE static void four(sq8_side const& q, std::byte const* const* rows,
                                           std::int32_t const* products, float* out) noexcept {
        integers a, b, c, d, p;
        std::memcpy(&a.lanes, rows[0], 16);
        std::memcpy(&b.lanes, rows[1], 16);
        std::memcpy(&c.lanes, rows[2], 16);
        std::memcpy(&d.lanes, rows[3], 16);
        sq8_turn(a, b, c, d);
        std::memcpy(&p.lanes, products, 16);
        floats scale, distance;
        scale.set_bits(a.lanes);
        finish(q, scale.lanes, c.lanes, d.lanes, p.lanes, distance.lanes);
        distance.store(out);
    }
    [[nodiscard]] VICINAL_ALWAYS_INLINE static float one(sq8_side const& q, std::byte const* row,
                                                         std::int32_t product_of) noexcept {
        auto const f = sq8_row::factors(row);
        float distance = 0;
        finish(q, f.scale, f.square_sum, f.sum_and_zero, static_cast<std::uint32_t>(product_of),
               distance);
        return distance;
    }

private:
    template <class Float, class Unsigned>
    VICINAL_ALWAYS_INLINE static void
    finish(sq8_side const& q, Float const& scale, Unsigned const& square_sum,
           Unsigned const& sum_and_zero, Unsigned const& product_of, Float& out) noexcept {
        // Modulo 2^32, like the product; the result fits.
        Unsigned const centred =
            product_of + (sum_and_zero & 0xffffffU) * q.of_sum - (sum_and_zero >> 24) * q.of_zero;
        if constexpr (product) {
            out =
                -(scale * q.scale * as_floats<Float>(centred)) - bits<Float>(square_sum) - q.square;
        } else {
            out = scale *
                      (scale * as_floats<Float>(square_sum) - q.scale * as_floats<Float>(centred)) +
                  q.square;
            if constexpr (half) out = out * 0.5F;
        }
    }
    template <class Float, class Unsigned>
    [[nodiscard]] VICINAL_ALWAYS_INLINE static Float bits(Unsigned const& x) noexcept {
        static_assert(sizeof(Float) == sizeof(Unsigned));
        Float f;
        std::memcpy(&f, &x, sizeof f);
        return f;
    }
    /// As signed numbers; a sum of squares is below 2^31 to 33,000 elements.
    template <class Float, class Unsigned>
    [[nodiscard]] VICINAL_ALWAYS_INLINE static Float as_floats(Unsigned const& x) noexcept {
        if constexpr (std::same_as<Float, float>) {
            return static_cast<float>(static_cast<std::int32_t>(x));
        } else {
            simd::pack<std::int32_t, 4> s;
            s.set_bits(x);
            return __builtin_convertvector(s.lanes, Float);
        }
    }
};

template <class Metric>
struct sq8_score_body {
    static constexpr simd::instruction_set gains_from = simd::instruction_set::avx512_vnni;

    template <class Set>
    VICINAL_ALWAYS_INLINE static float run(sq8_side const* q, std::byte const* row,
                                           std::size_t dim) noexcept {
        auto const p = simd::one_row<simd::unsigned_dot_step>::template run<Set>(
            q->codes, sq8_row::codes(row), dim);
        return sq8_finish<Metric>::one(*q, row, p);
    }
};

template <class Metric>
struct sq8_score_four_body {
    static constexpr simd::instruction_set gains_from = simd::instruction_set::avx512_vnni;

    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(sq8_side const* q, std::byte const* const* rows,
                                          std::size_t dim, float* out) noexcept {
        std::uint8_t const* const codes[4] = {sq8_row::codes(rows[0]), sq8_row::codes(rows[1]),
                                              sq8_row::codes(rows[2]), sq8_row::codes(rows[3])};
        std::int32_t products[4];
        simd::four_rows<simd::unsigned_dot_step>::template run<Set>(q->codes, codes, dim, products);
        sq8_finish<Metric>::four(*q, rows, products, out);
    }
};

} // namespace VICINAL_BASELINE
} // namespace detail

/// `get()(side, row, dim)`: the distance of the decoded vectors; a row without codes counts as
/// zeros.
template <class Metric>
using sq8_score = simd::kernel<detail::sq8_score_body<Metric>, float, sq8_side const*,
                               std::byte const*, std::size_t>;
/// `get()(side, rows, dim, out)`: four of them.
template <class Metric>
using sq8_score_four = simd::kernel<detail::sq8_score_four_body<Metric>, void, sq8_side const*,
                                    std::byte const* const*, std::size_t, float*>;

/// A row that others are compared with; it must stay in place. Takes no memory.
///
/// Under the inner product distances lack the square of the frame's mean, which is the same for all
/// pairs; at_least() has it.
template <class Metric>
class sq8_scorer {
public:
    sq8_scorer(std::byte const* row, std::size_t dim, double mean_square = 0) noexcept
        : one_(sq8_score<Metric>::get()), four_(sq8_score_four<Metric>::get()), of_(row),
          mean_square_(mean_square), dim_(dim) {
        auto const f = sq8_row::factors(row);
        side_.codes = sq8_row::codes(row);
        side_.scale = product ? f.scale : 2 * f.scale;
        side_.square = product ? of_.of_mean : f.scale * f.scale * static_cast<float>(f.square_sum);
        side_.of_sum = 128 - f.zero();
        side_.of_zero = f.sum() - static_cast<std::uint32_t>(dim) * f.zero();
    }

    [[nodiscard]] float operator()(std::byte const* row) const noexcept {
        return metric::ordered(one_(&side_, row, dim_));
    }
    /// The distances of four rows, wherever they lie.
    void four(std::byte const* const* rows, float* out) const noexcept {
        four_(&side_, rows, dim_, out);
        for (std::size_t i = 0; i < 4; ++i) out[i] = metric::ordered(out[i]);
    }

    /// What the distance of the vectors is at least, where that of the codes is `distance`: by the
    /// triangle inequality, less what float arithmetic may have lost. -infinity where one of the
    /// two has no codes.
    [[nodiscard]] float at_least(std::byte const* row, float distance) const noexcept {
        sizes const b(row);
        if (!std::isfinite(b.error + of_.error)) return -std::numeric_limits<float>::infinity();
        if constexpr (product) {
            double const lost =
                of_.norm * b.error + b.norm * of_.error + double{b.error} * of_.error;
            double const mean = std::sqrt(mean_square_);
            // What is of the size of the codes' product or of the parts with the mean was added up
            // in float, what is of the size of the vectors' product in double.
            double const rounding =
                0x1p-18 * (double{b.norm} * of_.norm + lost) +
                0x1p-20 * (std::fabs(b.of_mean) + std::fabs(of_.of_mean)) +
                0x1p-34 * (b.norm + b.error + mean) * (of_.norm + of_.error + mean);
            double const least = distance - mean_square_ - lost - rounding;
            return std::isfinite(least) ? detail::sq8_narrow(least - std::fabs(least) * 0x1p-22)
                                        : -std::numeric_limits<float>::infinity();
        } else {
            float const rounding = 0x1p-18F * (b.norm * b.norm + of_.norm * of_.norm) + exact;
            float const root =
                std::sqrt((std::max)(distance * half - rounding, 0.0F)) - b.error - of_.error;
            return root > 0 ? root * root * (1 - 0x1p-18F) / half : 0;
        }
    }

    /// What rules_out() needs of a distance that others must beat or tie.
    [[nodiscard]] float reach(float farthest) const noexcept {
        if constexpr (product) return farthest;
        return (std::sqrt((std::max)(farthest * half, 0.0F)) + of_.error) * (1 + 0x1p-18F);
    }
    /// Whether the distance of the vectors is beyond the one that `reach` was made of: what
    /// at_least() tells, without its roots, as a scan asks it of every row.
    [[nodiscard]] bool rules_out(std::byte const* row, float distance, float reach) const noexcept {
        if constexpr (product) {
            return at_least(row, distance) > reach;
        } else {
            auto const f = sq8_row::factors(row);
            float const square = f.scale * f.scale * static_cast<float>(f.square_sum);
            float const rounding = 0x1.1p-18F * (square + of_.norm * of_.norm) + 2 * exact;
            float const error = f.usable() ? f.error : std::numeric_limits<float>::infinity();
            float const limit = reach + error * (1 + 0x1p-18F);
            return distance * half - rounding > limit * limit;
        }
    }

private:
    static constexpr bool product = std::same_as<Metric, metric::inner_product>;
    /// A cosine distance is half the square of that of the directions.
    static constexpr float half = std::same_as<Metric, metric::cosine> ? 2 : 1;
    /// The exact cosine is within 2^-36, however near the directions are.
    static constexpr float exact = std::same_as<Metric, metric::cosine> ? 0x1p-34F : 0;

    /// Of a row: the norm of what its codes stand for, the error, and what it has of the mean.
    struct sizes {
        explicit sizes(std::byte const* row) noexcept {
            auto const f = sq8_row::factors(row);
            if constexpr (product) {
                auto const p = sq8_product_factors::of(row);
                norm = sq8_product_factors::value(p.norm);
                error = sq8_product_factors::value(p.error);
                of_mean = p.of_mean;
            } else {
                norm = f.scale * std::sqrt(static_cast<float>(f.square_sum));
                error = f.error;
            }
            if (!f.usable()) error = std::numeric_limits<float>::infinity();
        }
        float norm = 0;
        float error = 0;
        float of_mean = 0;
    };

    typename sq8_score<Metric>::function one_;
    typename sq8_score_four<Metric>::function four_;
    sq8_side side_;
    sizes of_;
    double mean_square_;
    std::size_t dim_;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_HALF_CODES_HPP
#define VICINAL_CODEC_HALF_CODES_HPP

#include <vicinal/codec/concept.hpp>
#include <vicinal/codec/row_scorer.hpp>
#include <vicinal/core/half.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/simd/exact_sums.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

template <class Metric>
concept has_half_codes = std::same_as<Metric, metric::squared_l2> ||
    std::same_as<Metric, metric::inner_product> || std::same_as<Metric, metric::cosine>;

/// What a row of halves says of itself: at least what rounding has lost, and at least the norm of
/// what the halves stand for.
struct half_sizes {
    float error = 0;
    float norm = 0;
};

/// Distances from a row of halves, which must stay in place. Takes no memory.
template <class Metric, class T>
class half_scorer {
    static constexpr bool product = std::same_as<Metric, metric::inner_product>;
    /// Under cosine the halves are of a direction, and its distance half the square between two.
    static constexpr bool directions = std::same_as<Metric, metric::cosine>;
    using inner =
        std::conditional_t<product, metric::basic_inner_product<T>, metric::basic_squared_l2<T>>;

public:
    half_scorer(std::byte const* row, std::size_t dim) noexcept
        : distance_(metric::bind<inner>(elements(row), dim)), of_(sizes(row)),
          relative_(static_cast<double>(dim + 8) * 0x1p-24),
          absolute_(static_cast<double>(dim) * 0x1p-149 + (directions ? 0x1p-34 : 0)) {}

    [[nodiscard]] float operator()(std::byte const* row) const noexcept {
        return scale * distance_(elements(row));
    }
    /// The distances of four rows, wherever they lie.
    void four(std::byte const* const* rows, float* out) const noexcept {
        T const* const all[4] = {elements(rows[0]), elements(rows[1]), elements(rows[2]),
                                 elements(rows[3])};
        distance_.four(all, out);
        for (std::size_t i = 0; i < 4; ++i) out[i] *= scale;
    }

    /// What the distance of the vectors is at least, where that of the codes is `distance`: by the
    /// triangle inequality, less what a sum of floats in any order may have lost.
    [[nodiscard]] float at_least(std::byte const* row, float distance) const noexcept {
        constexpr float most = (std::numeric_limits<float>::max)();
        auto const b = sizes(row);
        double least = 0;
        if constexpr (product) {
            double const norms = double{b.norm} * of_.norm;
            double const lost = double{of_.norm} * b.error + double{b.norm} * of_.error +
                                double{b.error} * of_.error;
            // A sum of both signs that has left the range of float tells nothing.
            if (!std::isfinite(distance)) return -std::numeric_limits<float>::infinity();
            least = distance - lost - norms * relative_ - absolute_;
            least -= std::fabs(least) * 0x1p-22;
        } else {
            double const square =
                (std::min)(distance, most) / double{scale} * (1 - relative_) - absolute_;
            double const root =
                std::sqrt((std::max)(square, 0.0)) - double{b.error} - double{of_.error};
            least = root > 0 ? root * root * scale * (1 - 0x1p-22) : 0;
        }
        // Also where one of the sizes is beyond float and the sum is no number.
        if (!(least >= -most)) return -std::numeric_limits<float>::infinity();
        return static_cast<float>((std::min)(least, double{most}));
    }
    /// What rules_out() needs of a distance that others must beat or tie.
    [[nodiscard]] float reach(float farthest) const noexcept { return farthest; }
    [[nodiscard]] bool rules_out(std::byte const* row, float distance, float reach) const noexcept {
        return at_least(row, distance) > reach;
    }

private:
    static constexpr float scale = directions ? 0.5F : 1.0F;

    [[nodiscard]] static T const* elements(std::byte const* row) noexcept {
        return reinterpret_cast<T const*>(row + sizeof(half_sizes));
    }
    [[nodiscard]] static half_sizes sizes(std::byte const* row) noexcept {
        half_sizes s;
        std::memcpy(&s, row, sizeof s);
        return s;
    }

    decltype(metric::bind<inner>(nullptr, 0)) distance_;
    half_sizes of_;
    double relative_;
    double absolute_;
};

/// Vectors as halves of type T, f16 or bf16, and a bound on what that loses. A row is its sizes and
/// then its elements.
template <class Metric, class T>
class half_codes {
public:
    static constexpr bool reads_rows = false;
    using element = float;

    explicit half_codes(std::size_t dim) noexcept : dim_(dim) {}

    [[nodiscard]] std::size_t row_bytes() const noexcept {
        return sizeof(half_sizes) + dim_ * sizeof(T);
    }

    /// Elements beyond the range of T become its largest, at the loss of what they had more.
    void encode_row(float const* vector, std::byte* row) const noexcept {
        double const m = multiplier(vector);
        auto* const out = row + sizeof(half_sizes);
        double lost = 0;
        double square = 0;
        for (std::size_t i = 0; i < dim_; ++i) {
            double const x = vector[i] * m;
            T const half(std::clamp(static_cast<float>(x), -most, most));
            double const decoded{static_cast<float>(half)};
            lost += (x - decoded) * (x - decoded);
            square += decoded * decoded;
            std::memcpy(out + i * sizeof half, &half, sizeof half);
        }
        // A direction is off by what its multiplier is.
        half_sizes const sizes{up(std::sqrt(lost) + (directions ? 0x1p-39 : 0)),
                               up(std::sqrt(square))};
        std::memcpy(row, &sizes, sizeof sizes);
    }

    /// Whether no element is beyond the range of T; of a direction none is.
    [[nodiscard]] bool encodes(float const* vector) const noexcept {
        if constexpr (directions) return true;
        return std::all_of(vector, vector + dim_, [](float x) { return std::fabs(x) <= most; });
    }
    /// The vector that a row stands for; under cosine its direction.
    void decode_row(std::byte const* row, float* out) const noexcept {
        for (std::size_t i = 0; i < dim_; ++i) {
            T half;
            std::memcpy(&half, row + sizeof(half_sizes) + i * sizeof half, sizeof half);
            out[i] = static_cast<float>(half);
        }
    }

    using query_scorer = row_scorer<half_scorer<Metric, T>>;

    [[nodiscard]] query_scorer query(float const* vector) const {
        std::vector<std::byte> row(row_bytes());
        encode_row(vector, row.data());
        return query_scorer(std::move(row), dim_);
    }
    [[nodiscard]] half_scorer<Metric, T> between(std::byte const* row) const noexcept {
        return {row, dim_};
    }

private:
    static constexpr bool directions = std::same_as<Metric, metric::cosine>;
    /// The largest number of T: the next one up is infinite.
    static constexpr float most = std::same_as<T, vicinal::f16> ? 65504.0F : 0x1.fep127F;

    [[nodiscard]] double multiplier(float const* vector) const noexcept {
        if constexpr (!directions) return 1;
        double const square = simd::exact_dot::get()(vector, vector, dim_);
        return square > 0 ? 1 / std::sqrt(square) : 0;
    }
    [[nodiscard]] static float up(double x) noexcept {
        constexpr double largest = (std::numeric_limits<float>::max)();
        double const larger = x * (1 + 0x1p-22) + 0x1p-149;
        return larger <= largest ? static_cast<float>(larger)
                                 : std::numeric_limits<float>::infinity();
    }

    std::size_t dim_;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

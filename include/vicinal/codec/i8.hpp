// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_I8_HPP
#define VICINAL_CODEC_I8_HPP

#include <vicinal/codec/concept.hpp>
#include <vicinal/codec/i8/score.hpp>
#include <vicinal/codec/row_scorer.hpp>
#include <vicinal/codec/sq8/bound.hpp>
#include <vicinal/codec/sq8/encoding.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/simd/exact_sums.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

/// One byte an element, by one scale for all vectors: dim + 4 bytes a row, dim under the inner
/// product.
///
/// It is right for vectors whose elements lie within one range that the first thousand show: whole
/// numbers of a byte (pixels, counts, embeddings that came as bytes), of which it loses nothing, so
/// that `only<i8>` is a quarter of the floats and exact; and normalised ones. Where norms differ,
/// or some elements are much larger than others, take codec::sq8, which has a scale for each
/// vector, a bound on what it loses, and nothing to learn. What lies outside the range that was
/// learnt counts as its end.
///
/// For float elements, up to 32,768 of them, under squared_l2, inner_product and cosine. Under
/// cosine the direction is encoded. Learns the least and the greatest element of 1,000 rows or
/// more.
struct i8 {
    static constexpr std::string_view name = "i8";

    template <class Metric>
    class of {
        static constexpr bool product = std::same_as<Metric, metric::inner_product>;
        static constexpr bool directions = std::same_as<Metric, metric::cosine>;
        using at = i8_row<Metric>;

    public:
        static constexpr bool reads_rows = false;
        using element = metric::element_of<Metric>;
        static constexpr bool bounded = sq8_bound<Metric>::exists && std::same_as<element, float>;
        static constexpr std::size_t most_elements = 32768;
        static constexpr std::size_t trains_from = 1000;
        static constexpr bool needs_model = true;

        explicit of(std::size_t dim) noexcept : dim_(dim) {}

        [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
        [[nodiscard]] std::size_t row_bytes() const noexcept { return at::front + dim_; }

        /// What code 0 stands for, and what a step does, of `rows` vectors, of which row(i) is one
        /// until the next is asked for. Looks at up to 4,096 of them. Takes memory.
        template <class Row>
        [[nodiscard]] result<std::vector<float>> fit(std::size_t rows, Row const& row) const {
            auto const seen = (std::min)(rows, std::size_t{4096});
            double low = std::numeric_limits<double>::infinity();
            double high = -low;
            bool whole = true;
            for (std::size_t i = 0; i < seen; ++i) {
                float const* const x = row(i * rows / seen);
                double const m = multiplier(x);
                for (std::size_t j = 0; j < dim_; ++j) {
                    double const value = x[j] * m;
                    if (!std::isfinite(value)) continue;
                    low = (std::min)(low, value);
                    high = (std::max)(high, value);
                    whole = whole && value == std::floor(value);
                }
            }
            if (!(low <= high)) low = high = 0;
            return range(low, high, whole);
        }
        /// The two numbers that fit() gives; none before there are any.
        [[nodiscard]] bool put_model(std::span<float const> numbers) noexcept {
            step_ = 0;
            if (numbers.empty()) return true;
            if (numbers.size() != 2 || !std::isfinite(numbers[0])) return false;
            if (!(numbers[1] >= least_step && numbers[1] <= most_step)) return false;
            if (product && numbers[0] != -128 * numbers[1]) return false;
            low_ = numbers[0];
            step_ = numbers[1];
            return true;
        }
        [[nodiscard]] bool has_model() const noexcept { return step_ > 0; }

        void encode_row(float const* vector, std::byte* row) const noexcept {
            double const m = multiplier(vector) / double{step_};
            double const low = double{low_} / double{step_} - 0.5;
            auto* const codes = reinterpret_cast<std::uint8_t*>(row) + at::front;
            std::uint32_t square = 0;
            for (std::size_t i = 0; i < dim_; ++i) {
                double const place = vector[i] * m - low;
                // What is no number counts as the range's lower end.
                auto const code =
                    static_cast<std::uint32_t>((std::min)(place > least ? place : least, 255.0));
                codes[i] = static_cast<std::uint8_t>(code);
                square += code * code - 256 * code;
            }
            if constexpr (!product) std::memcpy(row, &square, sizeof square);
        }
        /// What encode_row() has a code for that says anything.
        [[nodiscard]] bool encodes(float const* vector) const noexcept {
            return sq8_encodes(vector, dim_);
        }
        /// The vector that a row stands for; under cosine next to its direction.
        void decode_row(std::byte const* row, float* out) const noexcept {
            auto const* const codes = at::codes(row);
            for (std::size_t i = 0; i < dim_; ++i)
                out[i] = static_cast<float>(double{low_} + double{step_} * codes[i]);
        }

        using query_scorer = row_scorer<i8_scorer<Metric>>;

        /// Takes memory.
        [[nodiscard]] query_scorer query(element const* vector) const {
            std::vector<std::byte> row(row_bytes());
            encode_row(vector, row.data());
            return query_scorer(std::move(row), dim_, unit());
        }
        [[nodiscard]] i8_scorer<Metric> between(std::byte const* row) const noexcept {
            return {row, dim_, unit()};
        }

    private:
        /// Squares of steps, times the elements, stay within float.
        static constexpr float least_step = 0x1p-50F;
        static constexpr float most_step = 0x1p40F;
        /// Under the inner product the range has a middle.
        static constexpr double least = product ? 1 : 0;

        [[nodiscard]] static std::vector<float> range(double low, double high, bool whole) {
            double step = 1;
            if constexpr (product) {
                double const most = (std::max)(std::fabs(low), std::fabs(high));
                if (!(whole && most <= 127)) step = most / 127;
            } else if (whole && high - low <= 255) {
                // Those of a byte keep their numbers.
                low = low >= 0 && high <= 255 ? 0 : low;
            } else {
                step = (high - low) / 255;
            }
            auto const rounded = (std::clamp)(static_cast<float>(step), least_step, most_step);
            return {product ? -128 * rounded : static_cast<float>(low), rounded};
        }
        [[nodiscard]] float unit() const noexcept {
            return step_ * step_ * (directions ? 0.5F : 1.0F);
        }
        [[nodiscard]] double multiplier(float const* vector) const noexcept {
            if constexpr (directions)
                return 1 / std::sqrt(simd::exact_dot::get()(vector, vector, dim_));
            else
                return 1;
        }

        std::size_t dim_;
        float low_ = 0;
        /// 0 before there is a model.
        float step_ = 0;
    };
};

static_assert(model<i8>);

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

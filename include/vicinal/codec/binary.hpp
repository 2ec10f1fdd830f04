// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_BINARY_HPP
#define VICINAL_CODEC_BINARY_HPP

#include <vicinal/codec/concept.hpp>
#include <vicinal/codec/sampled_mean.hpp>
#include <vicinal/codec/sq8/bound.hpp>
#include <vicinal/codec/sq8/encoding.hpp>
#include <vicinal/codec/sq8/frame.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/simd/bit_sums.hpp>
#include <vicinal/simd/exact_sums.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

/// Distances of rows of signs, by counting where they differ.
template <class Metric>
class binary_scorer {
public:
    /// own: signs of `dim` elements and their size; `shift` is added to each distance.
    binary_scorer(std::vector<std::byte> own, std::size_t dim, float shift)
        : one_(simd::bits_that_differ::one::get()), four_(simd::bits_that_differ::four::get()),
          own_(std::move(own)), size_(size_of(own_.data())), shift_(shift), dim_(dim) {}

    [[nodiscard]] float operator()(std::byte const* row) const noexcept {
        return finish(row, one_(bits_of(own_.data()), bits_of(row), bytes()));
    }
    /// The distances of four rows, wherever they lie.
    void four(std::byte const* const* rows, float* out) const noexcept {
        std::uint8_t const* const all[4] = {bits_of(rows[0]), bits_of(rows[1]), bits_of(rows[2]),
                                            bits_of(rows[3])};
        std::int32_t differing[4];
        four_(bits_of(own_.data()), all, bytes(), differing);
        for (std::size_t i = 0; i < 4; ++i) out[i] = finish(rows[i], differing[i]);
    }

    /// Bits tell little: all of a walk's candidates are compared by their vectors.
    [[nodiscard]] static constexpr std::size_t compared(std::size_t,
                                                        std::size_t candidates) noexcept {
        return candidates;
    }

    [[nodiscard]] static float size_of(std::byte const* row) noexcept {
        float size;
        std::memcpy(&size, row, sizeof size);
        return size;
    }
    [[nodiscard]] static std::uint8_t const* bits_of(std::byte const* row) noexcept {
        return reinterpret_cast<std::uint8_t const*>(row) + sizeof(float);
    }

private:
    [[nodiscard]] std::size_t bytes() const noexcept { return (dim_ + 7) / 8; }
    /// Of vectors whose elements are all of one size: of `dim_` products, differing ones count
    /// less.
    [[nodiscard]] float finish(std::byte const* row, std::int32_t differing) const noexcept {
        auto const n = static_cast<float>(dim_);
        float const size = size_of(row);
        float const dot = size_ * size * (n - 2 * static_cast<float>(differing));
        if constexpr (std::same_as<Metric, metric::inner_product>) {
            return metric::ordered(shift_ - dot);
        } else {
            constexpr float part = std::same_as<Metric, metric::cosine> ? 0.5F : 1.0F;
            return metric::ordered((n * (size_ * size_ + size * size) - 2 * dot) * part);
        }
    }

    typename simd::bits_that_differ::one::function one_;
    typename simd::bits_that_differ::four::function four_;
    std::vector<std::byte> own_;
    float size_;
    float shift_;
    std::size_t dim_;
};

/// One bit an element: whether it is above the mean of the vectors there; and the mean size of what
/// they have beyond it. The smallest codes, compared by counting bits. rabitq<1>, which rotates,
/// takes 8 bytes a row more and ranks better; this one is for embeddings that were trained for it.
///
/// For float elements under squared_l2, inner_product and cosine. Under cosine the direction is
/// encoded. Memory: dim / 8 + 4 bytes a row, beside the vectors. A graph is linked by the vectors.
/// The mean is learnt once there are rows (fitting_frame).
struct binary {
    static constexpr std::string_view name = "binary";

    template <class Metric>
    class of {
    public:
        static constexpr bool reads_rows = false;
        using element = metric::element_of<Metric>;
        static constexpr bool bounded = sq8_bound<Metric>::exists && std::same_as<element, float>;
        static constexpr bool links_by_codes = false;

        explicit of(std::size_t dim) noexcept : dim_(dim) {}

        [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
        [[nodiscard]] std::size_t row_bytes() const noexcept {
            return sizeof(float) + (dim_ + 7) / 8;
        }

        [[nodiscard]] sq8_frame const& frame() const noexcept { return frame_; }
        void put(sq8_frame frame) noexcept { frame_ = std::move(frame); }
        /// The mean of `rows` vectors, of which row(i) is one.
        template <class Row>
        [[nodiscard]] sq8_frame fitting_frame(std::size_t rows, Row const& row) const {
            return {sampled_mean(dim_, rows, row, [&](float const* x) { return multiplier(x); }),
                    false};
        }

        [[nodiscard]] static constexpr std::size_t scratch() noexcept { return 0; }
        void encode_row(float const* vector, std::byte* row,
                        float* /*scratch*/ = nullptr) const noexcept {
            encode(vector, true, row);
        }
        /// What encode_row() has a code for that says anything.
        [[nodiscard]] bool encodes(float const* vector) const noexcept {
            return sq8_encodes(vector, dim_);
        }
        /// The vector that a row stands for: on each axis the mean and, above or below it, the
        /// size; under cosine next to its direction.
        void decode_row(std::byte const* row, float* out) const noexcept {
            auto const* const bits = binary_scorer<Metric>::bits_of(row);
            float const size = binary_scorer<Metric>::size_of(row);
            for (std::size_t i = 0; i < dim_; ++i)
                out[i] = ((bits[i / 8] >> i % 8 & 1) != 0 ? size : -size) + mean(i);
        }

        using query_scorer = binary_scorer<Metric>;

        [[nodiscard]] query_scorer query(element const* vector) const {
            std::vector<std::byte> row(row_bytes());
            encode(vector, !product, row.data());
            double const of_mean =
                product && !frame_.empty() ? frame_.product_with_mean(vector) : 0;
            return query_scorer(std::move(row), dim_, static_cast<float>(-of_mean));
        }
        [[nodiscard]] query_scorer between(std::byte const* row) const {
            return query_scorer({row, row + row_bytes()}, dim_, 0);
        }

    private:
        static constexpr bool product = std::same_as<Metric, metric::inner_product>;
        static constexpr bool directions = std::same_as<Metric, metric::cosine>;

        [[nodiscard]] float mean(std::size_t i) const noexcept {
            return frame_.empty() ? 0.0F : frame_.mean()[i];
        }
        [[nodiscard]] double multiplier(float const* vector) const noexcept {
            if constexpr (directions)
                return 1 / std::sqrt(simd::exact_dot::get()(vector, vector, dim_));
            else
                return 1;
        }
        void encode(float const* vector, bool centred, std::byte* row) const noexcept {
            auto* const bits = reinterpret_cast<std::uint8_t*>(row) + sizeof(float);
            std::fill_n(bits, (dim_ + 7) / 8, std::uint8_t{0});
            double const m = multiplier(vector);
            double sizes = 0;
            for (std::size_t i = 0; i < dim_; ++i) {
                double const x = vector[i] * m - (centred ? double{mean(i)} : 0.0);
                sizes += std::fabs(x);
                bits[i / 8] |= static_cast<std::uint8_t>((x > 0 ? 1U : 0U) << i % 8);
            }
            auto const size = static_cast<float>(sizes / static_cast<double>(dim_));
            std::memcpy(row, &size, sizeof size);
        }

        std::size_t dim_;
        sq8_frame frame_;
    };
};

static_assert(model<binary>);

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SQ8_HPP
#define VICINAL_CODEC_SQ8_HPP

#include <vicinal/codec/concept.hpp>
#include <vicinal/codec/sq8/bound.hpp>
#include <vicinal/codec/sq8/encoding.hpp>
#include <vicinal/codec/sq8/kernels.hpp>
#include <vicinal/codec/sq8/score.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

/// A query in codes, with what the kernels want of it.
class sq8_query {
public:
    sq8_query() = default;

    /// `multiplier` as in sq8_encode.
    void encode(float const* vector, std::size_t dim, double multiplier) {
        codes_.resize(dim);
        shifted_.resize(dim);
        factors_ = sq8_encode(vector, dim, multiplier, codes_.data());
        for (std::size_t i = 0; i < dim; ++i)
            shifted_[i] = static_cast<std::int8_t>(codes_[i] - 128);
        dim_ = dim;
    }

    [[nodiscard]] sq8_factors const& factors() const noexcept { return factors_; }
    [[nodiscard]] std::uint8_t const* codes() const noexcept { return codes_.data(); }
    /// The codes less 128.
    [[nodiscard]] std::int8_t const* shifted() const noexcept { return shifted_.data(); }

    /// The least product of a row's codes and shifted() that a row at up to `distance` has. With
    /// t the query's codes and z its zero, that product is the centred one
    /// - (128 - z) sum(row) + zero(row) sum(t - z).
    template <class Bound>
    [[nodiscard]] sq8_limit limit(float distance) const noexcept {
        auto const terms = Bound::query(factors_, distance);
        auto const zero = static_cast<double>(factors_.zero());
        double const of_sum = zero - 128;
        double const of_zero = factors_.sum() - zero * static_cast<double>(dim_);
        constexpr double rounding = 0x1p-20;
        return {terms.size, terms.inverse, terms.loss,
                static_cast<float>(of_sum - std::fabs(of_sum) * rounding),
                static_cast<float>(of_zero - std::fabs(of_zero) * rounding)};
    }

private:
    std::vector<std::uint8_t> codes_;
    std::vector<std::int8_t> shifted_;
    sq8_factors factors_;
    std::size_t dim_ = 0;
};

/// One byte an element, each vector with a scale and a zero of its own, and a bound on what that
/// loses, by which a scan of the codes misses nothing.
///
/// For float elements up to 32,768 of them, under squared_l2, inner_product and cosine; other
/// metrics have no bound. Under cosine the direction is encoded, not the vector. Nothing is
/// trained. Memory: dim + 16 bytes a row, beside the vectors. A row as a graph reads it is its
/// factors and then its codes, row_bytes() of them.
struct sq8 {
    static constexpr std::string_view name = "sq8";

    template <class Metric>
    class of {
    public:
        static constexpr bool reads_rows = false;
        using element = metric::element_of<Metric>;
        using bound = sq8_bound<Metric>;
        static constexpr bool bounded = bound::exists && std::same_as<element, float>;
        static constexpr std::size_t most_elements = 32768;

        explicit of(std::size_t dim) noexcept : dim_(dim) {}

        [[nodiscard]] std::size_t row_bytes() const noexcept { return sizeof(sq8_factors) + dim_; }

        /// What a vector is multiplied by before it is encoded.
        [[nodiscard]] double multiplier(float const* vector) const noexcept {
            if constexpr (requires { requires bound::directions; })
                return 1 / std::sqrt(simd::exact_dot::get()(vector, vector, dim_));
            else
                return 1;
        }
        /// Codes and factors of a vector, apart.
        sq8_factors encode(float const* vector, std::uint8_t* codes) const noexcept {
            return sq8_encode(vector, dim_, multiplier(vector), codes);
        }
        /// Whether they are sound for that vector.
        [[nodiscard]] bool holds(float const* vector, std::uint8_t const* codes,
                                 sq8_factors const& factors) const noexcept {
            return sq8_holds(vector, dim_, multiplier(vector), codes, factors);
        }
        /// The same as one row. Elements of a size for which there is no bound, down to 2^-60 and
        /// up to 2^60, have codes here too, whose error counts as infinite.
        void encode_row(float const* vector, std::byte* row) const noexcept {
            auto* const codes = reinterpret_cast<std::uint8_t*>(row) + sizeof(sq8_factors);
            auto factors = encode(vector, codes);
            if (!factors.usable()) {
                float size = 0;
                for (std::size_t i = 0; i < dim_; ++i)
                    size = (std::max)(size, std::fabs(vector[i]));
                if (size >= 0x1p-60F && size <= 0x1p60F) {
                    double const shift = std::ldexp(1.0, -std::ilogb(size));
                    factors = sq8_encode(vector, dim_, shift, codes);
                    factors.scale = static_cast<float>(factors.scale / shift);
                    factors.error = std::numeric_limits<float>::infinity();
                }
            }
            std::memcpy(row, &factors, sizeof factors);
        }

        /// Distances from a row that the codec keeps itself: that of a query.
        class query_scorer {
        public:
            query_scorer(std::vector<std::byte> row, std::size_t dim) noexcept
                : row_(std::move(row)), score_(row_.data(), dim) {}
            query_scorer(query_scorer&&) noexcept = default;

            [[nodiscard]] float operator()(std::byte const* row) const noexcept {
                return score_(row);
            }
            void four(std::byte const* const* rows, float* out) const noexcept {
                score_.four(rows, out);
            }
            [[nodiscard]] float at_least(std::byte const* row, float distance) const noexcept {
                return score_.at_least(row, distance);
            }
            [[nodiscard]] float reach(float farthest) const noexcept {
                return score_.reach(farthest);
            }
            [[nodiscard]] bool rules_out(std::byte const* row, float distance,
                                         float reach) const noexcept {
                return score_.rules_out(row, distance, reach);
            }

        private:
            std::vector<std::byte> row_; // one that is moved keeps its place
            sq8_scorer<Metric> score_;
        };

        [[nodiscard]] query_scorer query(element const* vector) const {
            std::vector<std::byte> row(row_bytes());
            encode_row(vector, row.data());
            return {std::move(row), dim_};
        }
        [[nodiscard]] sq8_scorer<Metric> between(std::byte const* row) const noexcept {
            return {row, dim_};
        }

    private:
        std::size_t dim_;
    };
};

static_assert(model<sq8>);

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

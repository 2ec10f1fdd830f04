// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SQ8_HPP
#define VICINAL_CODEC_SQ8_HPP

#include <vicinal/codec/concept.hpp>
#include <vicinal/codec/sq8/bound.hpp>
#include <vicinal/codec/sq8/encoding.hpp>
#include <vicinal/codec/sq8/kernels.hpp>
#include <vicinal/simd/integer_sums.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
        /// The same as one row.
        void encode_row(float const* vector, std::byte* row) const noexcept {
            auto const factors =
                encode(vector, reinterpret_cast<std::uint8_t*>(row) + sizeof(sq8_factors));
            std::memcpy(row, &factors, sizeof factors);
        }

        /// Distance from a row to rows, decoded; what has no codes counts as zeros.
        class scorer {
        public:
            scorer(sq8_factors const& factors, std::uint8_t const* codes, std::size_t dim) noexcept
                : factors_(factors), codes_(codes), dim_(dim) {}

            [[nodiscard]] float operator()(std::byte const* row) const noexcept {
                auto const f = factors_of(row);
                auto const* codes = codes_of(row);
                auto const product = static_cast<std::uint32_t>(product_(codes_, codes, dim_));
                double const dot =
                    double{f.scale} * factors_.scale * sq8_centred(product, f, factors_, dim_);
                if constexpr (std::same_as<Metric, metric::inner_product>)
                    return static_cast<float>(-dot);
                double const square = square_of(f) + square_of(factors_) - 2 * dot;
                return static_cast<float>(std::same_as<Metric, metric::cosine> ? square / 2
                                                                               : square);
            }

        private:
            [[nodiscard]] static double square_of(sq8_factors const& f) noexcept {
                return double{f.scale} * f.scale * f.square_sum;
            }

            simd::integer_product<std::uint8_t>::one::function product_ =
                simd::integer_product<std::uint8_t>::one::get();
            sq8_factors factors_;
            std::uint8_t const* codes_;
            std::size_t dim_;
        };

        /// The same from a query, whose codes it keeps.
        class query_scorer {
        public:
            query_scorer(sq8_query query, std::size_t dim) noexcept
                : query_(std::move(query)), score_(query_.factors(), query_.codes(), dim) {}
            query_scorer(query_scorer&&) noexcept = default;

            [[nodiscard]] float operator()(std::byte const* row) const noexcept {
                return score_(row);
            }

        private:
            sq8_query query_; // a vector that is moved keeps its place
            scorer score_;
        };

        [[nodiscard]] query_scorer query(element const* vector) const {
            sq8_query q;
            q.encode(vector, dim_, multiplier(vector));
            return {std::move(q), dim_};
        }
        [[nodiscard]] scorer between(std::byte const* row) const noexcept {
            return {factors_of(row), codes_of(row), dim_};
        }

        [[nodiscard]] static sq8_factors factors_of(std::byte const* row) noexcept {
            sq8_factors f;
            std::memcpy(&f, row, sizeof f);
            return f;
        }
        [[nodiscard]] static std::uint8_t const* codes_of(std::byte const* row) noexcept {
            return reinterpret_cast<std::uint8_t const*>(row) + sizeof(sq8_factors);
        }

    private:
        std::size_t dim_;
    };
};

static_assert(model<sq8>);

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

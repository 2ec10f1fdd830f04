// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SQ8_HPP
#define VICINAL_CODEC_SQ8_HPP

#include <vicinal/codec/concept.hpp>
#include <vicinal/codec/row_scorer.hpp>
#include <vicinal/codec/sampled_mean.hpp>
#include <vicinal/codec/sq8/bound.hpp>
#include <vicinal/codec/sq8/encoding.hpp>
#include <vicinal/codec/sq8/frame.hpp>
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
        shift_ = {};
        for (std::size_t i = 0; i < dim; ++i)
            shifted_[i] = static_cast<std::int8_t>(codes_[i] - 128);
        dim_ = dim;
    }

    /// What rows in a frame leave out of their products, and what the query lost in coming there.
    void put_into(sq8_frame const& frame, bool direction, sq8_shift const& shift) noexcept {
        frame.widen(factors_, direction);
        shift_ = shift;
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
        auto const terms = [&] {
            if constexpr (requires { Bound::query(factors_, distance, shift_); })
                return Bound::query(factors_, distance, shift_);
            else
                return Bound::query(factors_, distance);
        }();
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
    sq8_shift shift_;
    std::size_t dim_ = 0;
};

/// One byte an element, each vector with a scale and a zero of its own, and a bound on what that
/// loses, by which a scan of the codes misses nothing.
///
/// For float elements up to 32,768 of them, under squared_l2, inner_product and cosine; other
/// metrics have no bound. Under cosine the direction is encoded, not the vector. Memory: dim + 16
/// bytes a row, beside the vectors. A row as a graph reads it is its factors and then its codes,
/// row_bytes() of them. Nothing is trained, but that data far from 0, or with a few large elements,
/// is encoded in a frame of its own, which an index asks for once it has rows (fitting_frame).
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
        [[nodiscard]] std::size_t dim() const noexcept { return dim_; }

        [[nodiscard]] std::size_t row_bytes() const noexcept { return sizeof(sq8_factors) + dim_; }

        /// The frame that vectors are encoded in: rows and queries in the same.
        [[nodiscard]] sq8_frame const& frame() const noexcept { return frame_; }
        void put(sq8_frame frame) noexcept { frame_ = std::move(frame); }

        /// What a vector is multiplied by before it is encoded.
        [[nodiscard]] double multiplier(float const* vector) const noexcept {
            if constexpr (directions)
                return 1 / std::sqrt(simd::exact_dot::get()(vector, vector, dim_));
            else
                return 1;
        }
        /// Floats that encoding takes beside the codes: 0 without a frame, dim with one.
        [[nodiscard]] std::size_t scratch() const noexcept { return frame_.empty() ? 0 : dim_; }
        /// Codes and factors of a vector, apart.
        sq8_factors encode(float const* vector, std::uint8_t* codes,
                           float* scratch = nullptr) const noexcept {
            if (frame_.empty()) return sq8_encode(vector, dim_, multiplier(vector), codes);
            frame_.apply(vector, multiplier(vector), true, scratch);
            auto factors = sq8_encode(scratch, dim_, 1, codes);
            frame_.widen(factors, directions);
            return factors;
        }
        /// Whether they are sound for that vector.
        [[nodiscard]] bool holds(float const* vector, std::uint8_t const* codes,
                                 sq8_factors const& factors) const {
            if (frame_.empty()) return sq8_holds(vector, dim_, multiplier(vector), codes, factors);
            std::vector<float> moved(dim_);
            frame_.apply(vector, multiplier(vector), true, moved.data());
            return sq8_holds(moved.data(), dim_, 1, codes, factors);
        }
        /// The same as one row. Elements of a size for which there is no bound, down to 2^-60 and
        /// up to 2^60, have codes here too, whose error counts as infinite.
        void encode_row(float const* vector, std::byte* row,
                        float* scratch = nullptr) const noexcept {
            auto* const codes = reinterpret_cast<std::uint8_t*>(row) + sizeof(sq8_factors);
            auto factors = encode(vector, codes, scratch);
            if (!factors.usable()) {
                auto const* const x = frame_.empty() ? vector : scratch;
                float size = 0;
                for (std::size_t i = 0; i < dim_; ++i) size = (std::max)(size, std::fabs(x[i]));
                if (size >= 0x1p-60F && size <= 0x1p60F) {
                    double const shift = std::ldexp(1.0, -std::ilogb(size));
                    factors = sq8_encode(x, dim_, shift, codes);
                    factors.scale = static_cast<float>(factors.scale / shift);
                    factors.error = std::numeric_limits<float>::infinity();
                }
            }
            if constexpr (product) {
                double const of_mean =
                    frame_.empty() ? 0 : frame_.product_with_mean(vector) - frame_.mean_square();
                sq8_product_factors const own(factors, detail::sq8_narrow(of_mean));
                std::memcpy(row, &own, sizeof own);
            } else {
                std::memcpy(row, &factors, sizeof factors);
            }
        }
        /// What encode_row() has a code for that says anything.
        [[nodiscard]] bool encodes(float const* vector) const noexcept {
            return sq8_encodes(vector, dim_);
        }
        /// The vector that such a row stands for; under cosine its direction. A row without codes
        /// stands for zeros, or the frame's mean.
        void decode_row(std::byte const* row, float* out) const noexcept {
            sq8_factors f; // an inner product's have scale and zero in the same places
            std::memcpy(&f, row, sizeof f);
            detail::sq8_decode::get()(reinterpret_cast<std::uint8_t const*>(row) + sizeof f, dim_,
                                      f.scale, static_cast<float>(f.zero()), out);
            if (!frame_.empty()) frame_.restore(out);
        }

        /// A query before many rows of codes.
        void encode(float const* vector, sq8_query& query) const {
            if (frame_.empty()) {
                query.encode(vector, dim_, multiplier(vector));
                return;
            }
            std::vector<float> moved(dim_);
            frame_.apply(vector, multiplier(vector), !product, moved.data());
            query.encode(moved.data(), dim_, 1);
            query.put_into(frame_, directions, shift(vector));
        }

        /// The frame that suits `rows` vectors, of which row(i) is one: an empty one, unless codes
        /// in another lose less than half as much. Looks at up to 4,096 of them for the mean and
        /// 256 for the loss; the same rows give the same frame.
        template <class Row>
        [[nodiscard]] sq8_frame fitting_frame(std::size_t rows, Row const& row) const {
            auto const mean =
                sampled_mean(dim_, rows, row, [&](float const* x) { return multiplier(x); });
            if (mean.empty()) return {};
            of best(dim_);
            auto least = best.squared_loss(rows, row);
            for (bool const rotated : {false, true}) {
                of other(dim_);
                other.put({mean, rotated});
                auto const loss = other.squared_loss(rows, row);
                if (!(4 * loss < least)) continue;
                least = loss;
                best.put(other.frame_);
            }
            return best.frame_;
        }

        using query_scorer = row_scorer<sq8_scorer<Metric>>;

        [[nodiscard]] query_scorer query(element const* vector) const {
            std::vector<std::byte> row(row_bytes());
            std::vector<float> moved(scratch());
            encode_row(vector, row.data(), moved.data());
            return query_scorer(std::move(row), dim_, frame_.mean_square());
        }
        [[nodiscard]] sq8_scorer<Metric> between(std::byte const* row) const noexcept {
            return {row, dim_};
        }

    private:
        static constexpr bool product = std::same_as<Metric, metric::inner_product>;
        static constexpr bool directions = [] {
            if constexpr (bound::exists) return bound::directions;
            return false;
        }();

        /// Under the inner product the query of a scan is not moved: what its product with the
        /// mean would add is the same for all rows.
        [[nodiscard]] sq8_shift shift(float const* vector) const noexcept {
            if (!product || frame_.empty()) return {};
            double const square = simd::exact_dot::get()(vector, vector, dim_);
            return {frame_.product_with_mean(vector),
                    std::sqrt(square * frame_.mean_square()) * 0x1p-34};
        }
        /// What codes lose of up to 256 of the rows, squared; infinite where one has none.
        template <class Row>
        [[nodiscard]] double squared_loss(std::size_t rows, Row const& row) const {
            std::vector<std::uint8_t> codes(dim_);
            std::vector<float> moved(scratch());
            auto const seen = (std::min)(rows, std::size_t{256});
            double sum = 0;
            for (std::size_t i = 0; i < seen; ++i) {
                auto const f = encode(row(i * rows / seen), codes.data(), moved.data());
                if (!f.usable()) return std::numeric_limits<double>::infinity();
                sum += double{f.error} * f.error;
            }
            return sum;
        }

        std::size_t dim_;
        sq8_frame frame_;
    };
};

static_assert(model<sq8>);

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

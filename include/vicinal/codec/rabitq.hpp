// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_RABITQ_HPP
#define VICINAL_CODEC_RABITQ_HPP

#include <vicinal/codec/concept.hpp>
#include <vicinal/codec/rabitq/encoding.hpp>
#include <vicinal/codec/rabitq/residuals.hpp>
#include <vicinal/codec/rabitq/scan.hpp>
#include <vicinal/codec/rabitq/score.hpp>
#include <vicinal/codec/sampled_mean.hpp>
#include <vicinal/codec/sq8/bound.hpp>
#include <vicinal/codec/sq8/frame.hpp>
#include <vicinal/simd/exact_sums.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

/// 1 to 8 bits an element of the rotated vector, with an estimate of the distance that is unbiased
/// and says how wrong it may be. Four bits rank nearly as the vectors do; one bit, a 32nd of the
/// vector, ranks well enough to find candidates at 100 elements and more.
///
/// For float elements, up to 32,768 of them, under squared_l2, inner_product and cosine. Under
/// cosine the direction is encoded, not the vector. Memory: Bits / 8 bytes an element, their number
/// rounded up to 64, and 12 bytes a row, beside the vectors. A row is its factors and then its
/// codes, row_bytes() of them. The frame, which an index asks for once it has rows (fitting_frame),
/// is the mean of the vectors: codes are of what a vector has beyond it. Estimates are off by about
/// 0.6, 0.3, 0.15, 0.075 ... (for 1, 2, 3, 4 ... bits) times the norms over the root of the
/// dimension. At fewer than 64 elements take codec::sq8.
///
/// Source: Gao & Long, "RaBitQ", SIGMOD 2024, and Gao et al., SIGMOD 2025 (codec/rabitq/); the
/// rotation is that of codec/sq8/rotation.hpp. Differs: a query has 8 bits an element in place of
/// 4, so that nothing needs to be drawn at random.
template <unsigned Bits>
struct rabitq {
    static_assert(Bits >= 1 && Bits <= 8, "vicinal: codec::rabitq takes 1 to 8 bits");
    static constexpr std::string_view names[8] = {"rabitq1", "rabitq2", "rabitq3", "rabitq4",
                                                  "rabitq5", "rabitq6", "rabitq7", "rabitq8"};
    static constexpr std::string_view name = names[Bits - 1];

    template <class Metric>
    class of {
    public:
        static constexpr bool reads_rows = false;
        using element = metric::element_of<Metric>;
        static constexpr bool bounded = sq8_bound<Metric>::exists && std::same_as<element, float>;
        static constexpr std::size_t most_elements = 32768;
        /// A graph is linked by the vectors where they are in memory, elsewhere by the codes: a
        /// poor graph where these have few bits, which is refused.
        static constexpr bool links_by_codes = Bits >= 4;
        /// As inverted lists have them (codec::block_codes), of one bit.
        using blocks = std::conditional_t<Bits == 1, rabitq_residuals<Metric>, void>;

        /// Takes memory: 20 bytes an element.
        explicit of(std::size_t dim)
            : dim_(dim), padded_(rabitq_padded(dim)), rotation_(padded_), rotated_mean_(padded_) {}

        [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
        [[nodiscard]] std::size_t row_bytes() const noexcept {
            return sizeof(rabitq_factors) + rabitq_parts<Bits>::bytes(padded_);
        }

        /// The mean of the vectors: rows and queries are encoded about the same.
        [[nodiscard]] sq8_frame const& frame() const noexcept { return frame_; }
        void put(sq8_frame frame) noexcept {
            frame_ = std::move(frame);
            std::fill(rotated_mean_.begin(), rotated_mean_.end(), 0.0F);
            std::copy(frame_.mean().begin(), frame_.mean().end(), rotated_mean_.begin());
            rotation_(rotated_mean_.data());
        }
        /// The frame of `rows` vectors, of which row(i) is one: their mean. Looks at up to 4,096 of
        /// them; the same rows give the same frame.
        template <class Row>
        [[nodiscard]] sq8_frame fitting_frame(std::size_t rows, Row const& row) const {
            return {sampled_mean(dim_, rows, row, [&](float const* x) { return multiplier(x); }),
                    false};
        }

        /// Floats that encoding takes beside the codes.
        [[nodiscard]] std::size_t scratch() const noexcept { return padded_; }
        /// A vector whose elements or square leave 2^-55 to 2^55 has no codes: it counts as the
        /// mean, and its error is infinite.
        void encode_row(float const* vector, std::byte* row, float* scratch) const noexcept {
            rotate(vector, true, scratch);
            auto const f = rabitq_encode<Bits>(scratch, padded_, row + sizeof(rabitq_factors));
            std::memcpy(row, &f, sizeof f);
        }
        /// What encode_row() has a code for that says anything.
        [[nodiscard]] bool encodes(float const* vector) const noexcept {
            double const square = simd::exact_dot::get()(vector, vector, dim_);
            return square == 0 || (square >= 0x1p-55 && square <= 0x1p55);
        }
        /// What a row stands for: of all multiples of its code, about the mean, the one next to the
        /// vector; under cosine to its direction. `vector` has room for scratch() floats, of which
        /// the first dim are the answer.
        void decode_row(std::byte const* row, float* vector) const noexcept {
            spread(row, vector);
            rotation_.undo(vector);
            for (std::size_t i = 0; i < frame_.mean().size(); ++i) vector[i] += frame_.mean()[i];
        }

        using query_scorer = rabitq_scorer<Bits, Metric>;

        /// Takes memory.
        [[nodiscard]] query_scorer query(element const* vector) const {
            auto const rotated = rotate_query(vector);
            return query_scorer(rotated.data(), padded_, added(vector, rotated));
        }

        /// As a scan has them (codec::scan_blocks).
        [[nodiscard]] std::size_t block_bytes() const noexcept requires(Bits == 1) {
            return rabitq_scan_bytes(padded_);
        }
        void put(std::byte const* row, std::size_t i, std::byte* block) const noexcept
            requires(Bits == 1) {
            rabitq_scan_put(row, padded_, i, block);
        }
        void take(std::byte const* block, std::size_t i, std::byte* row) const noexcept
            requires(Bits == 1) {
            rabitq_scan_take(block, padded_, i, row);
        }
        /// Takes memory.
        [[nodiscard]] rabitq_scan_scorer<Metric> block_query(element const* vector) const
            requires(Bits == 1) {
            auto rotated = rotate_query(vector);
            auto const add = added(vector, rotated);
            return {std::move(rotated), add};
        }
        /// The same for a row's code, whose own error adds to that of the others. Takes memory.
        [[nodiscard]] query_scorer between(std::byte const* row) const {
            auto const f = rabitq_factors::of(row);
            double add = directions ? f.square / 2 : f.square;
            if constexpr (!product && Bits < 8) {
                // A graph that is linked by codes asks for this more often than for anything else.
                std::vector<std::uint8_t> numbers(padded_);
                auto const length = unpack(row, numbers.data());
                return query_scorer(numbers.data(), padded_, length / 2, add, f.error);
            }
            std::vector<float> moved(padded_);
            spread(row, moved.data());
            if constexpr (product) {
                add = 0;
                for (std::size_t i = 0; i < padded_; ++i) {
                    moved[i] += rotated_mean_[i];
                    add -= double{moved[i]} * rotated_mean_[i];
                }
            }
            return query_scorer(moved.data(), padded_, add, f.error);
        }

    private:
        static constexpr bool product = std::same_as<Metric, metric::inner_product>;
        static constexpr bool directions = std::same_as<Metric, metric::cosine>;
        static constexpr double middle = ((1 << Bits) - 1) / 2.0;

        [[nodiscard]] double multiplier(float const* vector) const noexcept {
            if constexpr (directions)
                return 1 / std::sqrt(simd::exact_dot::get()(vector, vector, dim_));
            else
                return 1;
        }
        /// The numbers of a row's code, and how long a step of them is.
        [[nodiscard]] double unpack(std::byte const* row, std::uint8_t* numbers) const noexcept {
            rabitq_unpack<Bits>(row + sizeof(rabitq_factors), padded_, numbers);
            auto const f = rabitq_factors::of(row);
            // Four times the square of what lies about the middle: whole.
            std::uint32_t square = 0;
            for (std::size_t i = 0; i < padded_; ++i) {
                auto const u = 2 * std::int32_t{numbers[i]} - ((1 << Bits) - 1);
                square += static_cast<std::uint32_t>(u * u);
            }
            return f.rescale > 0 ? 4.0 * f.square / (double{f.rescale} * square) : 0.0;
        }
        /// What a code stands for as it lies in the frame: of the multiples of its direction the
        /// one next to the vector, so that a row is at no distance from itself.
        void spread(std::byte const* row, float* out) const noexcept {
            // In the last quarter of `out`: each is read before a float takes its place.
            auto* const numbers = reinterpret_cast<std::uint8_t*>(out) + 3 * padded_;
            auto const length = unpack(row, numbers);
            for (std::size_t i = 0; i < padded_; ++i)
                out[i] = static_cast<float>(length * (numbers[i] - middle));
        }
        [[nodiscard]] std::vector<float> rotate_query(element const* vector) const {
            std::vector<float> rotated(padded_);
            rotate(vector, !product, rotated.data());
            return rotated;
        }
        /// What every distance of a query has added.
        [[nodiscard]] double added(element const* vector, std::vector<float> const& rotated) const {
            if constexpr (product) return frame_.empty() ? 0 : -frame_.product_with_mean(vector);
            double square = 0;
            for (auto const x : rotated) square += double{x} * x;
            return directions ? square / 2 : square;
        }
        /// The vector, less the mean where it is a row's, padded and rotated.
        void rotate(float const* vector, bool centred, float* out) const noexcept {
            double const m = multiplier(vector);
            auto const mean = frame_.mean();
            for (std::size_t i = 0; i < dim_; ++i)
                out[i] = static_cast<float>(vector[i] * m -
                                            (centred && !mean.empty() ? double{mean[i]} : 0.0));
            std::fill(out + dim_, out + padded_, 0.0F);
            rotation_(out);
        }

        std::size_t dim_;
        std::size_t padded_;
        sq8_rotation rotation_;
        sq8_frame frame_;
        std::vector<float> rotated_mean_;
    };
};

static_assert(model<rabitq<1>>);

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

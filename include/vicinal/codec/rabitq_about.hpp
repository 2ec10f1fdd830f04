// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_RABITQ_ABOUT_HPP
#define VICINAL_CODEC_RABITQ_ABOUT_HPP

#include <vicinal/cluster/kmeans.hpp>
#include <vicinal/cluster/nearest_centre.hpp>
#include <vicinal/codec/concept.hpp>
#include <vicinal/codec/rabitq/about.hpp>
#include <vicinal/codec/sq8/bound.hpp>
#include <vicinal/codec/sq8/rotation.hpp>
#include <vicinal/simd/exact_sums.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

namespace detail {

/// "rabitq", the bits, "about", the centres.
template <unsigned Bits, std::size_t Centres>
inline constexpr auto rabitq_about_name = [] {
    std::array<char, 32> text{};
    std::size_t size = 0;
    for (char const c : std::string_view("rabitq")) text[size++] = c;
    text[size++] = static_cast<char>('0' + Bits);
    for (char const c : std::string_view("about")) text[size++] = c;
    std::size_t unit = 1;
    while (Centres / unit >= 10) unit *= 10;
    for (; unit > 0; unit /= 10) text[size++] = static_cast<char>('0' + Centres / unit % 10);
    return std::pair(text, size);
}();

} // namespace detail

/// codec::rabitq of what a vector has beyond the nearest of some centres, which are learnt from the
/// first rows, in place of the mean of all: what is to be encoded is shorter, and so is what is
/// lost. For stores that keep codes alone (codec::only).
///
/// In as many bytes, five bits an element: of the ten nearest of 50,000 SIFT descriptors, 128
/// elements, .961 are among the ten nearest of what codes stand for in place of .950 (`codecs_bench
/// "sift codes rabitq5"`).
///
/// For float elements, up to 32,768 of them, under squared_l2, inner_product and cosine. Under
/// cosine the direction is encoded. Memory: Bits / 8 bytes an element, their number rounded up to
/// 64, and 12 bytes a row; 12 bytes an element of each centre. Learns from the first 64 rows a
/// centre. A query is compared with all centres once; linking a graph takes three times as long as
/// over codec::rabitq, as its rows are queries then.
template <unsigned Bits, std::size_t Centres = 64>
struct rabitq_about {
    static_assert(Bits >= 3 && Bits <= 8,
                  "vicinal: codec::rabitq_about takes 3 to 8 bits: its distances are those of what "
                  "codes stand for; of fewer bits codec::rabitq has better estimates");
    static_assert(Centres >= 1 && Centres <= 65536,
                  "vicinal: codec::rabitq_about takes 1 to 65,536 centres");
    static constexpr std::string_view name{detail::rabitq_about_name<Bits, Centres>.first.data(),
                                           detail::rabitq_about_name<Bits, Centres>.second};

    template <class Metric>
    class of {
    public:
        static constexpr bool reads_rows = false;
        using element = metric::element_of<Metric>;
        static constexpr bool bounded = sq8_bound<Metric>::exists && std::same_as<element, float>;
        static constexpr std::size_t most_elements = 32768;
        static constexpr bool links_by_codes = Bits >= 4;
        static constexpr std::size_t trains_from = 64 * Centres;
        /// There is no code before it has learnt.
        static constexpr bool needs_model = true;

        /// Takes memory: 8 bytes an element.
        explicit of(std::size_t dim)
            : dim_(dim), padded_(rabitq_padded(dim)), rotation_(padded_), mean_(dim) {}

        [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
        [[nodiscard]] std::size_t row_bytes() const noexcept {
            return sizeof(rabitq_about_factors) + rabitq_parts<Bits>::bytes(padded_);
        }

        /// Up to Centres centres of `rows` vectors, of which row(i) is one until the next is asked
        /// for, one behind the other. Looks at up to 64 rows a centre. Takes memory.
        template <class Row>
        [[nodiscard]] result<std::vector<float>> fit(std::size_t rows, Row const& row) const {
            auto found = cluster::kmeans(
                rows, dim_, Centres, [&](std::size_t i, float* out) { bring(row(i), out); },
                cluster::kmeans_options{});
            VICINAL_CHECK(found);
            if (found->empty()) found->resize(dim_); // none of them is finite
            return found;
        }
        /// The centres as fit() gives them; none before there are any. Takes memory.
        [[nodiscard]] bool put_model(std::span<float const> numbers) {
            auto const count = numbers.size() / dim_;
            if (numbers.size() != count * dim_ || count > Centres) return false;
            for (auto const x : numbers)
                if (!std::isfinite(x)) return false;
            centres_.assign(numbers.begin(), numbers.end());
            std::fill(mean_.begin(), mean_.end(), 0.0F);
            for (std::size_t c = 0; c < count; ++c)
                for (std::size_t i = 0; i < dim_; ++i)
                    mean_[i] += centres_[c * dim_ + i] / static_cast<float>(count);
            rotated_.assign(count * padded_, 0.0F);
            for (std::size_t c = 0; c < count; ++c) {
                auto* const to = rotated_.data() + c * padded_;
                for (std::size_t i = 0; i < dim_; ++i)
                    to[i] = centres_[c * dim_ + i] - (product ? 0 : mean_[i]);
                rotation_(to);
            }
            panels_.clear();
            if (count > 0) panels_.emplace_back(centres_.data(), count, dim_);
            return true;
        }
        [[nodiscard]] bool has_model() const noexcept { return !centres_.empty(); }

        /// Floats that encoding takes beside the codes.
        [[nodiscard]] std::size_t scratch() const noexcept { return padded_; }
        void encode_row(float const* vector, std::byte* row, float* scratch) const noexcept {
            bring(vector, scratch);
            std::uint32_t nearest = 0;
            panels_.front().nearest(scratch, 1, &nearest);
            auto const* const centre = centres_.data() + nearest * dim_;
            for (std::size_t i = 0; i < dim_; ++i) scratch[i] -= centre[i];
            std::fill(scratch + dim_, scratch + padded_, 0.0F);
            rotation_(scratch);
            auto const f = rabitq_encode<Bits>(scratch, padded_, codes_of(row));
            rabitq_about_factors out;
            out.centre = nearest;
            // What the codes stand for, and its product with what the centre has beyond the mean.
            out.step = spread(codes_of(row), f, scratch);
            double square = 0;
            double with_centre = 0;
            auto const* const beyond = rotated_.data() + nearest * padded_;
            for (std::size_t i = 0; i < padded_; ++i) {
                square += double{scratch[i]} * scratch[i];
                with_centre += double{scratch[i]} * beyond[i];
            }
            out.add = static_cast<float>(square + 2 * with_centre);
            std::memcpy(row, &out, sizeof out);
        }
        /// What encode_row() has a code for that says anything.
        [[nodiscard]] bool encodes(float const* vector) const noexcept {
            double const square = simd::exact_dot::get()(vector, vector, dim_);
            return square == 0 || (square >= 0x1p-55 && square <= 0x1p55);
        }
        /// What a row stands for: its centre, and of all multiples of its code the one next to what
        /// the vector has beyond; under cosine that of its direction. `out` has room for scratch()
        /// floats, of which the first dim are the answer.
        void decode_row(std::byte const* row, float* out) const noexcept {
            auto const f = rabitq_about_factors::of(row);
            // In the last quarter of `out`: each is read before a float takes its place.
            auto* const numbers = reinterpret_cast<std::uint8_t*>(out) + 3 * padded_;
            rabitq_unpack<Bits>(codes_of(row), padded_, numbers);
            for (std::size_t i = 0; i < padded_; ++i)
                out[i] = static_cast<float>(f.step * (numbers[i] - middle));
            rotation_.undo(out);
            auto const* const centre = centres_.data() + f.centre_of(count()) * dim_;
            for (std::size_t i = 0; i < dim_; ++i) out[i] += centre[i];
        }

        using query_scorer = rabitq_about_scorer<Bits, Metric>;

        /// Takes memory. Cost: Centres x dim multiply-adds.
        [[nodiscard]] query_scorer query(element const* vector) const {
            std::vector<float> x(padded_);
            bring(vector, x.data());
            return from(std::move(x));
        }
        /// From what a row stands for. Takes memory.
        [[nodiscard]] query_scorer between(std::byte const* row) const {
            std::vector<float> x(padded_);
            decode_row(row, x.data());
            return from(std::move(x));
        }

    private:
        static constexpr bool product = std::same_as<Metric, metric::inner_product>;
        static constexpr bool directions = std::same_as<Metric, metric::cosine>;
        static constexpr double middle = ((1 << Bits) - 1) / 2.0;

        [[nodiscard]] static std::byte* codes_of(std::byte* row) noexcept {
            return row + sizeof(rabitq_about_factors);
        }
        [[nodiscard]] static std::byte const* codes_of(std::byte const* row) noexcept {
            return row + sizeof(rabitq_about_factors);
        }
        [[nodiscard]] std::size_t count() const noexcept { return centres_.size() / dim_; }

        void bring(float const* vector, float* out) const noexcept {
            double m = 1;
            if constexpr (directions)
                m = 1 / std::sqrt(simd::exact_dot::get()(vector, vector, dim_));
            for (std::size_t i = 0; i < dim_; ++i) out[i] = static_cast<float>(vector[i] * m);
        }
        /// Of the multiples of a code the one next to the vector, and how long a step of it is.
        [[nodiscard]] float spread(std::byte const* codes, rabitq_factors const& f,
                                   float* out) const noexcept {
            auto* const numbers = reinterpret_cast<std::uint8_t*>(out) + 3 * padded_;
            rabitq_unpack<Bits>(codes, padded_, numbers);
            double square = 0;
            for (std::size_t i = 0; i < padded_; ++i)
                square += (numbers[i] - middle) * (numbers[i] - middle);
            auto const step =
                f.rescale > 0 ? static_cast<float>(f.square / (double{f.rescale} * square)) : 0.0F;
            for (std::size_t i = 0; i < padded_; ++i)
                out[i] = static_cast<float>(step * (numbers[i] - middle));
            return step;
        }
        [[nodiscard]] query_scorer from(std::vector<float> x) const {
            using order = std::conditional_t<product, metric::inner_product, metric::squared_l2>;
            std::vector<float> of_centre(count());
            auto const distance = metric::bind<order>(x.data(), dim_);
            for (std::size_t c = 0; c < of_centre.size(); ++c)
                of_centre[c] = distance(centres_.data() + c * dim_) * (directions ? 0.5F : 1.0F);
            for (std::size_t i = 0; !product && i < dim_; ++i) x[i] -= mean_[i];
            std::fill(x.begin() + static_cast<std::ptrdiff_t>(dim_), x.end(), 0.0F);
            rotation_(x.data());
            return {x.data(), padded_, std::move(of_centre)};
        }

        std::size_t dim_;
        std::size_t padded_;
        sq8_rotation rotation_;
        std::vector<float> centres_;
        /// Of the centres.
        std::vector<float> mean_;
        /// The centres beyond it, rotated.
        std::vector<float> rotated_;
        /// One, once there are centres.
        std::vector<cluster::centre_panels> panels_;
    };
};

static_assert(model<rabitq_about<5>>);

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

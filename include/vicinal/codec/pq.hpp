// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_PQ_HPP
#define VICINAL_CODEC_PQ_HPP

#include <vicinal/cluster/kmeans.hpp>
#include <vicinal/cluster/nearest_centre.hpp>
#include <vicinal/codec/concept.hpp>
#include <vicinal/codec/pq/residuals.hpp>
#include <vicinal/codec/pq/score.hpp>
#include <vicinal/codec/sq8/bound.hpp>
#include <vicinal/codec/sq8/encoding.hpp>
#include <vicinal/core/bits.hpp>
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

/// "pq", the number of sub-vectors, "x", the bits.
template <std::size_t SubVectors, unsigned Bits>
inline constexpr auto pq_name = [] {
    std::array<char, 32> text{};
    std::size_t size = 0;
    text[size++] = 'p';
    text[size++] = 'q';
    std::size_t unit = 1;
    while (SubVectors / unit >= 10) unit *= 10;
    for (; unit > 0; unit /= 10) text[size++] = static_cast<char>('0' + SubVectors / unit % 10);
    text[size++] = 'x';
    text[size++] = static_cast<char>('0' + Bits);
    return std::pair(text, size);
}();

} // namespace detail

/// Product quantisation: a vector in SubVectors parts, each as the number of the nearest of 256 (8
/// bits) or 16 (4 bits) centres of that part, which are learnt from rows. A query makes a table of
/// its distances to all centres first; a row's distance is then a sum of SubVectors of its numbers.
///
/// For float elements under squared_l2, inner_product and cosine; under cosine the direction is
/// encoded. Memory: SubVectors x Bits / 8 bytes a row, beside the vectors, and 3 x 2^Bits x dim
/// floats. Parts are of dim / SubVectors elements, some of one more. Learns from the first rows
/// that there are, 4,096 (8 bits) or 1,000 (4 bits) of them or more: until then all are compared by
/// their vectors. At the same bytes it is nearer than rabitq (docs/codecs.md), which learns only a
/// mean, makes no table and says how wrong it may be; rows that come to lie elsewhere than those
/// that it learnt from have poor codes.
///
/// Source: Jegou, Douze & Schmid, "Product quantization for nearest neighbor search", TPAMI 2011.
template <std::size_t SubVectors, unsigned Bits = 8>
struct pq {
    static_assert(Bits == 8 || Bits == 4, "vicinal: codec::pq takes 8 or 4 bits");
    static_assert(SubVectors >= 1 && SubVectors <= 4096,
                  "vicinal: codec::pq takes 1 to 4,096 sub-vectors");
    static constexpr std::string_view name{detail::pq_name<SubVectors, Bits>.first.data(),
                                           detail::pq_name<SubVectors, Bits>.second};

    template <class Metric>
    class of {
        using parts = pq_parts<SubVectors, Bits>;

        static constexpr bool product = std::same_as<Metric, metric::inner_product>;
        static constexpr bool directions = std::same_as<Metric, metric::cosine>;

        /// What two elements add to a distance.
        struct part {
            [[nodiscard]] float operator()(float x, float y) const noexcept {
                if constexpr (product) return -x * y;
                return (x - y) * (x - y) * (directions ? 0.5F : 1.0F);
            }
        };

    public:
        static constexpr bool reads_rows = false;
        using element = metric::element_of<Metric>;
        static constexpr bool bounded = sq8_bound<Metric>::exists && std::same_as<element, float>;
        /// By 16 centres a part a graph would be a poor one.
        static constexpr bool links_by_codes = Bits == 8;
        static constexpr std::size_t trains_from = Bits == 8 ? 4096 : 1000;
        /// There is no code before it has learnt.
        static constexpr bool needs_model = true;
        static constexpr std::size_t parts_count = SubVectors;
        /// As inverted lists have them (codec::block_codes), of 4 bits; of 8 there are no tables in
        /// registers.
        using blocks =
            std::conditional_t<Bits == 4, pq_residuals<of<metric::squared_l2>, Metric>, void>;

        explicit of(std::size_t dim) noexcept : parts_{dim} {}

        [[nodiscard]] std::size_t dim() const noexcept { return parts_.dim; }
        [[nodiscard]] static constexpr std::size_t row_bytes() noexcept { return parts::bytes; }

        /// Centres for `rows` vectors, of which row(i) is one until the next is asked for: part by
        /// part, 2^Bits of them each. Looks at up to 64 rows a centre (8 bits) or 256, and no more
        /// than 64 MiB of them. Takes memory.
        template <class Row>
        [[nodiscard]] result<std::vector<float>> fit(std::size_t rows, Row const& row) const {
            auto const dim = parts_.dim;
            auto const seen = (std::min)({rows, parts::centres * (Bits == 8 ? 64 : 256),
                                          (std::max)((std::size_t{1} << 24) / dim, trains_from)});
            std::vector<float> sample(seen * dim);
            for (std::size_t i = 0; i < seen; ++i) {
                float const* const x = row(i * rows / seen);
                double const m = multiplier(x);
                for (std::size_t j = 0; j < dim; ++j)
                    sample[i * dim + j] = static_cast<float>(x[j] * m);
            }
            std::vector<float> model(parts::centres * dim);
            for (std::size_t p = 0; p < SubVectors; ++p) {
                auto const width = parts_.width(p);
                if (width == 0) continue;
                cluster::kmeans_options o;
                o.rows_a_centre = seen / parts::centres + 1;
                auto const found = cluster::kmeans(
                    seen, width, parts::centres,
                    [&](std::size_t i, float* out) {
                        std::copy_n(sample.data() + i * dim + parts_.first(p), width, out);
                    },
                    o);
                VICINAL_CHECK(found);
                // Where fewer rows differ the last centre stands for the others too.
                auto* const to = model.data() + parts::centres * parts_.first(p);
                auto const n = found->size() / width;
                for (std::size_t c = 0; n > 0 && c < parts::centres; ++c)
                    std::copy_n(found->data() + (std::min)(c, n - 1) * width, width,
                                to + c * width);
            }
            return model;
        }
        /// The centres as fit() gives them; none before there are any. Takes memory.
        [[nodiscard]] bool put_model(std::span<float const> numbers) {
            if (!numbers.empty() && numbers.size() != parts::centres * parts_.dim) return false;
            for (auto const x : numbers)
                if (!std::isfinite(x)) return false;
            centres_.assign(numbers.begin(), numbers.end());
            panels_.clear();
            turned_.resize(numbers.size());
            for (std::size_t p = 0; !numbers.empty() && p < SubVectors; ++p) {
                for (std::size_t c = 0; c < parts::centres; ++c)
                    for (std::size_t i = 0; i < parts_.width(p); ++i)
                        turned_[(parts_.first(p) + i) * parts::centres + c] =
                            parts_.centre(centres_.data(), p, c)[i];
                panels_.emplace_back(centres_.data() + parts::centres * parts_.first(p),
                                     parts_.width(p) == 0 ? 1 : parts::centres, parts_.width(p));
            }
            return true;
        }
        [[nodiscard]] bool has_model() const noexcept { return !centres_.empty(); }
        /// The centres of each part, element by element: those of one element side by side.
        [[nodiscard]] float const* turned() const noexcept { return turned_.data(); }

        /// Floats that encoding takes beside the codes.
        [[nodiscard]] std::size_t scratch() const noexcept { return parts_.dim; }
        void encode_row(float const* vector, std::byte* row, float* scratch) const noexcept {
            double const m = multiplier(vector);
            for (std::size_t i = 0; i < parts_.dim; ++i)
                scratch[i] = static_cast<float>(vector[i] * m);
            std::fill_n(row, row_bytes(), std::byte{0});
            for (std::size_t p = 0; p < SubVectors; ++p) {
                if (parts_.width(p) == 0) continue;
                std::uint32_t nearest = 0;
                panels_[p].nearest(scratch + parts_.first(p), 1, &nearest);
                parts::put(row, p, nearest);
            }
        }
        /// What encode_row() has a code for that says anything.
        [[nodiscard]] bool encodes(float const* vector) const noexcept {
            return sq8_encodes(vector, parts_.dim);
        }
        /// The centres that a row names, one behind the other; under cosine next to its direction.
        void decode_row(std::byte const* row, float* out) const noexcept {
            each_element(row, [out](std::size_t i, float x) { out[i] = x; });
        }
        /// Calls f(i, x) for each element of what a row stands for.
        template <class F>
        void each_element(std::byte const* row, F const& f) const noexcept {
            for (std::size_t p = 0; p < SubVectors; ++p) {
                auto const* const centre = parts_.centre(centres_.data(), p, parts::get(row, p));
                for (std::size_t i = 0; i < parts_.width(p); ++i) f(parts_.first(p) + i, centre[i]);
            }
        }

        using query_scorer = pq_table<SubVectors, Bits>;

        /// Takes memory: a float for each centre of each part. Cost: 2^Bits x dim multiply-adds.
        [[nodiscard]] query_scorer query(element const* vector) const {
            double const m = multiplier(vector);
            std::vector<float> x(parts_.dim);
            for (std::size_t i = 0; i < parts_.dim; ++i) x[i] = static_cast<float>(vector[i] * m);
            return query_scorer(parts_, turned_.data(), x.data(), part{});
        }
        /// From what a row stands for. Takes memory; the codec must stay in place.
        [[nodiscard]] pq_decoded<SubVectors, Bits, part> between(std::byte const* row) const {
            std::vector<float> x(parts_.dim);
            decode_row(row, x.data());
            return {parts_, centres_.data(), std::move(x)};
        }

    private:
        [[nodiscard]] double multiplier(float const* vector) const noexcept {
            if constexpr (directions)
                return 1 / std::sqrt(simd::exact_dot::get()(vector, vector, parts_.dim));
            else
                return 1;
        }

        parts parts_;
        std::vector<float> centres_;
        /// The same for tables, and for encoding.
        std::vector<float> turned_;
        std::vector<cluster::centre_panels> panels_;
    };
};

static_assert(model<pq<8, 8>>);

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

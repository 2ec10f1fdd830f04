// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_PCA_HPP
#define VICINAL_CODEC_PCA_HPP

#include <vicinal/codec/only.hpp>
#include <vicinal/codec/pca/directions.hpp>
#include <vicinal/codec/sampled_mean.hpp>
#include <vicinal/codec/sq8.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/simd/exact_sums.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

namespace detail {

/// "pca", the number of elements, "<" + name + ">".
template <std::size_t Dims, class Codec>
inline constexpr auto pca_name = [] {
    std::array<char, 16 + Codec::name.size()> text{};
    std::size_t size = 0;
    for (char const c : {'p', 'c', 'a'}) text[size++] = c;
    std::size_t unit = 1;
    while (Dims / unit >= 10) unit *= 10;
    for (; unit > 0; unit /= 10) text[size++] = static_cast<char>('0' + Dims / unit % 10);
    text[size++] = '<';
    for (char const c : Codec::name) text[size++] = c;
    text[size++] = '>';
    return std::pair(text, size);
}();

/// A base, so that the vector is there before the scorer that may read it.
struct held_vector {
    std::vector<float> elements; // one that is moved keeps its place
};

/// Distances of a codec over fewer elements; half of them where they are those of directions.
/// Nearer: whether two vectors are never farther from each other along the directions.
template <class Scorer, bool Halved, bool Nearer>
class pca_scorer : held_vector, Scorer {
public:
    pca_scorer(std::vector<float> vector, auto const& score)
        : held_vector{std::move(vector)}, Scorer(score(held_vector::elements.data())) {}

    [[nodiscard]] float operator()(std::byte const* row) const noexcept {
        return part * Scorer::operator()(row);
    }
    void four(std::byte const* const* rows, float* out) const noexcept requires
        requires(Scorer const& s) {
        s.four(rows, out);
    }
    {
        Scorer::four(rows, out);
        for (std::size_t i = 0; i < 4; ++i) out[i] *= part;
    }
    /// What the distance of the vectors is at least, where that of the codes is `distance`: what
    /// lies outside the directions only adds to it, and what projecting rounds away is not known.
    [[nodiscard]] float likely_at_least(std::byte const* row,
                                        float distance) const noexcept requires Nearer &&
        requires(Scorer const& s) {
        s.at_least(row, distance);
    }
    { return part * (1 - 0x1p-16F) * Scorer::at_least(row, distance / part); }
    /// What lies outside the directions is in no distance: more candidates are compared.
    [[nodiscard]] static constexpr std::size_t compared(std::size_t k, std::size_t found) noexcept {
        return (std::min)(3 * k + 20, found);
    }

private:
    static constexpr float part = Halved ? 0.5F : 1.0F;
};

} // namespace detail

/// Codec's codes of what vectors have along the Dims directions in which they differ most: for
/// vectors of hundreds of elements that hang together, such as images and embeddings, of which a
/// walk or a scan then reads a few times less. Vectors are kept, and candidates compared by them.
///
/// For float elements, up to 4,096 of them, under squared_l2, inner_product and cosine; under
/// cosine the direction is encoded. Learns the directions from up to 4,096 of the first rows, two
/// thousand or more: until then all are compared by their vectors. Rows that come to differ in
/// other directions than those have poor codes. Memory: Codec's codes of Dims elements a row, and
/// 4 (Dims + 1) dim bytes. A query and a row that is encoded cost Dims dim multiply-adds first,
/// learning some 2,500 dim^2 (half a second at 800 elements).
///
/// Source: Tepper et al., "LeanVec: searching vectors faster by making them fit", TMLR 2024, the
/// part of it that does not look at queries.
template <std::size_t Dims, model Codec = sq8>
struct pca {
    static_assert(Dims >= 1 && Dims <= 4096, "vicinal: codec::pca takes 1 to 4,096 directions");
    static_assert(!Codec::template of<metric::squared_l2>::reads_rows,
                  "vicinal: codec::pca<Dims, Codec> has codes of fewer elements, and codec::f32 "
                  "none of its own: take codec::f16, codec::sq8 or one of fewer bits");
    static_assert(!alone<typename Codec::template of<metric::squared_l2>>,
                  "vicinal: codec::pca drops what lies outside its directions, so vectors are "
                  "kept: take the codec without codec::only");
    static constexpr std::string_view name{detail::pca_name<Dims, Codec>.first.data(),
                                           detail::pca_name<Dims, Codec>.second};

    template <class Metric>
    class of {
        static constexpr bool product = std::same_as<Metric, metric::inner_product>;
        static constexpr bool directions = std::same_as<Metric, metric::cosine>;
        // What it learns from rows, a frame or a model, it learns there at once.
        using inner = typename only<Codec>::template of<
            std::conditional_t<product, metric::inner_product, metric::squared_l2>>;
        template <class Scorer>
        using scored = detail::pca_scorer<Scorer, directions, !product>;

    public:
        static constexpr bool reads_rows = false;
        using element = metric::element_of<Metric>;
        static constexpr bool bounded = sq8_bound<Metric>::exists && std::same_as<element, float>;
        static constexpr std::size_t most_elements = 4096;
        static constexpr std::size_t trains_from = 2000;
        static constexpr bool needs_model = true;

        explicit of(std::size_t dim)
            : dim_(dim), kept_((std::min)(Dims, (std::max)(dim, std::size_t{1}))), inner_(kept_) {}

        [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
        [[nodiscard]] std::size_t row_bytes() const noexcept { return inner_.row_bytes(); }

        /// The mean, the directions and what Codec has learnt, of `rows` vectors, of which row(i)
        /// is one until the next is asked for. Takes memory: 4 dim bytes for each of up to 4,096
        /// that it looks at, and 4 dim^2.
        template <class Row>
        [[nodiscard]] result<std::vector<float>> fit(std::size_t rows, Row const& row) const {
            of learnt(dim_);
            learnt.mean_ = middle(rows, row);
            auto const seen = (std::min)(rows, looked_at());
            std::vector<float> columns(seen * dim_), moved(dim_ + kept_);
            float most = 0;
            for (std::size_t i = 0; i < seen; ++i) {
                learnt.centre(row(i * rows / seen), moved.data());
                for (std::size_t j = 0; j < dim_; ++j) {
                    float const x = std::isfinite(moved[j]) ? moved[j] : 0.0F;
                    columns[j * seen + i] = x;
                    most = (std::max)(most, std::fabs(x));
                }
            }
            for (auto& x : columns) x = most > 0 ? x / most : 0.0F;
            learnt.directions_ = pca_directions(kept_, dim_, seen, columns);
            auto numbers = learnt.mean_;
            numbers.insert(numbers.end(), learnt.directions_.begin(), learnt.directions_.end());
            if constexpr (trained<inner>) {
                auto const more = learnt.inner_.fit(rows, [&](std::size_t i) {
                    learnt.project(row(i), moved.data() + kept_, moved.data());
                    return static_cast<float const*>(moved.data());
                });
                VICINAL_CHECK(more);
                numbers.insert(numbers.end(), more->begin(), more->end());
            }
            return numbers;
        }
        /// The numbers as fit() gives them; none before there are any. Takes memory.
        [[nodiscard]] bool put_model(std::span<float const> numbers) {
            mean_.clear();
            directions_.clear();
            auto const own = (kept_ + 1) * dim_;
            if (!numbers.empty() && numbers.size() < own) return false;
            if constexpr (trained<inner>) {
                bool const more = numbers.size() > own;
                if (!inner_.put_model(more ? numbers.subspan(own) : std::span<float const>{}))
                    return false;
                if constexpr (codec::needs_model<inner>)
                    if (!numbers.empty() && !more) return false;
            } else if (numbers.size() > own) {
                return false;
            }
            if (numbers.empty()) return true;
            for (auto const x : numbers.first(own))
                if (!std::isfinite(x)) return false;
            mean_.assign(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(dim_));
            auto const rest = numbers.subspan(dim_, kept_ * dim_);
            directions_.assign(rest.begin(), rest.end());
            return true;
        }
        [[nodiscard]] bool has_model() const noexcept { return !directions_.empty(); }

        /// Floats that encoding takes beside the codes.
        [[nodiscard]] std::size_t scratch() const noexcept {
            if constexpr (requires { inner_.scratch(); })
                return kept_ + (std::max)(dim_, inner_.scratch());
            else
                return kept_ + dim_;
        }
        void encode_row(float const* vector, std::byte* row, float* scratch) const noexcept {
            project(vector, scratch + kept_, scratch);
            if constexpr (requires { inner_.scratch(); })
                inner_.encode_row(scratch, row, scratch + kept_);
            else
                inner_.encode_row(scratch, row);
        }

        using query_scorer = scored<typename inner::query_scorer>;

        /// Takes memory.
        [[nodiscard]] query_scorer query(element const* vector) const {
            std::vector<float> moved(kept_ + dim_);
            project(vector, moved.data() + kept_, moved.data());
            return {std::move(moved), [&](float const* x) { return inner_.query(x); }};
        }
        /// The codec must stay in place.
        [[nodiscard]] auto between(std::byte const* row) const {
            return scored<decltype(inner_.between(row))>(
                {}, [&](float const*) { return inner_.between(row); });
        }
        /// What a vector has along each direction, Dims numbers (dim where these are fewer).
        /// scratch: dim floats.
        void project(float const* vector, float* scratch, float* out) const noexcept {
            centre(vector, scratch);
            detail::pca_products(scratch, directions_.data(), kept_, dim_, out);
        }

    private:
        /// Of the covariance no more than four billion products are worth their time.
        [[nodiscard]] std::size_t looked_at() const noexcept {
            auto const most = (std::size_t{1} << 33) / (dim_ * dim_);
            return (std::min)((std::max)(most, 4 * kept_), std::size_t{4096});
        }
        /// The mean; 0 under the inner product, which knows where 0 is.
        template <class Row>
        [[nodiscard]] std::vector<float> middle(std::size_t rows, Row const& row) const {
            std::vector<float> mean;
            if constexpr (!product)
                mean = sampled_mean(dim_, rows, row, [&](float const* x) { return multiplier(x); });
            mean.resize(dim_);
            return mean;
        }
        [[nodiscard]] double multiplier(float const* vector) const noexcept {
            if constexpr (directions)
                return 1 / std::sqrt(simd::exact_dot::get()(vector, vector, dim_));
            else
                return 1;
        }
        void centre(float const* vector, float* out) const noexcept {
            double const m = multiplier(vector);
            for (std::size_t i = 0; i < dim_; ++i)
                out[i] = static_cast<float>(vector[i] * m - double{mean_[i]});
        }

        std::size_t dim_;
        std::size_t kept_;
        inner inner_;
        std::vector<float> mean_;
        /// kept_ rows of dim_ elements.
        std::vector<float> directions_;
    };
};

static_assert(model<pca<1>>);

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_OPQ_HPP
#define VICINAL_CODEC_OPQ_HPP

#include <vicinal/codec/opq/rotation.hpp>
#include <vicinal/codec/pq.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

namespace detail {

/// "o" and the name of the product codec.
template <class Product>
inline constexpr auto opq_name = [] {
    std::array<char, Product::name.size() + 1> text{'o'};
    for (std::size_t i = 0; i < Product::name.size(); ++i) text[i + 1] = Product::name[i];
    return text;
}();

} // namespace detail

/// In the place of what finds a rotation: a program that reads such codes and learns none.
struct no_decompositions {};

/// Product quantisation of rotated vectors: codec::pq, whose parts are no longer neighbouring
/// elements but directions, chosen so that what codes lose is least. For data whose elements depend
/// on one another or vary unequally.
///
/// Decompositions finds the rotation, and needs a library for it: <vicinal/adapt/eigen_opq.hpp> has
/// codec::eigen_opq<SubVectors, Bits>. Without one, as here, stores that have learnt theirs are
/// opened, searched and written to; one that has not compares vectors until it is opened by a
/// program that can. Files do not name it: all of them open the same stores.
///
/// A code has as many bytes as codec::pq's; a query and a row cost dim x dim multiply-adds more.
/// Memory: dim x dim floats more. For the rest see codec::pq.
///
/// Source: Ge, He, Ke & Sun, "Optimized product quantization", TPAMI 2014.
template <std::size_t SubVectors, unsigned Bits = 8, class Decompositions = no_decompositions>
struct opq {
    using product = pq<SubVectors, Bits>;
    static constexpr std::string_view name{detail::opq_name<product>.data(),
                                           detail::opq_name<product>.size()};

    template <class Metric>
    class of {
        using coded = typename product::template of<Metric>;
        static constexpr bool learns = requires(double* m, std::vector<double>& values) {
            { Decompositions::principal(m, std::size_t{}, values) } -> std::same_as<bool>;
        };

    public:
        static constexpr bool reads_rows = false;
        using element = typename coded::element;
        static constexpr bool bounded = coded::bounded;
        static constexpr bool links_by_codes = coded::links_by_codes;
        static constexpr std::size_t trains_from =
            learns ? coded::trains_from : (std::numeric_limits<std::size_t>::max)();
        static constexpr bool needs_model = true;
        static constexpr std::size_t parts_count = SubVectors;
        /// As inverted lists have them (codec::block_codes), of 4 bits; what is rotated then is
        /// what vectors have beyond the centre of their list.
        using blocks =
            std::conditional_t<Bits == 4, pq_residuals<of<metric::squared_l2>, Metric>, void>;

        explicit of(std::size_t dim) : coded_(dim) {}

        [[nodiscard]] std::size_t dim() const noexcept { return coded_.dim(); }
        [[nodiscard]] static constexpr std::size_t row_bytes() noexcept {
            return coded::row_bytes();
        }

        /// A rotation and centres for `rows` vectors, of which row(i) is one until the next is
        /// asked for. Looks at up to 16,384 of them and 16 MiB, or trains_from. Takes memory.
        /// Cost: eight times that of the centres alone, and as many decompositions. Errors:
        /// not_finite, out_of_memory, unsupported.
        template <class Row>
        [[nodiscard]] result<std::vector<float>> fit(std::size_t rows, Row const& row) const {
            if constexpr (learns) {
                rotation_fit<Decompositions, coded> learning(dim(), SubVectors);
                return learning(rows, row);
            } else {
                return error{errc::unsupported, "codec::opq with decompositions, to learn by",
                             std::to_string(rows) + " rows to learn from"};
            }
        }
        /// The rotation, row by row, and the centres behind it; none before there are any. Takes
        /// memory.
        [[nodiscard]] bool put_model(std::span<float const> numbers) {
            auto const turns = numbers.empty() ? 0 : dim() * dim();
            if (numbers.size() < turns) return false;
            for (auto const x : numbers.first(turns))
                if (!std::isfinite(x)) return false;
            if (!coded_.put_model(numbers.subspan(turns))) return false;
            if (turns != 0 && !coded_.has_model()) return false;
            rotation_.assign(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(turns));
            return true;
        }
        [[nodiscard]] bool has_model() const noexcept { return coded_.has_model(); }
        /// As codec::pq has them, and a vector as they lie to it. Takes memory.
        [[nodiscard]] float const* turned() const noexcept { return coded_.turned(); }
        [[nodiscard]] std::vector<float> rotated(std::span<float const> vector) const {
            std::vector<float> out(dim());
            rotate(rotation_, vector.data(), dim(), out.data());
            return out;
        }

        /// Floats that encoding takes beside the codes.
        [[nodiscard]] std::size_t scratch() const noexcept { return dim() + coded_.scratch(); }
        void encode_row(float const* vector, std::byte* row, float* scratch) const noexcept {
            rotate(rotation_, vector, dim(), scratch);
            coded_.encode_row(scratch, row, scratch + dim());
        }
        [[nodiscard]] bool encodes(float const* vector) const noexcept {
            return coded_.encodes(vector);
        }
        /// What a row stands for, turned back. Takes no memory. Cost: dim x dim multiply-adds.
        void decode_row(std::byte const* row, float* out) const noexcept {
            std::fill_n(out, dim(), 0.0F);
            coded_.each_element(row, [&](std::size_t i, float x) {
                for (std::size_t j = 0; j < dim(); ++j) out[j] += rotation_[i * dim() + j] * x;
            });
        }

        using query_scorer = typename coded::query_scorer;

        /// Takes memory.
        [[nodiscard]] query_scorer query(element const* vector) const {
            std::vector<float> turned(dim());
            rotate(rotation_, vector, dim(), turned.data());
            return coded_.query(turned.data());
        }
        /// From what a row stands for. Takes memory; the codec must stay in place.
        [[nodiscard]] auto between(std::byte const* row) const { return coded_.between(row); }

    private:
        coded coded_;
        std::vector<float> rotation_;
    };
};

static_assert(model<opq<8, 8>>);

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

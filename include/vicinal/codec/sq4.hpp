// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SQ4_HPP
#define VICINAL_CODEC_SQ4_HPP

#include <vicinal/codec/concept.hpp>
#include <vicinal/codec/row_scorer.hpp>
#include <vicinal/codec/sq4/encoding.hpp>
#include <vicinal/codec/sq4/score.hpp>
#include <vicinal/codec/sq8/bound.hpp>
#include <vicinal/simd/exact_sums.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

/// Half a byte an element, each vector with a scale and a zero of its own: half the memory of
/// codec::sq8 for a graph that must be in memory while the vectors are not (storage::file).
///
/// For float elements under squared_l2, inner_product and cosine. Under cosine the direction is
/// encoded, not the vector. Memory: dim / 2 + 16 bytes a row, beside the vectors. Nothing is
/// trained. As many candidates are compared as with other codecs, so that where neighbours differ
/// by less than a fifteenth of the elements' span tells apart (tight clusters far from 0), a recall
/// is not reached however large the effort: tune() says what is.
struct sq4 {
    static constexpr std::string_view name = "sq4";

    template <class Metric>
    class of {
    public:
        static constexpr bool reads_rows = false;
        using element = metric::element_of<Metric>;
        static constexpr bool bounded = sq8_bound<Metric>::exists && std::same_as<element, float>;

        explicit of(std::size_t dim) noexcept : dim_(dim) {}

        [[nodiscard]] std::size_t row_bytes() const noexcept {
            return sizeof(sq8_factors) + sq4_bytes(dim_);
        }
        void encode_row(float const* vector, std::byte* row) const noexcept {
            double multiplier = 1;
            if constexpr (sq8_bound<Metric>::directions)
                multiplier = 1 / std::sqrt(simd::exact_dot::get()(vector, vector, dim_));
            auto const f = sq4_encode(vector, dim_, multiplier,
                                      reinterpret_cast<std::uint8_t*>(row) + sizeof(sq8_factors));
            std::memcpy(row, &f, sizeof f);
        }
        /// What encode_row() has a code for that says anything.
        [[nodiscard]] bool encodes(float const* vector) const noexcept {
            return sq8_encodes(vector, dim_);
        }
        /// The vector that a row stands for; under cosine its direction.
        void decode_row(std::byte const* row, float* out) const noexcept {
            sq8_factors f;
            std::memcpy(&f, row, sizeof f);
            sq4_decode(reinterpret_cast<std::uint8_t const*>(row) + sizeof f, f.scale, f.zero(),
                       dim_, out);
        }

        using query_scorer = row_scorer<sq4_scorer<Metric>>;

        [[nodiscard]] query_scorer query(element const* vector) const {
            std::vector<std::byte> row(row_bytes());
            encode_row(vector, row.data());
            return query_scorer(std::move(row), dim_);
        }
        [[nodiscard]] sq4_scorer<Metric> between(std::byte const* row) const noexcept {
            return {row, dim_};
        }

    private:
        std::size_t dim_;
    };
};

static_assert(model<sq4>);

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

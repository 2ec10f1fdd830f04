// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_PQ_RESIDUALS_HPP
#define VICINAL_CODEC_PQ_RESIDUALS_HPP

#include <vicinal/codec/pq/block.hpp>
#include <vicinal/codec/residual_terms.hpp>
#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

/// Product codes of 4 bits of what vectors have beyond the centre of their list, in blocks
/// (codec::block_codes). What a code adds to a distance beside its products, the row's part of
/// residual_terms, is kept as two bytes.
///
/// Source: Jegou, Douze & Schmid, TPAMI 2011.
///
/// Codec is codec::pq<N, 4> or codec::opq<N, 4> under squared_l2.
template <class Codec, class Metric>
class pq_residuals {
    using terms = residual_terms<Metric>;

public:
    static constexpr std::size_t trains_from = Codec::trains_from;
    static constexpr bool needs_model = true;
    /// Of what codes rank among the best 4 (k + k / 2 + 5) the k nearest are .999, on sift with a
    /// byte for four elements.
    static constexpr std::size_t kept_each = 4;

    explicit pq_residuals(std::size_t dim) noexcept : codes_(dim) {}

    [[nodiscard]] static constexpr std::size_t row_bytes() noexcept {
        return Codec::row_bytes() + 2;
    }
    [[nodiscard]] static constexpr std::size_t block_bytes() noexcept {
        return pq_block_bytes(Codec::parts_count);
    }
    [[nodiscard]] std::size_t scratch() const noexcept {
        return (std::max)(codes_.dim(), codes_.scratch());
    }

    /// Centres as codec::pq learns them, and behind them the middle of the centres. Takes memory.
    template <class Row>
    [[nodiscard]] result<std::vector<float>> fit(std::size_t rows, Row const& residual,
                                                 std::span<float const> middle) const {
        auto numbers = codes_.fit(rows, residual);
        VICINAL_CHECK(numbers);
        numbers->insert(numbers->end(), middle.begin(), middle.end());
        return numbers;
    }
    /// What fit() gives; none before there is any. Takes memory.
    [[nodiscard]] bool put_model(std::span<float const> numbers) {
        auto const dim = codes_.dim();
        auto const learnt = numbers.size() < dim ? 0 : numbers.size() - dim;
        if (!numbers.empty() && learnt == 0) return false;
        middle_.assign(numbers.begin() + static_cast<std::ptrdiff_t>(learnt), numbers.end());
        for (auto const x : middle_)
            if (!std::isfinite(x)) return false;
        return codes_.put_model(numbers.first(learnt));
    }
    [[nodiscard]] bool has_model() const noexcept { return codes_.has_model(); }

    void encode_row(float const* residual, float const* centre, std::byte* code,
                    float* scratch) const noexcept {
        auto const dim = codes_.dim();
        codes_.encode_row(residual, code, scratch);
        codes_.decode_row(code, scratch);
        double own = 0;
        double square = 0;
        double with_centre = 0;
        for (std::size_t i = 0; i < dim; ++i) {
            double const r = scratch[i];
            own += double{residual[i]} * residual[i];
            square += r * r;
            with_centre += r * terms::of_centre(centre[i], middle_[i]);
        }
        // What has no code is infinitely far.
        auto const add =
            own <= 0x1p110
                ? static_cast<float>(terms::of_square * square - terms::of_product * with_centre)
                : std::numeric_limits<float>::infinity();
        vicinal::detail::store_half(code + Codec::row_bytes(), add);
    }
    void put(std::byte const* code, std::size_t row, std::byte* block) const noexcept {
        pq_block_put(code, Codec::parts_count, row, block);
    }
    void take(std::byte const* block, std::size_t row, std::byte* code) const noexcept {
        pq_block_take(block, Codec::parts_count, row, code);
    }

    /// Takes memory: 16 bytes a part, and while it is made 18 floats.
    [[nodiscard]] pq_block_scorer query(float const* vector) const {
        auto x = terms::moved(vector, middle_, codes_.dim());
        if constexpr (requires { codes_.rotated(x); }) x = codes_.rotated(x);
        return {codes_.turned(), std::move(x), Codec::parts_count, terms::of_product,
                terms::of_list};
    }

private:
    Codec codes_;
    std::vector<float> middle_;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

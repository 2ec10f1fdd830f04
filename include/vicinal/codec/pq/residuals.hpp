// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_PQ_RESIDUALS_HPP
#define VICINAL_CODEC_PQ_RESIDUALS_HPP

#include <vicinal/codec/pq/block.hpp>
#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/simd/exact_sums.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

/// Product codes of 4 bits of what vectors have beyond the centre of their list, in blocks
/// (codec::block_codes).
///
/// With r for what a code stands for and c for the centre, |q - c - r|^2 = |q - c|^2 + |r|^2 +
/// 2 <c, r> - 2 <q, r>: the first is the list's, the last is looked up, and the two between are the
/// row's, which keeps them as two bytes. So one table of products serves all lists; the middle of
/// the centres is taken from q and from c first, as tables of short vectors are finer.
///
/// Source: Jegou, Douze & Schmid, TPAMI 2011, for residuals; Baranchuk, Babenko & Malkov,
/// "Revisiting the inverted indices for billion-scale approximate nearest neighbors", ECCV 2018,
/// for the row's part.
///
/// Codec is codec::pq<N, 4> under squared_l2.
template <class Codec, class Metric>
class pq_residuals {
    static constexpr bool product = std::same_as<Metric, metric::inner_product>;
    static constexpr bool directions = std::same_as<Metric, metric::cosine>;
    /// What a distance is made of: so much of the list's, of |r|^2 and of products with r.
    static constexpr float of_list = directions ? 0.5F : 1.0F;
    static constexpr float of_square = product ? 0.0F : directions ? 0.5F : 1.0F;
    static constexpr float of_product = product || directions ? -1.0F : -2.0F;

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
    [[nodiscard]] std::size_t scratch() const noexcept { return 2 * codes_.dim(); }

    /// Centres as codec::pq learns them, and behind them the middle of the centres. Takes memory.
    template <class Row>
    [[nodiscard]] result<std::vector<float>> fit(std::size_t rows, Row const& residual,
                                                 std::span<float const> mean) const {
        auto numbers = codes_.fit(rows, residual);
        VICINAL_CHECK(numbers);
        numbers->insert(numbers->end(), mean.begin(), mean.end());
        return numbers;
    }
    /// What fit() gives; none before there is any. Takes memory.
    [[nodiscard]] bool put_model(std::span<float const> numbers) {
        auto const dim = codes_.dim();
        auto const learnt = numbers.size() < dim ? 0 : numbers.size() - dim;
        if (!numbers.empty() && learnt == 0) return false;
        mean_.assign(numbers.begin() + static_cast<std::ptrdiff_t>(learnt), numbers.end());
        for (auto const x : mean_)
            if (!std::isfinite(x)) return false;
        return codes_.put_model(numbers.first(learnt));
    }
    [[nodiscard]] bool has_model() const noexcept { return codes_.has_model(); }

    void encode_row(float const* residual, float const* centre, std::byte* code,
                    float* scratch) const noexcept {
        auto const dim = codes_.dim();
        codes_.encode_row(residual, code, scratch);
        auto* const stands_for = scratch + dim;
        codes_.decode_row(code, stands_for);
        double own = 0;
        double square = 0;
        double with_centre = 0;
        for (std::size_t i = 0; i < dim; ++i) {
            double const r = stands_for[i];
            own += double{residual[i]} * residual[i];
            square += r * r;
            with_centre += r * ((product ? 0.0 : double{centre[i]}) - mean_[i]);
        }
        // What has no code is infinitely far.
        auto const add = own <= 0x1p110
                             ? static_cast<float>(of_square * square - of_product * with_centre)
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
        auto const dim = codes_.dim();
        double m = 1;
        if constexpr (directions) m = 1 / std::sqrt(simd::exact_dot::get()(vector, vector, dim));
        std::vector<float> moved(dim);
        for (std::size_t i = 0; i < dim; ++i)
            moved[i] = static_cast<float>(vector[i] * m - double{mean_[i]});
        return {codes_.turned(), std::move(moved), Codec::parts_count, of_product, of_list};
    }

private:
    Codec codes_;
    std::vector<float> mean_;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

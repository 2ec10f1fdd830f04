// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_PQ_RESIDUALS_HPP
#define VICINAL_CODEC_PQ_RESIDUALS_HPP

#include <vicinal/codec/pq/block.hpp>
#include <vicinal/codec/residual_terms.hpp>
#include <vicinal/codec/sq8/rotation.hpp>
#include <vicinal/codec/tabled_block.hpp>
#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/simd/exact_sums.hpp>

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
/// (codec::block_codes). What a product with a code is multiplied by, and the row's part of
/// residual_terms, are kept as two bytes each.
///
/// Three things that product codes elsewhere go without. They are of directions, so that what lies
/// near its centre loses no more of itself than what lies far. These are rotated, so that what a
/// code misses is spread over all elements: as they are, those in which a query differs from a row
/// are often the same that codes miss most. And products are multiplied by |r| / <u, d>, for a code
/// that stands for d in place of the direction u: exact for a query in the direction of the row, as
/// the near ones are. On sift with a byte for four elements .976 of the 10 nearest are among the
/// best 20 by their codes and .994 among the best 30; .913 and .968 without rotation and
/// multiplier. On mnist .991 and .999 for .941 and .983 (numpy, all rows; 1,024 and 256 lists).
///
/// Source: Jegou, Douze & Schmid, TPAMI 2011; the multiplier is that of Gao & Long, "RaBitQ",
/// SIGMOD 2024.
///
/// Codec is codec::pq<N, 4> or codec::opq<N, 4> under squared_l2; opq has a rotation of its own.
template <class Codec, class Metric>
class pq_residuals {
    using terms = residual_terms<Metric>;
    static constexpr std::size_t parts = Codec::parts_count;
    static constexpr bool rotates = !requires(Codec const& c, std::span<float const> x) {
        c.rotated(x);
    };

public:
    static constexpr std::size_t trains_from = Codec::trains_from;
    static constexpr bool needs_model = true;

    explicit pq_residuals(std::size_t dim)
        : codes_(dim), rotation_(rotates ? dim : 0), kept_each_(tabled_kept(4 * parts, dim)) {}

    [[nodiscard]] std::size_t kept_each() const noexcept { return kept_each_; }

    [[nodiscard]] static constexpr std::size_t row_bytes() noexcept {
        return tabled_code_bytes(parts);
    }
    [[nodiscard]] static constexpr std::size_t block_bytes() noexcept {
        return tabled_block_bytes(parts);
    }
    [[nodiscard]] std::size_t scratch() const noexcept {
        return 2 * codes_.dim() + (std::max)(codes_.dim(), codes_.scratch());
    }

    /// Centres as codec::pq learns them, and behind them the middle of the centres. Takes memory.
    template <class Row>
    [[nodiscard]] result<std::vector<float>> fit(std::size_t rows, Row const& residual,
                                                 std::span<float const> middle) const {
        std::vector<float> rotated(codes_.dim());
        auto numbers = codes_.fit(rows, [&](std::size_t i) {
            static_cast<void>(direction(residual(i), rotated.data()));
            rotate(rotated.data());
            return static_cast<float const*>(rotated.data());
        });
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
        auto* const own = scratch;
        auto* const beyond_middle = own + dim;
        auto* const stands_for = beyond_middle + dim;
        auto const norm = direction(residual, own);
        for (std::size_t i = 0; i < dim; ++i)
            beyond_middle[i] = static_cast<float>(terms::of_centre(centre[i], middle_[i]));
        rotate(own);
        rotate(beyond_middle);
        codes_.encode_row(own, code, stands_for);
        codes_.decode_row(code, stands_for);
        double of_code = 0;
        double product = 0;
        double with_centre = 0;
        for (std::size_t i = 0; i < dim; ++i) {
            double const d = stands_for[i];
            of_code += d * d;
            product += own[i] * d;
            with_centre += beyond_middle[i] * d;
        }
        // What has no code is infinitely far.
        bool const sound = norm <= 0x1p55;
        double const by = sound ? norm * multiplier(of_code, product) : 0;
        auto const add = sound ? static_cast<float>(terms::of_square * norm * norm -
                                                    terms::of_product * by * with_centre)
                               : std::numeric_limits<float>::infinity();
        vicinal::detail::store_half(code + Codec::row_bytes(), metric::ordered(add));
        vicinal::detail::store_half(code + Codec::row_bytes() + 2,
                                    static_cast<float>(terms::of_product * by));
    }
    void put(std::byte const* code, std::size_t row, std::byte* block) const noexcept {
        tabled_put(code, parts, row, block);
    }
    void take(std::byte const* block, std::size_t row, std::byte* code) const noexcept {
        tabled_take(block, parts, row, code);
    }

    /// Takes memory: 16 bytes a part, and while it is made 18 floats.
    [[nodiscard]] tabled_scorer query(float const* vector) const {
        auto x = terms::moved(vector, middle_, codes_.dim());
        if constexpr (rotates)
            rotate(x.data());
        else
            x = codes_.rotated(x);
        return pq_block_scorer(codes_.turned(), x, parts, terms::of_list);
    }

private:
    void rotate(float* x) const noexcept {
        if constexpr (rotates) rotation_(x);
    }
    /// Writes a residual's direction, zeros where it has none: its norm.
    [[nodiscard]] double direction(float const* residual, float* out) const noexcept {
        auto const dim = codes_.dim();
        auto const norm = std::sqrt(simd::exact_dot::get()(residual, residual, dim));
        auto const by = norm > 0 && norm <= 0x1p55 ? 1 / norm : 0;
        for (std::size_t i = 0; i < dim; ++i) out[i] = static_cast<float>(residual[i] * by);
        return norm;
    }
    /// 1 / <u, d>. Of a code that points elsewhere, more than 60 degrees off, the part that lies in
    /// its direction.
    [[nodiscard]] static double multiplier(double of_code, double product) noexcept {
        if (!(product > 0)) return 0;
        return product * product >= 0.25 * of_code ? 1 / product : product / of_code;
    }

    Codec codes_;
    sq8_rotation rotation_;
    std::size_t kept_each_;
    std::vector<float> middle_;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

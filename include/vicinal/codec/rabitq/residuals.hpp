// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_RABITQ_RESIDUALS_HPP
#define VICINAL_CODEC_RABITQ_RESIDUALS_HPP

#include <vicinal/codec/rabitq/block.hpp>
#include <vicinal/codec/residual_terms.hpp>
#include <vicinal/codec/sq8/rotation.hpp>
#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/metric/concept.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

/// One bit an element of what vectors have beyond the centre of their list, in blocks
/// (codec::block_codes). What a product with a code is multiplied by, and the row's part of
/// residual_terms, are kept as two bytes each.
///
/// Source: Gao & Long, "RaBitQ", SIGMOD 2024; codec/rabitq/block.hpp.
template <class Metric>
class rabitq_residuals {
    using terms = residual_terms<Metric>;

public:
    /// The middle of the centres is all that it learns.
    static constexpr std::size_t trains_from = 1;
    static constexpr bool needs_model = true;

    explicit rabitq_residuals(std::size_t dim)
        : dim_(dim), padded_(rabitq_padded(dim)), rotation_(padded_),
          kept_each_(tabled_kept(padded_, padded_)) {}

    [[nodiscard]] std::size_t kept_each() const noexcept { return kept_each_; }

    [[nodiscard]] std::size_t row_bytes() const noexcept { return tabled_code_bytes(padded_ / 4); }
    [[nodiscard]] std::size_t block_bytes() const noexcept { return rabitq_block_bytes(padded_); }
    [[nodiscard]] std::size_t scratch() const noexcept { return 2 * padded_; }

    template <class Row>
    [[nodiscard]] result<std::vector<float>> fit(std::size_t, Row const&,
                                                 std::span<float const> middle) const {
        return std::vector<float>(middle.begin(), middle.end());
    }
    /// What fit() gives; none before there is any. Takes memory.
    [[nodiscard]] bool put_model(std::span<float const> numbers) {
        if (!numbers.empty() && numbers.size() != dim_) return false;
        for (auto const x : numbers)
            if (!std::isfinite(x)) return false;
        middle_.assign(numbers.begin(), numbers.end());
        return true;
    }
    [[nodiscard]] bool has_model() const noexcept { return !middle_.empty(); }

    void encode_row(float const* residual, float const* centre, std::byte* code,
                    float* scratch) const noexcept {
        auto* const rotated = scratch;
        auto* const beyond_middle = scratch + padded_;
        for (std::size_t i = 0; i < dim_; ++i) {
            rotated[i] = residual[i];
            beyond_middle[i] = static_cast<float>(terms::of_centre(centre[i], middle_[i]));
        }
        std::fill(rotated + dim_, rotated + padded_, 0.0F);
        std::fill(beyond_middle + dim_, beyond_middle + padded_, 0.0F);
        rotation_(rotated);
        rotation_(beyond_middle);
        auto const f = rabitq_encode<1>(rotated, padded_, code);
        double with_centre = 0;
        for (std::size_t i = 0; i < padded_; ++i)
            with_centre += double{beyond_middle[i]} * (rotated[i] < 0 ? -0.5 : 0.5);
        auto add = static_cast<float>(terms::of_square * f.square -
                                      terms::of_product * f.rescale * with_centre);
        // What has no code is infinitely far.
        if (!std::isfinite(f.error)) add = std::numeric_limits<float>::infinity();
        vicinal::detail::store_half(code + padded_ / 8, metric::ordered(add));
        vicinal::detail::store_half(code + padded_ / 8 + 2, terms::of_product * f.rescale);
    }
    void put(std::byte const* code, std::size_t row, std::byte* block) const noexcept {
        tabled_put(code, padded_ / 4, row, block);
    }
    void take(std::byte const* block, std::size_t row, std::byte* code) const noexcept {
        tabled_take(block, padded_ / 4, row, code);
    }

    /// Takes memory: 4 bytes an element.
    [[nodiscard]] tabled_scorer query(float const* vector) const {
        auto moved = terms::moved(vector, middle_, padded_);
        bool const sound =
            std::all_of(moved.begin(), moved.end(), [](float x) { return std::fabs(x) < 0x1p55F; });
        // Lists alone rank what leaves that.
        if (!sound) std::fill(moved.begin(), moved.end(), 0.0F);
        rotation_(moved.data());
        return rabitq_block_tables(moved.data(), padded_).scorer(terms::of_list);
    }

private:
    std::size_t dim_;
    std::size_t padded_;
    sq8_rotation rotation_;
    std::size_t kept_each_;
    std::vector<float> middle_;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SQ4_SCORE_HPP
#define VICINAL_CODEC_SQ4_SCORE_HPP

#include <vicinal/codec/sq8/encoding.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/simd/nibble_sums.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace vicinal::inline VICINAL_ABI::codec {

/// A row of factors and codes that others are compared with; it must stay in place. Takes no
/// memory. A row without codes counts as zeros.
template <class Metric>
class sq4_scorer {
public:
    sq4_scorer(std::byte const* row, std::size_t dim) noexcept
        : one_(simd::nibble_product::one::get()), four_(simd::nibble_product::four::get()),
          codes_(codes_of(row)), own_(factors_of(row)), norm_(norm_of(own_)), dim_(dim) {}

    [[nodiscard]] float operator()(std::byte const* row) const noexcept {
        return finish(row, one_(codes_, codes_of(row), (dim_ + 1) / 2));
    }
    /// The distances of four rows, wherever they lie.
    void four(std::byte const* const* rows, float* out) const noexcept {
        std::uint8_t const* const codes[4] = {codes_of(rows[0]), codes_of(rows[1]),
                                              codes_of(rows[2]), codes_of(rows[3])};
        std::int32_t products[4];
        four_(codes_, codes, (dim_ + 1) / 2, products);
        for (std::size_t i = 0; i < 4; ++i) out[i] = finish(rows[i], products[i]);
    }

    /// What the distance of the vectors is at least, where that of the codes is `distance`: by the
    /// triangle inequality, less what float arithmetic may have lost. -infinity where one of the
    /// two has no codes.
    [[nodiscard]] float at_least(std::byte const* row, float distance) const noexcept {
        constexpr float none = -std::numeric_limits<float>::infinity();
        auto const f = factors_of(row);
        if (!f.usable() || !own_.usable() || !std::isfinite(f.error + own_.error)) return none;
        float const norm = norm_of(f);
        float const rounding = 0x1p-18F * (norm * norm + norm_ * norm_);
        if constexpr (product) {
            float const least =
                distance - rounding -
                (norm_ * f.error + norm * own_.error + f.error * own_.error) * (1 + 0x1p-18F);
            return least == least ? least : none; // sizes beyond float tell nothing
        } else {
            constexpr float parts = half ? 2 : 1;
            float const root = std::sqrt((std::max)(distance * parts - rounding, 0.0F)) -
                               (f.error + own_.error) * (1 + 0x1p-18F);
            return root > 0 ? root * root * (1 - 0x1p-18F) / parts : 0;
        }
    }

    /// What rules_out() needs of a distance that others must beat or tie.
    [[nodiscard]] static float reach(float farthest) noexcept { return farthest; }
    [[nodiscard]] bool rules_out(std::byte const* row, float distance, float reach) const noexcept {
        return at_least(row, distance) > reach;
    }

private:
    static constexpr bool product = std::same_as<Metric, metric::inner_product>;
    static constexpr bool half = std::same_as<Metric, metric::cosine>;

    [[nodiscard]] static sq8_factors factors_of(std::byte const* row) noexcept {
        sq8_factors f;
        std::memcpy(&f, row, sizeof f);
        return f;
    }
    [[nodiscard]] static std::uint8_t const* codes_of(std::byte const* row) noexcept {
        return reinterpret_cast<std::uint8_t const*>(row) + sizeof(sq8_factors);
    }
    [[nodiscard]] static float norm_of(sq8_factors const& f) noexcept {
        return f.scale * std::sqrt(static_cast<float>(f.square_sum));
    }
    [[nodiscard]] float finish(std::byte const* row, std::int32_t codes_product) const noexcept {
        auto const f = factors_of(row);
        auto const centred = static_cast<float>(
            sq8_centred(static_cast<std::uint32_t>(codes_product), own_, f, dim_));
        float const dot = own_.scale * f.scale * centred;
        if constexpr (product) return metric::ordered(-dot);
        float const squares = own_.scale * own_.scale * static_cast<float>(own_.square_sum) +
                              f.scale * f.scale * static_cast<float>(f.square_sum);
        return metric::ordered((squares - 2 * dot) * (half ? 0.5F : 1.0F));
    }

    typename simd::nibble_product::one::function one_;
    typename simd::nibble_product::four::function four_;
    std::uint8_t const* codes_;
    sq8_factors own_;
    float norm_;
    std::size_t dim_;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_RABITQ_ABOUT_FACTORS_HPP
#define VICINAL_CODEC_RABITQ_ABOUT_FACTORS_HPP

#include <vicinal/codec/rabitq/score.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

/// What a row says of itself, before its codes: with c for its centre, m for the mean of the
/// centres and p = step x u for what its codes stand for,
///
///     |q - c - p|^2 = |q - c|^2 + (|p|^2 + 2 <c - m, p>) - 2 <q - m, p>
///
/// of which the first is looked up, the second is the row's, and the third a product of codes as
/// codec::rabitq has it: one query serves all centres.
struct rabitq_about_factors {
    /// |p|^2 + 2 <c - m, p>.
    float add = 0;
    float step = 0;
    std::uint32_t centre = 0;

    [[nodiscard]] static rabitq_about_factors of(std::byte const* row) noexcept {
        rabitq_about_factors f;
        std::memcpy(&f, row, sizeof f);
        return f;
    }
    /// Its centre, of so many; the last where a damaged file names none.
    [[nodiscard]] std::size_t centre_of(std::size_t count) const noexcept {
        return (std::min)(std::size_t{centre}, count - 1);
    }
};
// The kernels of codec::rabitq read the first two as rabitq_factors' square and rescale.
static_assert(sizeof(rabitq_about_factors) == sizeof(rabitq_factors));

/// A query before rows of such codes, which is moved, not copied.
template <unsigned Bits, class Metric>
class rabitq_about_scorer {
public:
    /// rotated: `padded` elements of the query, less the mean of the centres but under the inner
    /// product. of_centre: its distance from each centre, at least one. Takes memory.
    rabitq_about_scorer(float const* rotated, std::size_t padded, std::vector<float> of_centre)
        : beyond_(rotated, padded, 0), of_centre_(std::move(of_centre)) {}

    [[nodiscard]] float operator()(std::byte const* row) const noexcept {
        return whole(row, beyond_(row));
    }
    /// The distances of four rows, wherever they lie.
    void four(std::byte const* const* rows, float* out) const noexcept {
        beyond_.four(rows, out);
        for (std::size_t i = 0; i < 4; ++i) out[i] = whole(rows[i], out[i]);
    }

private:
    [[nodiscard]] float whole(std::byte const* row, float beyond) const noexcept {
        auto const c = rabitq_about_factors::of(row).centre_of(of_centre_.size());
        return metric::ordered(of_centre_[c] + beyond);
    }

    rabitq_scorer<Bits, Metric> beyond_;
    std::vector<float> of_centre_;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

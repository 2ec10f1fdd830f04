// SPDX-License-Identifier: MIT
#ifndef VICINAL_CLUSTER_NEAREST_CENTRE_HPP
#define VICINAL_CLUSTER_NEAREST_CENTRE_HPP

#include <vicinal/simd/tile.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

/// Which of many centres each of many rows is nearest to.
namespace vicinal::inline VICINAL_ABI::cluster {

namespace detail {

/// Of `rows` rows of 32 products, a lane a centre: keeps in best[r * 32 + j] the largest of
/// product - half[j] so far and in which[r * 32 + j] the panel that it came from.
struct keep_largest_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float const* products, float const* half,
                                          std::size_t rows, std::int32_t panel, float* best,
                                          std::int32_t* which) noexcept {
        using floats = typename Set::template of<float>;
        using integers = typename Set::integers;
        for (std::size_t j = 0; j < simd::panel_queries; j += floats::width) {
            floats less;
            integers here;
            less.load(half + j);
            here.fill(panel);
            for (std::size_t r = 0; r < rows; ++r) {
                auto const at = r * simd::panel_queries + j;
                floats value, held;
                integers from;
                value.load(products + at);
                held.load(best + at);
                from.load(which + at);
                value.subtract(less);
                auto const larger = value.lanes > held.lanes;
                held.lanes = larger ? value.lanes : held.lanes;
                from.lanes = larger ? here.lanes : from.lanes;
                held.store(best + at);
                from.store(which + at);
            }
        }
    }
};

using keep_largest = simd::kernel<keep_largest_body, void, float const*, float const*, std::size_t,
                                  std::int32_t, float*, std::int32_t*>;

} // namespace detail

/// Centres, turned for the tiled product: |x - c|^2 is least where x.c - |c|^2 / 2 is largest.
/// Memory: that of the centres. Safe to share between threads.
class centre_panels {
public:
    /// `count` centres of `dim` floats, at least one, one behind the other.
    centre_panels(float const* centres, std::size_t count, std::size_t dim)
        : dim_(dim), count_((count + width - 1) / width), panels_(count_ * simd::panel_size(dim)),
          half_(count_ * width, (std::numeric_limits<float>::infinity)()) {
        for (std::size_t p = 0; p < count_; ++p)
            simd::make_panel(centres + p * width * dim, dim, (std::min)(width, count - p * width),
                             dim, panels_.data() + p * simd::panel_size(dim));
        for (std::size_t c = 0; c < count; ++c) {
            double square = 0;
            for (std::size_t i = 0; i < dim; ++i)
                square += double{centres[c * dim + i]} * double{centres[c * dim + i]};
            half_[c] = static_cast<float>(square / 2);
        }
    }

    /// Writes for each of `rows` rows, `dim` floats one behind the other, the number of the centre
    /// that it is nearest to in squared Euclidean distance, to float's rounding; the lowest among
    /// equal ones, and 0 for a row with a NaN. Cost: rows x centres x dim multiply-adds.
    void nearest(float const* rows, std::size_t count, std::uint32_t* out) const noexcept {
        alignas(64) float products[block * width];
        alignas(64) float best[block * width];
        alignas(64) std::int32_t which[block * width];
        auto const multiply = simd::tile_product::get();
        auto const keep = detail::keep_largest::get();
        for (std::size_t first = 0; first < count; first += block) {
            auto const n = (std::min)(block, count - first);
            std::fill_n(best, n * width, -(std::numeric_limits<float>::infinity)());
            std::fill_n(which, n * width, 0);
            for (std::size_t p = 0; p < count_; ++p) {
                multiply(panels_.data() + p * simd::panel_size(dim_), rows + first * dim_, dim_, n,
                         dim_, products);
                keep(products, half_.data() + p * width, n, static_cast<std::int32_t>(p), best,
                     which);
            }
            for (std::size_t r = 0; r < n; ++r)
                out[first + r] = largest(best + r * width, which + r * width);
        }
    }

private:
    static constexpr std::size_t width = simd::panel_queries;
    /// Rows that stand against a panel at once: four times those that a kernel holds in registers.
    static constexpr std::size_t block = 48;

    [[nodiscard]] static std::uint32_t largest(float const* best,
                                               std::int32_t const* which) noexcept {
        std::size_t at = 0;
        for (std::size_t j = 1; j < width; ++j)
            if (best[j] > best[at] || (best[j] == best[at] && which[j] < which[at])) at = j;
        return static_cast<std::uint32_t>(static_cast<std::size_t>(which[at]) * width + at);
    }

    std::size_t dim_;
    std::size_t count_;
    std::vector<float> panels_;
    std::vector<float> half_;
};

} // namespace vicinal::inline VICINAL_ABI::cluster

#endif

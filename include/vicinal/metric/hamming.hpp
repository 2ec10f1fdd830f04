// SPDX-License-Identifier: MIT
#ifndef VICINAL_METRIC_HAMMING_HPP
#define VICINAL_METRIC_HAMMING_HPP

#include <vicinal/metric/bits.hpp>

namespace vicinal::inline VICINAL_ABI::metric {

namespace detail {

struct differing_total {
    std::int64_t bits = 0;

    void add(std::int32_t more) noexcept { bits += more; }
    [[nodiscard]] float distance() const noexcept { return static_cast<float>(bits); }
};

} // namespace detail

/// Hamming distance: the number of bits that differ.
///
/// Vectors are packed bits, bit i in byte i / 8 from the lowest on; `dim` counts bits, and a row
/// takes (dim + 7) / 8 bytes. Cost: dim / 8 bytes read.
struct hamming {
    using value_type = std::uint8_t;
    static constexpr std::string_view name = "hamming";
    static constexpr bool packed_bits = true;

    using scorer = detail::bit_scorer<simd::bits_that_differ, detail::differing_total>;

    [[nodiscard]] static scorer bind(std::uint8_t const* query, std::size_t dim) noexcept {
        return {query, dim};
    }
    [[nodiscard]] static float exact(std::uint8_t const* a, std::uint8_t const* b,
                                     std::size_t dim) noexcept {
        return scorer(a, dim)(b);
    }
    /// 1 / (1 + distance): 1 for equal vectors, towards 0 for far ones.
    [[nodiscard]] static float similarity(float distance) noexcept { return 1 / (1 + distance); }
};

static_assert(model<hamming>);

} // namespace vicinal::inline VICINAL_ABI::metric

#endif

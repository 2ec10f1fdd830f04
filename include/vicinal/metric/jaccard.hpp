// SPDX-License-Identifier: MIT
#ifndef VICINAL_METRIC_JACCARD_HPP
#define VICINAL_METRIC_JACCARD_HPP

#include <vicinal/metric/bits.hpp>

namespace vicinal::inline VICINAL_ABI::metric {

namespace detail {

struct shared_total {
    std::int64_t both = 0;
    std::int64_t either = 0;

    void add(simd::shared_bits more) noexcept {
        both += more.both;
        either += more.either;
    }
    [[nodiscard]] float distance() const noexcept {
        if (either == 0) return 0;
        return static_cast<float>(static_cast<double>(either - both) / static_cast<double>(either));
    }
};

} // namespace detail

/// Jaccard distance of two sets: 1 less the bits set in both divided by the bits set in either,
/// from 0 (equal) to 1 (nothing shared). Two empty sets are equal.
///
/// Vectors are packed bits, bit i in byte i / 8 from the lowest on; `dim` counts bits, and a row
/// takes (dim + 7) / 8 bytes. Cost: dim / 8 bytes read.
struct jaccard {
    using value_type = std::uint8_t;
    static constexpr std::string_view name = "jaccard";
    static constexpr bool packed_bits = true;

    using scorer = detail::bit_scorer<simd::bits_shared, detail::shared_total>;

    [[nodiscard]] static scorer bind(std::uint8_t const* query, std::size_t dim) noexcept {
        return {query, dim};
    }
    [[nodiscard]] static float exact(std::uint8_t const* a, std::uint8_t const* b,
                                     std::size_t dim) noexcept {
        return scorer(a, dim)(b);
    }
    /// The shared part itself, from 1 to 0.
    [[nodiscard]] static float similarity(float distance) noexcept { return 1 - distance; }
};

static_assert(model<jaccard>);

} // namespace vicinal::inline VICINAL_ABI::metric

#endif

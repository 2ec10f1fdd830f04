// SPDX-License-Identifier: MIT
#ifndef VICINAL_METRIC_BITS_HPP
#define VICINAL_METRIC_BITS_HPP

#include <vicinal/metric/concept.hpp>
#include <vicinal/simd/bit_sums.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>

namespace vicinal::inline VICINAL_ABI::metric::detail {

/// Reads packed bits, bit i in byte i / 8 from the lowest on; `dim` counts bits, and those behind
/// the last are not looked at.
struct packed_bits {
    /// Bytes that are in use to the last bit.
    std::size_t whole;
    /// The bits in use of the byte behind them.
    std::uint8_t mask;

    explicit packed_bits(std::size_t dim) noexcept
        : whole(dim / 8), mask(static_cast<std::uint8_t>((1U << (dim % 8)) - 1U)) {}

    [[nodiscard]] std::int64_t differing(std::uint8_t const* a,
                                         std::uint8_t const* b) const noexcept {
        auto const one = simd::bits_that_differ::one::get();
        std::int64_t count = 0;
        std::size_t at = 0;
        for (; whole - at > part; at += part) count += one(a + at, b + at, part);
        count += one(a + at, b + at, whole - at);
        if (mask != 0)
            count += std::popcount(static_cast<std::uint8_t>((a[whole] ^ b[whole]) & mask));
        return count;
    }

    struct counts {
        std::int64_t both;
        std::int64_t either;
    };
    [[nodiscard]] counts shared(std::uint8_t const* a, std::uint8_t const* b) const noexcept {
        auto const one = simd::bits_shared::one::get();
        counts count{0, 0};
        std::size_t at = 0;
        for (; whole - at > part; at += part) {
            auto const s = one(a + at, b + at, part);
            count.both += s.both;
            count.either += s.either;
        }
        auto const s = one(a + at, b + at, whole - at);
        count.both += s.both;
        count.either += s.either;
        if (mask != 0) {
            count.both += std::popcount(static_cast<std::uint8_t>(a[whole] & b[whole] & mask));
            count.either += std::popcount(static_cast<std::uint8_t>((a[whole] | b[whole]) & mask));
        }
        return count;
    }

private:
    static constexpr std::size_t part = 65536;
};

} // namespace vicinal::inline VICINAL_ABI::metric::detail

#endif

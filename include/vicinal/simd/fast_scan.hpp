// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_FAST_SCAN_HPP
#define VICINAL_SIMD_FAST_SCAN_HPP

#include <vicinal/simd/dispatch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// Sums of table entries for 32 rows at once: each row has a number below 16 for each part of a
/// vector, and each part a table of 16 bytes, which stays in a register.
///
/// A block of 32 rows takes 16 bytes a part: byte j has in its low half the number of row
/// fast_scan_row(j), in its high half that of the row 16 further. The even bytes of a register so
/// belong to rows 0 to 7, the odd ones to rows 8 to 15, and what is looked up is added as 16-bit
/// numbers. Parts come in fours; a part that is not there has zeros in its table.
/// Source: Andre, Kermarrec & Le Scouarnec, "Cache locality is not enough", VLDB 2015; the order of
/// rows is that of faiss and of RaBitQ. Sums are emptied into 32 bits every 256 parts, so that none
/// overflows.
namespace vicinal::inline VICINAL_ABI::simd {

/// Rows of a block.
inline constexpr std::size_t fast_scan_rows = 32;

/// Bytes of a block of rows of so many parts, a multiple of four.
[[nodiscard]] constexpr std::size_t fast_scan_bytes(std::size_t parts) noexcept {
    return parts * 16;
}

/// Parts as blocks count them: a multiple of four.
[[nodiscard]] constexpr std::size_t fast_scan_parts(std::size_t parts) noexcept {
    return (parts + 3) / 4 * 4;
}

/// The row of the low half of byte j of a part, j below 16.
[[nodiscard]] constexpr std::size_t fast_scan_row(std::size_t j) noexcept {
    return j / 2 + j % 2 * 8;
}

/// Puts row `row`'s numbers, the part 2 i in the low half of byte i and 2 i + 1 in the high one, as
/// many as `parts`, into a block that holds zeros for it.
inline void fast_scan_put(std::uint8_t const* numbers, std::size_t parts, std::size_t row,
                          std::uint8_t* block) noexcept {
    auto const lane = row % 16;
    auto const j = lane % 8 * 2 + lane / 8;
    auto const shift = row / 16 * 4;
    for (std::size_t i = 0; i < parts; ++i) {
        auto const number = numbers[i / 2] >> (i % 2 * 4) & 15;
        block[16 * i + j] |= static_cast<std::uint8_t>(number << shift);
    }
}

namespace detail {
inline namespace VICINAL_BASELINE {

struct fast_scan_body {
    /// Parts whose entries, 255 at most, fit 16 bits together: 257, in whole registers.
    static constexpr std::size_t most_at_once = 256;

    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(std::uint8_t const* block, std::uint8_t const* tables,
                                          std::size_t parts, std::uint32_t* sums) noexcept {
        auto const end = 16 * (std::min)(parts, most_at_once);
        some<Set, false>(block, tables, end, sums);
        for (std::size_t first = most_at_once; first < parts; first += most_at_once)
            some<Set, true>(block + 16 * first, tables + 16 * first,
                            16 * (std::min)(parts - first, most_at_once), sums);
    }

private:
    using eight = pack<std::uint16_t, 8>;

    template <class Set, bool Add>
    VICINAL_ALWAYS_INLINE static void some(std::uint8_t const* block, std::uint8_t const* tables,
                                           std::size_t bytes, std::uint32_t* sums) noexcept {
        using pairs = typename Set::template of<std::uint16_t>;
        // Named, as row_sums.hpp's: of `low` rows all and the odd ones, of `high` rows the same.
        pairs low, low_odd, high, high_odd;
        low.zero();
        low_odd.zero();
        high.zero();
        high_odd.zero();
        for (std::size_t at = 0; at < bytes; at += Set::bytes) {
            typename Set::bytes_u8 codes, table, places, found;
            codes.load(block + at);
            table.load(tables + at);
            pairs both, one;
            both.set_bits(codes.lanes);
            one.lanes = both.lanes & 0x0F0FU;
            places.set_bits(one.lanes);
            Set::look_up(found, table, places);
            one.set_bits(found.lanes);
            low.lanes += one.lanes;
            low_odd.lanes += one.lanes >> 8;
            one.lanes = (both.lanes >> 4) & 0x0F0FU;
            places.set_bits(one.lanes);
            Set::look_up(found, table, places);
            one.set_bits(found.lanes);
            high.lanes += one.lanes;
            high_odd.lanes += one.lanes >> 8;
        }
        // What the odd bytes have added to the even ones, modulo 2^16.
        low.lanes -= low_odd.lanes << 8;
        high.lanes -= high_odd.lanes << 8;
        finish<Add>(low, sums);
        finish<Add>(low_odd, sums + 8);
        finish<Add>(high, sums + 16);
        finish<Add>(high_odd, sums + 24);
    }

    template <bool Add, std::size_t Width>
    VICINAL_ALWAYS_INLINE static void finish(pack<std::uint16_t, Width> const& all,
                                             std::uint32_t* sums) noexcept {
        if constexpr (Width > 8) {
            pack<std::uint16_t, Width / 2> a, b;
            all.halves(a, b);
            a.add(b);
            finish<Add>(a, sums);
        } else {
            pack<std::uint32_t, 8> wide, before;
            wide.lanes = __builtin_convertvector(all.lanes, decltype(wide.lanes));
            if constexpr (Add) {
                before.load(sums);
                wide.add(before);
            }
            wide.store(sums);
        }
    }
};

struct fast_scan_tables_body {
    /// Of each four elements x: table[n] = round((sum of x over the bits of n, less the least such
    /// sum) * scale).
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float const* x, std::size_t parts, float scale,
                                          std::uint8_t* tables) noexcept {
        using floats = pack<float, 16>;
        floats const first = {{0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}};
        floats const second = {{0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1}};
        floats const third = {{0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1}};
        floats const fourth = {{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1}};
        for (std::size_t i = 0; i < parts; ++i, x += 4, tables += 16) {
            float const a = x[0] * scale, b = x[1] * scale, c = x[2] * scale, d = x[3] * scale;
            float const least =
                (a < 0 ? a : 0) + (b < 0 ? b : 0) + (c < 0 ? c : 0) + (d < 0 ? d : 0) - 0.5F;
            pack<std::int32_t, 16> rounded;
            floats entries;
            entries.lanes =
                first.lanes * a + second.lanes * b + (third.lanes * c - least) + fourth.lanes * d;
            rounded.lanes = __builtin_convertvector(entries.lanes, decltype(rounded.lanes));
            pack<std::uint8_t, 16> narrow;
            narrow.lanes = __builtin_convertvector(rounded.lanes, decltype(narrow.lanes));
            narrow.store(tables);
        }
    }
};

} // namespace VICINAL_BASELINE
} // namespace detail

/// `get()(block, tables, parts, sums)`: the sums of the 32 rows of a block. `tables` has 16 bytes a
/// part; `parts` is a multiple of four. Exact, up to 2^24 parts.
using fast_scan = kernel<detail::fast_scan_body, void, std::uint8_t const*, std::uint8_t const*,
                         std::size_t, std::uint32_t*>;

using fast_scan_tables =
    kernel<detail::fast_scan_tables_body, void, float const*, std::size_t, float, std::uint8_t*>;

/// What a sum of entries stands for: sum / scale + offset.
struct fast_scan_scale {
    float scale = 1;
    float offset = 0;
};

/// The tables of a query for rows of one bit an element, four elements a part: what is looked up
/// stands for the sum of the query's elements whose bits are set, within 1 / (2 scale) a part.
/// `tables` has room for 16 bytes a part. All elements must be finite.
[[nodiscard]] inline fast_scan_scale make_fast_scan_tables(float const* query, std::size_t parts,
                                                           std::uint8_t* tables) noexcept {
    float widest = 0;
    double offset = 0;
    for (std::size_t i = 0; i < parts; ++i) {
        float span = 0;
        float below = 0;
        for (std::size_t j = 0; j < 4; ++j) {
            auto const x = query[4 * i + j];
            span += std::fabs(x);
            below += (std::min)(x, 0.0F);
        }
        offset += below;
        widest = (std::max)(widest, span);
    }
    // A hair less than 255, as the parts of a span are rounded one by one.
    float const scale = widest > 0x1p-100F ? 254.99F / widest : 0;
    fast_scan_tables::get()(query, parts, scale, tables);
    return {scale > 0 ? scale : 1, static_cast<float>(offset)};
}

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_PQ_BLOCK_HPP
#define VICINAL_CODEC_PQ_BLOCK_HPP

#include <vicinal/codec/tabled_block.hpp>
#include <vicinal/simd/fast_scan.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

/// Product codes of 4 bits in blocks of 32: the tables of a query.
/// Source: Andre, Kermarrec & Le Scouarnec, "Cache locality is not enough: high-performance nearest
/// neighbor search with product quantization fast scan", VLDB 2015.
namespace vicinal::inline VICINAL_ABI::codec {

namespace detail {
inline namespace VICINAL_BASELINE {

/// Parts that are reduced together.
inline constexpr std::size_t pq_at_once = 16;

/// The products of the query's parts with their 16 centres each, and the least of each part and by
/// how much the largest is more. All three have room for a multiple of 16 parts.
struct pq_products_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float const* turned, float const* query, std::size_t dim,
                                          std::size_t parts, float* products, float* least,
                                          float* span) noexcept {
        std::size_t i = 0;
        for (std::size_t p = 0; p < parts; ++p) {
            row sum;
            sum.zero();
            for (auto const end = (p + 1) * dim / parts; i < end; ++i) {
                row centres;
                centres.load(turned + 16 * i);
                sum.lanes += centres.lanes * query[i];
            }
            sum.store(products + 16 * p);
            if ((p + 1) % pq_at_once == 0)
                ends(products + 16 * (p + 1 - pq_at_once), least + p + 1 - pq_at_once,
                     span + p + 1 - pq_at_once);
        }
        auto const rest = parts / pq_at_once * pq_at_once;
        if (rest == parts) return;
        row none;
        none.zero();
        for (auto p = parts; p < rest + pq_at_once; ++p) none.store(products + 16 * p);
        ends(products + 16 * rest, least + rest, span + rest);
    }

private:
    using row = simd::pack<float, 16>;

    /// Of 16 rows of 16: two rows become one of as many halves, until each has one lane left. Some
    /// 5 instructions a row, where each by itself takes 16.
    VICINAL_ALWAYS_INLINE static void ends(float const* rows, float* least, float* span) noexcept {
        row low[8], high[8];
        for (std::size_t i = 0; i < 8; ++i) {
            row a, b;
            a.load(rows + 32 * i);
            b.load(rows + 32 * i + 16);
            low[i] = a;
            high[i] = b;
            halve<8>(low[i], high[i]);
            keep_ends(low[i], high[i]);
        }
        join<4>(low, high, 4);
        join<2>(low, high, 2);
        join<1>(low, high, 1);
        low[0].store(least);
        high[0].lanes -= low[0].lanes;
        high[0].store(span);
    }
    /// From `2 count` rows to `count`, whose groups of lanes have `Half` each.
    template <std::size_t Half>
    VICINAL_ALWAYS_INLINE static void join(row* low, row* high, std::size_t count) noexcept {
        for (std::size_t i = 0; i < count; ++i) {
            row a = low[2 * i], b = low[2 * i + 1], c = high[2 * i], d = high[2 * i + 1];
            halve<Half>(a, b);
            halve<Half>(c, d);
            low[i].lanes = b.lanes < a.lanes ? b.lanes : a.lanes;
            high[i].lanes = d.lanes > c.lanes ? d.lanes : c.lanes;
        }
    }
    VICINAL_ALWAYS_INLINE static void keep_ends(row& low, row& high) noexcept {
        auto const a = low.lanes;
        low.lanes = high.lanes < a ? high.lanes : a;
        high.lanes = high.lanes > a ? high.lanes : a;
    }
    /// Two rows of groups of 2 Half lanes become the first halves of all groups and the second.
    template <std::size_t Half>
    VICINAL_ALWAYS_INLINE static void halve(row& a, row& b) noexcept {
        halve<Half>(a, b, std::make_index_sequence<16>{});
    }
    template <std::size_t Half, std::size_t... I>
    VICINAL_ALWAYS_INLINE static void halve(row& a, row& b, std::index_sequence<I...>) noexcept {
        auto const first = a.lanes;
        a.lanes = __builtin_shufflevector(first, b.lanes, lane<Half>(I)...);
        b.lanes =
            __builtin_shufflevector(first, b.lanes, lane<Half>(I) + static_cast<int>(Half)...);
    }
    template <std::size_t Half>
    [[nodiscard]] static constexpr int lane(std::size_t i) noexcept {
        return static_cast<int>(i / 8 * 16 + i % 8 / Half * 2 * Half + i % Half);
    }
};

/// tables[16 p + c] = round((products[16 p + c] - least[p]) * scale), which is 0 to 255.
struct pq_tables_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float const* products, float const* least,
                                          std::size_t parts, float scale,
                                          std::uint8_t* tables) noexcept {
        for (std::size_t p = 0; p < parts; ++p) {
            simd::pack<float, 16> entries;
            simd::pack<std::int32_t, 16> rounded;
            simd::pack<std::uint8_t, 16> narrow;
            entries.load(products + 16 * p);
            entries.lanes = (entries.lanes - least[p]) * scale + 0.5F;
            rounded.lanes = __builtin_convertvector(entries.lanes, decltype(rounded.lanes));
            narrow.lanes = __builtin_convertvector(rounded.lanes, decltype(narrow.lanes));
            narrow.store(tables + 16 * p);
        }
    }
};

} // namespace VICINAL_BASELINE
} // namespace detail

using pq_products = simd::kernel<detail::pq_products_body, void, float const*, float const*,
                                 std::size_t, std::size_t, float*, float*, float*>;
using pq_byte_tables = simd::kernel<detail::pq_tables_body, void, float const*, float const*,
                                    std::size_t, float, std::uint8_t*>;

/// A query before blocks: its products with the centres of each part. Takes memory: 16 bytes a
/// part, and while it is made 18 floats.
///
/// turned: the centres of each part, element by element, 16 side by side. of_distance: what the
/// distance of a list is multiplied by.
[[nodiscard]] inline tabled_scorer pq_block_scorer(float const* turned,
                                                   std::span<float const> query, std::size_t parts,
                                                   float of_distance) {
    std::vector<std::uint8_t> tables(16 * simd::fast_scan_parts(parts));
    auto const room = (parts + detail::pq_at_once - 1) / detail::pq_at_once * detail::pq_at_once;
    std::vector<float> all(18 * room);
    auto* const least = all.data() + 16 * room;
    auto* const span = least + room;
    pq_products::get()(turned, query.data(), query.size(), parts, all.data(), least, span);
    float widest = 0;
    double sum = 0;
    for (std::size_t p = 0; p < parts; ++p) {
        widest = (std::max)(widest, span[p]);
        sum += least[p];
    }
    // A query whose products leave float ranks by the lists alone.
    if (!(widest > 0x1p-100F && widest < 0x1p120F && std::fabs(sum) < 0x1p120))
        return {std::move(tables), 0, 0, of_distance};
    // A hair less than 255, so that no rounding leads beyond.
    float const scale = 254.99F / widest;
    pq_byte_tables::get()(all.data(), least, parts, scale, tables.data());
    return {std::move(tables), 1 / scale, static_cast<float>(sum), of_distance};
}

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_PQ_BLOCK_HPP
#define VICINAL_CODEC_PQ_BLOCK_HPP

#include <vicinal/simd/fast_scan.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

/// Blocks of 32 product codes of 4 bits, scored at once by tables of bytes.
///
/// A block has the codes as simd/fast_scan.hpp has them, then a number for each row that is added,
/// as the upper half of a float, rounded: an eighth of a percent, where codes are off by several.
/// Source: Andre, Kermarrec & Le Scouarnec, "Cache locality is not enough: high-performance nearest
/// neighbor search with product quantization fast scan", VLDB 2015.
namespace vicinal::inline VICINAL_ABI::codec {

/// What a block of product codes wants of a query.
struct pq_block_query {
    /// 16 bytes a part, a multiple of four parts.
    std::uint8_t const* tables = nullptr;
    std::size_t parts = 0;
    /// What a sum of entries is multiplied by.
    float scale = 1;
};

/// Bytes of a block of rows of so many parts.
[[nodiscard]] constexpr std::size_t pq_block_bytes(std::size_t parts) noexcept {
    return simd::fast_scan_bytes(simd::fast_scan_parts(parts)) + 2 * simd::fast_scan_rows;
}

namespace detail {
inline namespace VICINAL_BASELINE {

struct pq_block_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static std::uint32_t run(pq_block_query const* q, std::byte const* block,
                                                   float add, float limit, float* out) noexcept {
        constexpr std::size_t rows = simd::fast_scan_rows;
        std::uint32_t sums[rows];
        simd::detail::fast_scan_body::run<Set>(reinterpret_cast<std::uint8_t const*>(block),
                                               q->tables, q->parts, sums);
        auto const* const own = block + simd::fast_scan_bytes(q->parts);
        simd::pack<std::uint32_t, 8> bits = {{1, 2, 4, 8, 16, 32, 64, 128}};
        simd::pack<std::uint32_t, 8> within;
        within.zero();
        for (std::size_t i = 0; i < rows; i += 8) {
            simd::pack<std::int32_t, 8> whole;
            simd::pack<std::uint16_t, 8> narrow;
            simd::pack<std::uint32_t, 8> wide, is_within;
            simd::pack<float, 8> distance;
            std::memcpy(&whole.lanes, sums + i, sizeof whole.lanes);
            std::memcpy(&narrow.lanes, own + 2 * i, sizeof narrow.lanes);
            wide.lanes = __builtin_convertvector(narrow.lanes, decltype(wide.lanes)) << 16;
            distance.set_bits(wide.lanes);
            distance.lanes +=
                __builtin_convertvector(whole.lanes, decltype(distance.lanes)) * q->scale + add;
            distance.store(out + i);
            is_within.set_bits(distance.lanes <= limit);
            within.lanes |= is_within.lanes & bits.lanes;
            bits.lanes <<= 8;
        }
        return within.sum();
    }
};

/// The products of the query's parts with their 16 centres each, and the least of each part and by
/// how much the largest is more.
struct pq_products_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float const* turned, float const* query, std::size_t dim,
                                          std::size_t parts, float* products, float* least,
                                          float* span) noexcept {
        std::size_t i = 0;
        for (std::size_t p = 0; p < parts; ++p) {
            simd::pack<float, 16> sum;
            sum.zero();
            for (auto const end = (p + 1) * dim / parts; i < end; ++i) {
                simd::pack<float, 16> centres;
                centres.load(turned + 16 * i);
                sum.lanes += centres.lanes * query[i];
            }
            sum.store(products + 16 * p);
            least[p] = one_of<false>(sum);
            span[p] = one_of<true>(sum) - least[p];
        }
    }

private:
    template <bool Largest, std::size_t Width>
    VICINAL_ALWAYS_INLINE static float one_of(simd::pack<float, Width> const& all) noexcept {
        if constexpr (Width == 2) {
            auto const a = all.lanes[0];
            auto const b = all.lanes[1];
            return (a < b) == Largest ? b : a;
        } else {
            simd::pack<float, Width / 2> low, high;
            all.halves(low, high);
            auto const less = low.lanes < high.lanes;
            low.lanes = Largest ? (less ? high.lanes : low.lanes) : (less ? low.lanes : high.lanes);
            return one_of<Largest>(low);
        }
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

/// `get()(query, block, add, limit, out)`: for each of the 32 rows its own number, plus `add`, plus
/// what its code has in the tables. Gives those that are at most `limit`, as bits.
using pq_block_scores = simd::kernel<detail::pq_block_body, std::uint32_t, pq_block_query const*,
                                     std::byte const*, float, float, float*>;
using pq_products = simd::kernel<detail::pq_products_body, void, float const*, float const*,
                                 std::size_t, std::size_t, float*, float*, float*>;
using pq_byte_tables = simd::kernel<detail::pq_tables_body, void, float const*, float const*,
                                    std::size_t, float, std::uint8_t*>;

/// Puts a row's code into a block: the numbers of the parts, two a byte, and behind them two bytes
/// of what is added.
inline void pq_block_put(std::byte const* code, std::size_t parts, std::size_t row,
                         std::byte* block) noexcept {
    simd::fast_scan_put(reinterpret_cast<std::uint8_t const*>(code), parts, row,
                        reinterpret_cast<std::uint8_t*>(block));
    std::memcpy(block + simd::fast_scan_bytes(simd::fast_scan_parts(parts)) + 2 * row,
                code + (parts + 1) / 2, 2);
}
/// Reads it from there.
inline void pq_block_take(std::byte const* block, std::size_t parts, std::size_t row,
                          std::byte* code) noexcept {
    simd::fast_scan_take(reinterpret_cast<std::uint8_t const*>(block), parts, row,
                         reinterpret_cast<std::uint8_t*>(code));
    std::memcpy(code + (parts + 1) / 2,
                block + simd::fast_scan_bytes(simd::fast_scan_parts(parts)) + 2 * row, 2);
}

/// A query before blocks: `factor` times its products with what codes stand for. Takes memory.
class pq_block_scorer {
public:
    /// turned: the centres of each part, element by element, 16 side by side. of_distance: what the
    /// distance of the list is multiplied by.
    pq_block_scorer(float const* turned, std::vector<float> query, std::size_t parts, float factor,
                    float of_distance)
        : tables_(16 * simd::fast_scan_parts(parts)), of_distance_(of_distance) {
        for (auto& x : query) x *= factor;
        std::vector<float> all(18 * parts);
        auto* const least = all.data() + 16 * parts;
        auto* const span = least + parts;
        pq_products::get()(turned, query.data(), query.size(), parts, all.data(), least, span);
        float widest = 0;
        double sum = 0;
        for (std::size_t p = 0; p < parts; ++p) {
            widest = (std::max)(widest, span[p]);
            sum += least[p];
        }
        query_ = {tables_.data(), simd::fast_scan_parts(parts), 0};
        // A query whose products leave float ranks by the lists alone.
        if (!(widest > 0x1p-100F && widest < 0x1p120F && std::fabs(sum) < 0x1p120)) return;
        // A hair less than 255, so that no rounding leads beyond.
        float const scale = 254.99F / widest;
        pq_byte_tables::get()(all.data(), least, parts, scale, tables_.data());
        query_.scale = 1 / scale;
        offset_ = static_cast<float>(sum);
    }
    pq_block_scorer(pq_block_scorer&&) noexcept = default;

    /// The distances of the 32 rows of a block of a list whose centre is at `distance`; as bits
    /// those that are at most `limit`.
    [[nodiscard]] std::uint32_t operator()(std::byte const* block, float distance, float limit,
                                           float* out) const noexcept {
        return scores_(&query_, block, base(distance), limit, out);
    }

private:
    [[nodiscard]] float base(float distance) const noexcept {
        float const all = of_distance_ * distance + offset_;
        return all == all ? all : (std::numeric_limits<float>::infinity)();
    }

    std::vector<std::uint8_t> tables_;
    pq_block_query query_;
    float of_distance_;
    float offset_ = 0;
    typename pq_block_scores::function scores_ = pq_block_scores::get();
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_TABLED_BLOCK_HPP
#define VICINAL_CODEC_TABLED_BLOCK_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/simd/fast_scan.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

/// Blocks of 32 vectors in numbers of 4 bits, as seen from a centre: what they have beyond it is
/// encoded, and a query adds its exact distance from the centre. Tables of the query say what each
/// number adds to its product with a vector.
///
/// A block has 32 numbers that are added and 32 by which the products are multiplied, both as the
/// upper halves of floats, rounded: an eighth of a percent where codes are off by several; then the
/// codes as simd/fast_scan.hpp has them. Source: Gou et al., "SymphonyQG: towards symphonious
/// integration of quantization and graph for approximate nearest neighbor search", SIGMOD 2025.
/// Differs: it keeps whole floats.
namespace vicinal::inline VICINAL_ABI::codec {

/// Bytes of a block before its codes.
inline constexpr std::size_t tabled_block_factors = 4 * simd::fast_scan_rows;

/// Bytes of a block of so many numbers a vector.
[[nodiscard]] constexpr std::size_t tabled_block_bytes(std::size_t parts) noexcept {
    return tabled_block_factors + simd::fast_scan_bytes(simd::fast_scan_parts(parts));
}
/// Bytes of a vector's code outside of blocks: its numbers, two a byte, then what is added and what
/// products are multiplied by.
[[nodiscard]] constexpr std::size_t tabled_code_bytes(std::size_t parts) noexcept {
    return (parts + 1) / 2 + 4;
}

/// Of how many times candidates_for(k) candidates by such codes hardly one of the k nearest is
/// missing, for so many bits a vector of `dim` elements: 2, 4 or 8, by how far a product is off.
/// That is the tangent of the angle between a vector and its code, 1 / (2^(2 bits / dim) - 1)
/// squared at best, over the root of dim. Of the ten nearest are missing: sift .001 with 256 bits
/// and 2 times as many, .002 with 128 bits and 8; mnist .001 with 784 bits and 2.
[[nodiscard]] inline std::size_t tabled_kept(std::size_t bits, std::size_t dim) noexcept {
    auto const elements = static_cast<double>(dim);
    double const off = 1 / ((std::exp2(2 * static_cast<double>(bits) / elements) - 1) * elements);
    return off < 0.025 * 0.025 ? 2 : off < 0.045 * 0.045 ? 4 : 8;
}

/// Puts the code of row `row` into a block.
inline void tabled_put(std::byte const* code, std::size_t parts, std::size_t row,
                       std::byte* block) noexcept {
    simd::fast_scan_put(reinterpret_cast<std::uint8_t const*>(code), parts, row,
                        reinterpret_cast<std::uint8_t*>(block + tabled_block_factors));
    auto const* const factors = code + (parts + 1) / 2;
    std::memcpy(block + 2 * row, factors, 2);
    std::memcpy(block + 2 * (simd::fast_scan_rows + row), factors + 2, 2);
}
/// Reads it from there.
inline void tabled_take(std::byte const* block, std::size_t parts, std::size_t row,
                        std::byte* code) noexcept {
    simd::fast_scan_take(reinterpret_cast<std::uint8_t const*>(block + tabled_block_factors), parts,
                         row, reinterpret_cast<std::uint8_t*>(code));
    auto* const factors = code + (parts + 1) / 2;
    std::memcpy(factors, block + 2 * row, 2);
    std::memcpy(factors + 2, block + 2 * (simd::fast_scan_rows + row), 2);
}

/// What a block wants of a query.
struct tabled_query {
    /// 16 bytes a part, a multiple of four parts.
    std::uint8_t const* tables = nullptr;
    std::size_t parts = 0;
    /// What a sum of entries stands for: sum * scale + offset, a product.
    float scale = 1;
    float offset = 0;
};

namespace detail {
inline namespace VICINAL_BASELINE {

struct tabled_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static std::uint32_t run(tabled_query const* q, std::byte const* block,
                                                   float centre, float limit, float* out) noexcept {
        constexpr std::size_t rows = simd::fast_scan_rows;
        std::uint32_t sums[rows];
        auto const* const codes = block + tabled_block_factors;
        simd::detail::fast_scan_body::run<Set>(reinterpret_cast<std::uint8_t const*>(codes),
                                               q->tables, q->parts, sums);
        simd::pack<std::uint32_t, 8> bits = {{1, 2, 4, 8, 16, 32, 64, 128}};
        simd::pack<std::uint32_t, 8> below;
        below.zero();
        for (std::size_t i = 0; i < rows; i += 8) {
            simd::pack<std::int32_t, 8> whole;
            simd::pack<std::uint32_t, 8> is_below;
            simd::pack<float, 8> add, scale, product;
            std::memcpy(&whole.lanes, sums + i, sizeof whole.lanes);
            widen(block + 2 * i, add);
            widen(block + 2 * (rows + i), scale);
            product.lanes =
                __builtin_convertvector(whole.lanes, decltype(product.lanes)) * q->scale +
                q->offset;
            add.lanes += scale.lanes * product.lanes + centre;
            add.store(out + i);
            is_below.set_bits(add.lanes < limit);
            below.lanes |= is_below.lanes & bits.lanes;
            bits.lanes <<= 8;
        }
        return below.sum();
    }

private:
    VICINAL_ALWAYS_INLINE static void widen(std::byte const* halves,
                                            simd::pack<float, 8>& out) noexcept {
        simd::pack<std::uint16_t, 8> narrow;
        simd::pack<std::uint32_t, 8> wide;
        std::memcpy(&narrow.lanes, halves, sizeof narrow.lanes);
        wide.lanes = __builtin_convertvector(narrow.lanes, decltype(wide.lanes)) << 16;
        out.set_bits(wide.lanes);
    }
};

} // namespace VICINAL_BASELINE
} // namespace detail

/// `get()(query, block, centre, limit, out)`: for each of the 32 vectors what is added, plus
/// `centre`, plus its scale times its product with the query. Gives those below `limit`, as bits.
using tabled_scores = simd::kernel<detail::tabled_body, std::uint32_t, tabled_query const*,
                                   std::byte const*, float, float, float*>;

/// A query before the blocks of lists.
class tabled_scorer {
public:
    /// of_distance: what the distance of a list is multiplied by.
    tabled_scorer(std::vector<std::uint8_t> tables, float scale, float offset, float of_distance)
        : tables_(std::move(tables)), query_{tables_.data(), tables_.size() / 16, scale, offset},
          of_distance_(of_distance) {}
    tabled_scorer(tabled_scorer&&) noexcept = default;

    /// The distances of the 32 rows of a block of a list whose centre is at `distance`; as bits
    /// those that are at most `limit`, and may be some that are a hair more.
    [[nodiscard]] std::uint32_t operator()(std::byte const* block, float distance, float limit,
                                           float* out) const noexcept {
        constexpr auto infinity = std::numeric_limits<float>::infinity();
        auto const list = metric::ordered(of_distance_ * distance);
        // The kernel gives those below; what is a hair more is for the caller to see.
        auto const hair = std::fabs(limit) * 0x1p-22F + 0x1p-126F;
        auto const near = scores_(&query_, block, list, limit + hair, out);
        if (limit < infinity) return near;
        for (std::size_t i = 0; i < simd::fast_scan_rows; ++i) out[i] = metric::ordered(out[i]);
        return 0xffffffffU;
    }

private:
    std::vector<std::uint8_t> tables_;
    tabled_query query_;
    float of_distance_;
    typename tabled_scores::function scores_ = tabled_scores::get();
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

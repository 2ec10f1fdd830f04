// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_RABITQ_BLOCK_HPP
#define VICINAL_CODEC_RABITQ_BLOCK_HPP

#include <vicinal/codec/rabitq/encoding.hpp>
#include <vicinal/simd/fast_scan.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

/// Blocks of 32 vectors in one bit an element, as seen from a centre: what they have beyond it is
/// encoded, and a query adds its exact distance from the centre.
///
/// A block has 32 numbers that are added and 32 by which the sums are scaled, both as the upper
/// halves of floats, rounded: an eighth of a percent where one bit is wrong by several; then the
/// codes as simd/fast_scan.hpp has them. Source: Gou et al., "SymphonyQG: towards symphonious
/// integration of quantization and graph for approximate nearest neighbor search", SIGMOD 2025.
/// Differs: it keeps whole floats.
namespace vicinal::inline VICINAL_ABI::codec {

/// Bytes of a block before its codes.
inline constexpr std::size_t rabitq_block_factors = 4 * simd::fast_scan_rows;

/// Bytes of a block of vectors of `padded` elements (rabitq_padded).
[[nodiscard]] constexpr std::size_t rabitq_block_bytes(std::size_t padded) noexcept {
    return rabitq_block_factors + simd::fast_scan_bytes(padded / 4);
}

/// What a block wants of a query.
struct rabitq_block_query {
    /// Tables of the rotated query for simd::fast_scan.
    std::uint8_t const* tables = nullptr;
    std::size_t parts = 0;
    /// What a sum of entries stands for: sum * scale + offset, a product with a direction whose
    /// elements are -1/2 and 1/2.
    float scale = 1;
    float offset = 0;
};

namespace detail {
inline namespace VICINAL_BASELINE {

struct rabitq_block_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static std::uint32_t run(rabitq_block_query const* q,
                                                   std::byte const* block, float centre,
                                                   float limit, float* out) noexcept {
        constexpr std::size_t rows = simd::fast_scan_rows;
        std::uint32_t sums[rows];
        auto const* const codes = block + rabitq_block_factors;
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
using rabitq_block_scores =
    simd::kernel<detail::rabitq_block_body, std::uint32_t, rabitq_block_query const*,
                 std::byte const*, float, float, float*>;

/// One vector's place in a block that is being made; all its bytes are 0 before.
class rabitq_block_writer {
public:
    rabitq_block_writer(std::byte* block, std::size_t padded) noexcept
        : block_(block), padded_(padded) {}

    /// codes: as rabitq_encode<1> gives them.
    void put(std::size_t i, std::byte const* codes, float add, float scale) noexcept {
        simd::fast_scan_put(reinterpret_cast<std::uint8_t const*>(codes), padded_ / 4, i,
                            reinterpret_cast<std::uint8_t*>(block_ + rabitq_block_factors));
        put_half(block_ + 2 * i, add);
        put_half(block_ + 2 * (simd::fast_scan_rows + i), scale);
    }

private:
    /// To the nearest; an infinity stays one.
    static void put_half(std::byte* to, float x) noexcept {
        auto const bits = std::bit_cast<std::uint32_t>(x);
        auto const half = static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16 & 1)) >> 16);
        std::memcpy(to, &half, sizeof half);
    }

    std::byte* block_;
    std::size_t padded_;
};

/// A query's tables for all blocks. Takes memory.
class rabitq_block_tables {
public:
    /// rotated: `padded` finite elements.
    rabitq_block_tables(float const* rotated, std::size_t padded) : tables_(padded * 4) {
        auto const s = simd::make_fast_scan_tables(rotated, padded / 4, tables_.data());
        double sum = 0;
        for (std::size_t i = 0; i < padded; i += 4)
            sum += (rotated[i] + rotated[i + 1]) + (rotated[i + 2] + rotated[i + 3]);
        query_ = {tables_.data(), padded / 4, 1 / s.scale, static_cast<float>(s.offset - sum / 2)};
    }

    [[nodiscard]] rabitq_block_query const& query() const noexcept { return query_; }

private:
    std::vector<std::uint8_t> tables_;
    rabitq_block_query query_;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

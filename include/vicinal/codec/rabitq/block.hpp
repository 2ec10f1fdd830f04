// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_RABITQ_BLOCK_HPP
#define VICINAL_CODEC_RABITQ_BLOCK_HPP

#include <vicinal/codec/rabitq/encoding.hpp>
#include <vicinal/codec/tabled_block.hpp>
#include <vicinal/core/bits.hpp>
#include <vicinal/simd/fast_scan.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

/// Codes of one bit an element in blocks of 32: the bits of four elements are one number, and a
/// query's product is that with a direction whose elements are -1/2 and 1/2.
namespace vicinal::inline VICINAL_ABI::codec {

/// Bytes of a block of vectors of `padded` elements (rabitq_padded).
[[nodiscard]] constexpr std::size_t rabitq_block_bytes(std::size_t padded) noexcept {
    return tabled_block_bytes(padded / 4);
}

/// One vector's place in a block that is being made; all its bytes are 0 before.
class rabitq_block_writer {
public:
    rabitq_block_writer(std::byte* block, std::size_t padded) noexcept
        : block_(block), padded_(padded) {}

    /// codes: as rabitq_encode<1> gives them.
    void put(std::size_t i, std::byte const* codes, float add, float scale) noexcept {
        simd::fast_scan_put(reinterpret_cast<std::uint8_t const*>(codes), padded_ / 4, i,
                            reinterpret_cast<std::uint8_t*>(block_ + tabled_block_factors));
        vicinal::detail::store_half(block_ + 2 * i, add);
        vicinal::detail::store_half(block_ + 2 * (simd::fast_scan_rows + i), scale);
    }

private:
    std::byte* block_;
    std::size_t padded_;
};

/// A query's tables for all blocks.
class rabitq_block_tables {
public:
    /// rotated: `padded` finite elements. Takes memory.
    rabitq_block_tables(float const* rotated, std::size_t padded) : tables_(padded * 4) {
        auto const s = simd::make_fast_scan_tables(rotated, padded / 4, tables_.data());
        double sum = 0;
        for (std::size_t i = 0; i < padded; i += 4)
            sum += (rotated[i] + rotated[i + 1]) + (rotated[i + 2] + rotated[i + 3]);
        query_ = {tables_.data(), padded / 4, 1 / s.scale, static_cast<float>(s.offset - sum / 2)};
    }

    [[nodiscard]] tabled_query const& query() const noexcept { return query_; }
    /// The same before lists. Leaves no tables behind.
    [[nodiscard]] tabled_scorer scorer(float of_distance) && {
        return {std::move(tables_), query_.scale, query_.offset, of_distance};
    }

private:
    std::vector<std::uint8_t> tables_;
    tabled_query query_;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

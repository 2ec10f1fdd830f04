// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_PAGE_CHECKSUMS_HPP
#define VICINAL_STORAGE_PAGE_CHECKSUMS_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/storage/crc32c.hpp>
#include <vicinal/storage/snapshot_header.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

/// A block's checksum in pieces: one for each page of 4 KiB, from which that of the block follows.
/// So the pages' need no checksum of their own, and no look when a file is opened.
namespace vicinal::inline VICINAL_ABI::detail {

/// What a checksum becomes by 4096 zero bytes behind it, byte by byte of the checksum: the sum of
/// four entries.
using crc32c_page_tables = std::array<std::array<std::uint32_t, 256>, 4>;

[[nodiscard]] constexpr crc32c_page_tables make_crc32c_page_tables() noexcept {
    // The operator of one zero bit, as what it makes of each bit; squared fifteen times: 2^15 bits.
    std::array<std::uint32_t, 32> op{};
    op[0] = 0x82f63b78U;
    for (std::size_t i = 1; i < 32; ++i) op[i] = std::uint32_t{1} << (i - 1);
    auto const apply = [&op](std::uint32_t v) {
        std::uint32_t sum = 0;
        for (std::size_t i = 0; i < 32; ++i) sum ^= (v >> i & 1U) != 0 ? op[i] : 0U;
        return sum;
    };
    for (int times = 0; times < 15; ++times) {
        std::array<std::uint32_t, 32> twice{};
        for (std::size_t i = 0; i < 32; ++i) twice[i] = apply(op[i]);
        op = twice;
    }
    crc32c_page_tables t{};
    for (std::size_t byte = 0; byte < 4; ++byte)
        for (std::uint32_t v = 0; v < 256; ++v) t[byte][v] = apply(v << (8 * byte));
    return t;
}

inline constexpr crc32c_page_tables crc32c_page_table = make_crc32c_page_tables();

/// The checksum of bytes and a page behind them, from those of both (Adler's crc32_combine for one
/// fixed length).
[[nodiscard]] constexpr std::uint32_t crc32c_then_page(std::uint32_t before,
                                                       std::uint32_t page) noexcept {
    auto const& t = crc32c_page_table;
    return t[0][before & 0xffU] ^ t[1][before >> 8 & 0xffU] ^ t[2][before >> 16 & 0xffU] ^
           t[3][before >> 24] ^ page;
}

/// The checksum of a block, from the sixteen of its pages.
[[nodiscard]] inline std::uint32_t joined_crc(std::byte const* page_crcs) noexcept {
    auto crc = load_le<std::uint32_t>(page_crcs);
    for (std::size_t i = 1; i < storage::pages_per_block; ++i)
        crc = crc32c_then_page(crc, load_le<std::uint32_t>(page_crcs + 4 * i));
    return crc;
}

/// Writes the sixteen checksums of a block's pages and gives that of the block.
[[nodiscard]] inline std::uint32_t checksum_pages(std::span<std::byte const> block,
                                                  std::byte* page_crcs) noexcept {
    for (std::size_t i = 0; i < storage::pages_per_block; ++i)
        store_le(page_crcs + 4 * i, storage::crc32c(block.subspan(i * storage::snapshot_page_bytes,
                                                                  storage::snapshot_page_bytes)));
    return joined_crc(page_crcs);
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

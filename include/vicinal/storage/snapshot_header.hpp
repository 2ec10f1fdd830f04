// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_SNAPSHOT_HEADER_HPP
#define VICINAL_STORAGE_SNAPSHOT_HEADER_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/storage/crc32c.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// The name that every file of one store carries: 128 random bits.
using store_uuid = std::array<std::byte, 16>;

/// The unit of checking: one checksum for each block; a section starts at a multiple of it. Also
/// the largest page size of any system that can map the file.
inline constexpr std::uint64_t snapshot_block_bytes = 65536;

/// What is checked of a block where only a row of it is read; its checksum is one of sixteen from
/// which the block's follows (storage/page_checksums.hpp).
inline constexpr std::uint64_t snapshot_page_bytes = 4096;
inline constexpr std::size_t pages_per_block = snapshot_block_bytes / snapshot_page_bytes;
inline constexpr std::size_t page_group_bytes = pages_per_block * 4;

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI::detail {

inline constexpr std::array<std::byte, 8> snapshot_magic{
    std::byte{0x89}, std::byte{'V'},  std::byte{'I'},  std::byte{'C'},
    std::byte{0x0d}, std::byte{0x0a}, std::byte{0x1a}, std::byte{0x0a}};
inline constexpr std::uint16_t snapshot_major = 1;
inline constexpr std::size_t snapshot_header_bytes = 4096;
inline constexpr std::size_t snapshot_entry_bytes = 128;
inline constexpr std::uint32_t most_sections = 4096;
inline constexpr std::uint64_t most_property_bytes = std::uint64_t{16} << 20;
inline constexpr std::uint32_t rows_little_endian = 0x01020304;

/// The fixed part of a snapshot, as docs/format.md lays it out.
struct snapshot_header {
    storage::store_uuid uuid{};
    std::uint64_t generation = 0;
    std::uint64_t last_lsn = 0;
    std::uint64_t file_bytes = 0;
    std::uint32_t sections = 0;
    std::uint64_t property_bytes = 0;
    std::uint64_t blocks = 0;
    std::uint32_t table_crc = 0;
    std::uint32_t properties_crc = 0;
    std::uint32_t block_crcs_crc = 0;

    [[nodiscard]] std::uint64_t table_bytes() const noexcept {
        return std::uint64_t{sections} * snapshot_entry_bytes;
    }
    [[nodiscard]] std::uint64_t block_crcs_at() const noexcept {
        return round_up(snapshot_header_bytes + table_bytes() + property_bytes, 8);
    }
    [[nodiscard]] std::uint64_t page_crcs_at() const noexcept {
        return round_up(block_crcs_at() + blocks * 4, storage::page_group_bytes);
    }
    [[nodiscard]] std::uint64_t page_crcs_bytes() const noexcept {
        return blocks * storage::page_group_bytes;
    }
    /// Where the first section starts.
    [[nodiscard]] std::uint64_t rows_at() const noexcept {
        return round_up(page_crcs_at() + page_crcs_bytes(), storage::snapshot_block_bytes);
    }
};

[[nodiscard]] inline bool all_zero(std::span<std::byte const> bytes) noexcept {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

inline void encode_header(snapshot_header const& h, std::byte* p) noexcept {
    std::memset(p, 0, snapshot_header_bytes);
    std::memcpy(p, snapshot_magic.data(), snapshot_magic.size());
    store_le<std::uint16_t>(p + 8, snapshot_major);
    store_le<std::uint32_t>(p + 12, snapshot_header_bytes);
    std::memcpy(p + 40, h.uuid.data(), h.uuid.size());
    store_le(p + 56, h.generation);
    store_le(p + 64, h.last_lsn);
    store_le(p + 72, h.file_bytes);
    store_le<std::uint32_t>(p + 80, storage::snapshot_block_bytes);
    store_le(p + 84, h.sections);
    store_le<std::uint32_t>(p + 88, 1);
    store_le(p + 92, rows_little_endian);
    store_le(p + 96, h.table_bytes());
    store_le(p + 104, h.property_bytes);
    store_le(p + 112, h.blocks);
    store_le(p + 120, h.table_crc);
    store_le(p + 124, h.properties_crc);
    store_le(p + 128, h.block_crcs_crc);
    store_le(p + 4092, storage::crc32c({p, 4092}));
}

/// Reads the header of a file of `actual_bytes`; nothing that it gives reaches beyond the file.
/// `writable` is whether the caller means to write the store.
[[nodiscard]] inline result<snapshot_header> decode_header(std::byte const* p,
                                                           std::uint64_t actual_bytes,
                                                           bool writable, std::string const& file) {
    auto const corrupt = [&file](std::string expected, std::string got) -> error {
        return error{errc::corrupt_snapshot, expected + " in the header of " + file,
                     std::move(got)};
    };
    if (std::memcmp(p, snapshot_magic.data(), snapshot_magic.size()) != 0)
        return corrupt("the magic bytes 89 56 49 43 0D 0A 1A 0A at offset 0", "other bytes");
    auto const major = load_le<std::uint16_t>(p + 8);
    if (major > snapshot_major)
        return error{errc::newer_format, "format 1 in " + file,
                     "format " + std::to_string(major) + ", written by a newer vicinal"};
    if (storage::crc32c({p, 4092}) != load_le<std::uint32_t>(p + 4092))
        return corrupt("the checksum at offset 4092", "another");
    if (load_le<std::uint64_t>(p + 16) != 0)
        return error{errc::newer_format, "no feature that this build does not know in " + file,
                     "incompatible features " + std::to_string(load_le<std::uint64_t>(p + 16))};
    if (writable && load_le<std::uint64_t>(p + 24) != 0)
        return error{errc::newer_format,
                     "no feature that this build cannot write in " + file + " (open it read-only)",
                     "features " + std::to_string(load_le<std::uint64_t>(p + 24))};

    snapshot_header h;
    std::memcpy(h.uuid.data(), p + 40, h.uuid.size());
    h.generation = load_le<std::uint64_t>(p + 56);
    h.last_lsn = load_le<std::uint64_t>(p + 64);
    h.file_bytes = load_le<std::uint64_t>(p + 72);
    h.sections = load_le<std::uint32_t>(p + 84);
    h.property_bytes = load_le<std::uint64_t>(p + 104);
    h.blocks = load_le<std::uint64_t>(p + 112);
    h.table_crc = load_le<std::uint32_t>(p + 120);
    h.properties_crc = load_le<std::uint32_t>(p + 124);
    h.block_crcs_crc = load_le<std::uint32_t>(p + 128);
    if (h.file_bytes != actual_bytes)
        return corrupt("a file of " + std::to_string(h.file_bytes) + " bytes, as offset 72 says,",
                       std::to_string(actual_bytes) + " bytes");
    if (major != snapshot_major || load_le<std::uint32_t>(p + 12) != snapshot_header_bytes ||
        load_le<std::uint32_t>(p + 80) != storage::snapshot_block_bytes ||
        load_le<std::uint32_t>(p + 88) != 1 || load_le<std::uint32_t>(p + 92) != rows_little_endian)
        return corrupt("header of 4096 bytes, blocks of 65536, CRC-32C, little-endian rows",
                       "other values");
    // Each bound keeps the sums in rows_at() far from overflow.
    if (h.sections > most_sections || h.property_bytes > most_property_bytes ||
        h.blocks > actual_bytes / storage::snapshot_block_bytes ||
        h.table_bytes() != load_le<std::uint64_t>(p + 96) || h.rows_at() > actual_bytes ||
        h.rows_at() > SIZE_MAX / 4)
        return corrupt("section table, properties and checksums inside the file", "larger ones");
    if (!all_zero({p + 132, 4092 - 132})) return corrupt("zeros behind offset 132", "other bytes");
    return h;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_SNAPSHOT_LAYOUT_HPP
#define VICINAL_STORAGE_SNAPSHOT_LAYOUT_HPP

#include <vicinal/storage/properties.hpp>
#include <vicinal/storage/snapshot_header.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// One column as it lies in a snapshot.
struct section {
    std::string name;
    std::uint64_t row_bytes = 1;
    std::uint64_t rows = 0;
    /// Where row 0 is in the file, and the number of its first block's checksum.
    std::uint64_t offset = 0;
    std::uint64_t first_block = 0;

    [[nodiscard]] std::uint64_t bytes() const noexcept { return rows * row_bytes; }
    [[nodiscard]] std::uint64_t blocks() const noexcept {
        return bytes() / snapshot_block_bytes + (bytes() % snapshot_block_bytes != 0 ? 1 : 0);
    }
};

/// Everything in a snapshot but the rows.
struct snapshot_layout {
    store_uuid uuid{};
    std::uint64_t generation = 0;
    /// The newest log record whose effect is in the rows.
    std::uint64_t last_lsn = 0;
    std::uint64_t file_bytes = 0;
    storage::properties properties;
    std::vector<section> sections;
    std::vector<std::uint32_t> block_crcs;
    /// Where the checksums of the pages are in the file. There can be very many, so that they stay
    /// there.
    std::uint64_t page_crcs_at = 0;
};

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI::detail {

inline constexpr std::size_t section_name_bytes = 64;
inline constexpr std::uint64_t most_row_bytes = std::uint64_t{1} << 30;

[[nodiscard]] inline bool valid_section_name(std::string_view name) noexcept {
    return !name.empty() && name.size() < section_name_bytes &&
           name.find('\0') == std::string_view::npos;
}

/// Gives each section its place: one behind the other in the order of the table, each at a multiple
/// of 64 KiB. There is no other valid arrangement, so that overlaps and gaps can't be written down.
/// False where the sizes overflow.
[[nodiscard]] inline bool place_sections(std::vector<storage::section>& list, std::uint64_t rows_at,
                                         std::uint64_t& blocks, std::uint64_t& end) noexcept {
    blocks = 0;
    end = rows_at;
    for (auto& s : list) {
        std::uint64_t bytes = 0;
        if (!checked_multiply(s.rows, s.row_bytes, bytes) || bytes > INT64_MAX) return false;
        s.offset = end;
        s.first_block = blocks;
        blocks += s.blocks();
        end += s.blocks() * storage::snapshot_block_bytes;
        if (end > INT64_MAX) return false;
    }
    return true;
}

/// The bytes of a snapshot before the first section: header, table, properties, checksums of the
/// blocks, room for those of the pages. Fills the sections' places, the number of blocks and the
/// file's size in; where `block_crcs` is still empty the bytes only tell how many there are.
[[nodiscard]] inline result<std::vector<std::byte>> encode_layout(storage::snapshot_layout& l) {
    for (std::size_t i = 0; i < l.sections.size(); ++i) {
        auto const& s = l.sections[i];
        bool const twice =
            std::any_of(l.sections.begin(), l.sections.begin() + static_cast<std::ptrdiff_t>(i),
                        [&s](storage::section const& other) { return other.name == s.name; });
        if (!valid_section_name(s.name) || twice)
            return error{errc::invalid_argument, "column names of 1 to 63 bytes, each once",
                         "'" + s.name + "'"};
        if (s.row_bytes == 0 || s.row_bytes > most_row_bytes)
            return error{errc::invalid_argument,
                         "rows of 1 to " + std::to_string(most_row_bytes) + " bytes in column '" +
                             s.name + "'",
                         std::to_string(s.row_bytes)};
    }
    auto const properties = encode_properties(l.properties);
    snapshot_header h;
    h.uuid = l.uuid;
    h.generation = l.generation;
    h.last_lsn = l.last_lsn;
    h.property_bytes = properties.size();
    h.sections = static_cast<std::uint32_t>((std::min)(l.sections.size(), std::size_t{UINT32_MAX}));
    // The number of blocks does not depend on where they start: first counted, then placed.
    if (h.sections > most_sections || h.property_bytes > most_property_bytes ||
        !place_sections(l.sections, 0, h.blocks, h.file_bytes) ||
        !place_sections(l.sections, h.rows_at(), h.blocks, h.file_bytes))
        return error{errc::limit_exceeded,
                     "at most 4096 columns, 16 MiB of properties and 2^63 bytes of rows",
                     std::to_string(l.sections.size()) + " columns"};
    l.file_bytes = h.file_bytes;
    l.block_crcs.resize(static_cast<std::size_t>(h.blocks));
    l.page_crcs_at = h.page_crcs_at();

    std::vector<std::byte> out(static_cast<std::size_t>(h.rows_at()));
    auto* const table = out.data() + snapshot_header_bytes;
    for (std::size_t i = 0; i < l.sections.size(); ++i) {
        auto const& s = l.sections[i];
        auto* const p = table + i * snapshot_entry_bytes;
        std::memcpy(p, s.name.data(), s.name.size());
        store_le(p + 64, s.offset);
        store_le(p + 72, s.rows);
        store_le(p + 80, s.row_bytes);
        store_le(p + 88, s.first_block);
    }
    std::memcpy(table + h.table_bytes(), properties.data(), properties.size());
    auto* const crcs = out.data() + h.block_crcs_at();
    for (std::size_t i = 0; i < l.block_crcs.size(); ++i) store_le(crcs + 4 * i, l.block_crcs[i]);
    h.table_crc = storage::crc32c({table, static_cast<std::size_t>(h.table_bytes())});
    h.properties_crc = storage::crc32c(properties);
    h.block_crcs_crc = storage::crc32c({crcs, l.block_crcs.size() * 4});
    encode_header(h, out.data());
    return out;
}

/// Reads what lies between header and the checksums of the pages: `bytes` are those from offset
/// 4096 to h.page_crcs_at().
[[nodiscard]] inline result<storage::snapshot_layout>
decode_layout(snapshot_header const& h, std::span<std::byte const> bytes, std::string const& file) {
    auto const corrupt = [&file](std::string expected, std::string got) -> error {
        return error{errc::corrupt_snapshot, expected + " in " + file, std::move(got)};
    };
    auto const table = bytes.first(static_cast<std::size_t>(h.table_bytes()));
    auto const properties = bytes.subspan(table.size(), static_cast<std::size_t>(h.property_bytes));
    auto const crcs_at = static_cast<std::size_t>(h.block_crcs_at() - snapshot_header_bytes);
    auto const crcs = bytes.subspan(crcs_at, static_cast<std::size_t>(h.blocks * 4));
    if (storage::crc32c(table) != h.table_crc)
        return corrupt("the checksum of the section table at offset 4096", "another");
    if (storage::crc32c(properties) != h.properties_crc)
        return corrupt("the checksum of the properties at offset " +
                           std::to_string(snapshot_header_bytes + table.size()),
                       "another");
    if (storage::crc32c(crcs) != h.block_crcs_crc)
        return corrupt("the checksum of the block checksums at offset " +
                           std::to_string(h.block_crcs_at()),
                       "another");
    auto const behind_properties = table.size() + properties.size();
    if (!all_zero(bytes.subspan(behind_properties, crcs_at - behind_properties)) ||
        !all_zero(bytes.subspan(crcs_at + crcs.size())))
        return corrupt("zeros between properties and checksums", "other bytes");

    storage::snapshot_layout l;
    l.uuid = h.uuid;
    l.generation = h.generation;
    l.last_lsn = h.last_lsn;
    l.file_bytes = h.file_bytes;
    l.page_crcs_at = h.page_crcs_at();
    auto list = decode_properties(properties);
    if (!list) return corrupt("properties in order of their names", "other bytes");
    l.properties = *std::move(list);
    for (std::size_t i = 0; i < h.sections; ++i) {
        auto const* const p = table.data() + i * snapshot_entry_bytes;
        std::string_view const field(reinterpret_cast<char const*>(p), section_name_bytes);
        storage::section s;
        s.name = field.substr(0, (std::min)(field.find('\0'), field.size()));
        s.rows = load_le<std::uint64_t>(p + 72);
        s.row_bytes = load_le<std::uint64_t>(p + 80);
        bool const twice =
            std::any_of(l.sections.begin(), l.sections.end(),
                        [&s](storage::section const& other) { return other.name == s.name; });
        if (!valid_section_name(s.name) || twice || s.row_bytes == 0 ||
            s.row_bytes > most_row_bytes || !all_zero({p + s.name.size(), 64 - s.name.size()}) ||
            !all_zero({p + 96, snapshot_entry_bytes - 96}))
            return corrupt("a valid entry " + std::to_string(i) + " of the section table",
                           "name '" + s.name + "', rows of " + std::to_string(s.row_bytes) +
                               " bytes");
        l.sections.push_back(std::move(s));
    }
    std::uint64_t blocks = 0;
    std::uint64_t end = 0;
    bool fits = place_sections(l.sections, h.rows_at(), blocks, end) && blocks == h.blocks &&
                end == h.file_bytes;
    for (std::size_t i = 0; fits && i < l.sections.size(); ++i) {
        auto const* const p = table.data() + i * snapshot_entry_bytes;
        fits = l.sections[i].offset == load_le<std::uint64_t>(p + 64) &&
               l.sections[i].first_block == load_le<std::uint64_t>(p + 88);
    }
    if (!fits) return corrupt("sections one behind the other up to the file's end", "others");
    l.block_crcs.resize(static_cast<std::size_t>(h.blocks));
    for (std::size_t i = 0; i < l.block_crcs.size(); ++i)
        l.block_crcs[i] = load_le<std::uint32_t>(crcs.data() + 4 * i);
    return l;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_REPAIR_HPP
#define VICINAL_STORAGE_REPAIR_HPP

#include <vicinal/core/problems.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/storage/descriptor.hpp>
#include <vicinal/storage/snapshot.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Flips the one bit without which the checksum holds; false where there is none. Damage of more
/// bits that passes for one has a chance of bytes * 8 / 2^32. Cost: bytes^2.
[[nodiscard]] inline bool repair_bit(std::span<std::byte> bytes, std::uint32_t crc) noexcept {
    if (storage::crc32c(bytes) == crc) return true;
    for (auto& b : bytes)
        for (int bit = 0; bit < 8; ++bit) {
            b ^= std::byte{1} << bit;
            if (storage::crc32c(bytes) == crc) return true;
            b ^= std::byte{1} << bit;
        }
    return false;
}

/// Opens a snapshot whose front may be damaged and whose end may be missing, and says what is wrong
/// in `found`. Header, section table and properties must hold, but for one bit in each; a block
/// whose own checksum was hit can't be proven and counts as damaged. errc::corrupt_snapshot.
template <class Os>
[[nodiscard]] result<storage::snapshot_file<Os>>
open_damaged(int directory, std::string const& name, std::string const& shown,
             problem_list& found) {
    auto whole = storage::snapshot_file<Os>::open(directory, name, shown, false);
    if (whole || whole.error().code() != errc::corrupt_snapshot) return whole;
    found.add(whole.error().message());
    storage::descriptor<Os> file(
        uninterrupted([&] { return Os::open_read(directory, name.c_str()); }));
    if (!file) {
        int const reason = errno;
        return system_failure(reason, "to open " + shown);
    }
    std::array<std::byte, snapshot_header_bytes> header{};
    auto const got = storage::read_up_to<Os>(file.get(), 0, header, shown);
    VICINAL_CHECK(got);
    auto const fields = std::span(header).first(snapshot_header_bytes - 4);
    auto const crc_bytes = header.data() + fields.size();
    auto crc = load_le<std::uint32_t>(crc_bytes);
    if (*got != header.size() || !repair_bit(fields, crc)) return whole;
    auto h = decode_header(header.data(), load_le<std::uint64_t>(header.data() + 72), false, shown);
    VICINAL_CHECK(h);
    auto const actual = Os::file_bytes(file.get());
    if (actual < 0 || h->rows_at() > static_cast<std::uint64_t>(actual)) return whole;

    std::vector<std::byte> rest(static_cast<std::size_t>(h->page_crcs_at()) - header.size());
    auto const more = storage::read_up_to<Os>(file.get(), header.size(), rest, shown);
    VICINAL_CHECK(more);
    auto const all = std::span(rest);
    auto const table = all.first(static_cast<std::size_t>(h->table_bytes()));
    auto const properties = all.subspan(table.size(), static_cast<std::size_t>(h->property_bytes));
    auto const crcs_at = static_cast<std::size_t>(h->block_crcs_at()) - header.size();
    auto const crcs = all.subspan(crcs_at, static_cast<std::size_t>(h->blocks * 4));
    if (!repair_bit(table, h->table_crc) || !repair_bit(properties, h->properties_crc))
        return whole;
    // Each block is compared with its own; what lies in the gaps says nothing.
    h->block_crcs_crc = storage::crc32c(crcs);
    auto const fill = [](std::span<std::byte> gap) {
        std::fill(gap.begin(), gap.end(), std::byte{0});
    };
    fill(all.subspan(table.size() + properties.size(), crcs_at - table.size() - properties.size()));
    fill(all.subspan(crcs_at + crcs.size()));
    auto layout = decode_layout(*h, rest, shown);
    VICINAL_CHECK(layout);
    return storage::snapshot_file<Os>::over(std::move(file), shown, *std::move(layout));
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

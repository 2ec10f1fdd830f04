// SPDX-License-Identifier: MIT
// What an attacker does who knows the format: damaged files get checksums that fit, so that what is
// behind the checksums has to find the damage.
#ifndef VICINAL_TESTS_DAMAGE_REPAIR_HPP
#define VICINAL_TESTS_DAMAGE_REPAIR_HPP

#include <vicinal/storage/log_format.hpp>
#include <vicinal/storage/snapshot_layout.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace damage {

using bytes = std::vector<std::byte>;

/// How much of a damaged file is made to fit again.
enum class repair {
    nothing,
    checksums,
    /// Checksums, and the numbers that others follow from: places and sizes of sections, numbers of
    /// log records.
    places,
};

/// The header of a snapshot as it stands there, with sizes that are kept inside the file.
struct front {
    std::uint64_t sections = 0;
    std::uint64_t properties = 0;
    std::uint64_t blocks = 0;
    std::uint64_t properties_at = 0;
    std::uint64_t crcs_at = 0;

    explicit front(bytes const& file) {
        using namespace vicinal::detail;
        auto const left = [&](std::uint64_t at) { return file.size() - (std::min)(at, end(file)); };
        sections = (std::min<std::uint64_t>)(load_le<std::uint32_t>(file.data() + 84),
                                             left(4096) / snapshot_entry_bytes);
        properties_at = snapshot_header_bytes + sections * snapshot_entry_bytes;
        properties = (std::min)(load_le<std::uint64_t>(file.data() + 104), left(properties_at));
        crcs_at = (std::min)(round_up(properties_at + properties, 8), end(file));
        blocks = (std::min)(load_le<std::uint64_t>(file.data() + 112), left(crcs_at) / 4);
    }
    static std::uint64_t end(bytes const& file) { return file.size(); }
};

/// Lays the sections of the table one behind the other, as long as they are at most `most` bytes.
inline void repair_places(bytes& file, std::uint64_t most) {
    using namespace vicinal::detail;
    front const f(file);
    auto* const header = file.data();
    std::vector<vicinal::storage::section> list;
    for (std::uint64_t i = 0; i < f.sections; ++i) {
        auto const* const entry = header + snapshot_header_bytes + i * snapshot_entry_bytes;
        list.push_back(
            {{}, load_le<std::uint64_t>(entry + 80), load_le<std::uint64_t>(entry + 72)});
    }
    auto const place = [&](std::uint64_t rows_at, std::uint64_t& blocks, std::uint64_t& end) {
        return std::all_of(list.begin(), list.end(),
                           [](auto const& s) { return s.row_bytes > 0; }) &&
               place_sections(list, rows_at, blocks, end) && end <= most;
    };
    snapshot_header h;
    h.sections = static_cast<std::uint32_t>(f.sections);
    h.property_bytes = f.properties;
    if (!place(0, h.blocks, h.file_bytes) || !place(h.rows_at(), h.blocks, h.file_bytes)) return;
    store_le(header + 72, h.file_bytes);
    store_le(header + 96, h.table_bytes());
    store_le(header + 104, h.property_bytes);
    store_le(header + 112, h.blocks);
    for (std::uint64_t i = 0; i < f.sections; ++i) {
        auto* const entry = header + snapshot_header_bytes + i * snapshot_entry_bytes;
        store_le(entry + 64, list[i].offset);
        store_le(entry + 88, list[i].first_block);
    }
    file.resize(static_cast<std::size_t>(h.file_bytes));
}

inline void repair_snapshot(bytes& file, repair how, std::uint64_t most = std::uint64_t{2} << 20) {
    using namespace vicinal::detail;
    constexpr auto block = vicinal::storage::snapshot_block_bytes;
    if (how == repair::nothing || file.size() < snapshot_header_bytes) return;
    if (how == repair::places) repair_places(file, most);
    front const f(file);
    auto* const p = file.data();
    auto const crc = [&](std::uint64_t at, std::uint64_t n) {
        return vicinal::storage::crc32c({p + at, static_cast<std::size_t>(n)});
    };
    auto const rows_at = round_up(f.crcs_at + 4 * f.blocks, block);
    for (std::uint64_t i = 0; i < f.blocks && rows_at + (i + 1) * block <= file.size(); ++i)
        store_le(p + f.crcs_at + 4 * i, crc(rows_at + i * block, block));
    store_le(p + 120, crc(snapshot_header_bytes, f.sections * snapshot_entry_bytes));
    store_le(p + 124, crc(f.properties_at, f.properties));
    store_le(p + 128, crc(f.crcs_at, 4 * f.blocks));
    store_le(p + 4092, crc(0, 4092));
}

inline void repair_log(bytes& file, repair how) {
    using namespace vicinal::detail;
    if (how == repair::nothing || file.size() < log_header_bytes) return;
    auto* const p = file.data();
    store_le(p + 60, vicinal::storage::crc32c({p, 60}));
    auto const salt = load_le<std::uint64_t>(p + 48);
    auto lsn = load_le<std::uint64_t>(p + 40);
    std::uint64_t count = 0;
    std::uint32_t digest = 0;
    for (std::size_t at = log_header_bytes; at + log_record_bytes <= file.size();) {
        auto r = load_record(p + at);
        if (r.bytes() > file.size() - at) break;
        std::span<std::byte> const all(p + at, static_cast<std::size_t>(r.bytes()));
        if (how == repair::places) {
            store_le(p + at + 8, lsn);
            if (r.synced_lsn >= lsn) store_le(p + at + 16, lsn - 1);
            if (r.kind == 2 && r.payload_bytes == clean_payload_bytes) {
                store_le(p + at + 32, count);
                store_le(p + at + 40, digest);
            }
        }
        r.crc = record_crc(salt, at, all);
        store_le(p + at, r.crc);
        digest = chain(digest, r.crc);
        ++count;
        ++lsn;
        at += all.size();
    }
}

} // namespace damage

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_UNIT_SUMS_HPP
#define VICINAL_STORAGE_UNIT_SUMS_HPP

#include <vicinal/storage/crc32c.hpp>
#include <vicinal/storage/replacement.hpp>
#include <vicinal/storage/snapshot_layout.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Checksums of pieces that are small enough to be read for one row. A block of a section has
/// 64 KiB; a storage that pages would have to read all of it to trust one vector of 3 KiB. So a
/// snapshot holds for each section of more than a block another one, named after it, with a
/// checksum for each unit: as many whole rows as fit into 8 KiB, at least one.
namespace vicinal::inline VICINAL_ABI::detail {

inline constexpr std::string_view unit_sums_suffix = ".sums";

/// Bytes of a unit of rows of that width; 0 where a row is longer than a block, which has no units.
[[nodiscard]] constexpr std::uint64_t unit_bytes_of(std::uint64_t row_bytes) noexcept {
    constexpr std::uint64_t most = 8192;
    if (row_bytes > storage::snapshot_block_bytes) return 0;
    return row_bytes > most ? row_bytes : most / row_bytes * row_bytes;
}

/// Whether a section of that name, width and length has a section of unit checksums.
[[nodiscard]] constexpr bool has_unit_sums(std::string_view name, std::uint64_t row_bytes,
                                           std::uint64_t bytes) noexcept {
    return bytes > storage::snapshot_block_bytes && unit_bytes_of(row_bytes) != 0 &&
           name.size() + unit_sums_suffix.size() < section_name_bytes;
}

/// Whether a section holds the unit checksums of another of the same snapshot: no column, but made
/// anew with each snapshot.
[[nodiscard]] inline bool is_unit_sums(storage::snapshot_layout const& layout,
                                       std::string_view name) noexcept {
    if (!layout.unit_sums || !name.ends_with(unit_sums_suffix)) return false;
    auto const of = name.substr(0, name.size() - unit_sums_suffix.size());
    return std::any_of(layout.sections.begin(), layout.sections.end(),
                       [of](storage::section const& s) { return s.name == of; });
}

/// The unit checksums of one section, made while its rows go by.
class unit_summer {
public:
    unit_summer(std::uint64_t row_bytes, std::uint64_t bytes)
        : unit_(unit_bytes_of(row_bytes)),
          sums_(std::make_shared<std::vector<std::byte>>(
              static_cast<std::size_t>((bytes + unit_ - 1) / unit_ * 4))) {}

    /// Takes the next bytes of the section, without padding.
    void feed(std::span<std::byte const> rows) noexcept {
        while (!rows.empty()) {
            auto const n = static_cast<std::size_t>(
                (std::min<std::uint64_t>)(unit_ - seen_ % unit_, rows.size()));
            crc_ = storage::crc32c(rows.first(n), crc_);
            store_le(sums_->data() + seen_ / unit_ * 4, crc_);
            seen_ += n;
            if (seen_ % unit_ == 0) crc_ = 0;
            rows = rows.subspan(n);
        }
    }
    /// The section that holds them; its bytes are there when all rows were fed.
    [[nodiscard]] storage::replacement section(std::string_view of) const {
        auto const held = sums_;
        return storage::joined_runs(
            std::string(of).append(unit_sums_suffix), 4, held->size(), 1,
            [held](std::size_t) { return std::span<std::byte const>(*held); });
    }

private:
    std::uint64_t unit_;
    std::shared_ptr<std::vector<std::byte>> sums_;
    std::uint64_t seen_ = 0;
    std::uint32_t crc_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

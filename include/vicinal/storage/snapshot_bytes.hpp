// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_SNAPSHOT_BYTES_HPP
#define VICINAL_STORAGE_SNAPSHOT_BYTES_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/huge_pages.hpp>
#include <vicinal/storage/page_checksums.hpp>
#include <vicinal/storage/replacement.hpp>
#include <vicinal/storage/snapshot_layout.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A snapshot as bytes that come from somewhere and go somewhere: a file, or memory. `shown` is how
/// they are called in errors. What reads is called as read(offset, span) -> result<void> and fills
/// the span or fails.
namespace vicinal::inline VICINAL_ABI::storage {

/// Reads everything but the rows, of a snapshot of `bytes` bytes; nothing that it gives reaches
/// beyond them, and no more memory is taken than they are.
template <class Read>
[[nodiscard]] result<snapshot_layout> read_layout(std::uint64_t bytes, bool writable,
                                                  std::string const& shown, Read const& read) {
    if (bytes < detail::snapshot_header_bytes)
        return error{errc::corrupt_snapshot,
                     std::to_string(detail::snapshot_header_bytes) + " bytes of header in " + shown,
                     std::to_string(bytes)};
    std::vector<std::byte> part(detail::snapshot_header_bytes);
    VICINAL_CHECK(read(0, std::span(part)));
    auto const h = detail::decode_header(part.data(), bytes, writable, shown);
    if (!h) return h.error();
    part.resize(static_cast<std::size_t>(h->page_crcs_at()) - detail::snapshot_header_bytes);
    VICINAL_CHECK(read(detail::snapshot_header_bytes, std::span(part)));
    auto layout = detail::decode_layout(*h, part, shown);
    if (!layout) return layout.error();
    auto const behind = h->page_crcs_at() + h->page_crcs_bytes();
    part.resize(static_cast<std::size_t>(h->rows_at() - behind));
    VICINAL_CHECK(read(behind, std::span(part)));
    if (!detail::all_zero(part))
        return error{errc::corrupt_snapshot, "zeros between checksums and rows in " + shown,
                     "other bytes"};
    return layout;
}

/// A block of rows in memory, with the checksums of its pages as they were found and, for many
/// blocks around it, as the file has them. Belongs on the heap: it is 128 KiB.
struct block_buffer {
    static constexpr std::uint64_t groups_at_once = snapshot_block_bytes / page_group_bytes;

    std::array<std::byte, snapshot_block_bytes> bytes;
    std::array<std::byte, page_group_bytes> page_crcs;
    std::array<std::byte, snapshot_block_bytes> recorded;
    /// Which groups `recorded` holds, in units of groups_at_once.
    std::uint64_t recorded_number = UINT64_MAX;
};

/// errc::corrupt_snapshot with what was expected of block `i`.
[[nodiscard]] inline error block_damage(section const& s, std::uint64_t i, std::string const& shown,
                                        std::string_view what, std::string got) {
    return error{errc::corrupt_snapshot,
                 std::string(what) + std::to_string(i) + " (offset " +
                     std::to_string(s.offset + i * snapshot_block_bytes) + ") of section '" +
                     s.name + "' in " + shown,
                 std::move(got)};
}

/// The same for one of its pages, by its number in the section.
[[nodiscard]] inline error page_damage(section const& s, std::uint64_t page,
                                       std::string const& shown) {
    return error{errc::corrupt_snapshot,
                 "the recorded checksum of block " + std::to_string(page / pages_per_block) +
                     " (offset " + std::to_string(s.offset + page * snapshot_page_bytes) +
                     ") of section '" + s.name + "' in " + shown,
                 "another"};
}

/// Reads block `i` of a section and compares it with its checksum, and its padding with zero.
/// errc::corrupt_snapshot names section, block and offset.
template <class Read>
[[nodiscard]] result<void> read_block(snapshot_layout const& layout, std::string const& shown,
                                      Read const& read, section const& s, std::uint64_t i,
                                      block_buffer& b) {
    VICINAL_CHECK(read(s.offset + i * snapshot_block_bytes, std::span(b.bytes)));
    auto const used = (std::min)(snapshot_block_bytes, s.bytes() - i * snapshot_block_bytes);
    if (detail::checksum_pages(b.bytes, b.page_crcs.data()) !=
        layout.block_crcs[static_cast<std::size_t>(s.first_block + i)])
        return block_damage(s, i, shown, "the recorded checksum of block ", "another");
    if (!detail::all_zero(std::span(b.bytes).subspan(static_cast<std::size_t>(used))))
        return block_damage(s, i, shown, "zeros behind the last row in block ", "other bytes");
    return {};
}

/// Behind read_block(): compares the checksums of the block's pages with those in the file.
template <class Read>
[[nodiscard]] result<void> check_page_crcs(snapshot_layout const& layout, std::string const& shown,
                                           Read const& read, section const& s, std::uint64_t i,
                                           block_buffer& b) {
    constexpr auto most = block_buffer::groups_at_once;
    auto const group = s.first_block + i;
    if (b.recorded_number != group / most) {
        auto const first = group / most * most;
        b.recorded_number = UINT64_MAX;
        VICINAL_CHECK(
            read(layout.page_crcs_at + first * page_group_bytes,
                 std::span(b.recorded)
                     .first(static_cast<std::size_t>(
                                (std::min<std::uint64_t>)(most, layout.block_crcs.size() - first)) *
                            page_group_bytes)));
        b.recorded_number = group / most;
    }
    if (std::equal(b.page_crcs.begin(), b.page_crcs.end(),
                   b.recorded.data() + group % most * page_group_bytes))
        return {};
    return block_damage(s, i, shown, "the recorded checksums of the pages of block ", "others");
}

/// Reads every block of every section and calls each(section, block, bytes) with those
/// of its rows, which were compared with their checksums, the checksums of the pages too, and
/// padding with zero. About 5 GB/s from the page cache. The errors of the two above.
template <class Read, class Each>
[[nodiscard]] result<void> read_blocks(snapshot_layout const& layout, std::string const& shown,
                                       Read const& read, Each const& each) {
    std::unique_ptr<block_buffer> const b(new block_buffer);
    for (std::size_t number = 0; number < layout.sections.size(); ++number) {
        auto const& s = layout.sections[number];
        for (std::uint64_t i = 0; i < s.blocks(); ++i) {
            VICINAL_CHECK(read_block(layout, shown, read, s, i, *b));
            VICINAL_CHECK(check_page_crcs(layout, shown, read, s, i, *b));
            auto const used =
                (std::min)(snapshot_block_bytes, s.bytes() - i * snapshot_block_bytes);
            each(number, i,
                 std::span<std::byte const>(b->bytes).first(static_cast<std::size_t>(used)));
        }
    }
    return {};
}

/// The rows of one column on their way into a snapshot.
using section_source = replacement;

/// Gives a snapshot to put(offset, bytes) -> result<void>, rows first and header last: what is
/// there before the header is no valid snapshot. The sections, sizes and checksums of `layout` are
/// filled in from the sources.
template <class Put>
[[nodiscard]] result<void> put_snapshot(snapshot_layout& layout,
                                        std::span<section_source const> sources, Put const& put) {
    std::vector<std::byte> copied;
    std::vector<std::byte> page_crcs(layout.block_crcs.size() * page_group_bytes);
    for (std::size_t i = 0; i < sources.size(); ++i) {
        auto const& s = layout.sections[i];
        auto const bytes = sources[i].bytes();
        auto* crc = layout.block_crcs.data() + s.first_block;
        auto* group = page_crcs.data() + s.first_block * page_group_bytes;
        for (std::uint64_t at = 0; at < bytes;) {
            // Up to where a huge page of the file begins: what a system is given in one piece it
            // keeps in one, and maps as one.
            auto const most = huge_page - (s.offset + at) % huge_page;
            auto const size = static_cast<std::size_t>((std::min<std::uint64_t>)(bytes - at, most));
            auto const padded = detail::round_up(size, snapshot_block_bytes);
            std::span<std::byte const> piece;
            if (size < padded || sources[i].fill) {
                copied.resize(padded);
                sources[i].next(at, std::span(copied).first(size));
                std::fill(copied.begin() + static_cast<std::ptrdiff_t>(size), copied.end(),
                          std::byte{0});
                piece = copied;
            } else {
                piece = sources[i].rows.subspan(static_cast<std::size_t>(at), size);
            }
            for (std::size_t from = 0; from < padded; from += snapshot_block_bytes) {
                *crc++ = detail::checksum_pages(piece.subspan(from, snapshot_block_bytes), group);
                group += page_group_bytes;
            }
            VICINAL_CHECK(put(s.offset + at, piece));
            at += size;
        }
    }
    auto front = detail::encode_layout(layout);
    if (!front) return front.error();
    std::copy(page_crcs.begin(), page_crcs.end(),
              front->begin() + static_cast<std::ptrdiff_t>(layout.page_crcs_at));
    auto const bytes = std::span<std::byte const>(*front);
    VICINAL_CHECK(put(detail::snapshot_header_bytes, bytes.subspan(detail::snapshot_header_bytes)));
    return put(0, bytes.first(detail::snapshot_header_bytes));
}

/// Fills in what the sources say of sections and sizes; limit_exceeded, invalid_argument.
[[nodiscard]] inline result<void> lay_out(snapshot_layout& layout,
                                          std::span<section_source const> sources) {
    layout.sections.clear();
    for (auto const& s : sources)
        layout.sections.push_back({s.name, s.row_bytes, s.bytes() / s.row_bytes, 0, 0});
    VICINAL_CHECK(detail::encode_layout(layout));
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

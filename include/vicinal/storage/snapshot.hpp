// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_SNAPSHOT_HPP
#define VICINAL_STORAGE_SNAPSHOT_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/descriptor.hpp>
#include <vicinal/storage/page_checksums.hpp>
#include <vicinal/storage/replacement.hpp>
#include <vicinal/storage/snapshot_layout.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// A snapshot opened for reading. Opening checks header, table, properties and extents; the rows
/// are checked by check_block and check_all.
template <class Os>
class snapshot_file {
public:
    snapshot_file() = default;

    /// `shown` is how the file is called in errors. errc::not_found where there is no such file.
    [[nodiscard]] static result<snapshot_file> open(int directory, std::string const& name,
                                                    std::string shown, bool writable) {
        snapshot_file f;
        f.shown_ = std::move(shown);
        f.file_ = descriptor<Os>(
            detail::uninterrupted([&] { return Os::open_read(directory, name.c_str()); }));
        if (!f.file_) {
            int const reason = errno;
            if (reason == ENOENT) return error{errc::not_found, f.shown_, "no such file"};
            return detail::system_failure(reason, "to open " + f.shown_);
        }
        auto const actual = Os::file_bytes(f.file_.get());
        if (actual < 0) {
            int const reason = errno;
            return detail::system_failure(reason, "to ask for the size of " + f.shown_);
        }
        std::array<std::byte, detail::snapshot_header_bytes> header;
        VICINAL_CHECK(f.read(0, header));
        auto const h = detail::decode_header(header.data(), static_cast<std::uint64_t>(actual),
                                             writable, f.shown_);
        if (!h) return h.error();
        std::vector<std::byte> rest(static_cast<std::size_t>(h->page_crcs_at()) - header.size());
        VICINAL_CHECK(f.read(header.size(), rest));
        auto layout = detail::decode_layout(*h, rest, f.shown_);
        if (!layout) return layout.error();
        f.layout_ = *std::move(layout);
        auto const behind = h->page_crcs_at() + h->page_crcs_bytes();
        rest.resize(static_cast<std::size_t>(h->rows_at() - behind));
        VICINAL_CHECK(f.read(behind, rest));
        if (!detail::all_zero(rest))
            return error{errc::corrupt_snapshot, "zeros between checksums and rows in " + f.shown_,
                         "other bytes"};
        return f;
    }

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(file_); }
    [[nodiscard]] snapshot_layout const& layout() const noexcept { return layout_; }
    [[nodiscard]] int number() const noexcept { return file_.get(); }
    [[nodiscard]] std::string const& shown() const noexcept { return shown_; }
    void renamed(std::string shown) noexcept { shown_ = std::move(shown); }
    [[nodiscard]] section const* find(std::string_view name) const noexcept {
        for (auto const& s : layout_.sections)
            if (s.name == name) return &s;
        return nullptr;
    }

    /// Compares every block of every section with its checksum, the checksums of its pages too, and
    /// padding with zero; reads the whole file, about 5 GB/s from the page cache.
    /// errc::corrupt_snapshot names file, section, block and offset.
    [[nodiscard]] result<void> check_all() const {
        std::unique_ptr<buffers> const b(new buffers);
        for (auto const& s : layout_.sections)
            for (std::uint64_t i = 0; i < s.blocks(); ++i) {
                auto const n = s.first_block + i;
                constexpr auto most = std::tuple_size_v<decltype(b->groups)> / page_group_bytes;
                if (n % most == 0 || i == 0) {
                    // From here on to the end of the piece that the buffer holds.
                    auto const count = (std::min<std::uint64_t>)(most - n % most, s.blocks() - i);
                    VICINAL_CHECK(read(layout_.page_crcs_at + n * page_group_bytes,
                                       std::span(b->groups).subspan(
                                           n % most * page_group_bytes,
                                           static_cast<std::size_t>(count) * page_group_bytes)));
                }
                VICINAL_CHECK(
                    check_block(s, i, b->block, b->groups.data() + n % most * page_group_bytes));
            }
        return {};
    }

private:
    /// On the heap: 64 KiB would be much for the stack of a small thread.
    struct buffers {
        std::array<std::byte, snapshot_block_bytes> block;
        std::array<std::byte, snapshot_block_bytes> groups;
    };

    [[nodiscard]] result<void> check_block(section const& s, std::uint64_t i,
                                           std::span<std::byte> block,
                                           std::byte const* page_crcs) const {
        auto const at = s.offset + i * snapshot_block_bytes;
        VICINAL_CHECK(read(at, block));
        std::array<std::byte, page_group_bytes> pages;
        auto const used = (std::min)(snapshot_block_bytes, s.bytes() - i * snapshot_block_bytes);
        bool const same = detail::checksum_pages(block, pages.data()) ==
                              layout_.block_crcs[static_cast<std::size_t>(s.first_block + i)] &&
                          std::equal(pages.begin(), pages.end(), page_crcs);
        bool const padded = detail::all_zero(block.subspan(static_cast<std::size_t>(used)));
        if (!same || !padded)
            return error{
                errc::corrupt_snapshot,
                (same ? "zeros behind the last row in block " : "the recorded checksum of block ") +
                    std::to_string(i) + " (offset " + std::to_string(at) + ") of section '" +
                    s.name + "' in " + shown_,
                same ? "other bytes" : "another"};
        return {};
    }

    [[nodiscard]] result<void> read(std::uint64_t at, std::span<std::byte> into) const {
        auto const n = read_up_to<Os>(file_.get(), at, into, shown_);
        if (!n) return n.error();
        if (*n != into.size())
            return error{errc::corrupt_snapshot,
                         std::to_string(into.size()) + " bytes at offset " + std::to_string(at) +
                             " of " + shown_,
                         std::to_string(*n)};
        return {};
    }

    descriptor<Os> file_;
    std::string shown_;
    snapshot_layout layout_;
};

/// The rows of one column on their way into a snapshot.
using section_source = replacement;

/// Writes a snapshot under `name`, rows first and header last, and syncs it if asked. The sections,
/// sizes and checksums of `layout` are filled in from the sources. What is in the file before the
/// header is written is no valid snapshot.
template <class Os>
[[nodiscard]] result<void> write_snapshot(int directory, std::string const& name,
                                          std::string const& shown, snapshot_layout layout,
                                          std::span<section_source const> sources, bool sync) {
    layout.sections.clear();
    for (auto const& s : sources)
        layout.sections.push_back({s.name, s.row_bytes, s.bytes() / s.row_bytes, 0, 0});
    VICINAL_CHECK(detail::encode_layout(layout));

    descriptor<Os> const file(
        detail::uninterrupted([&] { return Os::open_empty(directory, name.c_str()); }));
    if (!file) {
        int const reason = errno;
        return detail::system_failure(reason, "to make " + shown);
    }
    std::vector<std::byte> last(snapshot_block_bytes);
    std::vector<std::byte> page_crcs(layout.block_crcs.size() * page_group_bytes);
    for (std::size_t i = 0; i < sources.size(); ++i) {
        auto const& s = layout.sections[i];
        auto const bytes = sources[i].bytes();
        auto* crc = layout.block_crcs.data() + s.first_block;
        auto* group = page_crcs.data() + s.first_block * page_group_bytes;
        // A piece is checksummed and then written while it is still in the cache.
        for (std::uint64_t at = 0; at < bytes; at += snapshot_block_bytes) {
            auto const size =
                static_cast<std::size_t>((std::min<std::uint64_t>)(bytes - at, last.size()));
            std::span<std::byte const> piece = last;
            if (size < last.size() || sources[i].fill) {
                sources[i].next(at, std::span(last).first(size));
                std::fill(last.begin() + static_cast<std::ptrdiff_t>(size), last.end(),
                          std::byte{0});
            } else {
                piece = sources[i].rows.subspan(static_cast<std::size_t>(at), size);
            }
            *crc++ = detail::checksum_pages(piece, group);
            group += page_group_bytes;
            VICINAL_CHECK(write_all<Os>(file.get(), s.offset + at, piece, shown));
        }
    }
    auto front = detail::encode_layout(layout);
    if (!front) return front.error();
    std::copy(page_crcs.begin(), page_crcs.end(),
              front->begin() + static_cast<std::ptrdiff_t>(layout.page_crcs_at));
    auto const bytes = std::span<std::byte const>(*front);
    auto const header = detail::snapshot_header_bytes;
    VICINAL_CHECK(write_all<Os>(file.get(), header, bytes.subspan(header), shown));
    VICINAL_CHECK(write_all<Os>(file.get(), 0, bytes.first(header), shown));
    if (sync && detail::uninterrupted([&] { return Os::sync_all(file.get()); }) != 0) {
        int const reason = errno;
        return error{errc::writer_poisoned, "to sync " + shown,
                     std::generic_category().message(reason)};
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

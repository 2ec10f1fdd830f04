// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_PAGE_CHECKS_HPP
#define VICINAL_STORAGE_PAGE_CHECKS_HPP

#include <vicinal/core/mutex.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/storage/crc32c.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/storage/page_checksums.hpp>
#include <vicinal/storage/snapshot_bytes.hpp>
#include <vicinal/storage/snapshot_layout.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#if VICINAL_HAS_THREADS
#    include <atomic>
#endif

namespace vicinal::inline VICINAL_ABI::storage {

/// Which pages of a mapped section have been compared with their checksums, and the comparing: each
/// page when it is first read. Any number of threads may read at once.
///
/// A page of 4 KiB and not the block of 64 KiB, because the rows of a walk lie far apart: the first
/// query of a graph of a million nodes meets some 600 blocks, 40 MB, but 3 MB of pages. The bits
/// are a byte for 32 KiB of rows, which stays in the processor's caches.
class page_checks {
public:
    /// `front` holds the bytes of the file before its first section and lives as long as this.
    page_checks(section const& s, std::span<std::uint32_t const> block_crcs,
                std::shared_ptr<std::byte const> front, std::uint64_t page_crcs_at,
                std::string shown)
        : section_(s), shown_(std::move(shown)), front_(std::move(front)),
          page_crcs_(front_.get() + page_crcs_at + s.first_block * page_group_bytes),
          pages_((s.bytes() + snapshot_page_bytes - 1) / snapshot_page_bytes), left_(pages_),
          right_(static_cast<std::size_t>(pages_ / 64 + 1)),
          damaged_(static_cast<std::size_t>(pages_ / 64 + 1)) {
        auto const own = block_crcs.subspan(static_cast<std::size_t>(s.first_block),
                                            static_cast<std::size_t>(s.blocks()));
        block_crcs_.assign(own.begin(), own.end());
        // A row that is added may begin on the last page; behind it there is nothing to check.
        set(right_, pages_);
    }

    /// Whether a page is left that was not found right.
    [[nodiscard]] bool pending() const noexcept { return load(left_) != 0; }

    /// To be called before bytes [from, from + n) of the column at `base` are read; n above 0.
    VICINAL_ALWAYS_INLINE void look(std::byte const* base, std::uint64_t from,
                                    std::uint64_t n) noexcept {
        auto const first = from / snapshot_page_bytes;
        auto const last = (from + n - 1) / snapshot_page_bytes;
        if (first >= pages_ || (last <= first + 1 && is_right(first) && is_right(last))) [[likely]]
            return;
        compare(base, first, (std::min)(last, pages_ - 1));
    }

private:
#if VICINAL_HAS_THREADS
    using word = std::atomic<std::uint64_t>;
    [[nodiscard]] static std::uint64_t load(word const& w) noexcept {
        return w.load(std::memory_order_acquire);
    }
    static void subtract_one(word& w) noexcept { w.fetch_sub(1, std::memory_order_release); }
    static void add_bits(word& w, std::uint64_t bits) noexcept {
        w.fetch_or(bits, std::memory_order_release);
    }
#else
    using word = std::uint64_t;
    [[nodiscard]] static std::uint64_t load(word const& w) noexcept { return w; }
    static void subtract_one(word& w) noexcept { --w; }
    static void add_bits(word& w, std::uint64_t bits) noexcept { w |= bits; }
#endif
    using bits = std::vector<word>;

    [[nodiscard]] static bool has(bits const& b, std::uint64_t page) noexcept {
        return (load(b[static_cast<std::size_t>(page / 64)]) >> (page % 64) & 1) != 0;
    }
    static void set(bits& b, std::uint64_t page) noexcept {
        add_bits(b[static_cast<std::size_t>(page / 64)], std::uint64_t{1} << (page % 64));
    }
    [[nodiscard]] bool is_right(std::uint64_t page) const noexcept { return has(right_, page); }

    VICINAL_COLD void compare(std::byte const* base, std::uint64_t first,
                              std::uint64_t last) noexcept {
        for (auto page = first; page <= last; ++page) {
            if (is_right(page)) continue;
            detail::mutex_lock const held(locks_[page % locks_.size()]);
            if (is_right(page)) continue;
            if (!has(damaged_, page)) {
                if (matches(base, page)) {
                    set(right_, page);
                    subtract_one(left_);
                    continue;
                }
                set(damaged_, page);
            }
            fault_scope::note([&] { return page_damage(section_, page, shown_); });
        }
    }

    /// The page's own checksum, and that those of its block together give the block's, which were
    /// checked when the file was opened.
    [[nodiscard]] bool matches(std::byte const* base, std::uint64_t page) const noexcept {
        auto const block = page / pages_per_block;
        auto const* const group = page_crcs_ + block * page_group_bytes;
        auto const* const crc = group + page % pages_per_block * 4;
        return detail::joined_crc(group) == block_crcs_[static_cast<std::size_t>(block)] &&
               crc32c({base + page * snapshot_page_bytes, snapshot_page_bytes}) ==
                   detail::load_le<std::uint32_t>(crc);
    }
    /// A page is compared by one thread at a time, so that none does it while the writer, for whom
    /// the page was found right before, changes it.
    std::array<detail::mutex, 16> locks_;
    section section_;
    std::string shown_;
    std::shared_ptr<std::byte const> front_;
    std::byte const* page_crcs_;
    std::vector<std::uint32_t> block_crcs_;
    std::uint64_t pages_;
    /// Pages not found right.
    word left_;
    bits right_;
    /// Pages found wrong: they stay so, whatever a writer makes of them.
    bits damaged_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

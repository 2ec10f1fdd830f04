// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_PAGE_CACHE_HPP
#define VICINAL_STORAGE_FILE_PAGE_CACHE_HPP

#include <vicinal/core/mutex.hpp>
#include <vicinal/storage/snapshot_header.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

struct page;

/// Which pages of one section are in memory, by number.
using page_table = std::vector<page*>;

/// A page of a section in memory. It stays where it is while somebody has it pinned.
struct page {
    std::byte bytes[snapshot_page_bytes];
    /// Null where no table names the page any more: it goes with its last pin.
    page_table* table = nullptr;
    std::uint64_t number = 0;
    std::atomic<std::uint32_t> pins{0};
    /// How many came before it.
    std::uint64_t came = 0;
    /// How often the hand goes by before it puts the page out: once more each time it was asked for
    /// again.
    std::uint8_t uses = 0;

    void unpin() noexcept { pins.fetch_sub(1, std::memory_order_release); }
};

/// Keeps pages within a budget, which what else the storage holds in memory counts against.
///
/// Second chance, and a third and fourth: a hand goes round and puts out the first page that was
/// not asked for again more often than it has gone by. A page that is new has no second chance yet,
/// so that one scan of everything does not put out what queries ask for again and again; but those
/// that came last, which a query has asked for together, are left alone. Safe to share between
/// threads.
class page_cache {
public:
    /// Pages may take this much, whatever else is in memory: a query holds a few at a time.
    static constexpr std::uint64_t least = std::uint64_t{256} << 10;

    explicit page_cache(std::uint64_t budget) noexcept
        : budget_(budget), charged_((std::min)(budget / 16, uncounted)) {}
    page_cache(page_cache const&) = delete;
    page_cache& operator=(page_cache const&) = delete;

    /// The page, pinned; null where it is not in memory.
    [[nodiscard]] page* pin(page_table const& table, std::uint64_t number) noexcept {
        vicinal::detail::mutex_lock const held(mutex_);
        auto* const p = table[static_cast<std::size_t>(number)];
        if (p == nullptr) return nullptr;
        if (p->uses < most_uses) ++p->uses;
        p->pins.fetch_add(1, std::memory_order_relaxed);
        return p;
    }
    /// Leaves out of `numbers` those of pages that are in memory.
    void keep_missing(page_table const& table, std::vector<std::uint64_t>& numbers) noexcept {
        vicinal::detail::mutex_lock const held(mutex_);
        std::erase_if(numbers, [&](std::uint64_t n) {
            return table[static_cast<std::size_t>(n)] != nullptr;
        });
    }

    /// Puts a copy of a page in; pinned. Where another thread was quicker its page is taken. Throws
    /// std::bad_alloc.
    [[nodiscard]] page* put(page_table& table, std::uint64_t number, std::byte const* bytes) {
        vicinal::detail::mutex_lock const held(mutex_);
        auto*& at = table[static_cast<std::size_t>(number)];
        if (at == nullptr) {
            shrink_to(most_pages());
            auto place = pages_.size() < most_pages() ? no_page : put_out();
            if (place == no_page) {
                pages_.push_back(std::unique_ptr<page>(new page));
                place = pages_.size() - 1;
            }
            auto* const p = pages_[place].get();
            std::memcpy(p->bytes, bytes, sizeof p->bytes);
            p->table = &table;
            p->number = number;
            p->uses = 0;
            p->came = came_++;
            at = p;
        }
        at->pins.fetch_add(1, std::memory_order_relaxed);
        return at;
    }

    /// Lets the first `count` pages of a table be those of another, which has none yet; the rest of
    /// the table's pages are forgotten.
    void move(page_table& from, page_table& to, std::uint64_t count) noexcept {
        vicinal::detail::mutex_lock const held(mutex_);
        for (std::size_t i = 0; i < from.size(); ++i) {
            auto* const p = std::exchange(from[i], nullptr);
            if (p == nullptr) continue;
            p->table = i < count && i < to.size() ? &to : nullptr;
            if (p->table != nullptr) to[i] = p;
        }
    }

    /// Counts memory beside the pages against the budget, `after` bytes in the place of `before`.
    void charge(std::uint64_t before, std::uint64_t after) noexcept {
        vicinal::detail::mutex_lock const held(mutex_);
        charged_ += after - before;
        shrink_to(most_pages());
    }
    /// Whether `more` bytes beside the pages are within the budget.
    [[nodiscard]] bool fits(std::uint64_t more) const noexcept {
        vicinal::detail::mutex_lock const held(mutex_);
        return charged_ + more + least <= budget_;
    }
    [[nodiscard]] std::uint64_t budget() const noexcept { return budget_; }
    /// Bytes that are charged, without pages.
    [[nodiscard]] std::uint64_t charged() const noexcept {
        vicinal::detail::mutex_lock const held(mutex_);
        return charged_;
    }
    [[nodiscard]] std::uint64_t page_bytes() const noexcept {
        vicinal::detail::mutex_lock const held(mutex_);
        return pages_.size() * cost;
    }

private:
    /// What the store takes beside rows, pages and checksums: what searches use, buffers of reads,
    /// the pages of the program itself. Measured: 1.2 to 1.8 MB.
    static constexpr std::uint64_t uncounted = std::uint64_t{2} << 20;
    /// What a page costs: itself, what malloc adds, and its place in the list.
    static constexpr std::uint64_t cost = sizeof(page) + 16 + sizeof(std::unique_ptr<page>);

    static constexpr std::size_t no_page = SIZE_MAX;
    /// mnist over codes of a byte, a cache of 20 and 24 % of the snapshot: 92 and 54 reads a query
    /// with 1, 85 and 44 with 3.
    static constexpr std::uint8_t most_uses = 3;

    [[nodiscard]] std::size_t most_pages() const noexcept {
        auto const left = budget_ > charged_ ? budget_ - charged_ : std::uint64_t{0};
        return static_cast<std::size_t>((std::max)(least, left) / cost);
    }
    /// Takes a page from its table; its number in the list, no_page where all are pinned.
    [[nodiscard]] std::size_t put_out() noexcept {
        auto const together = (std::min)(std::uint64_t{64}, std::uint64_t{pages_.size()} / 2);
        for (std::size_t looked = 0; looked < (most_uses + 2) * pages_.size(); ++looked) {
            if (hand_ >= pages_.size()) hand_ = 0;
            auto& p = *pages_[hand_++];
            if (p.pins.load(std::memory_order_acquire) != 0 ||
                (p.table != nullptr &&
                 (came_ - p.came <= together || (p.uses != 0 && p.uses-- != 0))))
                continue;
            if (p.table != nullptr) (*p.table)[static_cast<std::size_t>(p.number)] = nullptr;
            p.table = nullptr;
            return hand_ - 1;
        }
        return no_page;
    }
    void shrink_to(std::size_t most) noexcept {
        while (pages_.size() > most) {
            auto const at = put_out();
            if (at == no_page) return;
            std::swap(pages_[at], pages_.back());
            pages_.pop_back();
        }
    }

    mutable vicinal::detail::mutex mutex_;
    std::vector<std::unique_ptr<page>> pages_;
    std::size_t hand_ = 0;
    std::uint64_t came_ = 0;
    std::uint64_t budget_;
    std::uint64_t charged_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

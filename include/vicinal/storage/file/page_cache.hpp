// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_PAGE_CACHE_HPP
#define VICINAL_STORAGE_FILE_PAGE_CACHE_HPP

#include <vicinal/core/mutex.hpp>
#include <vicinal/core/result.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

struct page;

/// Which pages of one section are in memory, by number.
using page_table = std::vector<page*>;

/// Checked bytes of a section in memory. They stay where they are while somebody has the page
/// pinned.
struct page {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
    /// Null where no table names the page any more: it goes with its last pin.
    page_table* table = nullptr;
    std::uint64_t number = 0;
    std::atomic<std::uint32_t> pins{0};
    /// Asked for again since the hand went by.
    bool used = false;

    void unpin() noexcept { pins.fetch_sub(1, std::memory_order_release); }
};

/// Keeps pages within a budget, which what else the storage holds in memory counts against.
///
/// Second chance: a hand goes round and puts out the first page that was not asked for again since
/// it went by. A page that is new has no second chance yet, so that one scan of everything does not
/// put out what queries ask for again and again. Safe to share between threads.
class page_cache {
public:
    /// Pages may take this much, whatever else is in memory: a query holds a few at a time.
    static constexpr std::uint64_t least = std::uint64_t{256} << 10;

    explicit page_cache(std::uint64_t budget) noexcept : budget_(budget) {}
    page_cache(page_cache const&) = delete;
    page_cache& operator=(page_cache const&) = delete;

    /// The page, pinned; null where it is not in memory.
    [[nodiscard]] page* pin(page_table const& table, std::uint64_t number) noexcept {
        vicinal::detail::mutex_lock const held(mutex_);
        auto* const p = table[static_cast<std::size_t>(number)];
        if (p == nullptr) return nullptr;
        p->used = true;
        p->pins.fetch_add(1, std::memory_order_relaxed);
        return p;
    }
    [[nodiscard]] bool has(page_table const& table, std::uint64_t number) noexcept {
        vicinal::detail::mutex_lock const held(mutex_);
        return table[static_cast<std::size_t>(number)] != nullptr;
    }

    /// Puts a page in; pinned. Where another thread was quicker its page is taken. Throws
    /// std::bad_alloc.
    [[nodiscard]] page* put(page_table& table, std::uint64_t number,
                            std::unique_ptr<std::byte[]> bytes, std::size_t size) {
        auto made = std::make_unique<page>();
        made->bytes = std::move(bytes);
        made->size = size;
        made->table = &table;
        made->number = number;
        vicinal::detail::mutex_lock const held(mutex_);
        auto*& at = table[static_cast<std::size_t>(number)];
        if (at == nullptr) {
            make_room(size + overhead);
            pages_.push_back(std::move(made));
            at = pages_.back().get();
            bytes_ += size + overhead;
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
        make_room(0);
    }
    /// Whether `more` bytes beside the pages are within the budget.
    [[nodiscard]] bool fits(std::uint64_t more) noexcept {
        vicinal::detail::mutex_lock const held(mutex_);
        return charged_ + more + least <= budget_;
    }
    [[nodiscard]] std::uint64_t budget() const noexcept { return budget_; }
    /// Bytes that are charged, without pages.
    [[nodiscard]] std::uint64_t charged() noexcept {
        vicinal::detail::mutex_lock const held(mutex_);
        return charged_;
    }
    [[nodiscard]] std::uint64_t page_bytes() noexcept {
        vicinal::detail::mutex_lock const held(mutex_);
        return bytes_;
    }

private:
    /// What a page costs beside its bytes: its own record and what malloc adds to both.
    static constexpr std::size_t overhead = sizeof(page) + 48;

    /// Puts out pages until there is room for `more` bytes, or all are pinned.
    void make_room(std::uint64_t more) noexcept {
        auto const room =
            (std::max)(least, budget_ > charged_ ? budget_ - charged_ : std::uint64_t{0});
        for (std::size_t looked = 0; bytes_ + more > room && looked < 2 * pages_.size(); ++looked) {
            if (hand_ >= pages_.size()) hand_ = 0;
            auto& p = *pages_[hand_];
            if (p.pins.load(std::memory_order_acquire) != 0 ||
                (p.table != nullptr && std::exchange(p.used, false))) {
                ++hand_;
                continue;
            }
            if (p.table != nullptr) (*p.table)[static_cast<std::size_t>(p.number)] = nullptr;
            bytes_ -= p.size + overhead;
            std::swap(pages_[hand_], pages_.back());
            pages_.pop_back();
        }
    }

    vicinal::detail::mutex mutex_;
    std::vector<std::unique_ptr<page>> pages_;
    std::size_t hand_ = 0;
    std::uint64_t budget_;
    std::uint64_t bytes_ = 0;
    std::uint64_t charged_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_MEMORY_BLOCK_HPP
#define VICINAL_STORAGE_MEMORY_BLOCK_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/config.hpp>
#include <vicinal/storage/huge_pages.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#if VICINAL_HAS_FILES
#    include <vicinal/storage/posix.hpp>
#    include <vicinal/storage/region.hpp>
#endif

namespace vicinal::inline VICINAL_ABI::storage {

/// A block of memory of an allocator's, aligned to a cache line.
///
/// In the place of the standard allocator, which is asked without exceptions, blocks from 4 MiB on
/// are the system's pages, huge ones where there are any. Such a block has sixteen times its size
/// of address space, so that it grows in place: a column that is filled bit by bit, growing by
/// half, would write each byte three times, and have each page cleared three times. Pages that were
/// not written yet take no memory.
template <class Allocator>
class memory_block {
public:
    explicit memory_block(Allocator const& a) noexcept : allocator_(a) {}
    memory_block(memory_block&& other) noexcept
        : allocator_(other.allocator_), data_(std::exchange(other.data_, nullptr)),
          bytes_(other.bytes_), written_(other.written_) {
#if VICINAL_HAS_FILES
        pages_ = std::move(other.pages_);
#endif
    }
    memory_block& operator=(memory_block&& other) noexcept {
        // Blocks that change places are of one column, and so of equal allocators.
        std::swap(data_, other.data_);
        std::swap(bytes_, other.bytes_);
        std::swap(written_, other.written_);
#if VICINAL_HAS_FILES
        std::swap(pages_, other.pages_);
#endif
        return *this;
    }
    ~memory_block() { release(); }

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] Allocator const& allocator() const noexcept { return allocator_; }

    /// Takes memory in the place of what it has; data() is nullptr where there is none to take.
    /// What an allocator throws passes through.
    void take(std::size_t bytes) {
        release();
        bytes_ = written_ = bytes;
        if constexpr (plain) {
            if (take_pages(bytes)) return;
            // Not aligned to a huge page: malloc would count as much again for each column.
            data_ = static_cast<std::byte*>(
                ::operator new (bytes, std::align_val_t{alignment()}, std::nothrow));
            if (data_ != nullptr && alignment() == 4096) ask_for_huge_pages(data_, bytes);
        } else {
            lines a(allocator_);
            data_ = reinterpret_cast<std::byte*>(
                std::to_address(std::allocator_traits<lines>::allocate(a, count())));
        }
    }
    /// Grows where it lies, beside whoever reads it: to `wish` bytes, or as many as there is
    /// address space for. How many there are now; 0, and nothing has changed, where they are not
    /// `least`.
    [[nodiscard]] std::size_t extend([[maybe_unused]] std::size_t least,
                                     [[maybe_unused]] std::size_t wish) noexcept {
#if VICINAL_HAS_FILES
        if (!pages_ || least > pages_->reserved()) return 0;
        auto const most = (std::min)(wish, static_cast<std::size_t>(pages_->reserved()));
        if (!allow(*pages_, most)) return 0;
        return bytes_ = most;
#else
        return 0;
#endif
    }
    /// Makes the bytes from `from` to `to` zero, and counts all before `to` as written.
    void clear(std::size_t from, std::size_t to) noexcept {
        // What was never written is zero already, and its pages are not touched for it.
        if (auto const end = (std::min)(to, written_); from < end)
            std::memset(data_ + from, 0, end - from);
        written_ = (std::max)(written_, to);
    }
    void release() noexcept {
        if (data_ == nullptr) return;
        if constexpr (plain) {
            if (!release_pages()) ::operator delete (data_, std::align_val_t{alignment()});
        } else {
            using traits = std::allocator_traits<lines>;
            lines a(allocator_);
            auto* const first = reinterpret_cast<line*>(data_);
            traits::deallocate(a, std::pointer_traits<typename traits::pointer>::pointer_to(*first),
                               count());
        }
        data_ = nullptr;
    }

private:
    struct alignas(64) line {
        std::byte bytes[64];
    };
    using lines = typename std::allocator_traits<Allocator>::template rebind_alloc<line>;
    static constexpr bool plain = std::same_as<Allocator, std::allocator<std::byte>>;

    [[nodiscard]] std::size_t alignment() const noexcept {
        return bytes_ >= 2 * huge_page ? std::size_t{4096} : std::size_t{64};
    }
    [[nodiscard]] std::size_t count() const noexcept { return (bytes_ + 63) / 64; }

#if VICINAL_HAS_FILES
    /// Up to where a huge page ends: one that is allowed in two steps is made of small ones.
    [[nodiscard]] static bool allow(region<posix>& pages, std::size_t bytes) noexcept {
        auto const at = reinterpret_cast<std::uintptr_t>(pages.data());
        return pages.allow(vicinal::detail::round_up(at + bytes, huge_page) - at);
    }
    /// False for small blocks, and where the system refuses.
    [[nodiscard]] bool take_pages(std::size_t bytes) {
        if (bytes < 2 * huge_page) return false;
        // A region has four times what it is asked for, or less where address space is scarce.
        constexpr std::size_t times = sizeof(void*) >= 8 ? 4 : 1;
        auto pages = region<posix>::reserve(std::uint64_t{bytes} * times);
        if (!pages) pages = region<posix>::reserve(bytes);
        if (!pages || !allow(*pages, bytes)) return false;
        pages_.reset(new (std::nothrow) region<posix>(*std::move(pages)));
        if (!pages_) return false;
        data_ = pages_->data();
        written_ = 0;
        return true;
    }
    [[nodiscard]] bool release_pages() noexcept {
        return std::exchange(pages_, nullptr) != nullptr;
    }
#else
    [[nodiscard]] static bool take_pages(std::size_t) noexcept { return false; }
    [[nodiscard]] static bool release_pages() noexcept { return false; }
#endif

    [[no_unique_address]] Allocator allocator_;
    std::byte* data_ = nullptr;
    std::size_t bytes_ = 0;
    /// From here on every byte is zero.
    std::size_t written_ = 0;
#if VICINAL_HAS_FILES
    /// Where the block is pages.
    std::unique_ptr<region<posix>> pages_;
#endif
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_MEMORY_COLUMN_HPP
#define VICINAL_STORAGE_MEMORY_COLUMN_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/storage/column.hpp>
#include <vicinal/storage/huge_pages.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// A block of memory of an allocator's, aligned to a cache line; of the standard one, which is
/// asked without exceptions, from 4 MiB on to a page and on huge pages where there are any.
template <class Allocator>
class memory_block {
public:
    explicit memory_block(Allocator const& a) noexcept : allocator_(a) {}
    memory_block(memory_block&& other) noexcept
        : allocator_(other.allocator_), data_(std::exchange(other.data_, nullptr)),
          bytes_(other.bytes_) {}
    memory_block& operator=(memory_block&& other) noexcept {
        // Blocks that change places are of one column, and so of equal allocators.
        std::swap(data_, other.data_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~memory_block() { release(); }

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] Allocator const& allocator() const noexcept { return allocator_; }

    /// Takes memory in the place of what it has; nullptr is then what it has where there is none to
    /// take. What an allocator throws passes through.
    void take(std::size_t bytes) {
        release();
        bytes_ = bytes;
        if constexpr (plain) {
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
    void release() noexcept {
        if (data_ == nullptr) return;
        if constexpr (plain) {
            ::operator delete (data_, std::align_val_t{alignment()});
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

    [[no_unique_address]] Allocator allocator_;
    std::byte* data_ = nullptr;
    std::size_t bytes_ = 0;
};

/// A column on the heap: one block that grows by half.
template <class Allocator = std::allocator<std::byte>>
class basic_memory_column {
public:
    explicit basic_memory_column(std::size_t row_bytes, Allocator const& a = Allocator()) noexcept
        : block_(a), next_(a), row_bytes_(row_bytes) {}

    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::uint64_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] std::size_t row_bytes() const noexcept { return row_bytes_; }
    [[nodiscard]] contiguous_reader reader() const noexcept { return {block_.data(), row_bytes_}; }
    [[nodiscard]] std::byte* edit(std::uint64_t i) noexcept {
        return block_.data() + i * row_bytes_;
    }
    /// All rows, one behind the other.
    [[nodiscard]] std::span<std::byte const> bytes() const noexcept {
        return {block_.data(), static_cast<std::size_t>(rows_ * row_bytes_)};
    }

    [[nodiscard]] result<void> prepare(std::uint64_t rows) {
        if (rows <= capacity_ || rows <= next_capacity_) return {};
        auto const wanted = (std::max)(rows, capacity_ + capacity_ / 2);
        std::uint64_t bytes = 0;
        if (!detail::checked_multiply<std::uint64_t>(wanted, row_bytes_, bytes) ||
            bytes > SIZE_MAX - 4096)
            return error{errc::out_of_memory};
        next_capacity_ = 0;
        next_.take(static_cast<std::size_t>(bytes));
        if (next_.data() == nullptr) return error{errc::out_of_memory};
        if (rows_ > 0)
            std::memcpy(next_.data(), block_.data(), static_cast<std::size_t>(rows_ * row_bytes_));
        next_capacity_ = wanted;
        return {};
    }
    void commit() noexcept {
        if (next_capacity_ == 0) return;
        block_ = std::move(next_);
        next_.release();
        capacity_ = std::exchange(next_capacity_, 0);
    }
    void resize(std::uint64_t rows) noexcept {
        if (rows > rows_)
            std::memset(edit(rows_), 0, static_cast<std::size_t>((rows - rows_) * row_bytes_));
        rows_ = rows;
    }
    /// Two columns of one space change places.
    friend void swap(basic_memory_column& a, basic_memory_column& b) noexcept {
        std::swap(a.block_, b.block_);
        std::swap(a.next_, b.next_);
        std::swap(a.rows_, b.rows_);
        std::swap(a.capacity_, b.capacity_);
        std::swap(a.next_capacity_, b.next_capacity_);
        std::swap(a.row_bytes_, b.row_bytes_);
    }

private:
    memory_block<Allocator> block_;
    memory_block<Allocator> next_;
    std::uint64_t rows_ = 0;
    std::uint64_t capacity_ = 0;
    std::uint64_t next_capacity_ = 0;
    std::size_t row_bytes_;
};

using memory_column = basic_memory_column<>;

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

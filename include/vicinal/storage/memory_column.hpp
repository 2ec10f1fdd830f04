// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_MEMORY_COLUMN_HPP
#define VICINAL_STORAGE_MEMORY_COLUMN_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/storage/column.hpp>
#include <vicinal/storage/memory_block.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// A column on the heap: one block that grows by half, in place where it is pages.
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
        if (auto const there = block_.extend(static_cast<std::size_t>(rows * row_bytes_),
                                             static_cast<std::size_t>(bytes))) {
            next_.release();
            next_capacity_ = there / row_bytes_;
            return {};
        }
        next_capacity_ = 0;
        next_.take(static_cast<std::size_t>(bytes));
        if (next_.data() == nullptr) return error{errc::out_of_memory};
        if (rows_ > 0) {
            auto const used = static_cast<std::size_t>(rows_ * row_bytes_);
            std::memcpy(next_.data(), block_.data(), used);
            next_.clear(used, used);
        }
        next_capacity_ = wanted;
        return {};
    }
    void commit() noexcept {
        if (next_capacity_ == 0) return;
        if (next_.data() != nullptr) block_ = std::move(next_);
        next_.release();
        capacity_ = std::exchange(next_capacity_, 0);
    }
    void resize(std::uint64_t rows) noexcept {
        if (rows > rows_)
            block_.clear(static_cast<std::size_t>(rows_ * row_bytes_),
                         static_cast<std::size_t>(rows * row_bytes_));
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

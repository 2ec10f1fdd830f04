// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_MEMORY_HPP
#define VICINAL_STORAGE_MEMORY_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/storage/column.hpp>
#include <vicinal/storage/concept.hpp>
#include <vicinal/storage/huge_pages.hpp>
#include <vicinal/storage/replacement.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// A column on the heap: one block that grows by half, aligned to a cache line; from 4 MiB on to a
/// huge page.
class memory_column {
public:
    explicit memory_column(std::size_t row_bytes) noexcept : row_bytes_(row_bytes) {}

    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::uint64_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] std::size_t row_bytes() const noexcept { return row_bytes_; }
    [[nodiscard]] contiguous_reader reader() const noexcept { return {block_.get(), row_bytes_}; }
    [[nodiscard]] std::byte* edit(std::uint64_t i) noexcept {
        return block_.get() + i * row_bytes_;
    }

    [[nodiscard]] result<void> prepare(std::uint64_t rows) {
        if (rows <= capacity_ || (next_ && rows <= next_capacity_)) return {};
        auto const wanted = (std::max)(rows, capacity_ + capacity_ / 2);
        std::uint64_t bytes = 0;
        if (!detail::checked_multiply<std::uint64_t>(wanted, row_bytes_, bytes) ||
            bytes > SIZE_MAX - huge_page)
            return error{errc::out_of_memory};
        auto const size = static_cast<std::size_t>(bytes);
        release const how{size >= 2 * huge_page ? huge_page : std::size_t{64}};
        next_ = block(static_cast<std::byte*>(
                          ::operator new (size, std::align_val_t{how.alignment}, std::nothrow)),
                      how);
        if (!next_) return error{errc::out_of_memory};
        if (how.alignment == huge_page) ask_for_huge_pages(next_.get(), size);
        if (rows_ > 0)
            std::memcpy(next_.get(), block_.get(), static_cast<std::size_t>(rows_ * row_bytes_));
        next_capacity_ = wanted;
        return {};
    }
    void commit() noexcept {
        if (!next_) return;
        block_ = std::move(next_);
        capacity_ = std::exchange(next_capacity_, 0);
    }
    void resize(std::uint64_t rows) noexcept {
        if (rows > rows_)
            std::memset(edit(rows_), 0, static_cast<std::size_t>((rows - rows_) * row_bytes_));
        rows_ = rows;
    }

private:
    struct release {
        std::size_t alignment;
        void operator()(std::byte* p) const noexcept {
            ::operator delete (p, std::align_val_t{alignment});
        }
    };
    using block = std::unique_ptr<std::byte, release>;

    block block_;
    block next_;
    std::uint64_t rows_ = 0;
    std::uint64_t capacity_ = 0;
    std::uint64_t next_capacity_ = 0;
    std::size_t row_bytes_;
};

/// Columns on the heap. What is in them ends with the store.
struct memory {
    static constexpr bool durable = false;
    static constexpr std::string_view name = "memory";
    using column = memory_column;

    /// Columns by name, made at the first call.
    class space {
    public:
        [[nodiscard]] result<memory_column*> column(std::string_view column_name,
                                                    std::size_t row_bytes, heat = heat::cold) {
            for (auto& c : columns_)
                if (c.name == column_name) return c.rows.get();
            columns_.push_back(
                {std::string(column_name), std::make_unique<memory_column>(row_bytes)});
            return columns_.back().rows.get();
        }

        /// Makes blocks for columns that shall have other rows, with room for a third more, beside
        /// what they hold now; adopt() then puts them in place. Errors: out_of_memory; the columns
        /// are as before.
        [[nodiscard]] result<void> stage(std::span<replacement const> rows) {
            return vicinal::detail::guarded([&]() -> result<void> {
                staged_.clear();
                for (auto const& r : rows) {
                    auto const to = column(r.name, r.row_bytes);
                    VICINAL_CHECK(to);
                    memory_column made(r.row_bytes);
                    auto const count = r.bytes() / r.row_bytes;
                    VICINAL_CHECK(made.prepare(count + count / 3));
                    made.commit();
                    made.resize(count);
                    r.next(0, {made.edit(0), static_cast<std::size_t>(count * r.row_bytes)});
                    staged_.push_back({*to, std::move(made)});
                }
                return {};
            });
        }
        /// Gives the columns what was staged; no reader may be inside.
        void adopt() noexcept {
            for (auto& s : staged_) std::swap(*s.to, s.rows);
        }
        /// Frees what was staged, or what it has replaced.
        void discard() noexcept { std::vector<staged>().swap(staged_); }

    private:
        struct named {
            std::string name;
            std::unique_ptr<memory_column> rows;
        };
        struct staged {
            memory_column* to;
            memory_column rows;
        };
        std::vector<named> columns_;
        std::vector<staged> staged_;
    };
};

static_assert(model<memory>);

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

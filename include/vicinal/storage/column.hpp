// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_COLUMN_HPP
#define VICINAL_STORAGE_COLUMN_HPP

#include <vicinal/core/result.hpp>

#include <cstddef>
#include <cstdint>

namespace vicinal::inline VICINAL_ABI::storage {

/// How a column is read: hot ones on every step of every query (codes, links), cold ones for the
/// few rows of an answer (vectors, payload). A storage that pages keeps hot columns in memory.
enum class heat : std::uint8_t { hot, cold };

/// A column as one query sees it where its rows lie one behind the other: base and stride. Valid
/// while the writer can't move the column, that is, while the query holds its reader section.
class contiguous_reader {
public:
    contiguous_reader() = default;
    contiguous_reader(std::byte const* base, std::size_t stride) noexcept
        : base_(base), stride_(stride) {}

    /// The bytes of row `i`, which must be below the column's rows().
    [[nodiscard]] std::byte const* row(std::uint64_t i) const noexcept {
        return base_ + i * stride_;
    }
    /// The bytes of `count` rows from `i` on, one behind the other.
    [[nodiscard]] std::byte const* rows(std::uint64_t i, std::uint64_t) const noexcept {
        return row(i);
    }
    /// The same as elements of T; the storage aligns every column to 64 bytes at row 0.
    template <class T>
    [[nodiscard]] T const* row_as(std::uint64_t i) const noexcept {
        return reinterpret_cast<T const*>(row(i));
    }
    template <class T>
    [[nodiscard]] T const* rows_as(std::uint64_t i, std::uint64_t count) const noexcept {
        return reinterpret_cast<T const*>(rows(i, count));
    }
    /// Asks for the first `lines` cache lines of row `i`.
    VICINAL_ALWAYS_INLINE void prefetch(std::uint64_t i, std::size_t lines = 1) const noexcept {
        for (std::size_t l = 0; l < lines; ++l) __builtin_prefetch(row(i) + 64 * l);
    }

private:
    std::byte const* base_ = nullptr;
    std::size_t stride_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

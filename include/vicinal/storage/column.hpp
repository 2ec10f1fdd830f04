// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_COLUMN_HPP
#define VICINAL_STORAGE_COLUMN_HPP

#include <vicinal/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// How a column is read. Hot ones are read all over the place (ids, live flags): a storage that
/// pages keeps them in memory. Warm ones are read on every step of every query, a few rows at a
/// time (codes, links): in memory where they fit, or where the store may be written. Cold ones are
/// read for the few rows of an answer (vectors, payload), and paged.
enum class heat : std::uint8_t { hot, warm, cold };

/// A column as one query sees it where its rows lie one behind the other: base and stride. Valid
/// while the writer can't move the column, that is, while the query holds its reader section.
class contiguous_reader {
public:
    /// Whether rows may have to be read from a file, so that it pays to ask for several at once.
    static constexpr bool pages = false;

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

/// Bytes of a column and the reader that keeps them in place.
template <class Reader>
class held_bytes {
public:
    held_bytes() = default;
    held_bytes(held_bytes&&) noexcept = default;
    /// `size` rows of one byte from row `first` on.
    held_bytes(Reader reader, std::uint64_t first, std::uint64_t size) noexcept
        : reader_(std::move(reader)),
          bytes_(reader_.rows(first, size), static_cast<std::size_t>(size)) {}

    [[nodiscard]] std::byte const* data() const noexcept { return bytes_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
    operator std::span<std::byte const>() const noexcept { return bytes_; }

private:
    Reader reader_;
    std::span<std::byte const> bytes_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

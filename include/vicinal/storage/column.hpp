// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_COLUMN_HPP
#define VICINAL_STORAGE_COLUMN_HPP

#include <vicinal/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// How a column is read: hot ones on every step of every query (codes, links), cold ones for the
/// few rows of an answer (vectors, payload). A storage that pages keeps hot columns in memory.
enum class heat : std::uint8_t { hot, cold };

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
    /// The same as elements of T; the storage aligns every column to 64 bytes at row 0.
    template <class T>
    [[nodiscard]] T const* row_as(std::uint64_t i) const noexcept {
        return reinterpret_cast<T const*>(row(i));
    }
    /// Asks for the first `lines` cache lines of row `i`.
    VICINAL_ALWAYS_INLINE void prefetch(std::uint64_t i, std::size_t lines = 1) const noexcept {
        for (std::size_t l = 0; l < lines; ++l) __builtin_prefetch(row(i) + 64 * l);
    }

    /// `count` rows one behind the other, from row `i` on; nullptr where a reader can't give them.
    [[nodiscard]] std::byte const* run(std::uint64_t i, std::uint64_t /*count*/) const noexcept {
        return row(i);
    }
    /// How many rows could not be read so far, by any reader of the store: none can fail here.
    [[nodiscard]] static constexpr std::uint64_t faults() noexcept { return 0; }
    /// Success if no row failed to be read since faults() was `before`.
    [[nodiscard]] static result<void> since(std::uint64_t /*before*/) { return {}; }

private:
    std::byte const* base_ = nullptr;
    std::size_t stride_ = 0;
};

/// Bytes of a column and the reader that keeps them in place.
template <class Reader>
class held_bytes {
public:
    held_bytes() = default;
    /// `size` rows of one byte; none where they can't be read.
    held_bytes(Reader reader, std::uint64_t first, std::uint64_t size) noexcept
        : reader_(std::move(reader)), data_(reader_.run(first, size)),
          size_(data_ == nullptr ? 0 : static_cast<std::size_t>(size)) {}

    [[nodiscard]] std::byte const* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    operator std::span<std::byte const>() const noexcept { return {data_, size_}; }

private:
    Reader reader_;
    std::byte const* data_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

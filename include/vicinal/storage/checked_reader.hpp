// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_CHECKED_READER_HPP
#define VICINAL_STORAGE_CHECKED_READER_HPP

#include <vicinal/storage/page_checks.hpp>

#include <cstddef>
#include <cstdint>

namespace vicinal::inline VICINAL_ABI::storage {

/// A column that may have pages to check, as one query sees it: base and stride, and before a row
/// is given its pages are compared if they never were. A damaged row's bytes are given as they are;
/// the fault_scope knows.
class checked_reader {
public:
    static constexpr bool pages = false;

    checked_reader() = default;
    /// `checks` is null where nothing is left to check: then a row costs one branch that is always
    /// right.
    checked_reader(std::byte const* base, std::size_t stride, page_checks* checks) noexcept
        : base_(base), stride_(stride), checks_(checks) {}

    [[nodiscard]] bool may_fault() const noexcept { return checks_ != nullptr; }
    /// The bytes of row `i`, which must be below the column's rows().
    [[nodiscard]] VICINAL_ALWAYS_INLINE std::byte const* row(std::uint64_t i) const noexcept {
        return rows(i, 1);
    }
    /// The bytes of `count` rows from `i` on, one behind the other.
    [[nodiscard]] VICINAL_ALWAYS_INLINE std::byte const* rows(std::uint64_t i,
                                                              std::uint64_t count) const noexcept {
        auto const at = i * stride_;
        if (checks_ != nullptr && count != 0) checks_->look(base_, at, count * stride_);
        return base_ + at;
    }
    template <class T>
    [[nodiscard]] VICINAL_ALWAYS_INLINE T const* row_as(std::uint64_t i) const noexcept {
        return reinterpret_cast<T const*>(row(i));
    }
    template <class T>
    [[nodiscard]] T const* rows_as(std::uint64_t i, std::uint64_t count) const noexcept {
        return reinterpret_cast<T const*>(rows(i, count));
    }
    /// Asks for the first `lines` cache lines of row `i`.
    VICINAL_ALWAYS_INLINE void prefetch(std::uint64_t i, std::size_t lines = 1) const noexcept {
        for (std::size_t l = 0; l < lines; ++l) __builtin_prefetch(base_ + i * stride_ + 64 * l);
    }

private:
    std::byte const* base_ = nullptr;
    std::size_t stride_ = 0;
    page_checks* checks_ = nullptr;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_CODE_VIEW_HPP
#define VICINAL_INDEX_IVF_CODE_VIEW_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/index/ivf/state.hpp>

#include <cstddef>
#include <cstdint>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// Where codes lie: by slot, by place, or 32 places in a block.
enum class code_order { by_slot, by_place, in_blocks };

/// Codes as a search finds them.
template <class Reader, code_order Order>
struct code_view {
    static constexpr bool scattered = Order == code_order::by_slot;
    static constexpr bool in_blocks = Order == code_order::in_blocks;
    Reader rows;
    Reader places;
    /// Places there are.
    std::uint32_t end;

    /// The code of a slot; that of any other where a damaged file names no place.
    [[nodiscard]] std::byte const* row(slot s) const noexcept { return rows.row(row_of(s)); }
    void prefetch(slot s, std::size_t lines) const noexcept { rows.prefetch(row_of(s), lines); }
    [[nodiscard]] std::byte const* at(std::uint32_t place, slot s) const noexcept {
        return rows.row(scattered ? s : place);
    }
    [[nodiscard]] std::byte const* block(std::uint32_t b) const noexcept { return rows.row(b); }
    void prefetch_block(std::uint32_t b, std::size_t lines) const noexcept {
        rows.prefetch(b, lines);
    }

    /// Where a slot lies, or any other where a damaged file names no place.
    [[nodiscard]] std::uint32_t place_of(slot s) const noexcept {
        auto const place = *places.template row_as<std::uint32_t>(s);
        return place < end ? place : 0;
    }

private:
    [[nodiscard]] std::uint32_t row_of(slot s) const noexcept {
        if constexpr (scattered) return s;
        return in_blocks ? place_of(s) / block_rows : place_of(s);
    }
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

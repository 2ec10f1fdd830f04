// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_UNREACHABLE_HPP
#define VICINAL_INDEX_IVF_UNREACHABLE_HPP

#include <vicinal/index/ivf/lists.hpp>

#include <cstdint>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// The covered slots for which live(slot) holds and that no list names where their place says: none
/// of sound lists. O(rows).
template <class Storage, class Live>
[[nodiscard]] std::vector<slot> unreachable(columns<Storage> const& lists, Live const& live) {
    auto const s = lists.get();
    std::vector<char> named(s.covered);
    auto const slots = lists.slots().reader();
    for (std::uint32_t l = 0; l < s.lists; ++l)
        lists.each_block(s, lists.list(l), [&](std::uint32_t block, std::uint32_t rows) {
            auto const* const row_slots = slots.template row_as<slot>(block);
            for (std::uint32_t i = 0; i < rows; ++i)
                if (row_slots[i] < s.covered && lists.place(row_slots[i]) == block * block_rows + i)
                    named[row_slots[i]] = 1;
        });
    std::vector<slot> lost;
    for (slot row = 0; row < s.covered; ++row)
        if (live(row) && named[row] == 0) lost.push_back(row);
    return lost;
}

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

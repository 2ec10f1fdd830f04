// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_SLOT_BITMAP_HPP
#define VICINAL_PAYLOAD_INDEX_SLOT_BITMAP_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/payload/index/plain_bitmap.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace vicinal::inline VICINAL_ABI::detail {

/// A compressed set of slots.
///
/// * `range(first, end)`, `of_words(words, first)`: sets made at once.
/// * `add(s)`: in any order, quick in ascending order.
/// * `contains(s)`, `count()`, `empty()`, `each(f)` in ascending order, `bytes()` in memory.
/// * `word(first)`: the bits of the 64 slots from a multiple of 64 on.
/// * `&=`, `|=`, `-=`; `shrink()` takes the smallest form.
using slot_bitmap = payload::detail::plain_bitmap;

/// Writes the bits of slots 0 to 64 * words.size() to `words`.
inline void fill_words(slot_bitmap const& set, std::span<std::uint64_t> words) {
    for (std::size_t w = 0; w < words.size(); ++w) words[w] = set.word(static_cast<slot>(64 * w));
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

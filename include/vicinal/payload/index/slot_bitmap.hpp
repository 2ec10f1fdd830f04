// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_SLOT_BITMAP_HPP
#define VICINAL_PAYLOAD_INDEX_SLOT_BITMAP_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/payload/index/bitmap_bytes.hpp>

#include <vicinal/payload/index/plain_bitmap.hpp>
#include <vicinal/payload/index/roaring_bitmap.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// A compressed set of slots: that of CRoaring where VICINAL_USE_ROARING is defined, for the whole
/// program or not at all, else one of our own.
///
/// * `range(first, end)`, `of_words(words, first)`: sets made at once.
/// * `add(s)`: in any order, quick in ascending order.
/// * `contains(s)`, `count()`, `empty()`, `last()`, `each(f)` in ascending order, `bytes()` in
///   memory.
/// * `word(first)`: the bits of the 64 slots from a multiple of 64 on.
/// * `&=`, `|=`, `-=`; `shrink()` takes the smallest form.
/// * `read(bytes)`: what append_bitmap() wrote; nothing where the bytes are no set.
#if defined(VICINAL_USE_ROARING)
using slot_bitmap = payload::detail::roaring_bitmap;
#else
using slot_bitmap = payload::detail::plain_bitmap;
#endif

/// Writes the bits of slots 0 to 64 * words.size() to `words`.
inline void fill_words(slot_bitmap const& set, std::span<std::uint64_t> words) {
    std::fill(words.begin(), words.end(), std::uint64_t{0});
    set.each([&](slot s) {
        if (s / 64 < words.size()) words[s / 64] |= std::uint64_t{1} << (s % 64);
    });
}

/// A set of slots from `first` to `end` that come in any order: as bits where they are many, else
/// sorted.
class slot_gatherer {
public:
    /// `expected` slots, about.
    slot_gatherer(slot first, slot end, std::size_t expected)
        : base_(first & ~slot{0xffff}),
          words_(expected > (end - first) / 1024 + 16 ? (std::size_t{end - base_} + 63) / 64 : 0,
                 0) {
        if (words_.empty()) few_.reserve(expected);
    }
    /// `s` must not be below `first`, nor from `end` on.
    void add(slot s) {
        if (words_.empty())
            few_.push_back(s);
        else
            words_[(s - base_) / 64] |= std::uint64_t{1} << (s % 64);
    }
    [[nodiscard]] slot_bitmap take() {
        if (!words_.empty()) return slot_bitmap::of_words(words_, base_);
        std::sort(few_.begin(), few_.end());
        slot_bitmap set;
        for (auto const s : few_) set.add(s);
        return set;
    }

private:
    slot base_;
    std::vector<std::uint64_t> words_;
    std::vector<slot> few_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

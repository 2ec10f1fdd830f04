// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_SLOTS_HPP
#define VICINAL_INDEX_FLAT_SLOTS_HPP

#include <vicinal/core/record.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace vicinal::inline VICINAL_ABI::index {

/// A predicate made of bits: slot s is kept where bit s % 64 of word s / 64 is set; slots behind
/// the last word are not. A scan skips what has no bits and gathers what has few. The words must
/// outlive it.
class slot_bitmap {
public:
    explicit slot_bitmap(std::span<std::uint64_t const> words) noexcept : words_(words) {}

    [[nodiscard]] bool operator()(slot s) const noexcept {
        return s / 64 < words_.size() && (words_[s / 64] >> (s % 64) & 1) != 0;
    }
    /// The bits of the 64 slots from first on, which is a multiple of 64.
    [[nodiscard]] std::uint64_t word(slot first) const noexcept {
        return first / 64 < words_.size() ? words_[first / 64] : 0;
    }

private:
    std::span<std::uint64_t const> words_;
};

/// A predicate that shows its bits, 64 slots at a time.
template <class Keep>
concept shows_bits = requires(Keep const& keep, slot s) {
    { keep.word(s) } -> std::same_as<std::uint64_t>;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

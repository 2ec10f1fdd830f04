// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_POOL_HPP
#define VICINAL_INDEX_POOL_HPP

#include <vicinal/core/config.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

/// The frontier and the result of a beam search in one sorted array.
///
/// Replaces the two heaps of the paper: an insert is a binary search without branches and a move
/// of 8-byte entries, which beats heaps up to a width of about 500, and the next node to expand is
/// found by moving on. Node numbers are below 2^31; the bit above tells which were expanded. The
/// idea is from pyglass and Scalable Vector Search.
class pool {
public:
    struct entry {
        float distance;
        std::uint32_t node;
    };

    /// Empties the pool; it then keeps the `width` nearest, at least one.
    void reset(std::size_t width) {
        entries_.resize(width + slack);
        width_ = width;
        size_ = 0;
        next_ = 0;
    }

    /// What a distance must be below to be let in.
    [[nodiscard]] float limit() const noexcept {
        return size_ == width_ ? entries_[size_ - 1].distance
                               : std::numeric_limits<float>::infinity();
    }

    /// Inserts behind those of equal distance, or leaves out what limit() does not let in. Infinity
    /// is let in while there is room. How many entries from the nearest unexpanded on lie before
    /// it.
    std::size_t insert(float distance, std::uint32_t node) noexcept {
        if (size_ == width_ && !(distance < entries_[size_ - 1].distance)) return width_;
        auto* first = entries_.data();
        // Which half it is, is a coin's throw: a mask, as a branch would be mispredicted.
        for (auto n = size_; n > 1;) {
            auto const half = n / 2;
            first += half & (std::size_t{0} - (first[half - 1].distance <= distance ? 1U : 0U));
            n -= half;
        }
        first += size_ > 0 && first->distance <= distance ? 1 : 0;
        auto const place = static_cast<std::size_t>(first - entries_.data());
        if (size_ < width_) ++size_;
        open_up(first, size_ - 1 - place);
        *first = {distance, node};
        auto const before = place > next_ ? place - next_ : 0;
        next_ = (std::min)(next_, place);
        return before;
    }

    [[nodiscard]] bool has_next() const noexcept { return next_ < size_; }
    /// The distance of the nearest node not expanded yet; there must be one.
    [[nodiscard]] float next_distance() const noexcept { return entries_[next_].distance; }
    /// The i-th entry from the nearest unexpanded on, expanded or not; no_node behind the last.
    [[nodiscard]] std::uint32_t ahead(std::size_t i) const noexcept {
        return next_ + i < size_ ? entries_[next_ + i].node & ~expanded : no_node;
    }

    /// The nearest node not expanded yet, which then is.
    [[nodiscard]] std::uint32_t pop() noexcept {
        auto const node = entries_[next_].node;
        entries_[next_].node |= expanded;
        do {
            ++next_;
        } while (next_ < size_ && (entries_[next_].node & expanded) != 0);
        return node;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] float distance(std::size_t i) const noexcept { return entries_[i].distance; }
    [[nodiscard]] std::uint32_t node(std::size_t i) const noexcept {
        return entries_[i].node & ~expanded;
    }

    static constexpr std::uint32_t no_node = 0xffffffffU;

private:
    static constexpr std::uint32_t expanded = 0x80000000U;
    /// Entries that are moved at once; the array has as many to spare.
    static constexpr std::size_t slack = 4;

    /// Moves `count` entries up by one, the last ones first, in pieces: most moves are of a few
    /// dozen entries, where calling memmove is most of its time.
    static void open_up(entry* from, std::size_t count) noexcept {
        entry piece[slack];
        auto left = count;
        for (; left >= slack; left -= slack) {
            auto* const at = from + (left - slack);
            std::memcpy(piece, at, sizeof piece);
            std::memcpy(at + 1, piece, sizeof piece);
        }
        for (; left > 0; --left) from[left] = from[left - 1];
    }

    std::vector<entry> entries_;
    std::size_t width_ = 0;
    std::size_t size_ = 0;
    std::size_t next_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_POOL_HPP
#define VICINAL_INDEX_POOL_HPP

#include <vicinal/index/neighbour.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

/// The frontier and the result of a beam search in one sorted array.
///
/// Replaces the two heaps of the paper: an insert is a binary search and a memmove of 12-byte
/// entries, which beats heaps up to a width of about 500, and the next node to expand is found by
/// moving on. The idea is from pyglass and Scalable Vector Search.
class pool {
public:
    struct entry {
        float distance;
        std::uint32_t node;
        bool expanded;

        friend bool operator<(entry const& a, entry const& b) noexcept {
            return a.distance < b.distance || (a.distance == b.distance && a.node < b.node);
        }
    };

    /// Empties the pool; it then keeps the `width` nearest.
    void reset(std::size_t width) {
        entries_.resize(width);
        width_ = width;
        size_ = 0;
        next_ = 0;
    }

    void insert(float distance, std::uint32_t node) noexcept {
        entry const e{distance, node, false};
        if (size_ == width_ && !(e < entries_[size_ - 1])) return;
        auto const begin = entries_.begin();
        auto const at = std::upper_bound(begin, begin + static_cast<std::ptrdiff_t>(size_), e);
        auto const place = static_cast<std::size_t>(at - begin);
        if (size_ < width_) ++size_;
        std::move_backward(at, begin + static_cast<std::ptrdiff_t>(size_ - 1),
                           begin + static_cast<std::ptrdiff_t>(size_));
        *at = e;
        next_ = (std::min)(next_, place);
    }

    [[nodiscard]] bool has_next() const noexcept { return next_ < size_; }

    /// The nearest node not expanded yet, which then is.
    [[nodiscard]] std::uint32_t pop() noexcept {
        auto& e = entries_[next_];
        e.expanded = true;
        do {
            ++next_;
        } while (next_ < size_ && entries_[next_].expanded);
        return e.node;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] entry const& operator[](std::size_t i) const noexcept { return entries_[i]; }

private:
    std::vector<entry> entries_;
    std::size_t width_ = 0;
    std::size_t size_ = 0;
    std::size_t next_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

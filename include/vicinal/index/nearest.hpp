// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_NEAREST_HPP
#define VICINAL_INDEX_NEAREST_HPP

#include <vicinal/index/neighbour.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace vicinal::inline VICINAL_ABI::index {

/// The order of slots where distances are equal and nothing else tells them apart.
struct by_slot {
    [[nodiscard]] bool operator()(slot a, slot b) const noexcept { return a < b; }
};

/// Keeps the k nearest of all that are offered: a heap with the farthest on top.
///
/// Before(a, b) orders slots of equal distance; it is asked only about those, so it may be dear
/// (the store compares ids). O(log k) for one that enters, one comparison for one that does not.
template <class Before = by_slot>
class nearest {
public:
    explicit nearest(std::size_t k, Before before = {}) : k_(k), before_(std::move(before)) {}

    /// What a row must beat, or tie, to matter.
    [[nodiscard]] bool could_enter(float distance) const noexcept {
        if (heap_.size() < k_) return true;
        return k_ > 0 && distance <= heap_.front().distance;
    }
    /// k.
    [[nodiscard]] std::size_t wanted() const noexcept { return k_; }
    /// Whether k are held, so that `farthest()` is what a row must beat or tie.
    [[nodiscard]] bool full() const noexcept { return heap_.size() == k_; }
    /// The distance of the farthest that is held; there must be one.
    [[nodiscard]] float farthest() const noexcept { return heap_.front().distance; }

    void offer(neighbour n) {
        if (heap_.size() < k_) {
            heap_.push_back(n);
            std::push_heap(heap_.begin(), heap_.end(), order());
        } else if (k_ > 0 && order()(n, heap_.front())) {
            std::pop_heap(heap_.begin(), heap_.end(), order());
            heap_.back() = n;
            std::push_heap(heap_.begin(), heap_.end(), order());
        }
    }
    [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

    /// The neighbours, nearest first; leaves none behind.
    [[nodiscard]] neighbours take() {
        std::sort_heap(heap_.begin(), heap_.end(), order());
        return std::exchange(heap_, {});
    }

private:
    [[nodiscard]] auto order() const {
        return [this](neighbour const& a, neighbour const& b) {
            return a.distance < b.distance || (a.distance == b.distance && before_(a.row, b.row));
        };
    }

    std::size_t k_;
    Before before_;
    neighbours heap_;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

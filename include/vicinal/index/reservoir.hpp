// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_RESERVOIR_HPP
#define VICINAL_INDEX_RESERVOIR_HPP

#include <vicinal/index/neighbour.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

/// Keeps the k nearest of all that are offered, the lower slot first among equals, in no order: it
/// takes in more than k and throws the farthest away now and then, which for the dozens that a
/// probe keeps takes half of a heap's time. What it throws away is decided by all that were
/// offered, not by their order. O(1) for one that enters, one comparison for one that does not.
class reservoir {
public:
    explicit reservoir(std::size_t k) : k_(k), most_(3 * k + 32) {
        held_.reserve((std::min)(most_, std::size_t{1024}));
        if (k == 0) limit_ = -std::numeric_limits<float>::infinity();
    }

    /// What a row must beat, or tie, to matter; later it may be less.
    [[nodiscard]] bool could_enter(float distance) const noexcept { return distance <= limit_; }
    [[nodiscard]] bool full() const noexcept { return held_.size() >= k_; }
    [[nodiscard]] float farthest() const noexcept { return limit_; }

    void offer(neighbour n) {
        if (k_ == 0 || !could_enter(n.distance)) return;
        held_.push_back(n);
        if (held_.size() >= most_) drop_far();
    }

    /// The neighbours, nearest first; leaves none behind.
    [[nodiscard]] neighbours take() {
        auto const held = std::exchange(held_, {});
        neighbours found(held.size());
        deal(held, found);
        found.resize((std::min)(k_, found.size()));
        return found;
    }

private:
    static constexpr std::size_t piles = 128;

    /// Sorts the nearest k of `from` into `to`, which has as many: deals all to piles of equal
    /// widths, of which hardly one has more than a few, and sorts these until there are k. A fifth
    /// of what cutting and sorting took of a search, where each other comparison is a wrong guess.
    void deal(neighbours const& from, neighbours& to) const {
        auto least = std::numeric_limits<float>::infinity();
        auto most = -least;
        for (auto const& n : from) {
            least = n.distance < least ? n.distance : least;
            most = n.distance > most ? n.distance : most;
        }
        // All in the first where the range is none, or none of float's.
        float const width = most - least;
        float const places = width > 0x1p-100F && width < 0x1p120F ? (piles - 1) / width : 0;
        auto const pile_of = [&](neighbour const& n) {
            return places > 0 ? static_cast<std::size_t>((n.distance - least) * places) : 0;
        };
        std::size_t ends[piles] = {};
        for (auto const& n : from) ++ends[pile_of(n)];
        std::size_t before = 0;
        for (auto& e : ends) before += std::exchange(e, before);
        for (auto const& n : from) to[ends[pile_of(n)]++] = n;
        for (std::size_t p = 0, first = 0; p < piles && first < k_; first = ends[p++])
            if (ends[p] - first > 1)
                std::sort(to.begin() + static_cast<std::ptrdiff_t>(first),
                          to.begin() + static_cast<std::ptrdiff_t>(ends[p]));
    }

    /// Every fourth of them says about how far the k-th is, which costs a quarter of finding it.
    void drop_far() {
        sample_.clear();
        for (std::size_t i = 0; i < held_.size(); i += 4) sample_.push_back(held_[i].distance);
        auto const rank = sample_.begin() + static_cast<std::ptrdiff_t>(k_ / 4 + k_ / 16 + 2);
        std::nth_element(sample_.begin(), rank, sample_.end());
        auto const bound = *rank;
        std::size_t near = 0;
        for (auto const& n : held_) near += n.distance <= bound ? 1U : 0U;
        // Few that it bounds, or many that are equal.
        if (near < k_ || near > most_ / 4 * 3) return shrink();
        near = 0;
        for (auto const& n : held_) {
            held_[near] = n;
            near += n.distance <= bound ? 1U : 0U;
        }
        held_.resize(near);
        limit_ = bound;
    }
    void shrink() {
        auto const last = held_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
        std::nth_element(held_.begin(), last, held_.end());
        held_.resize(k_);
        limit_ = held_.back().distance;
    }

    std::size_t k_;
    std::size_t most_;
    float limit_ = std::numeric_limits<float>::infinity();
    neighbours held_;
    std::vector<float> sample_;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_RESERVOIR_HPP
#define VICINAL_INDEX_RESERVOIR_HPP

#include <vicinal/index/neighbour.hpp>
#include <vicinal/simd/selection.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

/// Keeps the k nearest of all that are offered, the lower slot first among equals, in no order: it
/// takes in more than k and throws the farthest away now and then, which for the dozens that a
/// probe keeps takes less than half of a heap's time. O(1) for one that enters, one comparison for
/// one that does not.
class reservoir {
public:
    explicit reservoir(std::size_t k) : k_(k), most_(2 * k + 64) {
        make_room((std::min)(most_, std::size_t{1024}));
        if (k == 0) limit_ = -std::numeric_limits<float>::infinity();
    }

    /// What a row must beat, or tie, to matter; later it may be less.
    [[nodiscard]] bool could_enter(float distance) const noexcept { return distance <= limit_; }
    [[nodiscard]] bool full() const noexcept { return count_ >= k_; }
    [[nodiscard]] float farthest() const noexcept { return limit_; }

    void offer(neighbour n) {
        if (k_ == 0 || !could_enter(n.distance)) return;
        distances_[count_] = n.distance;
        slots_[count_] = n.row;
        entered(1);
    }
    /// Those of 32 whose bits are set and whose slots are below `end`; all could enter. How many
    /// they are.
    std::size_t offer(float const* distances, slot const* slots, std::uint32_t bits, slot end) {
        if (k_ == 0) return 0;
        auto const more = simd::append_below::get()(
            distances, slots, bits, end, distances_.data() + count_, slots_.data() + count_);
        entered(more);
        return more;
    }

    /// The neighbours, nearest first; leaves none behind.
    [[nodiscard]] neighbours take() {
        if (count_ > k_ + k_ / 8) cut(k_ / 8);
        neighbours found(count_);
        if (!dealt(found)) {
            for (std::size_t i = 0; i < count_; ++i) found[i] = {distances_[i], slots_[i]};
            std::sort(found.begin(), found.end());
        }
        found.resize((std::min)(k_, count_));
        count_ = 0;
        return found;
    }

private:
    /// Up to so many are sorted by how many are less than each, which takes the square of their
    /// number, but no branch that is a wrong guess half of the time.
    static constexpr std::size_t few = 256;

    void make_room(std::size_t count) {
        distances_.resize(count + simd::selection_step);
        slots_.resize(count + simd::selection_step);
    }
    void entered(std::size_t more) {
        count_ += more;
        if (count_ >= most_) cut(k_ / 4);
        if (count_ + simd::selection_step > distances_.size())
            make_room((std::min)(most_, 2 * count_));
    }
    /// Puts each in its place; not where there are many, or equal ones.
    [[nodiscard]] bool dealt(neighbours& to) const {
        if (count_ > few) return false;
        std::uint32_t ranks[few];
        simd::distance_ranks::get()(distances_.data(), count_, ranks);
        std::size_t sum = 0;
        for (std::size_t i = 0; i < count_; ++i) {
            sum += ranks[i];
            to[ranks[i]] = {distances_[i], slots_[i]};
        }
        return 2 * sum + count_ == count_ * count_;
    }

    /// Throws away what is beyond the nearest k and about `slack` more.
    void cut(std::size_t slack) {
        auto const bound = simd::bound_between::get()(distances_.data(), count_, k_, k_ + slack);
        if (bound == bound) return keep(bound);
        // Many are next to equal.
        neighbours all;
        for (std::size_t i = 0; i < count_; ++i) all.push_back({distances_[i], slots_[i]});
        auto const end = all.begin() + static_cast<std::ptrdiff_t>(k_);
        std::nth_element(all.begin(), end - 1, all.end());
        limit_ = (end - 1)->distance;
        count_ = k_;
        for (std::size_t i = 0; i < k_; ++i) {
            distances_[i] = all[i].distance;
            slots_[i] = all[i].row;
        }
    }
    void keep(float bound) {
        count_ = simd::keep_at_most::get()(distances_.data(), slots_.data(), count_, bound);
        limit_ = bound;
    }

    std::size_t k_;
    std::size_t most_;
    std::size_t count_ = 0;
    float limit_ = std::numeric_limits<float>::infinity();
    /// The first count_ of both are held.
    std::vector<float> distances_;
    std::vector<slot> slots_;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

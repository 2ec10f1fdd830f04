// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_POOL_HPP
#define VICINAL_INDEX_POOL_HPP

#include <vicinal/core/config.hpp>
#include <vicinal/simd/sorted_keys.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

/// The frontier and the result of a beam search in one sorted array.
///
/// Replaces the two heaps of the paper: the next node to expand is found by moving on, and what was
/// met is put in place by whole registers (simd/sorted_keys.hpp). An entry is one number: the
/// distance, as bits that are in its order, then the node, then whether it was expanded, so that
/// nodes of equal distance are in the order of their numbers. Nodes are below 2^31. One sorted
/// array for both is pyglass's and Scalable Vector Search's idea.
class pool {
public:
    /// Empties the pool; it then keeps the `width` nearest, at least one.
    void reset(std::size_t width) {
        auto const whole =
            (width + simd::sorted_keys_step - 1) / simd::sorted_keys_step * simd::sorted_keys_step;
        keys_.assign(whole, nothing);
        width_ = width;
        size_ = 0;
        next_ = 0;
    }

    /// What a distance must be below to be let in.
    [[nodiscard]] float limit() const noexcept {
        return size_ == width_ ? distance(size_ - 1) : std::numeric_limits<float>::infinity();
    }

    /// Inserts what limit() lets in. Infinity is let in while there is room, what is no number
    /// never.
    void insert(float distance, std::uint32_t node) noexcept {
        insert(&distance, &node, 1, std::numeric_limits<float>::infinity());
    }
    /// The same for `count` nodes, of those that are not farther than `useful`.
    void insert(float const* distances, std::uint32_t const* nodes, std::size_t count,
                float useful) noexcept {
        std::int64_t more[at_once];
        for (std::size_t first = 0; first < count; first += at_once) {
            auto const last = (std::min)(first + at_once, count);
            auto const end = size_ == width_ ? keys_[width_ - 1] : nothing;
            std::size_t entering = 0;
            auto least = nothing;
            for (auto i = first; i < last; ++i) {
                auto const key = key_of(distances[i], nodes[i]);
                more[entering] = key;
                bool const enters = distances[i] <= useful && key < end;
                entering += enters ? 1U : 0U;
                least = enters && key < least ? key : least;
            }
            if (entering != 0) put(more, entering, least);
        }
    }

    [[nodiscard]] bool has_next() const noexcept { return next_ < size_; }
    /// The distance of the nearest node not expanded yet; there must be one.
    [[nodiscard]] float next_distance() const noexcept { return distance(next_); }
    /// The i-th entry from the nearest unexpanded on, expanded or not; no_node behind the last.
    [[nodiscard]] std::uint32_t ahead(std::size_t i) const noexcept {
        return next_ + i < size_ ? node(next_ + i) : no_node;
    }

    /// The nearest node not expanded yet, which then is.
    [[nodiscard]] std::uint32_t pop() noexcept {
        auto const popped = node(next_);
        keys_[next_] |= expanded;
        do {
            ++next_;
        } while (next_ < size_ && (keys_[next_] & expanded) != 0);
        return popped;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] float distance(std::size_t i) const noexcept {
        auto const bits = static_cast<std::int32_t>(keys_[i] >> 32);
        return std::bit_cast<float>(in_order(bits));
    }
    [[nodiscard]] std::uint32_t node(std::size_t i) const noexcept {
        return static_cast<std::uint32_t>(keys_[i]) >> 1;
    }

    static constexpr std::uint32_t no_node = 0xffffffffU;

private:
    static constexpr std::int64_t expanded = 1;
    static constexpr std::int64_t nothing = (std::numeric_limits<std::int64_t>::max)();
    /// Entries that are put in place together.
    static constexpr std::size_t at_once = 32;

    /// The bits of a float as a whole number of the same order; the way back is the same.
    [[nodiscard]] static std::int32_t in_order(std::int32_t bits) noexcept {
        return bits ^ ((bits >> 31) & 0x7fffffff);
    }
    [[nodiscard]] static std::int64_t key_of(float distance, std::uint32_t node) noexcept {
        auto const high = in_order(std::bit_cast<std::int32_t>(distance));
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(high) << 32 |
                                         std::uint64_t{node} << 1);
    }
    void put(std::int64_t const* more, std::size_t count, std::int64_t least) noexcept {
        put_(keys_.data(), keys_.size(), more, count);
        std::fill(keys_.begin() + static_cast<std::ptrdiff_t>(width_), keys_.end(), nothing);
        size_ = (std::min)(size_ + count, width_);
        // All that lies before the next one was expanded, but not what comes in there now.
        if (next_ == size_ || keys_[next_] > least) next_ = (std::min)(next_, size_ - 1);
        while (next_ > 0 && keys_[next_ - 1] >= least) --next_;
    }

    std::vector<std::int64_t> keys_;
    std::size_t width_ = 0;
    std::size_t size_ = 0;
    std::size_t next_ = 0;
    simd::insert_sorted::function put_ = simd::insert_sorted::get();
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

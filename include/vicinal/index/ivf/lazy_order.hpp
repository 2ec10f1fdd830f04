// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_LAZY_ORDER_HPP
#define VICINAL_INDEX_IVF_LAZY_ORDER_HPP

#include <vicinal/index/neighbour.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// Numbers 0 to n - 1 in the order of their distances, the lower one first among equals, sorted as
/// far as they are asked for. Of a thousand of which dozens are asked for it takes a third of what
/// a heap of all does.
///
/// The distances are dealt to several times as many piles as are wanted. The largest of the wanted
/// smallest tops bounds that many numbers from above and few more, which are sorted.
class lazy_order {
public:
    lazy_order() = default;
    /// No distance is a NaN. expected: how many are asked for in any case.
    explicit lazy_order(std::vector<float> distances, std::size_t expected = 32)
        : waiting_(std::move(distances)), expected_(expected), left_(waiting_.size()) {}

    [[nodiscard]] bool empty() const noexcept { return left_ == 0; }
    /// The next one; there must be one. Takes memory.
    [[nodiscard]] neighbour next() {
        if (at_ == sorted_.size()) sort_more();
        --left_;
        return sorted_[at_++];
    }

private:
    static constexpr std::size_t piles_each = 4;
    static constexpr std::size_t step = 64;

    void sort_more() {
        auto const wanted = (std::max)(expected_, sorted_.size());
        sorted_.clear();
        at_ = 0;
        auto const bound = bound_of(wanted);
        for (std::size_t i = 0; i < waiting_.size(); ++i) {
            if (!(waiting_[i] <= bound)) continue;
            sorted_.push_back({waiting_[i], static_cast<std::uint32_t>(i)});
            // What was given is no number, which nothing is above or below.
            waiting_[i] = std::numeric_limits<float>::quiet_NaN();
        }
        std::sort(sorted_.begin(), sorted_.end());
    }

    /// What at least one number that waits is at or below, and `wanted` where there are as many.
    [[nodiscard]] float bound_of(std::size_t wanted) {
        constexpr auto infinity = std::numeric_limits<float>::infinity();
        auto const piles = (wanted * piles_each + step - 1) / step * step;
        if (left_ <= wanted || waiting_.size() < piles) return infinity;
        tops_.clear();
        for (std::size_t first = 0; first < piles; first += step) {
            // On its own: what may be the same memory is not compared several at once.
            float tops[step];
            std::fill_n(tops, step, infinity);
            auto i = first;
            for (; i + step <= waiting_.size(); i += piles)
                for (std::size_t j = 0; j < step; ++j)
                    tops[j] = waiting_[i + j] < tops[j] ? waiting_[i + j] : tops[j];
            for (std::size_t j = 0; i + j < waiting_.size() && j < step; ++j)
                tops[j] = waiting_[i + j] < tops[j] ? waiting_[i + j] : tops[j];
            tops_.insert(tops_.end(), tops, tops + step);
        }
        auto const last = tops_.begin() + static_cast<std::ptrdiff_t>(wanted - 1);
        std::nth_element(tops_.begin(), last, tops_.end());
        return *last;
    }

    std::vector<float> waiting_;
    std::vector<float> tops_;
    neighbours sorted_;
    std::size_t expected_ = 1;
    std::size_t at_ = 0;
    std::size_t left_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

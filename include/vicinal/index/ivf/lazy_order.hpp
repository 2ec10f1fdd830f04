// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_LAZY_ORDER_HPP
#define VICINAL_INDEX_IVF_LAZY_ORDER_HPP

#include <vicinal/index/neighbour.hpp>
#include <vicinal/simd/selection.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// Numbers 0 to n - 1 in the order of their distances, the lower one first among equals, sorted as
/// far as they are asked for: those below a bound that is found by halving.
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
    void sort_more() {
        auto const wanted = (std::max)(expected_, sorted_.size());
        sorted_.clear();
        at_ = 0;
        auto const count = waiting_.size();
        auto bound = std::numeric_limits<float>::infinity();
        if (left_ > wanted) {
            auto const found =
                simd::bound_between::get()(waiting_.data(), count, wanted, wanted + wanted / 2 + 8);
            if (found == found) bound = found;
        }
        numbers_.resize(left_);
        numbers_.resize(simd::list_at_most::get()(waiting_.data(), count, bound, numbers_.data()));
        for (auto const i : numbers_) {
            sorted_.push_back({waiting_[i], i});
            // What was given is no number, which nothing is above or below.
            waiting_[i] = std::numeric_limits<float>::quiet_NaN();
        }
        std::sort(sorted_.begin(), sorted_.end());
    }

    std::vector<float> waiting_;
    std::vector<std::uint32_t> numbers_;
    neighbours sorted_;
    std::size_t expected_ = 1;
    std::size_t at_ = 0;
    std::size_t left_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

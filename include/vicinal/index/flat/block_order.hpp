// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_BLOCK_ORDER_HPP
#define VICINAL_INDEX_FLAT_BLOCK_ORDER_HPP

#include <vicinal/core/record.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace vicinal::inline VICINAL_ABI::index {

/// Every number from 0 to count - 1 once, the first few already spread over all of them.
///
/// A scan that leaves out what can't win depends on meeting near rows early. Rows often lie in an
/// order that has to do with their place (by topic, by time); steps of the golden section of the
/// count meet some of every part first. Blocks, not rows, are so visited: memory is still read in
/// long runs.
class block_order {
public:
    explicit block_order(std::size_t count) noexcept : count_(count) {
        step_ = static_cast<std::size_t>(static_cast<double>(count) * 0.618034) + 1;
        while (count > 1 && std::gcd(step_, count) != 1) ++step_;
    }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// The next one; to be asked count() times.
    [[nodiscard]] std::size_t next() noexcept {
        auto const now = at_;
        at_ += step_;
        if (count_ > 0) at_ %= count_;
        return now;
    }

private:
    std::size_t count_;
    std::size_t step_ = 1;
    std::size_t at_ = 0;
};

/// Calls use(first, last) for all numbers below `count`, `run` of them at a time or what is left,
/// in that order of the runs.
template <class Use>
void in_spread_runs(slot count, slot run, Use const& use) {
    block_order order((count + run - 1) / run);
    for (std::size_t i = 0; i < order.count(); ++i) {
        auto const first = static_cast<slot>(order.next()) * run;
        use(first, first + (std::min)(run, count - first));
    }
}

} // namespace vicinal::inline VICINAL_ABI::index

#endif

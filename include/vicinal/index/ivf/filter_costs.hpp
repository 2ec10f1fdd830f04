// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_FILTER_COSTS_HPP
#define VICINAL_INDEX_IVF_FILTER_COSTS_HPP

#include <vicinal/index/ivf/probe.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

/// What a filtered search of inverted lists costs, where the matches are known as bits.
namespace vicinal::inline VICINAL_ABI::index::inverted {

/// Nanoseconds: ranking a list, asking a row of a list for its bit, the code of a match between
/// others, and that of one somewhere else. Only their ratios matter.
///
/// Measured on 200,000 SIFT codes of a byte an element in 894 lists, k = 10, recall .95, one thread
/// of a loaded machine; microseconds. To look at none of the lists costs some 30; then each has 224
/// rows, which take 0.43 where none matches, 0.75 at a twentieth and 4 where all do. A half kept:
/// 29 lists 160, the scan 4,900; a tenth: 43 lists 110, the scan 900; a twentieth: 60 lists 99, the
/// scan 250; a fiftieth: 95 lists 110, the scan 79; a hundredth: 135 lists 136, the scan 54; a
/// thousandth: 425 lists 220, the scan 13.
inline constexpr double centre_cost = 35;
inline constexpr double bit_cost = 2;
inline constexpr double code_cost = 50;
inline constexpr double lone_code_cost = 22;

/// Whether scanning `matching` rows one by one is shorter than going through so many lists.
[[nodiscard]] inline bool scan_is_shorter(std::size_t matching, state const& s,
                                          std::size_t lists) noexcept {
    auto const all = static_cast<double>((std::max)(s.lists, std::uint32_t{1}));
    auto const part = (std::min)(static_cast<double>(lists) / all, 1.0);
    auto const found = static_cast<double>(matching);
    auto const ranked =
        s.lists < grouped_from ? all : static_cast<double>(known_of(s.lists, lists));
    return found * lone_code_cost <=
           ranked * centre_cost +
               part * (static_cast<double>(s.rows) * bit_cost + found * code_cost);
}

/// Says when a search among matches has met enough lists. The share of matches among the rows that
/// it has met corrects the one that it begins with, which counts as thirty rows.
template <class ListsAmong>
class enough_lists {
public:
    /// lists_among(share): how many lists are enough at that share.
    enough_lists(double share, ListsAmong const& lists_among)
        : share_(share), lists_among_(lists_among), wanted_(lists_among(share)) {}

    [[nodiscard]] bool operator()(probed const& p) {
        if (p.lists < wanted_) return false;
        auto const now =
            (static_cast<double>(p.matches) + 30 * share_) / (static_cast<double>(p.rows) + 30);
        wanted_ = lists_among_((std::min)(now, 1.0));
        return p.lists >= wanted_;
    }

private:
    double share_;
    ListsAmong lists_among_;
    std::size_t wanted_;
};

/// Asks rows for more than their slots say, some at a time, and keeps the best of those for which
/// it holds: to a scan it is what collects the nearest.
template <class Ask>
class asked_rows {
public:
    asked_rows(Ask const& ask, std::size_t kept, std::size_t most_asked)
        : ask_(ask), best_(kept), most_asked_(most_asked) {}

    [[nodiscard]] bool could_enter(float distance) const noexcept {
        return best_.could_enter(distance);
    }
    void offer(neighbour n) {
        ask_.announce(n.row);
        waiting_.push_back(n);
        if (waiting_.size() >= 64) finish();
    }
    /// Asks those that wait.
    void finish() {
        for (auto const& n : waiting_) ask_.fetch(n.row);
        for (auto const& n : waiting_) {
            if (!best_.could_enter(n.distance) || asked_ > most_asked_) continue;
            ++asked_;
            if (!ask_(n.row)) continue;
            ++kept_;
            best_.offer(n);
        }
        waiting_.clear();
    }
    [[nodiscard]] bool gave_up() const noexcept { return asked_ > most_asked_; }
    [[nodiscard]] std::size_t asked() const noexcept { return asked_; }
    [[nodiscard]] std::size_t kept() const noexcept { return kept_; }
    [[nodiscard]] neighbours take() { return best_.take(); }
    [[nodiscard]] bool full() const noexcept { return best_.full(); }
    [[nodiscard]] float farthest() const noexcept { return best_.farthest(); }

private:
    Ask const& ask_;
    nearest<> best_;
    std::size_t most_asked_;
    neighbours waiting_;
    std::size_t asked_ = 0;
    std::size_t kept_ = 0;
};

/// How many rows such a search asks to keep so many of a share, in so many rows: those that are
/// among the best of the matches when they come.
[[nodiscard]] inline std::size_t rows_to_ask(std::size_t kept, double share, double rows) noexcept {
    auto const first = static_cast<double>(kept) / share;
    if (first >= rows) return static_cast<std::size_t>(rows);
    return static_cast<std::size_t>((std::min)(rows, first * (1 + std::log(rows / first))));
}

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

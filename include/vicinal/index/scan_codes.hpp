// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_SCAN_CODES_HPP
#define VICINAL_INDEX_SCAN_CODES_HPP

#include <vicinal/index/flat/block_order.hpp>
#include <vicinal/index/flat/slots.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/index/tally.hpp>
#include <vicinal/metric/concept.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace vicinal::inline VICINAL_ABI::index {

/// Offers the nearest of many rows with exact distances: the distances of their codes, then the
/// vectors of those that the codes can't rule out. Where the codec says nothing of what its codes
/// lose, every vector is compared. It misses what the scorer's rules_out() is wrong about.
///
/// Of the first rows the nearest by their codes are compared first: what they leave to beat rules
/// out most others, where rows taken as they come would have some k ln(rows / k) compared in vain,
/// each a read that nothing foresaw.
template <class Metric, class Scorer, class Codes, class Vectors, class Tally = no_tally>
class code_scan {
    using element = metric::element_of<Metric>;

public:
    /// lines: cache lines of a code to ask for ahead.
    code_scan(element const* query, std::size_t dim, Scorer const& score, Codes const& codes,
              std::size_t lines, Vectors const& vectors, Tally const& tally = {}) noexcept
        : exact_(metric::bind_exact<Metric>(query, dim)), score_(score), codes_(codes),
          lines_(lines), vectors_(vectors),
          vector_lines_((std::min)((dim * sizeof(element) + 63) / 64, std::size_t{16})),
          tally_(tally) {}

    /// The rows below `end` that `keep` shows the bits of.
    template <class Keep, class Before>
    void operator()(slot end, Keep const& keep, nearest<Before>& best) {
        follow(best);
        if (auto const few = keep.few(); !few.empty()) {
            for (auto const s : few)
                if (s < end && keep.live(s)) hold(s, keep_all{}, best);
        } else {
            hold_bits(end, keep, best);
        }
        judge(keep_all{}, best);
    }

    /// The rows below `end`; where `keep` shows no bits, only those that are near enough are asked
    /// about.
    template <class Keep, class Before>
    void all(slot end, Keep const& keep, nearest<Before>& best) {
        follow(best);
        if constexpr (shows_bits<Keep>) {
            hold_bits(end, keep, best);
            judge(keep_all{}, best);
        } else {
            // Long enough to be read ahead, short enough that some of every part comes early.
            auto const run = (std::max)(slot{most}, (std::min)(slot{8 * most}, end / 64));
            block_order order((end + run - 1) / run);
            for (std::size_t i = 0; i < order.count(); ++i) {
                auto const first = static_cast<slot>(order.next()) * run;
                for (auto s = first; s < first + (std::min)(run, end - first); ++s)
                    hold(s, keep, best);
            }
            judge(keep, best);
        }
    }
    /// Those of a list, each once.
    template <class Keep, class Before>
    void among(std::span<slot const> slots, Keep const& keep, nearest<Before>& best) {
        follow(best);
        for (auto const s : slots) hold(s, keep, best);
        judge(keep, best);
    }

private:
    /// Whether the codec says what its codes lose; it then scores four rows at once.
    static constexpr bool bounded = requires(Scorer const& s, std::byte const* row) {
        s.rules_out(row, 0.0F, 0.0F);
    };
    static constexpr std::size_t most = 512;
    /// Rows asked for before they are read: a core has about a dozen reads under way.
    static constexpr std::size_t ahead = 16;

    template <class Before>
    void follow(nearest<Before> const& best) {
        if constexpr (bounded)
            if (best.full()) reach_ = score_.reach(best.farthest());
    }

    template <class Keep, class Before>
    void hold_bits(slot end, Keep const& keep, nearest<Before>& best) {
        for (slot at = 0; at < end; at += (std::min)(slot{64}, end - at))
            for (auto bits = keep.word(at); bits != 0; bits &= bits - 1) {
                auto const s = at + static_cast<slot>(std::countr_zero(bits));
                if (s < end) hold(s, keep_all{}, best);
            }
    }
    template <class Keep, class Before>
    void hold(slot s, Keep const& keep, nearest<Before>& best) {
        if (bounded && held_ < ahead) codes_.prefetch(s, lines_);
        rows_[held_++] = s;
        if (held_ == most) judge(keep, best);
    }

    template <class Keep, class Before>
    void judge(Keep const& keep, nearest<Before>& best) {
        if constexpr (bounded) drop_far(best);
        auto const count = std::exchange(held_, 0);
        // What is not among the first is most likely ruled out.
        auto const read = bounded ? (std::min)(best.wanted(), count) : count;
        for (std::size_t i = 0; i < (std::min)(ahead, count); ++i)
            vectors_.prefetch(rows_[i], vector_lines_);
        for (std::size_t i = 0; i < count; ++i) {
            auto const s = rows_[i];
            if (i + ahead < read) vectors_.prefetch(rows_[i + ahead], vector_lines_);
            if constexpr (bounded)
                if (best.full() && score_.rules_out(codes_.row(s), distances_[i], reach_)) continue;
            if (!keep(s)) continue;
            tally_.vectors(1);
            best.offer({exact_(vectors_.template row_as<element>(s)), s});
            follow(best);
        }
    }

    /// Leaves the held rows that are not ruled out; the nearest by their codes come first where
    /// nothing is to be beaten yet.
    template <class Before>
    void drop_far(nearest<Before> const& best) {
        tally_.codes(held_);
        std::size_t left = 0;
        for (std::size_t i = 0; i < held_; i += 4) {
            auto const n = (std::min)(std::size_t{4}, held_ - i);
            slot four[4];
            std::byte const* rows[4];
            for (std::size_t j = 0; j < 4; ++j) {
                four[j] = rows_[i + (std::min)(j, n - 1)];
                rows[j] = codes_.row(four[j]);
                if (i + j + ahead < held_) codes_.prefetch(rows_[i + j + ahead], lines_);
            }
            float distances[4];
            score_.four(rows, distances);
            for (std::size_t j = 0; j < n; ++j) {
                rows_[left] = four[j];
                distances_[left] = distances[j];
                left += best.full() && score_.rules_out(rows[j], distances[j], reach_) ? 0U : 1U;
            }
        }
        held_ = left;
        if (!best.full() && held_ > best.wanted()) bring_nearest_first(best.wanted());
    }

    void bring_nearest_first(std::size_t count) {
        neighbour all[most];
        for (std::size_t i = 0; i < held_; ++i) all[i] = {distances_[i], rows_[i]};
        std::nth_element(all, all + count, all + held_);
        for (std::size_t i = 0; i < held_; ++i) {
            distances_[i] = all[i].distance;
            rows_[i] = all[i].row;
        }
    }

    decltype(metric::bind_exact<Metric>(nullptr, 0)) exact_;
    Scorer const& score_;
    Codes const& codes_;
    std::size_t lines_;
    Vectors const& vectors_;
    std::size_t vector_lines_;
    [[no_unique_address]] Tally tally_;
    std::size_t held_ = 0;
    slot rows_[most];
    float distances_[most];
    float reach_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

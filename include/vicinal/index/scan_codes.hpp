// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_SCAN_CODES_HPP
#define VICINAL_INDEX_SCAN_CODES_HPP

#include <vicinal/index/flat/block_order.hpp>
#include <vicinal/index/flat/contenders.hpp>
#include <vicinal/index/flat/slots.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/index/tally.hpp>
#include <vicinal/metric/concept.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

namespace vicinal::inline VICINAL_ABI::index {

/// Offers the nearest of many rows with exact distances: the distances of their codes, then the
/// vectors of those that the codes can't rule out. Where the codec says nothing of what its codes
/// lose, every vector is compared. It misses what the scorer's rules_out() is wrong about.
template <class Metric, class Scorer, class Codes, class Vectors, class Tally = no_tally>
class code_scan {
    using element = metric::element_of<Metric>;

public:
    /// lines: cache lines of a code to ask for ahead.
    code_scan(element const* query, std::size_t dim, Scorer const& score, Codes const& codes,
              std::size_t lines, Vectors const& vectors, Tally const& tally = {}) noexcept
        : score_(score), codes_(codes), lines_(lines), tally_(tally),
          contenders_(query, dim, vectors, tally) {}

    /// The rows below `end` that `keep` shows the bits of.
    template <class Keep, class Before>
    void operator()(slot end, Keep const& keep, nearest<Before>& best) {
        if (auto const few = keep.few(); !few.empty()) {
            for (auto const s : few)
                if (s < end && keep.live(s)) hold(s, keep_all{}, best);
        } else {
            hold_bits(end, keep, best);
        }
        end_with(keep_all{}, best);
    }

    /// The rows below `end`; where `keep` shows no bits, only those that are near enough are asked
    /// about.
    template <class Keep, class Before>
    void all(slot end, Keep const& keep, nearest<Before>& best) {
        if constexpr (shows_bits<Keep>) {
            hold_bits(end, keep, best);
            end_with(keep_all{}, best);
        } else {
            // Long enough to be read ahead, short enough that some of every part comes early.
            auto const run = (std::max)(slot{most}, (std::min)(slot{8 * most}, end / 64));
            in_spread_runs(end, run, [&](slot first, slot last) {
                for (auto s = first; s < last; ++s) hold(s, keep, best);
            });
            end_with(keep, best);
        }
    }
    /// Those of a list, each once.
    template <class Keep, class Before>
    void among(std::span<slot const> slots, Keep const& keep, nearest<Before>& best) {
        for (auto const s : slots) hold(s, keep, best);
        end_with(keep, best);
    }

private:
    /// Whether the codec says what its codes lose; it then scores four rows at once.
    static constexpr bool bounded = requires(Scorer const& s, std::byte const* row) {
        s.rules_out(row, 0.0F, 0.0F);
    };
    static constexpr std::size_t most = 512;
    /// Rows asked for before they are read: a core has about a dozen reads under way.
    static constexpr std::size_t ahead = 16;

    template <class Keep, class Before>
    void end_with(Keep const& keep, nearest<Before>& best) {
        score_held(keep, best);
        contenders_.finish(keep, best);
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
        if (held_ == most) score_held(keep, best);
    }

    /// Makes contenders of the held rows that are not ruled out.
    template <class Keep, class Before>
    void score_held(Keep const& keep, nearest<Before>& best) {
        auto const count = std::exchange(held_, 0);
        if constexpr (bounded) tally_.codes(count);
        for (std::size_t i = 0; i < count; i += 4) {
            auto const n = (std::min)(std::size_t{4}, count - i);
            float distances[4] = {};
            if constexpr (bounded) {
                std::byte const* rows[4];
                for (std::size_t j = 0; j < 4; ++j) {
                    rows[j] = codes_.row(rows_[i + (std::min)(j, n - 1)]);
                    if (i + j + ahead < count) codes_.prefetch(rows_[i + j + ahead], lines_);
                }
                score_.four(rows, distances);
            }
            if (contenders_.due(n, best)) contenders_.settle(keep, best);
            for (std::size_t j = 0; j < n; ++j) add(rows_[i + j], distances[j], best);
        }
    }
    template <class Before>
    void add(slot s, float distance, nearest<Before> const& best) noexcept {
        auto least = -std::numeric_limits<float>::infinity();
        if constexpr (bounded) {
            auto const* const code = codes_.row(s);
            if (best.full() && score_.rules_out(code, distance, score_.reach(best.farthest())))
                return;
            least = score_.at_least(code, distance);
        }
        contenders_.add(s, distance, least);
    }

    Scorer const& score_;
    Codes const& codes_;
    std::size_t lines_;
    [[no_unique_address]] Tally tally_;
    contenders<Metric, Vectors, Tally> contenders_;
    std::size_t held_ = 0;
    slot rows_[most];
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

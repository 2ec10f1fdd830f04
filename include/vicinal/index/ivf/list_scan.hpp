// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_LIST_SCAN_HPP
#define VICINAL_INDEX_IVF_LIST_SCAN_HPP

#include <vicinal/index/ivf/codes.hpp>
#include <vicinal/index/ivf/geometry.hpp>
#include <vicinal/index/neighbour.hpp>
#include <vicinal/index/tally.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// What a probe has come by.
struct probed {
    std::size_t lists = 0;
    /// Rows that were looked at, and those of them that the search keeps.
    std::size_t rows = 0;
    std::size_t matches = 0;
};

/// Scores the codes of lists for one query and keeps the best.
template <class Metric, class Storage, class Scorer, class View, class Tally>
class list_scan {
    using space = geometry<Metric>;

public:
    /// All but `s` must outlive it. lines: cache lines of a code, or of a block, to ask for ahead.
    list_scan(columns<Storage> const& lists, state const& s, float const* query, std::size_t dim,
              Scorer const& score, View const& codes, std::size_t lines, Tally const& tally)
        : lists_(&lists), state_(s), score_(&score), codes_(&codes), slots_(lists.slots().reader()),
          lines_(lines), tally_(tally) {
        if constexpr (space::product)
            norm_ = std::sqrt(static_cast<float>(simd::exact_dot::get()(query, query, dim)));
    }

    /// Asks for the first rows of a list that is scanned soon: it lies anywhere.
    void announce(head const& h) const noexcept {
        if constexpr (View::in_blocks)
            if (h.rows > 0 && h.first < state_.blocks) {
                codes_->prefetch_block(h.first, lines_);
                slots_.prefetch(h.first, 2);
            }
    }

    /// Whether no row of a list whose centre is at `distance` can be among the best.
    template <class Best>
    [[nodiscard]] bool too_far(head const& h, float distance, Best const& best) const noexcept {
        if constexpr (bounded)
            return best.full() && space::at_least(distance, norm_, h.radius) > best.farthest();
        return false;
    }

    /// Offers the rows of such a list that keep(slot) holds for.
    template <class Keep, class Best>
    void list(head const& h, float distance, Keep const& keep, Best& best, probed& so_far) const {
        lists_->each_block(state_, h, [&](std::uint32_t block, std::uint32_t rows) {
            one_block(block, rows, distance, keep, best, so_far);
        });
    }
    /// The same of one block of it.
    template <class Keep, class Best>
    void one_block(std::uint32_t block, std::uint32_t rows, float distance, Keep const& keep,
                   Best& best, probed& so_far) const {
        if constexpr (View::in_blocks) {
            scan_block(block, rows, distance, keep, best, so_far);
        } else {
            so_far.rows += rows;
            so_far.matches += scan(block, rows, keep, best);
        }
    }

private:
    /// The same where codes lie in blocks. Only rows that are near enough by their codes are asked
    /// for, and counted: all, as long as none is too far.
    template <class Keep, class Best>
    void scan_block(std::uint32_t block, std::uint32_t rows, float distance, Keep const& keep,
                    Best& best, probed& so_far) const {
        float distances[block_rows];
        auto const limit = best.full() ? best.farthest() : std::numeric_limits<float>::infinity();
        auto const near = (*score_)(codes_->block(block), distance, limit, distances);
        tally_.codes(rows);
        auto const* const slots = slots_.template row_as<slot>(block);
        auto bits = near & (std::uint32_t{0xffffffff} >> (block_rows - rows));
        // A row beyond is still the caller's to scan.
        if constexpr (std::same_as<Keep, keep_all> && takes_blocks<Best>) {
            if (bits == 0) return;
            auto const taken = best.offer(distances, slots, bits, state_.covered);
            so_far.rows += taken;
            so_far.matches += taken;
            return;
        }
        for (; bits != 0; bits &= bits - 1) {
            auto const i = static_cast<std::size_t>(std::countr_zero(bits));
            ++so_far.rows;
            if (slots[i] >= state_.covered || !keep(slots[i])) continue;
            ++so_far.matches;
            best.offer({distances[i], slots[i]});
        }
    }

    /// Offers the rows of a block that keep(slot) holds for; how many those are.
    template <class Keep, class Best>
    std::size_t scan(std::uint32_t block, std::uint32_t rows, Keep const& keep, Best& best) const {
        auto const* const slots = slots_.template row_as<slot>(block);
        slot kept[block_rows];
        std::uint32_t place[block_rows];
        std::size_t count = 0;
        for (std::uint32_t i = 0; i < rows; ++i) {
            auto const s = slots[i];
            kept[count] = s;
            place[count] = block * block_rows + i;
            // A row beyond is still the caller's to scan.
            count += s < state_.covered && keep(s) ? 1U : 0U;
        }
        if (count == 0) return 0;
        float distances[block_rows];
        score_some(place, kept, count, distances);
        tally_.codes(count);
        for (std::size_t i = 0; i < count; ++i)
            if (best.could_enter(distances[i])) best.offer({distances[i], kept[i]});
        return count;
    }

    template <class Best>
    static constexpr bool takes_blocks = requires(Best& best, float const* distances,
                                                  slot const* slots) {
        best.offer(distances, slots, std::uint32_t{}, slot{});
    };
    static constexpr std::size_t ahead = 8;
    /// Products of codes may lack a part that all rows have.
    static constexpr bool bounded = View::scattered || !space::product;

    void score_some(std::uint32_t const* place, slot const* slots, std::size_t count,
                    float* out) const noexcept {
        if constexpr (requires(std::byte const* const* four) { score_->four(four, out); }) {
            // Codes of a list lie one behind the other, vectors do not.
            if constexpr (View::scattered)
                for (std::size_t i = 0; i < (std::min)(ahead, count); ++i)
                    codes_->prefetch(slots[i], lines_);
            for (std::size_t i = 0; i < count; i += 4) {
                if constexpr (View::scattered)
                    for (auto j = i + ahead; j < (std::min)(i + ahead + 4, count); ++j)
                        codes_->prefetch(slots[j], lines_);
                std::byte const* four[4];
                for (std::size_t j = 0; j < 4; ++j) {
                    auto const at = (std::min)(i + j, count - 1);
                    four[j] = codes_->at(place[at], slots[at]);
                }
                float d[4];
                score_->four(four, d);
                std::copy_n(d, (std::min)(std::size_t{4}, count - i), out + i);
            }
        } else {
            for (std::size_t i = 0; i < count; ++i)
                out[i] = (*score_)(codes_->at(place[i], slots[i]));
        }
    }

    columns<Storage> const* lists_;
    state state_;
    Scorer const* score_;
    View const* codes_;
    decltype(std::declval<columns<Storage> const&>().slots().reader()) slots_;
    std::size_t lines_;
    [[no_unique_address]] Tally tally_;
    float norm_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

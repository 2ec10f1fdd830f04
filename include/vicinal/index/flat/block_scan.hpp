// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_BLOCK_SCAN_HPP
#define VICINAL_INDEX_FLAT_BLOCK_SCAN_HPP

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

namespace vicinal::inline VICINAL_ABI::index::flat_scan {

/// Rows of a block of codes: slot s is row s % 32 of block s / 32.
inline constexpr slot block_rows = 32;

/// What code_scan is to rows, to codes in blocks (codec::scan_blocks): a block is scored by one
/// call, and gives its rows that are not ruled out as bits.
template <class Metric, class Scorer, class Blocks, class Vectors, class Tally = no_tally>
class block_scan {
    using element = metric::element_of<Metric>;

public:
    /// lines: cache lines of a block to ask for ahead.
    block_scan(element const* query, std::size_t dim, Scorer const& score, Blocks const& blocks,
               std::size_t lines, Vectors const& vectors, Tally const& tally = {}) noexcept
        : score_(score), blocks_(blocks), lines_(lines), tally_(tally),
          contenders_(query, dim, vectors, tally) {}

    /// The rows below `end`; where `keep` shows no bits, only those that are near enough are asked
    /// about.
    template <class Keep, class Before>
    void all(slot end, Keep const& keep, nearest<Before>& best) {
        auto const blocks = (end + block_rows - 1) / block_rows;
        // Long enough to be read ahead, short enough that some of every part comes early.
        auto const run = (std::max)(slot{16}, (std::min)(slot{128}, blocks / 64));
        in_spread_runs(blocks, run, [&](slot first, slot last) {
            for (auto b = first; b < last; ++b) {
                auto const rows = (std::min)(block_rows, end - b * block_rows);
                look_at(b, kept(keep, b) & every >> (block_rows - rows), keep, best);
            }
        });
        contenders_.finish(keep, best);
    }
    /// Those of a list, each once.
    template <class Keep, class Before>
    void among(std::span<slot const> slots, Keep const& keep, nearest<Before>& best) {
        for (std::size_t i = 0; i < slots.size();) {
            auto const b = slots[i] / block_rows;
            if (i + ahead < slots.size()) blocks_.prefetch(slots[i + ahead] / block_rows, lines_);
            std::uint32_t rows = 0;
            for (; i < slots.size() && slots[i] / block_rows == b; ++i)
                rows |= std::uint32_t{1} << slots[i] % block_rows;
            look_at(b, rows, keep, best);
        }
        contenders_.finish(keep, best);
    }

private:
    static constexpr std::uint32_t every = 0xffffffffU;
    static constexpr std::size_t ahead = 4;

    /// The rows of a block whose bits `keep` shows, or all.
    template <class Keep>
    [[nodiscard]] static std::uint32_t kept(Keep const& keep, slot b) noexcept {
        if constexpr (shows_bits<Keep>)
            return static_cast<std::uint32_t>(keep.word(b / 2 * 64) >> b % 2 * 32);
        static_cast<void>(keep);
        static_cast<void>(b);
        return every;
    }

    template <class Keep, class Before>
    void look_at(slot b, std::uint32_t rows, Keep const& keep, nearest<Before>& best) {
        if (rows == 0) return;
        if (contenders_.due(block_rows, best)) contenders_.settle(keep, best);
        tally_.codes(static_cast<std::size_t>(std::popcount(rows)));
        auto const farthest =
            best.full() ? best.farthest() : std::numeric_limits<float>::infinity();
        auto const* const block = blocks_.row(b);
        float distances[block_rows];
        auto near = score_(block, farthest, distances) & rows;
        for (; near != 0; near &= near - 1) {
            auto const i = static_cast<slot>(std::countr_zero(near));
            contenders_.add(b * block_rows + i, distances[i],
                            score_.at_least(block, i, distances[i]));
        }
    }

    Scorer const& score_;
    Blocks const& blocks_;
    std::size_t lines_;
    [[no_unique_address]] Tally tally_;
    contenders<Metric, Vectors, Tally> contenders_;
};

} // namespace vicinal::inline VICINAL_ABI::index::flat_scan

#endif

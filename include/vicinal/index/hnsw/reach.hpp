// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_REACH_HPP
#define VICINAL_INDEX_HNSW_REACH_HPP

#include <vicinal/index/candidates.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

/// When a walk has looked far enough.
///
/// A beam of width e ends where the nearest node that it has not expanded is farther than the e-th
/// best. Around some queries that radius is wide and around others narrow, but what decides whether
/// the k best can still change is its ratio to the k-th best. So a walk keeps twice e, and ends
/// where the nearest unexpanded node is farther than (1 + gamma) times the k-th best: the rule of
/// Al-Jazzazi et al., "Distance Adaptive Beam Search for Provably Accurate Graph-Based Nearest
/// Neighbor Search", 2025. Differs: gamma comes from e. The distance of the n-th nearest grows as n
/// to some power, which tune() measures, so that the ratio is about (e / k)^power.
///
/// The k-th best only comes nearer: a node beyond the end as it stands will never be expanded, and
/// is not taken in. Without that, more is spent on inserts than on the distances saved.
///
/// Distances of codes a query, those of the upper levels included, as a share of those of a beam at
/// equal recall@10, for the 1,000 queries (minilm 300) that come with the sets:
///
///     recall   0.95   0.98   0.99   0.995  0.998  0.999
///     words    0.92   0.89   0.81   0.77   0.66   0.68
///     minilm                 0.94   0.81   0.76   0.63
///
/// Time, one thread of a loaded machine, both in turn on one graph:
///
///     recall   0.95   0.98   0.99   0.995  0.998  0.999
///     words    0.87   0.83   0.73   0.70   0.47   0.52
///     minilm                 0.92   0.85   0.78   0.69
///
/// Of 0.7 to 1.5 times the power and 1 to 3 times e, 0.85 and twice save the most while a walk
/// finds no less than the beam of that effort.
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// How far one walk goes.
struct reach {
    /// The effort that was asked for: what a beam of that width would keep.
    std::size_t effort;
    /// What this walk keeps.
    std::size_t width;
    /// Which of the best decides about the end; beyond `width` where none does.
    std::size_t decisive = (std::numeric_limits<std::size_t>::max)();
    /// What the distance of that one is multiplied by.
    float factor = 1;
    /// As many are kept whatever their distance: what may be compared by its vector.
    std::size_t candidates = 0;

    /// How far a node may be to be of use, where the decisive one is at that distance; codes of
    /// equal rows may come out a little below 0.
    [[nodiscard]] float end(float decisive_one) const noexcept {
        return factor * (std::max)(decisive_one, 0.0F);
    }
};

/// A beam of that width, which expands all that it keeps.
[[nodiscard]] constexpr reach beam_of(std::size_t width) noexcept { return {width, width}; }

/// For the `wanted` nearest of `rows`; growth as in tuning.
[[nodiscard]] inline reach reach_for(float growth, std::size_t wanted, std::size_t effort,
                                     std::size_t rows) noexcept {
    auto const width = (std::min)((std::max)(wanted, effort), rows);
    if (!(growth > 0)) return beam_of(width);
    // One of few says little of the others.
    auto const decisive = (std::max)(wanted, (std::min)(width, std::size_t{10}));
    auto const ratio = static_cast<double>(width) / static_cast<double>(decisive);
    return {width, (std::min)(2 * width, rows), decisive,
            static_cast<float>(std::pow((std::max)(ratio, 1.0), 0.85 * double{growth})),
            (std::min)(candidates_for(decisive), width)};
}

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_CANDIDATES_HPP
#define VICINAL_INDEX_CANDIDATES_HPP

#include <vicinal/index/nearest.hpp>
#include <vicinal/index/tally.hpp>
#include <vicinal/metric/concept.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace vicinal::inline VICINAL_ABI::index {

/// How many of an index's candidates are compared by their vectors for k neighbours: the index
/// ranks by codes, and half as many again make up for their rounding.
[[nodiscard]] constexpr std::size_t candidates_for(std::size_t k) noexcept { return k + k / 2 + 5; }

/// A bound query that knows how near the vector of a code may be.
template <class Scorer>
concept bounding = requires(Scorer const& score, std::byte const* code) {
    score.at_least(code, 0.0F);
};

/// Offers the exact distances of what may be among the k nearest of a walk's candidates, which come
/// nearest first: of the k first ones, then of those that the codes don't rule out. These are
/// candidates_for(k) at most, but where rows differ by less than a step of their codes, whose order
/// then says nothing: a scorer that is bounding goes on until it can tell one from the nearest.
///
/// A scorer may name another number than candidates_for(k), as compared(k, candidates).
///
/// score is the codec's bound query, codes and vectors the readers of both; rows from `end` on are
/// left out.
template <class Metric, class Scorer, class Codes, class Vectors, class Before,
          class Tally = no_tally>
void compare_candidates(neighbours const& candidates, metric::element_of<Metric> const* query,
                        std::size_t dim, Scorer const& score, Codes const& codes,
                        Vectors const& vectors, slot end, nearest<Before>& best,
                        Tally const& tally = {}) {
    using element = metric::element_of<Metric>;
    auto const count = (std::min)(candidates.size(), [&] {
        if constexpr (requires { Scorer::compared(best.wanted(), candidates.size()); })
            return Scorer::compared(best.wanted(), candidates.size());
        else
            return candidates_for(best.wanted());
    }());
    auto const lines = (dim * sizeof(element) + 63) / 64;
    auto const exact = metric::bind_exact<Metric>(query, dim);
    auto least = (std::numeric_limits<float>::infinity)();
    auto const compare = [&](slot s) {
        tally.vectors(1);
        auto const distance = exact(vectors.template row_as<element>(s));
        least = (std::min)(least, distance);
        best.offer({distance, s});
    };
    auto const first = (std::min)(count, best.wanted());
    // What must be read from a file is read together; from memory some hundred lines are asked for
    // ahead: of 784 floats two whole vectors are better than a third of each of ten, by 2 % to 4 %
    // of a search of mnist.
    auto const in_memory = (std::max)(96 / lines, std::size_t{2});
    auto const ahead = (std::min)(first, Vectors::pages ? first : in_memory);
    auto const fetch = [&](std::size_t i) { vectors.prefetch(candidates[i].row, lines); };
    for (std::size_t i = 0; i < ahead; ++i) fetch(i);
    for (std::size_t i = 0; i < first; ++i) {
        if (i + ahead < first) fetch(i + ahead);
        if (candidates[i].row < end) compare(candidates[i].row);
    }
    auto const ruled_out = [&](neighbour const& c) {
        if constexpr (bounding<Scorer>)
            return best.full() && score.at_least(codes.row(c.row), c.distance) > best.farthest();
        return false;
    };
    if constexpr (Vectors::pages)
        for (std::size_t i = first; i < count; ++i)
            if (candidates[i].row < end && !ruled_out(candidates[i])) fetch(i);
    for (std::size_t i = first; i < count; ++i)
        if (candidates[i].row < end && !ruled_out(candidates[i])) compare(candidates[i].row);
    if constexpr (bounding<Scorer>)
        for (std::size_t i = count; i < candidates.size(); ++i) {
            auto const& c = candidates[i];
            if (score.at_least(codes.row(c.row), c.distance) > least) return;
            if (c.row < end) compare(c.row);
        }
}

/// Vectors that compare_likely() asks for ahead: a core has about a dozen reads under way.
inline constexpr std::size_t likely_ahead = 12;

/// Asks for the vector of a candidate, or for as much of it as the CPU does not follow by itself.
template <class Element, class Vectors>
void fetch_likely(neighbour const& candidate, std::size_t dim, Vectors const& vectors, slot end) {
    if (candidate.row >= end) return;
    vectors.prefetch(candidate.row, (std::min)((dim * sizeof(Element) + 63) / 64, std::size_t{16}));
}
/// Asks for those that compare_likely() begins with: for a query that comes a little later.
template <class Element, class Vectors>
void announce_likely(neighbours const& candidates, std::size_t dim, Vectors const& vectors,
                     slot end) {
    for (std::size_t i = 0; i < (std::min)(likely_ahead, candidates.size()); ++i)
        fetch_likely<Element>(candidates[i], dim, vectors, end);
}

/// Offers the exact distances of candidates, which come nearest first by codes that don't say how
/// wrong they may be: how far they were off so far, some standard deviations of it, tells when no
/// other is likely to be nearer than what is held. Rows from `end` on are left out.
template <class Metric, class Vectors, class Before, class Tally = no_tally>
void compare_likely(neighbours const& candidates, metric::element_of<Metric> const* query,
                    std::size_t dim, Vectors const& vectors, slot end, nearest<Before>& best,
                    Tally const& tally = {}) {
    using element = metric::element_of<Metric>;
    constexpr std::size_t least = 8;
    constexpr double certainty = 2.5;
    auto const exact = metric::bind_exact<Metric>(query, dim);
    double sum = 0;
    double squares = 0;
    std::size_t compared = 0;
    announce_likely<element>(candidates, dim, vectors, end);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        auto const& c = candidates[i];
        if (c.row >= end) continue;
        if (best.full() && compared >= least) {
            auto const n = static_cast<double>(compared);
            // n times how much farther it looks than what is held, and n (n - 1) times the
            // variance: no root, no quotient. The first candidates are there because codes flatter
            // them; others may only be nearer.
            auto const beyond =
                n * (double{c.distance} - double{best.farthest()}) + (std::min)(sum, 0.0);
            auto const spread = (std::max)(n * squares - sum * sum, 0.0);
            if (beyond > 0 && beyond * beyond * (n - 1) > certainty * certainty * n * spread)
                return;
        }
        if (i + likely_ahead < candidates.size())
            fetch_likely<element>(candidates[i + likely_ahead], dim, vectors, end);
        tally.vectors(1);
        auto const distance = exact(vectors.template row_as<element>(c.row));
        best.offer({distance, c.row});
        auto const off = double{distance} - double{c.distance};
        if (!std::isfinite(off)) continue;
        ++compared;
        sum += off;
        squares += off * off;
    }
}

} // namespace vicinal::inline VICINAL_ABI::index

#endif

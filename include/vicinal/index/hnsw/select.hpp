// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_SELECT_HPP
#define VICINAL_INDEX_HNSW_SELECT_HPP

#include <vicinal/index/neighbour.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// Chooses links that point apart (Malkov & Yashunin 2018, algorithm 4): a candidate is taken
/// unless one taken before is nearer to it than the base is, or is the same vector. Without the
/// latter, a node that has as many duplicates as links is linked to nothing else.
///
/// Scorer is the codec's bound row; keeping one for each chosen node binds `most` times instead of
/// once a candidate. Reused from call to call, so that selecting allocates nothing.
template <class Scorer>
class selector {
public:
    /// Selects at most `most` of `candidates` (nearest first, node numbers in `row`). Those for
    /// which `must(node)` holds are taken in any case; only in a damaged graph are they more than
    /// `most`.
    ///
    /// code(node) is a node's code; bind(code) a scorer.
    template <class Code, class Bind, class Must>
    void operator()(neighbours const& candidates, std::size_t most, Code const& code,
                    Bind const& bind, Must const& must, std::vector<std::uint32_t>& chosen) {
        chosen.clear();
        taken_.clear();
        std::size_t reserved = 0;
        for (auto const& c : candidates) reserved += must(c.row) ? 1U : 0U;
        for (auto const& c : candidates) {
            if (chosen.size() == most) return;
            bool const forced = must(c.row);
            if (!forced && (chosen.size() + reserved >= most || !points_apart(c, code(c.row))))
                continue;
            if (forced) --reserved;
            chosen.push_back(c.row);
            taken_.push_back({bind(code(c.row)), code(c.row), c.distance});
        }
    }

private:
    struct taken {
        Scorer score;
        std::byte const* code;
        float distance;
    };

    [[nodiscard]] bool points_apart(neighbour const& c, std::byte const* code) const noexcept {
        for (auto const& t : taken_) {
            float const apart = t.score(code);
            if (apart < c.distance) return false;
            // As near to that one as it is to itself, and as far from the base: a duplicate.
            if (c.distance == t.distance && apart <= t.score(t.code)) return false;
        }
        return true;
    }

    std::vector<taken> taken_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

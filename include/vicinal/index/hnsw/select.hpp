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
/// unless one taken before is nearer to it than the base is.
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
        scorers_.clear();
        std::size_t reserved = 0;
        for (auto const& c : candidates) reserved += must(c.row) ? 1U : 0U;
        for (auto const& c : candidates) {
            if (chosen.size() == most) return;
            bool const forced = must(c.row);
            if (!forced && (chosen.size() + reserved >= most || !points_apart(c, code(c.row))))
                continue;
            if (forced) --reserved;
            chosen.push_back(c.row);
            scorers_.push_back(bind(code(c.row)));
        }
    }

private:
    [[nodiscard]] bool points_apart(neighbour const& c, std::byte const* code) const noexcept {
        for (auto const& s : scorers_)
            if (s(code) < c.distance) return false;
        return true;
    }

    std::vector<Scorer> scorers_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_SELECT_HPP
#define VICINAL_INDEX_HNSW_SELECT_HPP

#include <vicinal/index/neighbour.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/metric/squared_l2.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// By how much nearer one link must be to another than the base is, to make it needless, in the
/// second round of choosing. Where distances are squares, 1.1; an inner product has no factor, and
/// a metric of the user's may be one.
template <class Metric>
inline constexpr float relaxed_for = 1;
template <class T>
inline constexpr float relaxed_for<metric::basic_squared_l2<T>> = 1.1F;
template <class T>
inline constexpr float relaxed_for<metric::basic_cosine<T>> = 1.1F;

/// Chooses links that point apart: a candidate is taken unless one taken before is nearer to it
/// than the base is, or is the same vector. Without the latter, a node that has as many duplicates
/// as links is linked to nothing else. What is still free then goes to those that one taken before
/// is nearer to, but not by the factor `relaxed`: longer links, fewer steps.
///
/// Source: Malkov & Yashunin 2018, algorithm 4; the second round is that of Jayaram Subramanya et
/// al., "DiskANN", NeurIPS 2019. Reused from call to call, so that selecting allocates nothing.
class selector {
public:
    /// Selects at most `most` of `candidates` (nearest first, node numbers in `row`). Those for
    /// which `must(node)` holds are taken in any case; only in a damaged graph are they more than
    /// `most`.
    ///
    /// code(node) is a node's code; bind(code) a scorer. relaxed is at least 1.
    template <class Code, class Bind, class Must>
    void operator()(neighbours const& candidates, std::size_t most, float relaxed, Code const& code,
                    Bind const& bind, Must const& must, std::vector<std::uint32_t>& chosen) {
        chosen.clear();
        taken_.clear();
        left_.clear();
        std::size_t reserved = 0;
        for (auto const& c : candidates) reserved += must(c.row) ? 1U : 0U;
        for (auto const& c : candidates) {
            bool const forced = must(c.row);
            if (!forced && chosen.size() + reserved >= most) {
                if (reserved == 0) break;
                continue;
            }
            if (!forced && !points_apart(c, code(c.row), 1, bind)) {
                left_.push_back(c);
                continue;
            }
            if (forced) --reserved;
            take(c, code(c.row), chosen);
        }
        if (relaxed <= 1) return;
        for (auto const& c : left_) {
            if (chosen.size() >= most) return;
            if (points_apart(c, code(c.row), relaxed, bind)) take(c, code(c.row), chosen);
        }
    }

private:
    void take(neighbour const& c, std::byte const* code, std::vector<std::uint32_t>& chosen) {
        chosen.push_back(c.row);
        taken_.push_back(code);
        distances_.resize(taken_.size());
        distances_.back() = c.distance;
    }

    template <class Bind>
    [[nodiscard]] bool points_apart(neighbour const& c, std::byte const* code, float relaxed,
                                    Bind const& bind) const {
        if (taken_.empty()) return true;
        auto const score = bind(code);
        for (std::size_t i = 0; i < taken_.size(); i += 4) {
            auto const n = (std::min)(std::size_t{4}, taken_.size() - i);
            float apart[4];
            if constexpr (requires { score.four(taken_.data(), apart); }) {
                if (n == 4)
                    score.four(taken_.data() + i, apart);
                else
                    for (std::size_t j = 0; j < n; ++j) apart[j] = score(taken_[i + j]);
            } else {
                for (std::size_t j = 0; j < n; ++j) apart[j] = score(taken_[i + j]);
            }
            for (std::size_t j = 0; j < n; ++j) {
                if (relaxed * apart[j] < c.distance) return false;
                // As near to that one as it is to itself, and as far from the base: a duplicate.
                if (c.distance == distances_[i + j] && apart[j] <= score(code)) return false;
            }
        }
        return true;
    }

    std::vector<std::byte const*> taken_;
    std::vector<float> distances_;
    neighbours left_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_PROBE_HPP
#define VICINAL_INDEX_IVF_PROBE_HPP

#include <vicinal/index/candidates.hpp>
#include <vicinal/index/ivf/list_scan.hpp>
#include <vicinal/index/ivf/ranking.hpp>

#include <cstddef>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// Codes that a probe keeps for k neighbours, where a code has so many bytes: the best of them are
/// compared by their vectors. Beyond those there are some for rows that codes can't tell apart, the
/// more the fewer bits they have.
[[nodiscard]] constexpr std::size_t kept_for(std::size_t k, std::size_t bytes,
                                             std::size_t dim) noexcept {
    return candidates_for(k) * (bytes >= dim ? 2 : bytes * 4 >= dim ? 4 : 8);
}

/// One query before the lists: ranks them, and scans one after the other.
template <class Metric, class Storage, class Scorer, class View, class Tally>
class probe {
    using space = geometry<Metric>;

public:
    /// All but `s` must outlive it.
    probe(columns<Storage> const& lists, state const& s, float const* query, std::size_t dim,
          Scorer const& score, View const& codes, std::size_t lines, Tally const& tally)
        : lists_(lists), scan_(lists, s, query, dim, score, codes, lines, tally),
          ranked_(brought(query, dim), lists.centres(s), s.lists, dim, lists.groups()) {
        look_ahead();
    }

    [[nodiscard]] bool has_next() const noexcept { return has_next_; }
    /// Offers the rows of the next list that keep(slot) holds for; none of one that is too far.
    template <class Keep, class Best>
    void next(Keep const& keep, Best& best, probed& so_far) {
        auto const at = next_;
        auto const h = head_;
        look_ahead();
        ++so_far.lists;
        if (!scan_.too_far(h, at.distance, best)) scan_.list(h, at.distance, keep, best, so_far);
    }

private:
    [[nodiscard]] static std::vector<float> brought(float const* query, std::size_t dim) {
        std::vector<float> out(dim);
        space::bring(query, dim, out.data());
        return out;
    }
    void look_ahead() {
        has_next_ = !ranked_.empty();
        if (!has_next_) return;
        next_ = ranked_.next();
        head_ = lists_.list(next_.row);
        scan_.announce(head_);
    }

    columns<Storage> const& lists_;
    list_scan<Metric, Storage, Scorer, View, Tally> scan_;
    ranked_lists<typename space::order> ranked_;
    bool has_next_ = false;
    neighbour next_{};
    head head_;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

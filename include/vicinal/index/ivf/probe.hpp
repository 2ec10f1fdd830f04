// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_PROBE_HPP
#define VICINAL_INDEX_IVF_PROBE_HPP

#include <vicinal/index/candidates.hpp>
#include <vicinal/index/ivf/codes.hpp>
#include <vicinal/index/ivf/geometry.hpp>
#include <vicinal/index/ivf/ranking.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/index/tally.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// Codes that a probe keeps for k neighbours, where a code has so many bytes: the best of them are
/// compared by their vectors. Beyond those there are some for rows that codes can't tell apart, the
/// more the fewer bits they have.
[[nodiscard]] constexpr std::size_t kept_for(std::size_t k, std::size_t bytes,
                                             std::size_t dim) noexcept {
    return candidates_for(k) * (bytes >= dim ? 2 : bytes * 4 >= dim ? 4 : 8);
}

/// What a probe has come by.
struct probed {
    std::size_t lists = 0;
    /// Rows that were looked at, and those of them that the search keeps.
    std::size_t rows = 0;
    std::size_t matches = 0;
};

/// One query before the lists: ranks them, scores the codes of one and keeps the best.
template <class Metric, class Storage, class Scorer, class View, class Tally>
class probe {
    using space = geometry<Metric>;

public:
    /// All but `s` must outlive it.
    probe(columns<Storage> const& lists, state const& s, float const* query, std::size_t dim,
          Scorer const& score, View const& codes, std::size_t lines, Tally const& tally)
        : lists_(lists), state_(s), score_(score), codes_(codes), slots_(lists.slots().reader()),
          lines_(lines), tally_(tally),
          ranked_(brought(query, dim), lists.centres(s), s.lists, dim, lists.groups()) {
        if constexpr (space::product) norm_ = std::sqrt(square_of(query, dim));
    }

    [[nodiscard]] bool has_next() const noexcept { return !ranked_.empty(); }
    /// Offers the rows of the next list that keep(slot) holds for; none of one that is too far.
    template <class Keep, class Best>
    void next(Keep const& keep, Best& best, probed& so_far) {
        auto const at = ranked_.next();
        ++so_far.lists;
        auto const h = lists_.list(at.row);
        if constexpr (bounded)
            if (best.full() && space::at_least(at.distance, norm_, h.radius) > best.farthest())
                return;
        so_far.rows += h.rows;
        lists_.each_block(state_, h, [&](std::uint32_t block, std::uint32_t rows) {
            so_far.matches += scan(block, rows, keep, best);
        });
    }

private:
    /// Offers the rows of a block that keep(slot) holds for; how many those are.
    template <class Keep, class Best>
    std::size_t scan(std::uint32_t block, std::uint32_t rows, Keep const& keep, Best& best) {
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

    static constexpr std::size_t ahead = 8;
    /// Products of codes may lack a part that all rows have.
    static constexpr bool bounded = View::scattered || !space::product;

    void score_some(std::uint32_t const* place, slot const* slots, std::size_t count,
                    float* out) const noexcept {
        if constexpr (requires(std::byte const* const* four) { score_.four(four, out); }) {
            // Codes of a list lie one behind the other, vectors do not.
            if constexpr (View::scattered)
                for (std::size_t i = 0; i < (std::min)(ahead, count); ++i)
                    codes_.prefetch(slots[i], lines_);
            for (std::size_t i = 0; i < count; i += 4) {
                if constexpr (View::scattered)
                    for (auto j = i + ahead; j < (std::min)(i + ahead + 4, count); ++j)
                        codes_.prefetch(slots[j], lines_);
                std::byte const* four[4];
                for (std::size_t j = 0; j < 4; ++j) {
                    auto const at = (std::min)(i + j, count - 1);
                    four[j] = codes_.at(place[at], slots[at]);
                }
                float d[4];
                score_.four(four, d);
                std::copy_n(d, (std::min)(std::size_t{4}, count - i), out + i);
            }
        } else {
            for (std::size_t i = 0; i < count; ++i) out[i] = score_(codes_.at(place[i], slots[i]));
        }
    }

    [[nodiscard]] static std::vector<float> brought(float const* query, std::size_t dim) {
        std::vector<float> out(dim);
        space::bring(query, dim, out.data());
        return out;
    }
    [[nodiscard]] static float square_of(float const* query, std::size_t dim) noexcept {
        return static_cast<float>(simd::exact_dot::get()(query, query, dim));
    }

    columns<Storage> const& lists_;
    state state_;
    Scorer const& score_;
    View const& codes_;
    decltype(std::declval<columns<Storage> const&>().slots().reader()) slots_;
    std::size_t lines_;
    [[no_unique_address]] Tally tally_;
    ranked_lists<typename space::order> ranked_;
    float norm_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

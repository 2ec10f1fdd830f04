// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_CONTENDERS_HPP
#define VICINAL_INDEX_FLAT_CONTENDERS_HPP

#include <vicinal/index/nearest.hpp>
#include <vicinal/index/tally.hpp>
#include <vicinal/metric/concept.hpp>

#include <algorithm>
#include <cstddef>

namespace vicinal::inline VICINAL_ABI::index {

/// Rows that their codes have not ruled out, until they are compared by their vectors: the nearest
/// by their codes first, as what these leave to beat rules out most others. Of 100,000 rows of sift
/// by codes of one bit that is 770 vectors in place of 1,433, of 60,000 of mnist 76 in place of
/// 243.
template <class Metric, class Vectors, class Tally = no_tally>
class contenders {
    using element = metric::element_of<Metric>;

public:
    /// Rows that there is room for.
    static constexpr std::size_t most = 256;

    contenders(element const* query, std::size_t dim, Vectors const& vectors,
               Tally const& tally) noexcept
        : exact_(metric::bind_exact<Metric>(query, dim)), vectors_(vectors),
          lines_((std::min)((dim * sizeof(element) + 63) / 64, std::size_t{16})), tally_(tally) {}

    /// Whether to settle before so many are added: there is no room for them, or nothing to be
    /// beaten yet, and enough to find that.
    template <class Before>
    [[nodiscard]] bool due(std::size_t more, nearest<Before> const& best) const noexcept {
        return held_ + more > most || (!best.full() && held_ >= 4 * best.wanted());
    }
    /// least: what its distance is at least, as far as its code tells.
    void add(slot s, float by_code, float least) noexcept {
        rows_[held_++] = {{by_code, s}, least};
    }

    /// Offers so many of them, those that `keep` holds for, that there is room for half as many as
    /// there can be; all, as long as nothing is to be beaten.
    template <class Keep, class Before>
    void settle(Keep const& keep, nearest<Before>& best) {
        compare((std::min)({best.wanted(), held_, most / 4}), keep, best);
        if (!best.full())
            compare(held_, keep, best);
        else if (held_ > most / 2)
            compare(held_ - most / 2, keep, best);
    }
    /// Offers all, each time twice as many.
    template <class Keep, class Before>
    void finish(Keep const& keep, nearest<Before>& best) {
        for (auto n = (std::max)(best.wanted(), std::size_t{1}); held_ > 0; n *= 2)
            compare((std::min)(n, held_), keep, best);
    }

private:
    struct contender {
        neighbour by_code;
        float least;

        friend bool operator<(contender const& a, contender const& b) noexcept {
            return a.by_code < b.by_code;
        }
    };

    /// Vectors asked for before they are read: a core has about a dozen reads under way.
    static constexpr std::size_t ahead = 16;

    template <class Before>
    [[nodiscard]] static bool ruled_out(contender const& c, nearest<Before> const& best) noexcept {
        return best.full() && c.least > best.farthest();
    }

    /// Offers the nearest `count`; leaves of the others those that are not ruled out then.
    template <class Keep, class Before>
    void compare(std::size_t count, Keep const& keep, nearest<Before>& best) {
        if (count < held_) std::nth_element(rows_, rows_ + count, rows_ + held_);
        for (std::size_t i = 0; i < (std::min)(ahead, count); ++i)
            vectors_.prefetch(rows_[i].by_code.row, lines_);
        for (std::size_t i = 0; i < count; ++i) {
            if (i + ahead < count) vectors_.prefetch(rows_[i + ahead].by_code.row, lines_);
            auto const s = rows_[i].by_code.row;
            if (ruled_out(rows_[i], best) || !keep(s)) continue;
            tally_.vectors(1);
            best.offer({exact_(vectors_.template row_as<element>(s)), s});
        }
        std::size_t left = 0;
        for (std::size_t i = count; i < held_; ++i) {
            rows_[left] = rows_[i];
            left += ruled_out(rows_[i], best) ? 0U : 1U;
        }
        held_ = left;
    }

    decltype(metric::bind_exact<Metric>(nullptr, 0)) exact_;
    Vectors const& vectors_;
    std::size_t lines_;
    [[no_unique_address]] Tally tally_;
    std::size_t held_ = 0;
    contender rows_[most];
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

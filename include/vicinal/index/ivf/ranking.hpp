// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_RANKING_HPP
#define VICINAL_INDEX_IVF_RANKING_HPP

#include <vicinal/index/ivf/geometry.hpp>
#include <vicinal/index/ivf/groups.hpp>
#include <vicinal/index/ivf/lazy_order.hpp>
#include <vicinal/index/nearest.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// How many of the lists in groups are compared before one more is given: so many that it is all
/// but always the nearest that is left.
[[nodiscard]] constexpr std::size_t known_of(std::size_t lists, std::size_t given) noexcept {
    return (std::min)(lists, 1024 + lists / 20 + 32 * given);
}

/// The lists of one query, nearest first by the metric Order. Sorted as far as they are asked for.
///
/// Lists in groups are compared group by group, the nearest first, until so many more are known
/// than were asked for that hardly one is missed. Centres of SIFT descriptors, 128 elements, on a
/// loaded machine: of 20,000 the nearest is among them in .994 of the cases, .99 of the 16 nearest
/// are, in 55 microseconds instead of 260; of 65,536 .996 and .98, in 210 instead of 1,350.
template <class Order>
class ranked_lists {
public:
    /// `brought` as geometry::bring() gives it. Centres and groups must outlive it.
    ranked_lists(std::vector<float> brought, float const* centres, std::size_t lists,
                 std::size_t dim, centre_groups const& groups)
        : query_(std::move(brought)), centres_(centres), lists_(lists), dim_(dim),
          groups_(groups.empty() ? nullptr : &groups) {
        std::vector<float> distances(groups_ ? groups_->count() : lists);
        geometry<Order>::distances(query_.data(), groups_ ? groups_->centres() : centres,
                                   distances.size(), dim, distances.data());
        waiting_ = lazy_order(std::move(distances));
    }

    [[nodiscard]] bool empty() const noexcept { return given_ == lists_; }
    /// The nearest list that was not given yet. Takes memory.
    [[nodiscard]] neighbour next() {
        ++given_;
        if (groups_ == nullptr) return waiting_.next();
        while (!waiting_.empty() && near_.size() + given_ <= known_of(lists_, given_ - 1)) open();
        std::pop_heap(near_.begin(), near_.end(), farther);
        auto const n = near_.back();
        near_.pop_back();
        return n;
    }

private:
    static bool farther(neighbour const& a, neighbour const& b) noexcept { return b < a; }

    /// Ranks the lists of the nearest group that waits.
    void open() {
        members_.clear();
        groups_->each(waiting_.next().row, [&](std::uint32_t l) { members_.push_back(l); });
        distances_.resize(members_.size());
        geometry<Order>::distances(query_.data(), centres_, members_, dim_, distances_.data());
        for (std::size_t i = 0; i < members_.size(); ++i) {
            near_.push_back({distances_[i], members_[i]});
            std::push_heap(near_.begin(), near_.end(), farther);
        }
    }

    std::vector<float> query_;
    float const* centres_;
    std::size_t lists_;
    std::size_t dim_;
    centre_groups const* groups_;
    std::size_t given_ = 0;
    /// All lists, or the groups that were not looked into.
    lazy_order waiting_;
    /// A heap of the lists in groups whose distance is known.
    neighbours near_;
    std::vector<std::uint32_t> members_;
    std::vector<float> distances_;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

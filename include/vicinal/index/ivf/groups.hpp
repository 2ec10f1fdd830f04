// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_GROUPS_HPP
#define VICINAL_INDEX_IVF_GROUPS_HPP

#include <vicinal/cluster/kmeans.hpp>
#include <vicinal/cluster/nearest_centre.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/metric/squared_l2.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// Lists from which on neither a query nor a row that comes is compared with every centre.
inline constexpr std::uint32_t grouped_from = 20000;

/// Lists whose centres lie near one another, in groups with centres of their own: what many lists
/// are ranked by. In memory alone, made of the centres when an index is opened and when lists are
/// made or compacted. A list that comes later joins a group; one that moves stays in its own.
///
/// Any number of threads may read it. Memory: 4 bytes a list, 2 sqrt(lists) centres.
class centre_groups {
public:
    /// Groups of `lists` centres of `dim` floats, one behind the other; none where no centre is
    /// finite. run as for cluster::kmeans. The same centres and seed always give the same groups.
    /// Errors: out_of_memory.
    template <class Run>
    [[nodiscard]] static result<centre_groups> of(float const* centres, std::size_t lists,
                                                  std::size_t dim, std::uint64_t seed,
                                                  Run const& run) {
        return vicinal::detail::guarded([&]() -> result<centre_groups> {
            centre_groups g;
            g.dim_ = dim;
            cluster::kmeans_options o;
            o.seed = seed;
            auto found = cluster::kmeans(
                lists, dim, static_cast<std::size_t>(2 * std::sqrt(static_cast<double>(lists))),
                [&](std::size_t i, float* out) { std::copy_n(centres + i * dim, dim, out); }, o,
                run);
            VICINAL_CHECK(found);
            if (found->empty()) return g;
            g.centres_ = std::move(*found);
            g.first_.assign(g.centres_.size() / dim, no_list);
            std::vector<std::uint32_t> group(lists);
            cluster::centre_panels const panels(g.centres_.data(), g.count(), dim);
            VICINAL_CHECK(run(lists, std::size_t{48}, [&](std::size_t first, std::size_t last) {
                panels.nearest(centres + first * dim, last - first, group.data() + first);
                return result<void>{};
            }));
            g.next_.resize(lists);
            for (auto l = lists; l-- > 0;) g.join(static_cast<std::uint32_t>(l), group[l]);
            g.made_of_ = lists;
            return g;
        });
    }

    [[nodiscard]] bool empty() const noexcept { return first_.empty(); }
    [[nodiscard]] std::size_t count() const noexcept { return first_.size(); }
    /// The groups' own centres, one behind the other.
    [[nodiscard]] float const* centres() const noexcept { return centres_.data(); }
    /// Lists that there were when the groups were made.
    [[nodiscard]] std::size_t made_of() const noexcept { return made_of_; }

    /// Calls f(list) for the lists of a group.
    template <class F>
    void each(std::size_t group, F const& f) const {
        for (auto l = first_[group]; l != no_list; l = next_[l]) f(l);
    }

    /// Room for so many lists in all; readers go on.
    template <class Section>
    [[nodiscard]] result<void> reserve(std::size_t lists, Section const& section) {
        if (empty() || lists <= next_.capacity()) return {};
        return vicinal::detail::guarded([&]() -> result<void> {
            std::vector<std::uint32_t> more;
            more.reserve(lists + lists / 4);
            more.insert(more.end(), next_.begin(), next_.end());
            section([&] { next_.swap(more); });
            return {};
        });
    }
    /// Takes in the list behind the last one; there is room. Without effect where there are no
    /// groups. Inside the section. Cost: a distance from each group's centre.
    void add(float const* centre) noexcept {
        if (empty()) return;
        auto const distance = metric::bind<metric::squared_l2>(centre, dim_);
        std::size_t nearest = 0;
        auto least = distance(centres_.data());
        for (std::size_t g = 1; g < count(); ++g)
            if (auto const d = distance(centres_.data() + g * dim_); d < least) {
                least = d;
                nearest = g;
            }
        next_.push_back(no_list);
        join(static_cast<std::uint32_t>(next_.size() - 1), nearest);
    }

private:
    static constexpr std::uint32_t no_list = 0xffffffffU;

    void join(std::uint32_t list, std::size_t group) noexcept {
        next_[list] = first_[group];
        first_[group] = list;
    }

    std::size_t dim_ = 0;
    std::size_t made_of_ = 0;
    std::vector<float> centres_;
    /// The first list of each group, and behind each list the next one of its group.
    std::vector<std::uint32_t> first_;
    std::vector<std::uint32_t> next_;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_COMPACT_HPP
#define VICINAL_INDEX_IVF_COMPACT_HPP

#include <vicinal/cluster/grouped.hpp>
#include <vicinal/index/ivf/codes.hpp>
#include <vicinal/index/ivf/vectors.hpp>
#include <vicinal/storage/replacement.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// Lists without dead rows: what is left of one that has become small joins the lists of the
/// nearest other centres.
template <class Codec, class Metric, class Storage>
class compaction {
    using numbers = std::vector<std::uint32_t>;
    using vectors_type = listed_vectors<Metric, vectors_of<Codec, Storage>>;
    static constexpr bool in_blocks = codes<Codec, Metric, Storage>::in_blocks;

public:
    /// All must stay in place until what run() gives is written.
    compaction(columns<Storage> const& lists, codes<Codec, Metric, Storage> const& own,
               vectors_type const& vectors) noexcept
        : lists_(lists), codes_(own), vectors_(vectors) {}

    /// Adds to `out` what the columns are to hold when the slots of `kept` become slots 0, 1 and so
    /// on, and gives the groups of the lists that there are then. Errors: out_of_memory.
    [[nodiscard]] result<void> run(std::span<slot const> kept,
                                   std::vector<storage::replacement>& out,
                                   centre_groups& groups) const {
        auto const before = lists_.get();
        state after = before;
        groups = {};
        after.off = {};
        after.covered = after.lists = after.blocks = after.rows = after.trained = 0;
        after.free = none;
        numbers list_of(kept.size());
        std::vector<float> centres, radius;
        recoded other;
        if (before.covered > 0 && !kept.empty() && kept.size() >= before.flat_below) {
            VICINAL_CHECK(share_out(before, kept, list_of, centres, radius, groups, other));
            after.covered = static_cast<slot>(kept.size());
            after.lists = static_cast<std::uint32_t>(radius.size());
            after.trained = before.trained;
            after.off = {before.off.mean() * static_cast<double>(kept.size()), after.covered,
                         before.off.at_first};
        }
        lay_out(after, kept, list_of, radius, std::move(other), out);
        out.push_back(storage::owned_rows("ivf.centroids", vectors_.dim() * sizeof(float),
                                          std::move(centres)));
        out.push_back(storage::owned_rows("ivf.state", sizeof(state), std::vector<state>{after}));
        return {};
    }

private:
    /// Which list each row goes to, and what lists are left.
    [[nodiscard]] result<void> share_out(state const& before, std::span<slot const> kept,
                                         numbers& list_of, std::vector<float>& centres,
                                         std::vector<float>& radius, centre_groups& groups,
                                         recoded& other) const {
        numbers of_slot(before.covered, none), sizes(before.lists);
        auto const slots = lists_.slots().reader();
        for (std::uint32_t l = 0; l < before.lists; ++l)
            lists_.each_block(before, lists_.list(l), [&](std::uint32_t b, std::uint32_t n) {
                auto const* const rows = slots.template row_as<slot>(b);
                for (std::uint32_t i = 0; i < n; ++i)
                    if (rows[i] < before.covered) of_slot[rows[i]] = l;
            });
        for (auto const s : kept)
            if (of_slot[s] != none) ++sizes[of_slot[s]];
        // The largest stays in any case.
        auto const largest = *std::max_element(sizes.begin(), sizes.end());
        auto const least = (std::min)(kept.size() / lists_for(kept.size(), before.partitions) / 8,
                                      std::size_t{largest});
        numbers renumbered(before.lists, none);
        for (std::uint32_t l = 0; l < before.lists; ++l) {
            if (sizes[l] == 0 || sizes[l] < least) continue;
            renumbered[l] = static_cast<std::uint32_t>(radius.size());
            centres.insert(centres.end(), lists_.centre(l), lists_.centre(l) + vectors_.dim());
            radius.push_back(lists_.list(l).radius);
        }
        if (radius.empty()) {
            centres.assign(lists_.centre(0), lists_.centre(0) + vectors_.dim());
            radius.push_back(0);
        }
        numbers homeless;
        for (std::size_t i = 0; i < kept.size(); ++i) {
            auto const l = of_slot[kept[i]];
            list_of[i] = l == none ? none : renumbered[l];
            if (list_of[i] == none) homeless.push_back(static_cast<std::uint32_t>(i));
        }
        if (radius.size() >= grouped_from) {
            auto found = vectors_.groups(centres.data(), radius.size(), before.seed);
            VICINAL_CHECK(found);
            groups = std::move(*found);
        }
        return settle(kept, homeless, list_of, centres, radius, groups, other);
    }

    [[nodiscard]] result<void> settle(std::span<slot const> kept, numbers const& homeless,
                                      numbers& list_of, std::vector<float> const& centres,
                                      std::vector<float>& radius, centre_groups const& groups,
                                      recoded& other) const {
        auto const width = codes_.encoded_bytes();
        if constexpr (in_blocks) {
            other.number.assign(kept.size(), none);
            other.bytes.resize(homeless.size() * width);
        }
        if (homeless.empty()) return {};
        std::vector<slot> rows;
        for (auto const i : homeless) rows.push_back(kept[i]);
        numbers found(rows.size());
        VICINAL_CHECK(vectors_.nearest(rows, centres.data(), radius.size(), groups, found.data()));
        auto const vectors = vectors_.reader();
        std::vector<float> scratch((std::max)(vectors_.dim(), codes_.scratch_floats()));
        for (std::size_t i = 0; i < rows.size(); ++i) {
            list_of[homeless[i]] = found[i];
            auto const* const vector = vectors.template row_as<float>(rows[i]);
            auto const* const centre = centres.data() + found[i] * vectors_.dim();
            auto const reach = vectors_.reach(vector, centre, scratch.data());
            radius[found[i]] = (std::max)(radius[found[i]], reach);
            if constexpr (in_blocks) {
                codes_.encode(vector, centre, other.bytes.data() + i * width, scratch.data());
                other.number[homeless[i]] = static_cast<std::uint32_t>(i);
            }
        }
        return check_vectors();
    }

    /// The blocks, those of a list one behind the other.
    void lay_out(state& after, std::span<slot const> kept, numbers const& list_of,
                 std::vector<float> const& radius, recoded other,
                 std::vector<storage::replacement>& out) const {
        std::vector<head> heads(after.lists);
        numbers next, slots, places(after.covered), from, number;
        if (after.lists > 0) {
            cluster::grouped const by_list(list_of, after.lists);
            for (std::uint32_t l = 0; l < after.lists; ++l) {
                auto const rows = by_list.of(l);
                auto const first = static_cast<std::uint32_t>(next.size());
                for (std::size_t i = 0; i < rows.size(); ++i) {
                    places[rows[i]] = static_cast<std::uint32_t>(slots.size());
                    slots.push_back(rows[i]);
                    from.push_back(kept[rows[i]]);
                    if constexpr (in_blocks) number.push_back(other.number[rows[i]]);
                }
                slots.resize((slots.size() + block_rows - 1) / block_rows * block_rows, none);
                from.resize(slots.size(), none);
                if constexpr (in_blocks) number.resize(slots.size(), none);
                for (auto b = first; b < slots.size() / block_rows; ++b)
                    next.push_back(b + 1 < slots.size() / block_rows ? b + 1 : none);
                auto const last = static_cast<std::uint32_t>(next.size()) - 1;
                heads[l] = {rows.empty() ? none : first, rows.empty() ? none : last,
                            static_cast<std::uint32_t>(rows.size()), radius[l]};
                after.rows += static_cast<std::uint32_t>(rows.size());
            }
        }
        after.blocks = static_cast<std::uint32_t>(next.size());
        other.number = std::move(number);
        codes_.compact(lists_, std::move(from), std::move(other), out);
        out.push_back(storage::owned_rows("ivf.lists", sizeof(head), std::move(heads)));
        out.push_back(storage::owned_rows("ivf.next", 4, std::move(next)));
        out.push_back(storage::owned_rows("ivf.slots", 4 * block_rows, std::move(slots)));
        out.push_back(storage::owned_rows("ivf.places", 4, std::move(places)));
    }

    columns<Storage> const& lists_;
    codes<Codec, Metric, Storage> const& codes_;
    vectors_type const& vectors_;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_RECORD_WALK_HPP
#define VICINAL_INDEX_HNSW_RECORD_WALK_HPP

#include <vicinal/index/hnsw/records.hpp>
#include <vicinal/index/hnsw/walk.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// Beam search over records: the rows that `keep` holds for among those that it expands, with their
/// distances, nearest first; at most `most` of them.
///
/// The beam is in the order of estimates; what is expanded is compared by its vector, so that
/// nothing needs to be compared again. A node may be in the beam twice, by two neighbours'
/// estimates: a second chance for one that the first estimate puts too far. The nodes of `without`
/// are taken for ones that are not there.
///
/// to: the vectors. Source: Gou et al., "SymphonyQG", SIGMOD 2025. Differs: it begins where the
/// levels above lead to, and a record may be without codes.
template <class Level, class Target, class Keep>
[[nodiscard]] neighbours
walk_records(Level const& level, record_shape const& shape, codec::rabitq_block_query const& query,
             position start, std::size_t width, std::size_t most, Target const& to,
             Keep const& keep, scratch& s, std::span<slot const> without = {}) {
    auto const scores = codec::rabitq_block_scores::get();
    s.visited.reset(level.nodes);
    s.beam.reset(width);
    for (auto const node : without) static_cast<void>(s.visited.mark(node));
    auto& found = s.candidates;
    found.clear();
    auto const record_lines = (std::min)((shape.row_bytes() + 63) / 64, std::size_t{16});
    auto const ask_for = [&](std::uint32_t node) {
        level.links.prefetch(node, record_lines);
        to.prefetch(node);
    };
    auto const meet = [&](float distance, std::uint32_t node) {
        if (node < level.nodes && !s.visited.has(node)) s.beam.insert(distance, node);
    };
    auto const expand = [&](std::uint32_t node) {
        auto const* const list = level.list(node);
        auto const* const record = reinterpret_cast<std::byte const*>(list);
        auto const distance = to(node);
        if (keep(node)) found.push_back({distance, node});
        if (!shape.coded(record)) {
            for (std::size_t i = 0; i < level.width && list[i] != no_slot; ++i)
                if (list[i] < level.nodes) meet(to(list[i]), list[i]);
            return;
        }
        for (std::size_t b = 0; b < shape.blocks(); ++b) {
            float estimates[simd::fast_scan_rows];
            auto const* const ids = list + b * simd::fast_scan_rows;
            auto near =
                scores(&query, record + shape.block_at(b), distance, s.beam.limit(), estimates);
            to.tally.codes(simd::fast_scan_rows);
            if (level.width < (b + 1) * simd::fast_scan_rows)
                near &= (1U << (level.width - b * simd::fast_scan_rows)) - 1;
            for (; near != 0; near &= near - 1) {
                auto const i = static_cast<std::size_t>(std::countr_zero(near));
                if (estimates[i] < s.beam.limit()) meet(estimates[i], ids[i]);
            }
        }
    };
    // Those that the beam has twice are passed over.
    auto const take = [&]() -> std::uint32_t {
        while (s.beam.has_next())
            if (auto const node = s.beam.pop(); s.visited.mark(node)) return node;
        return pool::no_node;
    };
    s.beam.insert(start.distance, start.node);
    // The next node is chosen before the neighbours of this one are met, so that its record and its
    // vector are on their way meanwhile.
    for (auto node = take(); node != pool::no_node;) {
        auto next = take();
        if (next != pool::no_node) ask_for(next);
        expand(node);
        node = next != pool::no_node ? next : take();
    }
    if (found.size() > most) {
        std::nth_element(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(most),
                         found.end());
        found.resize(most);
    }
    std::sort(found.begin(), found.end());
    return found;
}

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

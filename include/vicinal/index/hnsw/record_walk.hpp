// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_RECORD_WALK_HPP
#define VICINAL_INDEX_HNSW_RECORD_WALK_HPP

#include <vicinal/index/hnsw/records.hpp>
#include <vicinal/index/hnsw/walk.hpp>

#include <bit>
#include <cstddef>

namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// How one query leaves links out by what a record says of them: a beam search that follows the
/// others compares a third of what it else would (see beam_search).
///
/// Source: the records are those of Gou et al., "SymphonyQG", SIGMOD 2025. Differs: what they say
/// of a neighbour does not order the beam, but decides whether its code is worth a look, so that
/// few bits are enough and a walk takes no more hops than over the codes alone.
template <class Metric>
class near_links {
public:
    /// All but the query must outlive it. Takes memory.
    near_links(record_shape const& shape, record_codec<Metric> const& codec, float const* query)
        : shape_(shape), codec_(codec), tables_(codec.query(query)), norm_(codec.norm(query)),
          scores_(codec::tabled_scores::get()) {}

    template <class Level>
    [[nodiscard]] std::size_t operator()(Level const& level, position from, float limit,
                                         std::size_t at, std::size_t rows, scratch& s) const {
        auto const* const list = level.list(from.node);
        auto const* const record = reinterpret_cast<std::byte const*>(list);
        if (!shape_.coded(record)) return collect(level, from.node, at, rows, s);
        auto query = tables_.query();
        query.offset += codec_.slack(from.distance, norm_);
        for (std::size_t b = 0; b < shape_.blocks(); ++b) {
            constexpr auto together = simd::fast_scan_rows;
            auto const* const links = list + b * together;
            float estimates[together];
            auto near =
                scores_(&query, record + shape_.block_at(b), from.distance, limit, estimates);
            if (level.width < (b + 1) * together) near &= (1U << (level.width % together)) - 1;
            for (; near != 0; near &= near - 1) {
                auto const node = links[std::countr_zero(near)];
                // A damaged file may name any number: a node is followed only if it is one.
                if (node >= level.nodes || node >= rows) continue;
                s.fresh[at] = node;
                at += s.visited.mark(node) ? 1U : 0U;
            }
        }
        return at;
    }

private:
    record_shape const& shape_;
    record_codec<Metric> const& codec_;
    codec::rabitq_block_tables tables_;
    float norm_;
    codec::tabled_scores::function scores_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_FUSION_HPP
#define VICINAL_INDEX_HNSW_FUSION_HPP

#include <vicinal/index/frame_column.hpp>
#include <vicinal/index/hnsw/graph.hpp>
#include <vicinal/index/hnsw/record_walk.hpp>
#include <vicinal/index/hnsw/records.hpp>
#include <vicinal/index/layout.hpp>
#include <vicinal/index/workers.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/storage/replacement.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// What layout::fused adds to a graph over the vectors: codes in its records, made in a pass over
/// the graph as the builder left it, and a walk over them.
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// A graph that lies as it was built.
template <class Layout, class Metric, class Storage>
class fusion {
public:
    static constexpr bool exists = false;

    /// Bytes that follow `links` links.
    [[nodiscard]] static std::size_t extra(std::size_t, std::size_t) noexcept { return 0; }
};

template <class Metric, class Storage>
class fusion<layout::fused, Metric, Storage> {
    using element = metric::element_of<Metric>;
    using column = typename Storage::column;
    using reader = decltype(std::declval<column const&>().reader());

public:
    static constexpr bool exists = true;

    [[nodiscard]] static std::size_t extra(std::size_t links, std::size_t dim) noexcept {
        return record_shape(links, dim).extra();
    }

    /// Errors: corrupt_snapshot, out_of_memory.
    [[nodiscard]] static result<fusion> open(typename Storage::space& space, column const& vectors,
                                             std::size_t links, std::size_t dim) {
        return vicinal::detail::guarded([&]() -> result<fusion> {
            fusion f(vectors, links, dim);
            auto frames = frame_column<column>::open(space, "hnsw.records_frame");
            VICINAL_CHECK(frames);
            auto frame = frames->get(dim);
            VICINAL_CHECK(frame);
            f.frames_ = *frames;
            f.codec_.put(std::move(*frame));
            return f;
        });
    }

    /// Before the slots from `first` up to `until` are linked: where these bring enough rows for a
    /// frame, chooses it; records that there are count as not made.
    template <class Section>
    [[nodiscard]] result<void> choose_frame(columns<Storage>& graph, slot first, slot until,
                                            Section const& section) {
        if (first >= framed_from || until < framed_from) return {};
        auto const vectors = vectors_->reader();
        auto frame = codec_.fitting_frame(
            until, [&](std::size_t i) { return vectors.template row_as<element>(i); });
        VICINAL_CHECK(frames_.reserve(frame, section));
        section([&] {
            for (slot s = 0; s < first; ++s)
                std::memset(graph.links().edit(s) + shape_.block_at(0), 0xff, 2);
            frames_.put(frame);
            codec_.put(std::move(frame));
        });
        return {};
    }

    /// Makes the codes of those of `nodes` that have none; sorts the nodes. Errors: out_of_memory,
    /// io_failure; the others stay without codes, which searches put up with.
    template <class Section>
    [[nodiscard]] result<void> make(columns<Storage>& graph, std::vector<slot>& nodes,
                                    std::size_t threads, Section const& section) const {
        std::sort(nodes.begin(), nodes.end());
        nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
        auto const extra = shape_.extra();
        auto const at_once = (std::min)(nodes.size(), most_at_once);
        std::vector<std::byte> made(at_once * shape_.row_bytes());
        for (std::size_t done = 0; done < nodes.size(); done += at_once) {
            auto const count = (std::min)(nodes.size() - done, at_once);
            VICINAL_CHECK(run_parts(count, 8, threads, [&](std::size_t from, std::size_t to) {
                return vicinal::detail::guarded([&]() -> result<void> {
                    typename record_codec<Metric>::hands h(codec_);
                    auto const vectors = vectors_->reader();
                    auto const g = graph.get();
                    auto const level = graph.ground_level(g);
                    for (auto i = from; i < to; ++i)
                        encode(
                            vectors, nodes[done + i], level.list(nodes[done + i]), g.linked,
                            [](slot s) { return s; }, made.data() + i * shape_.row_bytes(), h);
                    return {};
                });
            }));
            if (storage::fault_scope::met())
                return error{errc::io_failure, "vectors that can be read, to encode them"};
            for (std::size_t i = 0; i < count; i += lists_at_once)
                section([&] {
                    for (auto j = i; j < (std::min)(i + lists_at_once, count); ++j)
                        std::memcpy(graph.links().edit(nodes[done + j]) + shape_.block_at(0),
                                    made.data() + j * shape_.row_bytes() + shape_.block_at(0),
                                    extra);
                });
        }
        return {};
    }
    /// Every node of the graph that has no codes. O(nodes).
    [[nodiscard]] std::vector<slot> without_codes(columns<Storage> const& graph) const {
        std::vector<slot> nodes;
        auto const level = graph.ground_level(graph.get());
        for (slot s = 0; s < level.nodes; ++s)
            if (!shape_.coded(level.links.row(s))) nodes.push_back(s);
        return nodes;
    }

    /// The records of the slots of `kept` with the links that they are to have, as new slots, made
    /// while they are written. The vectors, `kept` and this must stay in place until then.
    [[nodiscard]] storage::replacement records(std::vector<std::uint32_t> links,
                                               std::span<slot const> kept) const {
        struct writing {
            explicit writing(fusion const& f, std::vector<std::uint32_t> all)
                : links(std::move(all)), hands(f.codec_), record(f.shape_.row_bytes()) {}
            std::vector<std::uint32_t> links;
            typename record_codec<Metric>::hands hands;
            std::vector<std::byte> record;
        };
        auto const count = links.size() / shape_.width();
        auto const held = std::make_shared<writing>(*this, std::move(links));
        return storage::joined_runs(
            columns<Storage>::records_name, shape_.row_bytes(),
            std::uint64_t{count} * shape_.row_bytes(), count,
            [this, held, kept, vectors = vectors_->reader()](std::size_t i) {
                auto const* const list = held->links.data() + i * shape_.width();
                std::memcpy(held->record.data(), list, 4 * shape_.width());
                encode(
                    vectors, kept[i], list, static_cast<slot>(kept.size()),
                    [&](slot s) { return kept[s]; }, held->record.data(), held->hands);
                return std::span<std::byte const>(held->record);
            });
    }

    /// Inside the caller's section.
    void clear() noexcept {
        frames_.put({});
        codec_.put({});
    }

    /// The links of the nodes that are near that vector (see beam_search).
    [[nodiscard]] near_links<Metric> links(element const* vector) const {
        return {shape_, codec_, vector};
    }
    [[nodiscard]] record_shape const& shape() const noexcept { return shape_; }

private:
    static constexpr std::size_t most_at_once = 4096;
    /// Records that are put in place while searches wait: some 20 microseconds.
    static constexpr std::size_t lists_at_once = 128;

    fusion(column const& vectors, std::size_t links, std::size_t dim)
        : vectors_(&vectors), shape_(links, dim), codec_(dim) {}

    /// The record of a node with such links, of which those below `nodes` are followed;
    /// slot_of(link) is where its vector lies.
    template <class SlotOf>
    void encode(reader const& vectors, slot node, std::uint32_t const* list, slot nodes,
                SlotOf const& slot_of, std::byte* record,
                typename record_codec<Metric>::hands& h) const noexcept {
        bool ended = false;
        codec_.encode(
            shape_, vectors.template row_as<element>(node),
            [&](std::size_t i) -> element const* {
                ended = ended || list[i] == no_slot;
                if (ended || list[i] >= nodes) return nullptr;
                return vectors.template row_as<element>(slot_of(list[i]));
            },
            record, h);
    }

    column const* vectors_;
    frame_column<column> frames_;
    record_shape shape_;
    record_codec<Metric> codec_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

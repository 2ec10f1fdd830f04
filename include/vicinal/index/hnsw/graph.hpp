// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_GRAPH_HPP
#define VICINAL_INDEX_HNSW_GRAPH_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/index/hnsw/options.hpp>
#include <vicinal/storage/concept.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

namespace hnsw_graph {

/// What is true of the whole graph, as the one row of its column.
struct state {
    std::uint64_t seed = 0;
    /// Slots taken in; later ones are the fresh tail.
    slot covered = 0;
    /// Where walks begin when there are no upper rows: the root of the spanning tree.
    slot root = no_slot;
    /// The upper row where walks begin, or no_slot.
    std::uint32_t entry = no_slot;
    std::uint32_t upper_rows = 0;
    std::uint32_t neighbours = 0;
    std::uint32_t build_width = 0;
    std::uint32_t flat_below = 0;
    /// Slots whose lists may be linked to: more than are covered while a batch is being linked.
    slot linked = 0;
};

/// The ground level as a walk sees it: node n is slot n, and its list ends at the first no_slot.
template <class Reader>
struct ground {
    static constexpr std::size_t header = 0;
    Reader links;
    std::uint32_t nodes;
    std::size_t width;
    /// Cache lines of a row that are asked for ahead.
    std::size_t lines;

    [[nodiscard]] std::uint32_t const* list(std::uint32_t node) const noexcept {
        return links.template row_as<std::uint32_t>(node);
    }
    [[nodiscard]] slot row(std::uint32_t node) const noexcept { return node; }
    void prefetch(std::uint32_t node) const noexcept { links.prefetch(node, lines); }
};

/// An upper level: node n is a row {slot, row below, level, links}. Links name rows, so that a walk
/// needs no map from slots, and only rows of the same level.
template <class Reader>
struct upper {
    static constexpr std::size_t header = 3;
    Reader rows;
    std::uint32_t nodes;
    std::size_t width;

    [[nodiscard]] std::uint32_t const* list(std::uint32_t node) const noexcept {
        return rows.template row_as<std::uint32_t>(node) + header;
    }
    [[nodiscard]] slot row(std::uint32_t node) const noexcept { return field(node, 0); }
    void prefetch(std::uint32_t node) const noexcept { rows.prefetch(node, 2); }
    [[nodiscard]] std::uint32_t below(std::uint32_t node) const noexcept { return field(node, 1); }
    [[nodiscard]] std::uint32_t level(std::uint32_t node) const noexcept { return field(node, 2); }

private:
    [[nodiscard]] std::uint32_t field(std::uint32_t node, std::size_t i) const noexcept {
        return rows.template row_as<std::uint32_t>(node)[i];
    }
};

/// The columns of the graph.
template <class Storage>
class columns {
public:
    using column = typename Storage::column;

    /// Bytes of the lists and of what leads to them. Inside the reader's section.
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        auto const s = get();
        return std::uint64_t{s.linked} * (links_->row_bytes() + parents_->row_bytes()) +
               std::uint64_t{s.upper_rows} * upper_->row_bytes();
    }

    /// extra(links): bytes that follow the links of a node, for lists of so many; none in a column
    /// of links alone.
    template <class Extra>
    [[nodiscard]] static result<columns> open(typename Storage::space& space, hnsw_options wanted,
                                              Extra const& extra) {
        columns c;
        auto state_column = space.column("hnsw.state", sizeof(state), storage::heat::hot);
        VICINAL_CHECK(state_column);
        c.state_ = *state_column;
        if (c.state_->rows() == 0) {
            VICINAL_CHECK(check(wanted));
            VICINAL_CHECK(storage::grow(*c.state_, 1));
            state s;
            s.seed = wanted.seed;
            s.neighbours = static_cast<std::uint32_t>(wanted.neighbours);
            s.build_width = static_cast<std::uint32_t>(wanted.build_width);
            s.flat_below =
                static_cast<std::uint32_t>((std::min)(wanted.flat_below, std::size_t{no_slot}));
            c.put(s);
        }
        auto const s = c.get();
        if (s.neighbours < 2 || s.neighbours > 512 || s.build_width < s.neighbours ||
            s.build_width > 65536)
            return error{errc::corrupt_snapshot,
                         "hnsw.state with 2 to 512 neighbours and a build width up to 65536",
                         std::to_string(s.neighbours) + " and " + std::to_string(s.build_width)};
        std::size_t const behind = extra(2 * std::size_t{s.neighbours});
        auto links = space.column(behind == 0 ? links_name : records_name,
                                  2 * s.neighbours * 4 + behind, storage::heat::warm);
        VICINAL_CHECK(links);
        auto parents = space.column("hnsw.parents", 4, storage::heat::hot);
        VICINAL_CHECK(parents);
        auto upper_rows = space.column(
            "hnsw.upper", (upper<storage::contiguous_reader>::header + s.neighbours) * 4,
            storage::heat::hot);
        VICINAL_CHECK(upper_rows);
        c.links_ = *links;
        c.parents_ = *parents;
        c.upper_ = *upper_rows;
        auto tuned = space.column("hnsw.tuning", 16, storage::heat::hot);
        VICINAL_CHECK(tuned);
        c.tuning_ = *tuned;
        if (s.linked < s.covered || c.links_->rows() < s.linked || c.parents_->rows() < s.linked ||
            c.upper_->rows() < s.upper_rows || (s.entry != no_slot && s.entry >= s.upper_rows) ||
            (s.root != no_slot && s.root >= s.linked))
            return error{errc::corrupt_snapshot,
                         "hnsw columns of " + std::to_string(s.linked) + " nodes",
                         std::to_string(c.links_->rows())};
        return c;
    }

    static constexpr std::string_view links_name = "hnsw.links";
    static constexpr std::string_view records_name = "hnsw.records";

    /// Whether codes of the neighbours follow the links of a node.
    [[nodiscard]] bool has_records() const noexcept {
        return links_->row_bytes() > 8 * std::size_t{get().neighbours};
    }
    /// Puts the links of a node in place. Codes behind them count as not made (records.hpp).
    void put_links(slot node, std::vector<std::uint32_t> const& list) noexcept {
        auto const width = 2 * std::size_t{get().neighbours};
        auto* const row = links_->edit(node);
        put_list(row, list, width);
        if (links_->row_bytes() > 4 * width) std::memset(row + 4 * width, 0xff, 2);
    }
    /// Puts a list of up to `width` numbers in place.
    static void put_list(std::byte* row, std::vector<std::uint32_t> const& list,
                         std::size_t width) noexcept {
        auto const size = (std::min)(list.size(), width);
        if (size > 0) std::memcpy(row, list.data(), size * 4);
        std::memset(row + size * 4, 0xff, (width - size) * 4);
    }

    [[nodiscard]] state get() const noexcept {
        state s;
        std::memcpy(&s, state_->reader().row(0), sizeof s);
        return s;
    }
    void put(state const& s) noexcept { std::memcpy(state_->edit(0), &s, sizeof s); }

    void clear() noexcept {
        auto s = get();
        s.covered = 0;
        s.linked = 0;
        s.root = no_slot;
        s.entry = no_slot;
        s.upper_rows = 0;
        put(s);
        links_->resize(0);
        parents_->resize(0);
        upper_->resize(0);
        tuning_->resize(0);
    }

    [[nodiscard]] auto ground_level(state const& s) const noexcept {
        auto const lines = (std::min)((links_->row_bytes() + 63) / 64, most_lines);
        return ground<decltype(links_->reader())>{links_->reader(), s.linked,
                                                  2 * std::size_t{s.neighbours}, lines};
    }
    [[nodiscard]] auto upper_levels(state const& s) const noexcept {
        return upper<decltype(upper_->reader())>{upper_->reader(), s.upper_rows, s.neighbours};
    }
    /// The node through which a node was joined to the spanning tree; no_slot for the root.
    [[nodiscard]] slot parent(slot node) const noexcept {
        return *parents_->reader().template row_as<slot>(node);
    }

    [[nodiscard]] column& links() const noexcept { return *links_; }
    [[nodiscard]] column& parents() noexcept { return *parents_; }
    [[nodiscard]] column& upper_column() noexcept { return *upper_; }
    [[nodiscard]] column& tuning_column() noexcept { return *tuning_; }

private:
    /// The hardware streams the rest of a long row.
    static constexpr std::size_t most_lines = 16;

    columns() = default;

    column* state_ = nullptr;
    column* links_ = nullptr;
    column* parents_ = nullptr;
    column* upper_ = nullptr;
    column* tuning_ = nullptr;
};

/// The level that a slot draws: floor(-ln(u) / ln(M)) with u from the seed and the slot alone, so
/// that the graph does not depend on which thread or session inserted it.
[[nodiscard]] inline std::uint32_t draw_level(state const& s, slot node) noexcept {
    auto const bits = vicinal::detail::mix(s.seed ^ vicinal::detail::mix(node)) >> 11;
    double const u = (static_cast<double>(bits) + 1) / 9007199254740993.0;
    double const level = -std::log(u) / std::log(static_cast<double>(s.neighbours));
    return level < 31 ? static_cast<std::uint32_t>(level) : 31U;
}

} // namespace hnsw_graph

} // namespace vicinal::inline VICINAL_ABI::index

#endif

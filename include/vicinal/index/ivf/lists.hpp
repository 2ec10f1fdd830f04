// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_LISTS_HPP
#define VICINAL_INDEX_IVF_LISTS_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/index/ivf/groups.hpp>
#include <vicinal/index/ivf/options.hpp>
#include <vicinal/index/ivf/state.hpp>
#include <vicinal/storage/concept.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// The columns of the lists, codes excepted. A place is a block times 32 and a row of it.
template <class Storage>
class columns {
public:
    using column = typename Storage::column;

    [[nodiscard]] static result<columns> open(typename Storage::space& space, std::size_t dim,
                                              ivf_options const& wanted) {
        using storage::heat;
        columns c;
        VICINAL_CHECK(bind(space, "ivf.state", sizeof(state), heat::hot, c.state_));
        if (c.state_->rows() == 0) {
            VICINAL_CHECK(check(wanted));
            VICINAL_CHECK(storage::grow(*c.state_, 1));
            state s;
            s.seed = wanted.seed;
            s.partitions = static_cast<std::uint32_t>(wanted.num_partitions);
            s.flat_below =
                static_cast<std::uint32_t>((std::min)(wanted.flat_below, std::size_t{none}));
            c.put(s);
        }
        VICINAL_CHECK(bind(space, "ivf.centroids", dim * sizeof(float), heat::hot, c.centroids_));
        VICINAL_CHECK(bind(space, "ivf.lists", sizeof(head), heat::hot, c.lists_));
        VICINAL_CHECK(bind(space, "ivf.next", 4, heat::hot, c.next_));
        VICINAL_CHECK(bind(space, "ivf.slots", 4 * block_rows, heat::warm, c.slots_));
        VICINAL_CHECK(bind(space, "ivf.places", 4, heat::hot, c.places_));
        VICINAL_CHECK(bind(space, "ivf.tuning", 16, heat::hot, c.tuning_));
        auto const s = c.get();
        if (c.centroids_->rows() < s.lists || c.lists_->rows() < s.lists ||
            c.next_->rows() < s.blocks || c.slots_->rows() < s.blocks ||
            c.places_->rows() < s.covered || (s.covered > 0 && s.lists == 0) ||
            s.partitions > most_lists || s.rows > std::uint64_t{s.blocks} * block_rows)
            return error{errc::corrupt_snapshot,
                         "ivf columns of " + std::to_string(s.lists) + " lists and " +
                             std::to_string(s.blocks) + " blocks",
                         std::to_string(c.lists_->rows()) + " and " +
                             std::to_string(c.slots_->rows())};
        for (std::uint32_t l = 0; l < s.lists; ++l)
            if (auto const h = c.list(l);
                h.rows != 0 && (h.first >= s.blocks || h.last >= s.blocks ||
                                h.rows > std::uint64_t{s.blocks} * block_rows))
                return error{
                    errc::corrupt_snapshot, "ivf.lists of blocks below " + std::to_string(s.blocks),
                    "list " + std::to_string(l) + " of " + std::to_string(h.rows) + " rows"};
        return c;
    }

    [[nodiscard]] state get() const noexcept {
        state s;
        std::memcpy(&s, state_->reader().row(0), sizeof s);
        return s;
    }
    void put(state const& s) noexcept { std::memcpy(state_->edit(0), &s, sizeof s); }
    [[nodiscard]] head list(std::uint32_t l) const noexcept {
        head h;
        std::memcpy(&h, lists_->reader().row(l), sizeof h);
        return h;
    }
    void put(std::uint32_t l, head const& h) noexcept {
        std::memcpy(lists_->edit(l), &h, sizeof h);
    }
    [[nodiscard]] std::uint32_t next(std::uint32_t block) const noexcept {
        return *next_->reader().template row_as<std::uint32_t>(block);
    }
    /// Where a slot is, none where it is in no list; for the writer.
    [[nodiscard]] std::uint32_t place(slot s) const noexcept {
        return s < places_->rows() ? *places_->reader().template row_as<std::uint32_t>(s) : none;
    }

    /// Calls f(block, rows) for the blocks of a list while it returns true. A damaged list may name
    /// any block, and one of its own again.
    template <class F>
    void each_block(state const& s, head const& h, F const& f) const {
        auto left = h.rows;
        for (auto b = h.first; left > 0 && b < s.blocks;) {
            auto const n = (std::min)(left, block_rows);
            f(b, n);
            left -= n;
            if (left > 0) b = next(b);
        }
    }

    /// Room for so many more lists and blocks, and places up to `slots`; readers go on.
    template <class Section>
    [[nodiscard]] result<void> reserve(std::uint32_t more_lists, std::uint32_t more_blocks,
                                       slot slots, Section const& section) {
        auto const s = get();
        VICINAL_CHECK(storage::reserve(*centroids_, s.lists + more_lists, section));
        VICINAL_CHECK(storage::reserve(*lists_, s.lists + more_lists, section));
        VICINAL_CHECK(storage::reserve(*next_, s.blocks + more_blocks, section));
        VICINAL_CHECK(storage::reserve(*slots_, s.blocks + more_blocks, section));
        VICINAL_CHECK(groups_.reserve(s.lists + more_lists, section));
        auto const before = places_->rows();
        VICINAL_CHECK(storage::reserve(*places_, slots, section));
        for (auto i = before; i < places_->rows(); ++i) set(*places_, i, none);
        return {};
    }

    /// Puts a slot at the end of a list: its place. Inside the section; there is room.
    std::uint32_t append(state& s, std::uint32_t l, slot row) noexcept {
        auto h = list(l);
        auto const at = h.rows % block_rows;
        if (at == 0) {
            auto const b = take_block(s);
            if (h.rows == 0)
                h.first = b;
            else
                set(*next_, h.last, b);
            h.last = b;
        }
        auto const place = h.last * block_rows + at;
        std::memcpy(slots_->edit(h.last) + std::size_t{4} * at, &row, sizeof row);
        set(*places_, row, place);
        ++h.rows;
        ++s.rows;
        put(l, h);
        return place;
    }
    /// Takes all rows out of a list, whose blocks become free. Inside the section.
    void empty(state& s, std::uint32_t l) noexcept {
        auto h = list(l);
        auto const slots = slots_->reader();
        each_block(s, h, [&](std::uint32_t b, std::uint32_t n) {
            auto const* const rows = slots.template row_as<slot>(b);
            for (std::uint32_t i = 0; i < n; ++i)
                if (rows[i] < places_->rows()) set(*places_, rows[i], none);
        });
        if (h.rows > 0) {
            set(*next_, h.last, s.free);
            s.free = h.first;
            s.rows -= h.rows;
        }
        put(l, head{});
    }
    /// A new list with that centre: its number. Inside the section; there is room.
    std::uint32_t add_list(state& s, float const* centre) noexcept {
        put(s.lists, head{});
        set_centre(s.lists, centre);
        groups_.add(centre);
        return s.lists++;
    }
    void set_centre(std::uint32_t l, float const* centre) noexcept {
        std::memcpy(centroids_->edit(l), centre, centroids_->row_bytes());
    }
    /// Inside the section.
    void widen(std::uint32_t l, float radius) noexcept {
        auto h = list(l);
        h.radius = (std::max)(h.radius, radius);
        put(l, h);
    }

    void clear() noexcept {
        auto s = get();
        s.covered = s.lists = s.blocks = s.trained = s.rows = 0;
        s.free = none;
        s.off = {};
        put(s);
        groups_ = {};
        for (auto* c : {centroids_, lists_, next_, slots_, places_, tuning_}) c->resize(0);
    }

    /// Bytes of all of it that is in use. Inside the reader's section.
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        auto const s = get();
        return std::uint64_t{s.lists} * (centroids_->row_bytes() + sizeof(head)) +
               std::uint64_t{s.blocks} * (4 + 4 * block_rows) + std::uint64_t{s.covered} * 4;
    }

    /// The centres, one behind the other.
    [[nodiscard]] float const* centres(state const& s) const noexcept {
        return centroids_->reader().template rows_as<float>(0, s.lists);
    }
    [[nodiscard]] float const* centre(std::uint32_t l) const noexcept {
        return centroids_->reader().template row_as<float>(l);
    }
    /// None below grouped_from lists.
    [[nodiscard]] centre_groups const& groups() const noexcept { return groups_; }
    /// Inside the section.
    void put(centre_groups&& fresh) noexcept { groups_ = std::move(fresh); }
    [[nodiscard]] column const& slots() const noexcept { return *slots_; }
    [[nodiscard]] column const& places() const noexcept { return *places_; }
    [[nodiscard]] column& tuning_column() noexcept { return *tuning_; }
    [[nodiscard]] column const& tuning_column() const noexcept { return *tuning_; }

private:
    columns() = default;

    [[nodiscard]] static result<void> bind(typename Storage::space& space, std::string_view name,
                                           std::size_t bytes, storage::heat h, column*& out) {
        auto c = space.column(name, bytes, h);
        VICINAL_CHECK(c);
        out = *c;
        return {};
    }
    static void set(column& c, std::uint64_t row, std::uint32_t value) noexcept {
        std::memcpy(c.edit(row), &value, sizeof value);
    }
    [[nodiscard]] std::uint32_t take_block(state& s) noexcept {
        if (s.free == none || s.free >= s.blocks) return s.blocks++;
        auto const b = s.free;
        s.free = next(b);
        return b;
    }

    column* state_ = nullptr;
    column* centroids_ = nullptr;
    column* lists_ = nullptr;
    column* next_ = nullptr;
    column* slots_ = nullptr;
    column* places_ = nullptr;
    column* tuning_ = nullptr;
    centre_groups groups_;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_FIELD_PARTS_HPP
#define VICINAL_STORE_FIELD_PARTS_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/payload/index/field_path.hpp>
#include <vicinal/payload/index/segment_builder.hpp>
#include <vicinal/payload/index/segment_merge.hpp>
#include <vicinal/storage/column.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#if VICINAL_HAS_THREADS
#    include <atomic>
#endif

namespace vicinal::inline VICINAL_ABI::detail {

/// A segment of a field index: in memory of its own, or in the column of all of them.
struct field_part {
    payload::detail::segment_layout layout;
    payload::detail::segment_memory memory = {};
    /// Where it begins in the column, if it is there.
    std::uint64_t at = 0;

    [[nodiscard]] static field_part of(payload::detail::segment_memory made) {
        auto const* const bytes = reinterpret_cast<std::byte const*>(made->data());
        auto const layout = payload::detail::segment_layout::read(bytes, 8 * made->size());
        return {layout ? *layout : payload::detail::segment_layout(), std::move(made), 0};
    }

    /// The part for one query; `column` is that of all of them.
    template <class Column>
    [[nodiscard]] auto view(Column const& column) const noexcept {
        using seen = payload::detail::segment_view<decltype(column.reader())>;
        return memory ? seen(layout, reinterpret_cast<std::byte const*>(memory->data()))
                      : seen(layout, column.reader(), at);
    }
};

/// The parts of an index, each behind the slots of the one before.
using field_parts = std::vector<field_part>;

template <class Column>
using field_view = decltype(std::declval<field_part const&>().view(std::declval<Column const&>()));

template <class Column>
[[nodiscard]] std::vector<field_view<Column>> views_of(std::span<field_part const> parts,
                                                       Column const& column) {
    std::vector<field_view<Column>> views;
    views.reserve(parts.size());
    for (auto const& p : parts) views.push_back(p.view(column));
    return views;
}

/// The slots that parts cover: those below it.
[[nodiscard]] inline slot end_of(std::span<field_part const> parts) noexcept {
    return parts.empty() ? 0 : parts.back().layout.end;
}

/// How often an index was asked.
class use_counter {
public:
#if VICINAL_HAS_THREADS
    void add() noexcept { n_.fetch_add(1, std::memory_order_relaxed); }
    [[nodiscard]] std::size_t get() const noexcept { return n_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::size_t> n_{0};
#else
    void add() noexcept { ++n_; }
    [[nodiscard]] std::size_t get() const noexcept { return n_; }

private:
    std::size_t n_ = 0;
#endif
};

/// An index on a field.
struct indexed_field {
    payload::detail::field_path path;
    field_index kind = field_index::hash;
    field_parts parts = {};
    std::shared_ptr<use_counter> uses = std::make_shared<use_counter>();

    [[nodiscard]] slot end() const noexcept { return end_of(parts); }
};

/// Adds parts for the slots from `from` to `until`. payload(slot) gives the bytes of a slot.
template <class Payload>
void build_parts(indexed_field const& field, slot from, slot until, Payload const& payload,
                 field_parts& parts) {
    payload::detail::segment_builder builder(field.kind);
    auto first = from;
    for (auto s = from; s < until; ++s) {
        auto const held = payload(s);
        std::span<std::byte const> const bytes = held;
        builder.add(s, field.path.find(bytes));
        if (!builder.full() && s + 1 != until) continue;
        parts.push_back(field_part::of(builder.take(first, s + 1)));
        first = s + 1;
    }
}

/// Makes one of the last parts while the one before them has less than twice their slots: sizes
/// then double from part to part, so that there are few, and each slot is moved some log2(n) times.
template <class Column>
void merge_parts(field_index kind, Column const& column, field_parts& parts) {
    if (parts.size() < 2) return;
    auto const slots = [](field_part const& p) {
        return std::uint64_t{p.layout.end} - p.layout.first;
    };
    auto from = parts.size() - 1;
    for (auto n = slots(parts[from]); from > 0 && slots(parts[from - 1]) < 2 * n; --from)
        n += slots(parts[from - 1]);
    if (from + 1 == parts.size()) return;
    auto const views = views_of(std::span(parts).subspan(from), column);
    auto made = field_part::of(
        payload::detail::merge_segments(kind, parts[from].layout.first, end_of(parts),
                                        std::span(views), [](std::size_t, slot s) { return s; }));
    parts.resize(from);
    parts.push_back(std::move(made));
}

/// One part in the place of all: the slots of `changed`, which ascend, are asked for their payload
/// again, and slot s becomes renumbered(s), which ascends too, or is left out where that is
/// no_slot. The new numbers end at `end`.
template <class Column, class Payload, class Renumbered>
[[nodiscard]] field_part renew_parts(indexed_field const& field, Column const& column,
                                     std::span<slot const> changed, slot end,
                                     Payload const& payload, Renumbered const& renumbered) {
    auto const covered = field.end();
    auto parts = field.parts;
    auto const before = parts.size();
    payload::detail::segment_builder builder(field.kind);
    for (auto const s : changed) {
        if (s >= covered || renumbered(s) == no_slot) continue;
        auto const held = payload(s);
        std::span<std::byte const> const bytes = held;
        builder.add(renumbered(s), field.path.find(bytes));
        if (builder.full()) parts.push_back(field_part::of(builder.take(0, end)));
    }
    parts.push_back(field_part::of(builder.take(0, end)));
    auto const views = views_of(std::span<field_part const>(parts), column);
    return field_part::of(payload::detail::merge_segments(
        field.kind, 0, end, std::span<field_view<Column> const>(views),
        [&](std::size_t part, slot s) {
            if (part >= before) return s;
            if (std::binary_search(changed.begin(), changed.end(), s)) return no_slot;
            return renumbered(s);
        }));
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

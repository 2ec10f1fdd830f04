// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_SELECTING_HPP
#define VICINAL_STORE_SELECTING_HPP

#include <vicinal/store/decoding.hpp>
#include <vicinal/store/matches.hpp>
#include <vicinal/store/page_cursor.hpp>
#include <vicinal/store/planner.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// What a selection, which is a search without a vector, asks for.
struct select_options {
    /// A filter (docs/filters.md); empty keeps all.
    std::string where = {};
    /// The dotted name of the field that the records are ordered by: false, true, numbers by value,
    /// texts bytewise. Equal ones are in the order of their ids. Records in which it is missing,
    /// null, NaN, an array or nested fields come last, in either direction. Empty: ordered by id.
    std::string order_by = {};
    /// From the largest value down; from the largest id down where there is no order_by.
    bool descending = false;
    /// The most records of a page, at least 1.
    std::size_t limit = 100;
    /// The `next` of the page before; empty for the first.
    std::string after = {};
    /// Whether records come with their vectors; else these are empty.
    bool with_vectors = false;
};

/// Some of the records that were selected.
template <class Record>
struct selected_page {
    std::vector<Record> records;
    /// What to give as `after` for the next page; empty where this was the last. It names a place
    /// in the order, not a record: what a writer changes meanwhile moves no other record to another
    /// page. Letters, digits and dots.
    std::string next;
};

namespace detail {

/// Finds the slots of one page: a heap of the best that were seen.
template <class Rows, class Id>
class page_of_slots {
    using id_view = typename id_traits<Id>::view;

public:
    /// A row's place in the order. The key's text is the payload's, or that of who keeps it.
    struct place {
        std::optional<index_key> key;
        id_view id;
    };
    struct kept {
        slot row;
        std::optional<owned_key> key;
    };

    /// All must outlive it.
    page_of_slots(Rows const& rows, select_options const& o,
                  std::optional<page_cursor<Id>> const& after) noexcept
        : rows_(rows), options_(o), after_(after) {}

    /// Whether one that comes behind this one in the order of values, or has the same, may still be
    /// among the page.
    bool offer(slot s) {
        auto const payload = rows_.payload(s);
        place const here{options_.order_by.empty() ? std::nullopt
                                                   : key_of_field(payload, options_.order_by),
                         rows_.id(s)};
        if (after_ && !before(place_of(*after_), here)) return true;
        auto const order = [this](kept const& a, kept const& b) {
            return before(place_of(a), place_of(b));
        };
        if (heap_.size() == options_.limit) {
            more_ = true;
            auto const last = place_of(heap_.front());
            if (!before(here, last)) return here.key == last.key;
            std::pop_heap(heap_.begin(), heap_.end(), order);
            heap_.pop_back();
        }
        heap_.push_back({s, here.key ? std::optional<owned_key>(*here.key) : std::nullopt});
        std::push_heap(heap_.begin(), heap_.end(), order);
        return true;
    }
    /// Begins anew.
    void clear() noexcept {
        heap_.clear();
        more_ = false;
    }

    /// The slots in order; leaves none behind.
    [[nodiscard]] std::vector<kept> take() {
        std::sort_heap(heap_.begin(), heap_.end(), [this](kept const& a, kept const& b) {
            return before(place_of(a), place_of(b));
        });
        return std::exchange(heap_, {});
    }
    /// Whether there are records behind those.
    [[nodiscard]] bool more() const noexcept { return more_; }

private:
    [[nodiscard]] static std::optional<index_key>
    view(std::optional<owned_key> const& key) noexcept {
        return key ? std::optional<index_key>(key->view()) : std::nullopt;
    }
    [[nodiscard]] place place_of(kept const& k) const noexcept {
        return {view(k.key), rows_.id(k.row)};
    }
    [[nodiscard]] static place place_of(page_cursor<Id> const& c) noexcept {
        return {view(c.key), c.id};
    }
    [[nodiscard]] bool before(place const& a, place const& b) const noexcept {
        if (a.key.has_value() != b.key.has_value()) return a.key.has_value();
        if (a.key && *a.key != *b.key) return (*a.key < *b.key) != options_.descending;
        return options_.descending && options_.order_by.empty() ? b.id < a.id : a.id < b.id;
    }

    Rows const& rows_;
    select_options const& options_;
    std::optional<page_cursor<Id>> const& after_;
    std::vector<kept> heap_;
    bool more_ = false;
};

/// Offers matches in the order of an index on the field, from the value on with which the page
/// before has ended, until no other one can be among the page. False where there is no such index,
/// where it takes more than an eighth of the rows, which in their own order are looked at sooner,
/// and where the page has records that no index orders: then `best` is of no use.
template <class Rows, class Id>
[[nodiscard]] bool offer_in_order(Rows const& rows, filter const& where, select_options const& o,
                                  std::optional<page_cursor<Id>> const& after,
                                  page_of_slots<Rows, Id>& best) {
    auto const& fields = rows.fields();
    if (o.order_by.empty() || fields.covered() == 0 || (after && !after->key)) return false;
    auto const from = after ? std::optional<index_key>(after->key->view()) : std::nullopt;
    std::vector<slot> changed(rows.changed().begin(), rows.changed().end());
    std::sort(changed.begin(), changed.end());
    changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
    auto const offer = [&](slot s) {
        return !rows.live(s) || !where.matches(rows.payload(s)) || best.offer(s);
    };
    // A payload from its place costs some times what it does in the order of rows.
    auto left = rows.count() / 8;
    bool finished = false;
    bool const ordered = fields.in_order(o.order_by, o.descending, from, [&](slot s) {
        if (left-- == 0) return false;
        if (s >= fields.covered() || std::binary_search(changed.begin(), changed.end(), s))
            return true;
        finished = !offer(s);
        return !finished;
    });
    if (!ordered || !finished) return false;
    for (auto const s : changed)
        if (s < fields.covered()) static_cast<void>(offer(s));
    for (auto s = fields.covered(); s < rows.count(); ++s) static_cast<void>(offer(s));
    return true;
}

/// One page; runs inside the reader's section. Errors: corrupt_snapshot, out_of_memory.
template <class Record, class Payload, class Id, class Rows>
[[nodiscard]] result<selected_page<Record>>
select_page(Rows const& rows, std::size_t dim, filter const& where, select_options const& o,
            std::optional<page_cursor<Id>> const& after, filter_cache& filters) {
    page_of_slots<Rows, Id> best(rows, o, after);
    if (!offer_in_order(rows, where, o, after, best)) {
        best.clear();
        each_match(rows, where, o.where, filters,
                   [&](slot s) { static_cast<void>(best.offer(s)); });
    }
    if constexpr (!Rows::keeps_vectors)
        if (o.with_vectors) return vector_not_kept(Rows::codec_name);
    auto kept = best.take();
    selected_page<Record> page;
    page.records.reserve(kept.size());
    for (auto const& k : kept) {
        auto payload = decode_payload<Payload>(rows, k.row);
        VICINAL_CHECK(payload);
        Record r{Id(rows.id(k.row)), {}, std::move(*payload)};
        if (o.with_vectors) r.vector = decode_vector(rows, k.row, dim);
        page.records.push_back(std::move(r));
    }
    if (best.more())
        page.next = page_cursor<Id>{std::move(kept.back().key), page.records.back().id}.print(
            o.order_by, o.descending);
    return page;
}

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI

#endif

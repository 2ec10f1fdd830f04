// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_SEGMENT_MERGE_HPP
#define VICINAL_PAYLOAD_INDEX_SEGMENT_MERGE_HPP

#include <vicinal/payload/index/segment_view.hpp>
#include <vicinal/payload/index/segment_writer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Walks the values of several segments together: each once, in ascending order.
template <class View>
class merged_values {
public:
    /// With the words of texts, or without; backwards where `descending`; from a value on, there or
    /// not, where that is given.
    merged_values(std::span<View const> views, bool words, bool descending,
                  std::optional<index_key> const& from = {})
        : views_(views), descending_(descending) {
        for (auto const& v : views)
            limits_.push_back(words ? v.layout().values() : v.layout().begin_of(key_kind::word));
        start(from);
    }

    /// Moves to the next value; false behind the last.
    [[nodiscard]] bool next() {
        for (std::size_t c = 0; c < cursors_.size(); ++c)
            if (cursors_[c].here) advance(c);
        cursor const* least = nullptr;
        for (auto const& c : cursors_)
            if (!c.over &&
                (least == nullptr || (descending_ ? c.key > least->key : c.key < least->key)))
                least = &c;
        if (least == nullptr) return false;
        key_ = least->key;
        for (auto& c : cursors_) c.here = !c.over && c.key == key_;
        return true;
    }
    [[nodiscard]] index_key const& key() const noexcept { return key_; }
    /// Calls f(number of the segment, number of the value in it) for each that has the value.
    template <class F>
    void each(F const& f) const {
        for (std::size_t c = 0; c < cursors_.size(); ++c)
            if (cursors_[c].here) f(c, cursors_[c].at);
    }

private:
    struct cursor {
        std::uint64_t at = 0;
        bool over = false;
        bool here = false;
        index_key key = {};
    };

    void start(std::optional<index_key> const& from) {
        cursors_.resize(views_.size());
        for (std::size_t c = 0; c < views_.size(); ++c) {
            auto& at = cursors_[c];
            if (descending_) {
                auto const end = from ? views_[c].upper_bound(*from) : limits_[c];
                at.over = end == 0;
                at.at = at.over ? 0 : end - 1;
            } else {
                at.at = from ? views_[c].lower_bound(*from) : 0;
                at.over = at.at >= limits_[c];
            }
            if (!at.over) at.key = views_[c].key(at.at);
        }
    }
    void advance(std::size_t c) {
        auto& at = cursors_[c];
        at.here = false;
        at.over = descending_ ? at.at == 0 : at.at + 1 == limits_[c];
        if (at.over) return;
        at.at = descending_ ? at.at - 1 : at.at + 1;
        at.key = views_[c].key(at.at);
    }

    std::span<View const> views_;
    bool descending_;
    std::vector<std::uint64_t> limits_;
    std::vector<cursor> cursors_;
    index_key key_;
};

/// One segment, of the slots from `first` to `end`, in the place of several.
/// map(number of the segment, slot) gives the slot's new number, or no_slot where it shall not be
/// in it.
template <class View, class Map>
[[nodiscard]] segment_memory merge_segments(field_index kind, slot first, slot end,
                                            std::span<View const> views, Map const& map) {
    segment_writer to(kind, first, end);
    std::vector<slot> slots;
    auto const take = [&](std::size_t c, slot s) {
        if (auto const moved = map(c, s); moved != no_slot) slots.push_back(moved);
    };
    auto const in_order = [&slots] {
        if (std::adjacent_find(slots.begin(), slots.end(), std::greater_equal<>()) == slots.end())
            return;
        std::sort(slots.begin(), slots.end());
        slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
    };
    for (merged_values<View> all(views, true, false); all.next();) {
        slots.clear();
        all.each([&](std::size_t c, std::uint64_t i) {
            views[c].each(i, i + 1, [&](slot s) { take(c, s); });
        });
        if (slots.empty()) continue;
        in_order();
        to.put(all.key(), slots);
    }
    slots.clear();
    std::uint64_t arrays = 0;
    std::uint64_t texts = 0;
    std::uint64_t others = 0;
    for (std::size_t c = 0; c < views.size(); ++c) {
        views[c].present().each([&](slot s) { take(c, s); });
        arrays += views[c].layout().arrays;
        texts += views[c].layout().texts;
        others += views[c].layout().others;
    }
    in_order();
    to.present(slots);
    to.of_kinds(arrays, texts, others);
    return to.take();
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_SEGMENT_BUILDER_HPP
#define VICINAL_PAYLOAD_INDEX_SEGMENT_BUILDER_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/payload/index/segment_writer.hpp>
#include <vicinal/payload/index/words.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Makes a segment from the values of a field, slot by slot in ascending order.
class segment_builder {
public:
    /// A segment over more slots, or of longer texts, is made of several (segment_merge.hpp): this
    /// many are sorted within the cache.
    static constexpr std::size_t most_slots = 65536;
    static constexpr std::size_t most_text = std::size_t{64} << 20;

    explicit segment_builder(field_index kind) noexcept : kind_(kind) {}

    [[nodiscard]] bool full() const noexcept {
        return present_.size() >= most_slots || text_.size() >= most_text;
    }

    /// Takes the value that a slot has, if it has any.
    void add(slot s, std::optional<value_view> const& v) {
        if (!v) return;
        present_.push_back(s);
        auto const type = v->type();
        if (type == value::kind::array)
            ++arrays_;
        else
            ++others_;
        if (type == value::kind::string) ++texts_;
        if (kind_ != field_index::inverted) {
            put(s, key_of(*v));
        } else if (type == value::kind::array) {
            auto rest = v->array();
            for (value_view element; rest.next(element);) put(s, key_of(element));
        } else if (type == value::kind::string) {
            each_word(v->text(),
                      [&](std::string_view word) { put(s, key_of(word, key_kind::word)); });
        }
    }

    /// The segment of the slots from `first` to `end`; the builder is then as new.
    [[nodiscard]] segment_memory take(slot first, slot end) {
        auto const order = in_order();
        // Entries by values, with their slots ascending as they came: a counting sort.
        std::vector<std::uint32_t> rank(values_.size());
        std::vector<std::size_t> starts(1, 0);
        for (std::size_t i = 0; i < order.size(); ++i) {
            if (i == 0 || key(order[i - 1]) != key(order[i])) starts.push_back(0);
            rank[order[i]] = static_cast<std::uint32_t>(starts.size() - 2);
        }
        for (auto const& e : entries_) ++starts[rank[e.value] + std::size_t{1}];
        for (std::size_t r = 1; r < starts.size(); ++r) starts[r] += starts[r - 1];
        std::vector<slot> slots(entries_.size());
        auto next = starts;
        for (auto const& e : entries_) slots[next[rank[e.value]]++] = e.at;

        segment_writer to(kind_, first, end);
        for (std::size_t i = 0; i < order.size(); ++i) {
            auto const r = rank[order[i]];
            if (i > 0 && rank[order[i - 1]] == r) continue;
            auto const from = slots.begin() + static_cast<std::ptrdiff_t>(starts[r]);
            auto const last = std::unique(
                from, slots.begin() + static_cast<std::ptrdiff_t>(starts[r + std::size_t{1}]));
            to.put(key(order[i]), {from, last});
        }
        to.present(present_);
        to.of_kinds(arrays_, texts_, others_);
        *this = segment_builder(kind_);
        return to.take();
    }

private:
    struct entry {
        std::uint32_t value;
        slot at;
    };
    struct distinct {
        std::uint64_t bits;
        std::uint16_t rest;
        key_kind kind;
        std::uint32_t hash;
        std::uint32_t text_size;
        std::uint32_t text_at;
    };
    /// A value is looked for in no more places; where values collide so much, one is kept twice,
    /// and sorting brings the two together.
    static constexpr std::size_t most_probes = 16;

    void put(slot s, std::optional<index_key> const& k) {
        if (!k) return;
        if (2 * values_.size() >= table_.size()) grow();
        auto const hash = static_cast<std::uint32_t>(
            vicinal::detail::mix(k->bits + k->rest + static_cast<std::uint64_t>(k->kind)) ^
            (k->text.size() > 8 ? vicinal::detail::hash_bytes(k->text) : 0));
        auto const mask = table_.size() - 1;
        auto at = hash & mask;
        for (std::size_t probes = 0; probes < most_probes && table_[at] != 0; ++probes) {
            auto const v = table_[at] - 1;
            if (values_[v].hash == hash && key(v) == *k) {
                entries_.push_back({v, s});
                return;
            }
            at = (at + 1) & mask;
        }
        values_.push_back({k->bits, k->rest, k->kind, hash,
                           static_cast<std::uint32_t>(k->text.size()),
                           static_cast<std::uint32_t>(text_.size())});
        text_.append(k->text);
        if (table_[at] == 0) table_[at] = static_cast<std::uint32_t>(values_.size());
        entries_.push_back({static_cast<std::uint32_t>(values_.size() - 1), s});
    }
    void grow() {
        table_.assign((std::max)(std::size_t{1024}, 4 * table_.size()), 0);
        auto const mask = table_.size() - 1;
        for (std::size_t v = 0; v < values_.size(); ++v) {
            auto at = values_[v].hash & mask;
            for (std::size_t probes = 0; probes < most_probes && table_[at] != 0; ++probes)
                at = (at + 1) & mask;
            if (table_[at] == 0) table_[at] = static_cast<std::uint32_t>(v + 1);
        }
    }

    /// The values' numbers in the order of the values.
    [[nodiscard]] std::vector<std::uint32_t> in_order() const {
        std::vector<std::uint32_t> order(values_.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
        std::sort(order.begin(), order.end(),
                  [this](std::uint32_t a, std::uint32_t b) { return key(a) < key(b); });
        return order;
    }
    [[nodiscard]] index_key key(std::uint32_t number) const noexcept {
        auto const& v = values_[number];
        return {v.kind, v.rest, v.bits, std::string_view(text_).substr(v.text_at, v.text_size)};
    }

    std::vector<distinct> values_;
    std::vector<std::uint32_t> table_;
    field_index kind_;
    std::vector<entry> entries_;
    std::string text_;
    std::vector<slot> present_;
    std::uint64_t arrays_ = 0;
    std::uint64_t texts_ = 0;
    std::uint64_t others_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

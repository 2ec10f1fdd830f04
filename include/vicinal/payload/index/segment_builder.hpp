// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_SEGMENT_BUILDER_HPP
#define VICINAL_PAYLOAD_INDEX_SEGMENT_BUILDER_HPP

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
        std::sort(entries_.begin(), entries_.end(), [this](entry const& a, entry const& b) {
            if (a.kind != b.kind) return a.kind < b.kind;
            if (a.bits != b.bits) return a.bits < b.bits;
            if (auto const order = key(a) <=> key(b); order != 0) return order < 0;
            return a.at < b.at;
        });
        segment_writer to(kind_, first, end);
        std::vector<slot> slots;
        for (std::size_t i = 0; i < entries_.size();) {
            auto const k = key(entries_[i]);
            slots.clear();
            for (; i < entries_.size() && key(entries_[i]) == k; ++i)
                if (slots.empty() || slots.back() != entries_[i].at)
                    slots.push_back(entries_[i].at);
            to.put(k, slots);
        }
        to.present(present_);
        to.of_kinds(arrays_, texts_, others_);
        *this = segment_builder(kind_);
        return to.take();
    }

private:
    struct entry {
        std::uint64_t bits;
        slot at;
        std::uint16_t rest;
        key_kind kind;
        std::uint32_t text_size;
        std::uint32_t text_at;
    };

    void put(slot s, std::optional<index_key> const& k) {
        if (!k) return;
        entries_.push_back({k->bits, s, k->rest, k->kind,
                            static_cast<std::uint32_t>(k->text.size()),
                            static_cast<std::uint32_t>(text_.size())});
        text_.append(k->text);
    }
    [[nodiscard]] index_key key(entry const& e) const noexcept {
        return {e.kind, e.rest, e.bits, std::string_view(text_).substr(e.text_at, e.text_size)};
    }

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

// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_SEGMENT_WRITER_HPP
#define VICINAL_PAYLOAD_INDEX_SEGMENT_WRITER_HPP

#include <vicinal/payload/index/bitmap_bytes.hpp>
#include <vicinal/payload/index/segment_layout.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// The bytes of a segment in memory, aligned to 8.
using segment_memory = std::shared_ptr<std::vector<std::uint64_t> const>;

/// What a segment says of the slots of one value: the only one, or where its set stands.
inline constexpr std::uint64_t one_slot = std::uint64_t{1} << 63;
/// In front of a set: u32 its bytes, u32 its slots.
inline constexpr std::size_t posting_head = 8;

/// Writes a segment, value by value in ascending order.
class segment_writer {
public:
    segment_writer(field_index kind, slot first, slot end) {
        layout_.kind = kind;
        layout_.first = first;
        layout_.end = end;
    }

    /// `slots` ascend, each once; there is one at least.
    void put(index_key const& key, std::span<slot const> slots) {
        ++layout_.counts[static_cast<std::size_t>(key.kind)];
        layout_.entries += slots.size();
        keys_.push_back(key.bits);
        if (key.kind == key_kind::number) {
            rests_.push_back(key.rest);
            if (key.rest != 0) layout_.rests = 1;
        } else if (key.kind >= key_kind::text) {
            places_.push_back(text_.size());
            text_.append(key.text);
        }
        if (layout_.lists()) {
            starts_.push_back(static_cast<std::uint32_t>(slots_.size()));
            slots_.insert(slots_.end(), slots.begin(), slots.end());
        } else if (slots.size() == 1) {
            refs_.push_back(one_slot | slots[0]);
        } else {
            refs_.push_back(postings_.size());
            auto const at = postings_.size();
            postings_.resize(at + posting_head);
            append_bitmap(postings_, slots);
            auto* const head = postings_.data() + at;
            vicinal::detail::store_le(
                head, static_cast<std::uint32_t>(postings_.size() - at - posting_head));
            vicinal::detail::store_le(head + 4, static_cast<std::uint32_t>(slots.size()));
        }
    }
    /// The slots that have the field, ascending.
    void present(std::span<slot const> slots) {
        layout_.present = slots.size();
        present_.clear();
        if (!slots.empty()) append_bitmap(present_, slots);
    }
    /// Of those, at most; to be called after present().
    void of_kinds(std::uint64_t arrays, std::uint64_t texts, std::uint64_t others) noexcept {
        layout_.arrays = (std::min)(arrays, layout_.present);
        layout_.texts = (std::min)(texts, layout_.present);
        layout_.others = (std::min)(others, layout_.present);
    }

    /// The finished segment; the writer is then of no more use.
    [[nodiscard]] segment_memory take() {
        layout_.text_bytes = text_.size();
        layout_.posting_bytes = postings_.size();
        layout_.present_bytes = present_.size();
        static_cast<void>(layout_.place());
        auto made = std::make_shared<std::vector<std::uint64_t>>(
            static_cast<std::size_t>(layout_.bytes / 8), 0);
        auto* const to = reinterpret_cast<std::byte*>(made->data());
        layout_.write(to);
        auto const copy = [to](std::uint64_t at, auto const& from) {
            if (!from.empty())
                std::memcpy(to + at, from.data(), from.size() * sizeof(*from.data()));
        };
        copy(segment_layout::header_bytes, keys_);
        if (layout_.rests != 0) copy(layout_.rests_at, rests_);
        if (layout_.with_text() != 0) {
            places_.push_back(text_.size());
            copy(layout_.places_at, places_);
        }
        copy(layout_.text_at, text_);
        if (layout_.starts()) {
            starts_.push_back(static_cast<std::uint32_t>(slots_.size()));
            copy(layout_.starts_at, starts_);
        }
        if (layout_.lists())
            copy(layout_.slots_at, slots_);
        else
            copy(layout_.starts_at, refs_);
        copy(layout_.postings_at, postings_);
        copy(layout_.present_at, present_);
        return made;
    }

private:
    segment_layout layout_;
    std::vector<std::uint64_t> keys_;
    std::vector<std::uint16_t> rests_;
    std::vector<std::uint64_t> places_;
    std::string text_;
    std::vector<std::uint32_t> starts_;
    std::vector<slot> slots_;
    std::vector<std::uint64_t> refs_;
    std::vector<std::byte> postings_;
    std::vector<std::byte> present_;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

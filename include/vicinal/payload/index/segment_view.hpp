// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_SEGMENT_VIEW_HPP
#define VICINAL_PAYLOAD_INDEX_SEGMENT_VIEW_HPP

#include <vicinal/payload/index/segment_layout.hpp>
#include <vicinal/payload/index/segment_writer.hpp>
#include <vicinal/payload/index/slot_bitmap.hpp>
#include <vicinal/storage/faults.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::payload::detail {

using vicinal::detail::slot_bitmap;
using vicinal::detail::slot_gatherer;

/// A segment as one query reads it, in memory or through the reader of a column of bytes, in which
/// it begins at a multiple of 8. The layout must have been read from it.
///
/// Every place that its bytes tell is compared with where they end: what points outside is a fault
/// of the scope, and reads as nothing.
template <class Reader>
class segment_view {
public:
    /// The segment's own memory, which must outlive the view.
    segment_view(segment_layout const& layout, std::byte const* memory) noexcept
        : layout_(layout), memory_(memory) {}
    segment_view(segment_layout const& layout, Reader reader, std::uint64_t at) noexcept
        : layout_(layout), reader_(std::move(reader)), at_(at) {}

    [[nodiscard]] segment_layout const& layout() const noexcept { return layout_; }

    /// The i-th value. Its text is valid as long as the reader is.
    [[nodiscard]] index_key key(std::uint64_t i) const noexcept {
        auto const kind = kind_of(i);
        index_key k{.kind = kind, .rest = 0, .bits = bits(i), .text = {}};
        if (kind == key_kind::number && layout_.rests != 0)
            k.rest = *rows<std::uint16_t>(
                layout_.rests_at + 2 * (i - layout_.begin_of(key_kind::number)), 1);
        if (kind >= key_kind::text) k.text = text(i);
        return k;
    }
    /// The number of the first value that is not below `k`.
    [[nodiscard]] std::uint64_t lower_bound(index_key const& k) const noexcept {
        return partition(k, [](index_key const& a, index_key const& b) { return a < b; });
    }
    /// The number of the first value above `k`.
    [[nodiscard]] std::uint64_t upper_bound(index_key const& k) const noexcept {
        return partition(k, [](index_key const& a, index_key const& b) { return !(b < a); });
    }

    /// The slots that have the values from number `from` to `to`: their count, each once for each
    /// of the values.
    [[nodiscard]] std::uint64_t count(std::uint64_t from, std::uint64_t to) const noexcept {
        if (from >= to) return 0;
        if (layout_.lists()) return start(to) - (std::min)(start(from), start(to));
        std::uint64_t n = 0;
        for (auto i = from; i < to; ++i) n += count_of(i);
        return n;
    }
    /// Calls f(slot) for each of them: value by value, the slots of a value ascending.
    template <class F>
    void each(std::uint64_t from, std::uint64_t to, F const& f) const {
        if (layout_.lists()) {
            each_of(start(from), start(to), f);
            return;
        }
        for (auto i = from; i < to; ++i) {
            auto const ref = *rows<std::uint64_t>(layout_.starts_at + 8 * i, 1);
            if ((ref & one_slot) != 0) {
                if (auto const s = static_cast<slot>(ref); inside(s)) f(s);
            } else {
                set_at(ref).each(f);
            }
        }
    }
    /// The same as a set.
    [[nodiscard]] slot_bitmap slots(std::uint64_t from, std::uint64_t to) const {
        if (from >= to) return {};
        if (to - from == 1 && !layout_.lists()) {
            auto const ref = *rows<std::uint64_t>(layout_.starts_at + 8 * from, 1);
            if ((ref & one_slot) == 0) return set_at(ref);
        }
        slot_gatherer all(layout_.first, layout_.end, static_cast<std::size_t>(count(from, to)));
        each(from, to, [&all](slot s) { all.add(s); });
        return all.take();
    }
    /// The slots that have the field.
    [[nodiscard]] slot_bitmap present() const {
        if (layout_.present == layout_.end - layout_.first)
            return slot_bitmap::range(layout_.first, layout_.end);
        return set(layout_.present_at, layout_.present_bytes);
    }

    /// Calls f(number of the value) for texts or words, of number `from` to `to`, in which a piece
    /// stands; it is not empty.
    template <class F>
    void each_with(std::string_view piece, std::uint64_t from, std::uint64_t to, F const& f) const {
        if (from >= to) return;
        auto const base = place(from);
        auto const bytes = place(to) - (std::min)(base, place(to));
        if (base > layout_.text_bytes || bytes > layout_.text_bytes - base) return fault("texts");
        std::string_view const all(rows<char>(layout_.text_at + base, bytes),
                                   static_cast<std::size_t>(bytes));
        for (std::size_t at = 0; from < to; ++at) {
            at = all.find(piece, at);
            if (at == std::string_view::npos) return;
            from = value_at(base + at, from, to);
            if (from >= to) return;
            auto const end = place(from + 1) - base;
            if (at + piece.size() <= end) {
                f(from++);
                at = static_cast<std::size_t>(end) - 1;
            }
        }
    }

private:
    template <class T>
    [[nodiscard]] T const* rows(std::uint64_t at, std::uint64_t count) const noexcept {
        auto const* const p =
            memory_ != nullptr ? memory_ + at : reader_.rows(at_ + at, count * sizeof(T));
        return reinterpret_cast<T const*>(p);
    }
    [[nodiscard]] std::uint64_t bits(std::uint64_t i) const noexcept {
        return *rows<std::uint64_t>(segment_layout::header_bytes + 8 * i, 1);
    }
    [[nodiscard]] key_kind kind_of(std::uint64_t i) const noexcept {
        auto k = key_kind::boolean;
        while (k != key_kind::word && i >= layout_.end_of(k))
            k = static_cast<key_kind>(static_cast<unsigned>(k) + 1);
        return k;
    }
    /// Where the text of a value begins, or of that behind the last.
    [[nodiscard]] std::uint64_t place(std::uint64_t i) const noexcept {
        return *rows<std::uint64_t>(layout_.places_at + 8 * (i - layout_.begin_of(key_kind::text)),
                                    1);
    }
    [[nodiscard]] std::string_view text(std::uint64_t i) const noexcept {
        auto const from = place(i);
        auto const to = place(i + 1);
        if (from > to || to > layout_.text_bytes) {
            fault("texts");
            return {};
        }
        return {rows<char>(layout_.text_at + from, to - from), static_cast<std::size_t>(to - from)};
    }
    /// The value below `to`, from `from` on, in whose text offset `at` lies.
    [[nodiscard]] std::uint64_t value_at(std::uint64_t at, std::uint64_t from,
                                         std::uint64_t to) const noexcept {
        while (from < to) {
            auto const half = from + (to - from) / 2;
            if (place(half + 1) <= at)
                from = half + 1;
            else
                to = half;
        }
        return from;
    }

    template <class Below>
    [[nodiscard]] std::uint64_t partition(index_key const& k, Below const& below) const noexcept {
        auto from = layout_.begin_of(k.kind);
        for (auto to = layout_.end_of(k.kind); from < to;) {
            auto const half = from + (to - from) / 2;
            auto const b = bits(half);
            if (b != k.bits ? b < k.bits : below(key(half), k))
                from = half + 1;
            else
                to = half;
        }
        return from;
    }

    /// Of a segment with lists: where the slots of a value begin.
    [[nodiscard]] std::uint64_t start(std::uint64_t i) const noexcept {
        if (!layout_.starts()) return i;
        auto const at = *rows<std::uint32_t>(layout_.starts_at + 4 * i, 1);
        if (at <= layout_.entries) return at;
        fault("slots");
        return layout_.entries;
    }
    template <class F>
    void each_of(std::uint64_t from, std::uint64_t to, F const& f) const {
        if (from >= to) return;
        auto const* const list = rows<slot>(layout_.slots_at + 4 * from, to - from);
        for (std::uint64_t i = 0; i < to - from; ++i)
            if (inside(list[i])) f(list[i]);
    }
    [[nodiscard]] std::uint64_t count_of(std::uint64_t i) const noexcept {
        auto const ref = *rows<std::uint64_t>(layout_.starts_at + 8 * i, 1);
        if ((ref & one_slot) != 0) return 1;
        if (!posting(ref)) return 0;
        return vicinal::detail::load_le<std::uint32_t>(
            rows<std::byte>(layout_.postings_at + ref, posting_head) + 4);
    }
    /// Whether the head of a set can stand there.
    [[nodiscard]] bool posting(std::uint64_t ref) const noexcept {
        if (layout_.posting_bytes >= posting_head && ref <= layout_.posting_bytes - posting_head)
            return true;
        fault("sets");
        return false;
    }
    [[nodiscard]] slot_bitmap set_at(std::uint64_t ref) const {
        if (!posting(ref)) return {};
        auto const* const head = rows<std::byte>(layout_.postings_at + ref, posting_head);
        auto const bytes = vicinal::detail::load_le<std::uint32_t>(head);
        if (bytes > layout_.posting_bytes - posting_head - ref) {
            fault("sets");
            return {};
        }
        return set(layout_.postings_at + ref + posting_head, bytes);
    }
    [[nodiscard]] slot_bitmap set(std::uint64_t at, std::uint64_t bytes) const {
        if (bytes == 0) return {};
        auto read =
            slot_bitmap::read({rows<std::byte>(at, bytes), static_cast<std::size_t>(bytes)});
        if (read && (read->empty() || read->last() < layout_.end)) return std::move(*read);
        fault("sets");
        return {};
    }
    [[nodiscard]] bool inside(slot s) const noexcept {
        if (s < layout_.end) [[likely]]
            return s >= layout_.first;
        fault("slots");
        return false;
    }
    static void fault(char const* what) noexcept {
        storage::fault_scope::note([what] {
            return error{errc::corrupt_snapshot,
                         std::string(what) + " of a field's index inside of it", "others"};
        });
    }

    segment_layout layout_;
    std::byte const* memory_ = nullptr;
    [[no_unique_address]] Reader reader_ = {};
    std::uint64_t at_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_SEGMENT_LAYOUT_HPP
#define VICINAL_PAYLOAD_INDEX_SEGMENT_LAYOUT_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/payload/index/key.hpp>
#include <vicinal/payload/index/kind.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

/// An index on a field consists of segments, each over the slots that follow those of the one
/// before. A segment is one block of bytes that is never changed, the same in memory and in a file
/// (docs/format.md): the distinct values in their order, and for each the slots that have it.
namespace vicinal::inline VICINAL_ABI::payload::detail {

struct segment_layout {
    static constexpr std::size_t header_bytes = 128;
    static constexpr std::uint32_t version = 1;

    field_index kind = field_index::hash;
    /// The slots that it knows: from `first` to `end`.
    slot first = 0;
    slot end = 0;
    /// Distinct values by key_kind.
    std::array<std::uint64_t, 4> counts{};
    /// Pairs of a value and a slot.
    std::uint64_t entries = 0;
    /// Slots that have the field.
    std::uint64_t present = 0;
    /// No more than so many of them have an array, a text, anything but an array.
    std::uint64_t arrays = 0;
    std::uint64_t texts = 0;
    std::uint64_t others = 0;
    /// Whether numbers have rests.
    std::uint64_t rests = 0;
    std::uint64_t text_bytes = 0;
    std::uint64_t posting_bytes = 0;
    std::uint64_t present_bytes = 0;

    // What follows from these: see place().
    std::uint64_t rests_at = 0;
    std::uint64_t places_at = 0;
    std::uint64_t text_at = 0;
    std::uint64_t starts_at = 0;
    std::uint64_t slots_at = 0;
    std::uint64_t postings_at = 0;
    std::uint64_t present_at = 0;
    std::uint64_t bytes = 0;

    [[nodiscard]] std::uint64_t values() const noexcept {
        return counts[0] + counts[1] + counts[2] + counts[3];
    }
    /// The number of the first value of a kind, and of that behind the last.
    [[nodiscard]] std::uint64_t begin_of(key_kind k) const noexcept {
        std::uint64_t n = 0;
        for (std::size_t i = 0; i < static_cast<std::size_t>(k); ++i) n += counts[i];
        return n;
    }
    [[nodiscard]] std::uint64_t end_of(key_kind k) const noexcept {
        return begin_of(k) + counts[static_cast<std::size_t>(k)];
    }
    [[nodiscard]] std::uint64_t with_text() const noexcept { return counts[2] + counts[3]; }
    [[nodiscard]] bool lists() const noexcept { return kind == field_index::ordered; }
    /// Whether the slots of a value are found by a start of their own: not where each has one.
    [[nodiscard]] bool starts() const noexcept { return lists() && values() != entries; }

    /// Works out where everything stands. False where it is too large to be one.
    [[nodiscard]] bool place() noexcept {
        constexpr auto most = std::uint64_t{1} << 40;
        for (auto const n : counts)
            if (n > most) return false;
        for (auto const n : {entries, text_bytes, posting_bytes, present_bytes})
            if (n > most) return false;
        if (entries < values() || end < first || rests > 1 || present > end - first ||
            arrays > present || texts > present || others > present)
            return false;
        auto at = std::uint64_t{header_bytes} + 8 * values();
        auto const next = [&at](std::uint64_t& where, std::uint64_t n) {
            where = at;
            at += vicinal::detail::round_up(n, 8);
        };
        next(rests_at, rests * 2 * counts[1]);
        next(places_at, with_text() == 0 ? 0 : 8 * (with_text() + 1));
        next(text_at, text_bytes);
        next(starts_at, lists() ? (starts() ? 4 * (values() + 1) : 0) : 8 * values());
        next(slots_at, lists() ? 4 * entries : 0);
        next(postings_at, posting_bytes);
        next(present_at, present_bytes);
        bytes = at;
        return true;
    }

    void write(std::byte* p) const noexcept {
        using vicinal::detail::store_le;
        store_le(p, version);
        store_le(p + 4, static_cast<std::uint32_t>(kind));
        store_le(p + 8, first);
        store_le(p + 12, end);
        p += 16;
        for (auto const n :
             {counts[0], counts[1], counts[2], counts[3], entries, present, arrays, texts, rests,
              text_bytes, posting_bytes, present_bytes, bytes, others}) {
            store_le(p, n);
            p += 8;
        }
    }
    /// The layout that `header_bytes` bytes tell, of a segment that has no more than `available`;
    /// nothing where they tell none.
    [[nodiscard]] static std::optional<segment_layout> read(std::byte const* p,
                                                            std::uint64_t available) noexcept {
        using vicinal::detail::load_le;
        auto const kind = load_le<std::uint32_t>(p + 4);
        if (load_le<std::uint32_t>(p) != version ||
            kind > static_cast<std::uint32_t>(field_index::inverted))
            return {};
        segment_layout l;
        l.kind = static_cast<field_index>(kind);
        l.first = load_le<slot>(p + 8);
        l.end = load_le<slot>(p + 12);
        p += 16;
        std::uint64_t told = 0;
        for (auto* const n : {&l.counts[0], &l.counts[1], &l.counts[2], &l.counts[3], &l.entries,
                              &l.present, &l.arrays, &l.texts, &l.rests, &l.text_bytes,
                              &l.posting_bytes, &l.present_bytes, &told, &l.others}) {
            *n = load_le<std::uint64_t>(p);
            p += 8;
        }
        if (!l.place() || told != l.bytes || l.bytes > available) return {};
        return l;
    }
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

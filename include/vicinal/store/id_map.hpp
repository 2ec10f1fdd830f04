// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_ID_MAP_HPP
#define VICINAL_STORE_ID_MAP_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/record.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// From an id's hash to the slots that may have it: linear probing, 8 bytes an entry (slot + 1
/// below, 32 bits of the hash above; 0 is free), at most 3/4 full.
///
/// The place comes from the half of the hash that is kept, so that a larger table can be filled
/// from a smaller one. An entry is a hint: the caller compares the id of the slot and asks whether
/// the slot is live. So nothing need be removed, and an entry whose slot has died does no harm.
class id_table {
public:
    using entry = std::uint64_t;

    /// The first slot for which is_it(slot) holds, or no_slot; entry_at(i) gives the table's
    /// entries, `size` of them.
    template <class EntryAt, class IsIt>
    [[nodiscard]] static slot find(EntryAt const& entry_at, std::uint64_t size, std::uint64_t hash,
                                   IsIt const& is_it) noexcept {
        if (size == 0) return no_slot;
        auto const mask = size - 1;
        // A table without a free entry exists only in a damaged file: one round, then no.
        for (std::uint64_t i = 0, at = (hash >> 32) & mask; i < size; ++i, at = (at + 1) & mask) {
            entry const e = entry_at(at);
            if (e == 0) return no_slot;
            auto const s = slot_of(e);
            if (e >> 32 == hash >> 32 && is_it(s)) return s;
        }
        return no_slot;
    }

    [[nodiscard]] static slot slot_of(entry e) noexcept {
        return static_cast<slot>((e & 0xffffffffU) - 1);
    }
    [[nodiscard]] static entry make(std::uint64_t hash, slot s) noexcept {
        return (hash >> 32 << 32) | (std::uint64_t{s} + 1);
    }
    /// Puts an entry into a table that has room.
    static void put(entry* entries, std::uint64_t size, entry e) noexcept {
        auto const mask = size - 1;
        auto at = (e >> 32) & mask;
        while (entries[at] != 0) at = (at + 1) & mask;
        entries[at] = e;
    }

    /// The size of a table that takes `n` entries: a power of two, 0 for none.
    [[nodiscard]] static std::uint64_t size_for(std::uint64_t n) noexcept {
        return n == 0 ? 0 : std::bit_ceil(n + n / 3 + 1);
    }
};

/// The id map of a store: a frozen table, as it lies in the snapshot, and behind it what came
/// since. Reader is that of the frozen table's column.
template <class Reader>
class id_map {
public:
    /// The table of the snapshot: its size must be 0 or a power of two.
    void freeze(Reader const& frozen, std::uint64_t size) noexcept {
        clear();
        frozen_ = frozen;
        frozen_size_ = size;
    }

    template <class IsIt>
    [[nodiscard]] slot find(std::uint64_t hash, IsIt const& is_it) const noexcept {
        auto const s = id_table::find(
            [this](std::uint64_t at) { return recent_[static_cast<std::size_t>(at)]; },
            recent_.size(), hash, is_it);
        if (s != no_slot) return s;
        return id_table::find(
            [this](std::uint64_t at) { return *frozen_.template row_as<id_table::entry>(at); },
            frozen_size_, hash, is_it);
    }

    /// Makes room for `more` entries, beside the searches; `commit` puts the room into use, with no
    /// search inside.
    void prepare(std::uint64_t more) {
        if (!has_room(more)) grow(id_table::size_for(2 * (used_ + more)));
    }
    /// The same for entries that come in several batches: no more room than they need.
    void reserve(std::uint64_t more) {
        if (!has_room(more)) grow(id_table::size_for(used_ + more));
    }
    [[nodiscard]] bool prepared() const noexcept { return !grown_.empty(); }
    void commit() noexcept {
        if (grown_.empty()) return;
        recent_.swap(grown_);
        grown_ = {};
    }
    void clear() noexcept {
        frozen_ = {};
        frozen_size_ = 0;
        recent_.clear();
        used_ = 0;
    }

    /// Puts a slot, in the place of one of the same hash that has died, if there is one: an id that
    /// is written again and again has one entry, not a run that grows with each time.
    template <class IsDead>
    void put(std::uint64_t hash, slot s, IsDead const& is_dead) noexcept {
        auto const made = id_table::make(hash, s);
        auto const mask = recent_.size() - 1;
        auto at = (hash >> 32) & mask;
        for (; recent_[at] != 0; at = (at + 1) & mask)
            if (recent_[at] >> 32 == hash >> 32 && is_dead(id_table::slot_of(recent_[at]))) {
                recent_[at] = made;
                return;
            }
        recent_[at] = made;
        ++used_;
    }

private:
    [[nodiscard]] bool has_room(std::uint64_t more) const noexcept {
        return (used_ + more) * 4 <= recent_.size() * 3;
    }
    void grow(std::uint64_t size) {
        grown_.assign(static_cast<std::size_t>(size), 0);
        for (auto const e : recent_)
            if (e != 0) id_table::put(grown_.data(), grown_.size(), e);
    }

    Reader frozen_;
    std::uint64_t frozen_size_ = 0;
    std::vector<id_table::entry> recent_;
    std::vector<id_table::entry> grown_;
    std::uint64_t used_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

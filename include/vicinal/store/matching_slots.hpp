// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_MATCHING_SLOTS_HPP
#define VICINAL_STORE_MATCHING_SLOTS_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/payload/index/slot_bitmap.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The slots whose payload a filter holds for, live or not: a list where they are at most one in
/// 32, which then is no longer than the bits; a bit a slot, but where they are so few that nobody
/// asks of one slot.
class matching_slots {
public:
    matching_slots() = default;

    /// Those of the slots below `rows` that `set` has, of which so many changes are known.
    template <class Set>
    matching_slots(Set const& set, slot rows, std::size_t changes)
        : rows_(rows), changes_(changes), count_(set.count()) {
        if (few_enough()) {
            few_.reserve(count_);
            set.each([&](slot s) { few_.push_back(s); });
            if (count_ > least_bits) spread();
        } else {
            words_.resize(words_for(rows));
            fill_words(set, words_);
        }
    }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// Whether nothing was written since.
    template <class Rows>
    [[nodiscard]] bool up_to_date(Rows const& rows) const noexcept {
        return rows_ == rows.count() && changes_ == rows.changed().size();
    }
    /// Whether it knows at least as much as another.
    [[nodiscard]] bool as_new_as(matching_slots const& other) const noexcept {
        return rows_ >= other.rows_ && changes_ >= other.changes_;
    }

    /// Asks holds(slot) of what was written since: an evaluation for each slot that is new or was
    /// changed.
    template <class Rows, class Holds>
    void look_at_new(Rows const& rows, Holds const& holds) {
        spread();
        words_.resize(words_for(rows.count()));
        auto const changed = rows.changed();
        for (auto const s : changed.subspan(changes_))
            if (s < rows_) put(s, holds(s));
        for (slot s = rows_; s < rows.count(); ++s)
            if (holds(s)) put(s, true);
        rows_ = rows.count();
        changes_ = changed.size();
        gather();
    }
    /// Keeps those that holds(slot) keeps.
    template <class Holds>
    void reduce(Holds const& holds) {
        spread();
        each([&](slot s) {
            if (!holds(s)) put(s, false);
        });
        gather();
    }

    [[nodiscard]] bool operator()(slot s) const noexcept {
        if (s >= rows_) return false;
        if (words_.empty()) return std::binary_search(few_.begin(), few_.end(), s);
        return (words_[s / 64] >> (s % 64) & 1) != 0;
    }
    /// The bits of the 64 slots from first on, which is a multiple of 64 below the rows' count.
    [[nodiscard]] std::uint64_t word(slot first) const noexcept {
        if (!words_.empty()) return words_[first / 64];
        std::uint64_t bits = 0;
        for (auto at = std::lower_bound(few_.begin(), few_.end(), first);
             at != few_.end() && *at - first < 64; ++at)
            bits |= std::uint64_t{1} << (*at - first);
        return bits;
    }
    /// All in ascending order, where they are few enough for a list.
    [[nodiscard]] std::span<slot const> few() const noexcept { return few_; }
    [[nodiscard]] bool listed() const noexcept { return few_enough(); }
    /// Calls f(slot) for each in ascending order.
    template <class F>
    void each(F const& f) const {
        if (listed()) {
            for (auto const s : few_) f(s);
            return;
        }
        for (std::size_t w = 0; w < words_.size(); ++w)
            for (auto bits = words_[w]; bits != 0; bits &= bits - 1)
                f(static_cast<slot>(64 * w + static_cast<unsigned>(std::countr_zero(bits))));
    }
    [[nodiscard]] std::size_t bytes() const noexcept {
        return words_.size() * sizeof(std::uint64_t) + few_.size() * sizeof(slot);
    }

private:
    /// Below it a search scans the list and never walks (index/hnsw/filter_costs.hpp).
    static constexpr std::size_t least_bits = 1999;

    [[nodiscard]] static std::size_t words_for(slot rows) noexcept {
        return (std::size_t{rows} + 63) / 64;
    }
    [[nodiscard]] bool few_enough() const noexcept { return count_ <= rows_ / 32; }
    void put(slot s, bool holds) noexcept {
        auto& word = words_[s / 64];
        auto const bit = std::uint64_t{1} << (s % 64);
        bool const held = (word & bit) != 0;
        if (held == holds) return;
        word ^= bit;
        count_ = holds ? count_ + 1 : count_ - 1;
    }
    /// The list as bits.
    void spread() {
        if (!words_.empty() || rows_ == 0) return;
        words_.resize(words_for(rows_));
        for (auto const s : few_) words_[s / 64] |= std::uint64_t{1} << (s % 64);
    }
    /// The bits as a list, where there is to be one.
    void gather() {
        few_.clear();
        if (!few_enough()) return;
        few_.reserve(count_);
        for (std::size_t w = 0; w < words_.size(); ++w)
            for (auto bits = words_[w]; bits != 0; bits &= bits - 1)
                few_.push_back(
                    static_cast<slot>(64 * w + static_cast<unsigned>(std::countr_zero(bits))));
        if (count_ <= least_bits) words_ = {};
    }

    std::vector<std::uint64_t> words_;
    std::vector<slot> few_;
    slot rows_ = 0;
    std::size_t changes_ = 0;
    std::size_t count_ = 0;
};

/// A filter's matches that are live, as a scan or a walk asks for them. Where no row is dead the
/// flags are not looked at, of which a scan of few matches would read a line for each.
template <class Live>
class live_matches {
public:
    live_matches(matching_slots const& matches, Live live, bool all_live) noexcept
        : matches_(matches), all_live_(all_live), live_(live) {}

    [[nodiscard]] bool operator()(slot s) const noexcept { return matches_(s) && this->live(s); }
    /// The bits of the 64 slots from first on, which is a multiple of 64 below the rows' count.
    [[nodiscard]] std::uint64_t word(slot first) const noexcept {
        auto const bits = matches_.word(first);
        return bits == 0 || all_live_ ? bits : bits & live_.word(first);
    }
    /// The matches in ascending order, live or not, where there is a list of them.
    [[nodiscard]] std::span<slot const> few() const noexcept { return matches_.few(); }
    [[nodiscard]] bool live(slot s) const noexcept { return all_live_ || live_(s); }

private:
    matching_slots const& matches_;
    bool all_live_;
    Live live_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

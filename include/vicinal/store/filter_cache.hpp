// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_FILTER_CACHE_HPP
#define VICINAL_STORE_FILTER_CACHE_HPP

#include <vicinal/core/mutex.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/storage/faults.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The slots whose payload a filter holds for, live or not: a bit a slot, and where they are at
/// most one in 32, a list of them, which then is no longer than the bits.
struct matching_slots {
    std::vector<std::uint64_t> words;
    std::vector<slot> few;
    slot rows = 0;
    /// How many changes of payloads (rows.changed()) it has seen.
    std::size_t changes = 0;
    std::size_t count = 0;
};

/// Which slots the last few filters match, so that a filter that comes again is not evaluated
/// again: a program asks with few filters and many vectors.
///
/// A slot's payload changes while slots mean the same records (rows.epoch()) only where
/// rows.changed() says so, so what was found stays true, and only slots that are new or changed are
/// looked at. Memory: an eighth of a byte a row
/// for each of up to eight filters. Safe to share between threads.
class filter_cache {
public:
    using pointer = std::shared_ptr<matching_slots const>;

    /// The matches among all rows; null for a filter that comes for the first time, unless `now`.
    /// Cost: an evaluation for each row that was not looked at yet. Runs inside the reader's
    /// section. Throws std::bad_alloc.
    template <class Rows>
    [[nodiscard]] pointer matching(std::string_view text, filter const& where, Rows const& rows,
                                   bool now) {
        pointer known;
        {
            mutex_lock const held(mutex_);
            auto& e = entry_of(text, rows.epoch());
            bool const again = std::exchange(e.asked, true);
            known = e.found;
            if (known && known->rows == rows.count() && known->changes == rows.changed().size())
                return known;
            if (!known && !again && !now) return nullptr;
        }
        auto fresh = std::make_shared<matching_slots>(known ? *known : matching_slots());
        look_at_new(*fresh, where, rows);
        if (storage::fault_scope::met()) return fresh; // wrong, and so will be the query's answer
        mutex_lock const held(mutex_);
        auto& e = entry_of(text, rows.epoch());
        bool const newer =
            !e.found || (e.found->rows) < fresh->rows || (e.found->changes) < fresh->changes;
        if (newer) e.found = fresh;
        return fresh;
    }

private:
    static constexpr std::size_t most = 8;

    struct entry {
        std::string text;
        std::uint64_t epoch = 0;
        std::uint64_t last_use = 0;
        bool asked = false;
        pointer found;
    };

    /// The entry of a filter; a new one takes the place of the one longest unused.
    entry& entry_of(std::string_view text, std::uint64_t epoch) {
        auto at = std::find_if(entries_.begin(), entries_.end(),
                               [&](entry const& e) { return e.text == text && e.epoch == epoch; });
        if (at == entries_.end()) {
            if (entries_.size() == most) {
                at = std::min_element(
                    entries_.begin(), entries_.end(),
                    [](entry const& a, entry const& b) { return a.last_use < b.last_use; });
                *at = {};
            } else {
                at = entries_.insert(at, entry());
            }
            at->text = text;
            at->epoch = epoch;
        }
        at->last_use = ++uses_;
        return *at;
    }

    template <class Rows>
    static void look_at_new(matching_slots& m, filter const& where, Rows const& rows) {
        m.words.resize((std::size_t{rows.count()} + 63) / 64);
        for (auto const s : rows.changed().subspan(m.changes)) {
            if (s >= m.rows) continue;
            auto const bit = std::uint64_t{1} << (s % 64);
            m.count -= (m.words[s / 64] & bit) != 0 ? 1U : 0U;
            m.words[s / 64] &= ~bit;
            if (!where.matches(rows.payload(s))) continue;
            m.words[s / 64] |= bit;
            ++m.count;
        }
        m.changes = rows.changed().size();
        for (slot s = m.rows; s < rows.count(); ++s)
            if (where.matches(rows.payload(s))) {
                m.words[s / 64] |= std::uint64_t{1} << (s % 64);
                ++m.count;
            }
        m.rows = rows.count();
        m.few.clear();
        if (m.count > m.rows / 32) return;
        m.few.reserve(m.count);
        for (std::size_t w = 0; w < m.words.size(); ++w)
            for (auto bits = m.words[w]; bits != 0; bits &= bits - 1)
                m.few.push_back(static_cast<slot>(64 * w) +
                                static_cast<slot>(std::countr_zero(bits)));
    }

    mutex mutex_;
    std::vector<entry> entries_;
    std::uint64_t uses_ = 0;
};

/// A filter's matches that are live, as a scan or a walk asks for them. Where no row is dead the
/// flags are not looked at, of which a scan of few matches would read a line for each.
template <class Live>
class live_matches {
public:
    live_matches(matching_slots const& matches, Live live, bool all_live) noexcept
        : matches_(matches), all_live_(all_live), live_(live) {}

    [[nodiscard]] bool operator()(slot s) const noexcept {
        return s < matches_.rows && (matches_.words[s / 64] >> (s % 64) & 1) != 0 && live(s);
    }
    /// The bits of the 64 slots from first on, which is a multiple of 64 below the rows' count.
    [[nodiscard]] std::uint64_t word(slot first) const noexcept {
        auto const bits = matches_.words[first / 64];
        return bits == 0 || all_live_ ? bits : bits & live_.word(first);
    }
    /// The matches in ascending order, live or not, where there is a list of them.
    [[nodiscard]] std::span<slot const> few() const noexcept { return matches_.few; }
    [[nodiscard]] bool live(slot s) const noexcept { return all_live_ || live_(s); }

private:
    matching_slots const& matches_;
    bool all_live_;
    Live live_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

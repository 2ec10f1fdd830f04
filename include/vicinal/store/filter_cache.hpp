// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_FILTER_CACHE_HPP
#define VICINAL_STORE_FILTER_CACHE_HPP

#include <vicinal/core/mutex.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/store/matching_slots.hpp>
#include <vicinal/store/options.hpp>
#include <vicinal/store/payload_sample.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What is remembered of the last few filters, as a program asks with few filters and many vectors:
/// the slots that they match, or what was spent on searches that did not find all of those; and a
/// sample of payloads.
///
/// A slot's payload stays while slots mean the same records (rows.epoch()), but for those that
/// rows.changed() names; so what was found stays true, and only slots that are new or changed are
/// looked at. Memory: up to an eighth of a byte a row for each of eight filters, and the sample.
/// Safe to share between threads.
class filter_cache {
public:
    using pointer = std::shared_ptr<matching_slots const>;
    struct memory {
        /// The matches among all rows, or null.
        pointer found;
        /// Nanoseconds that searches took which had to ask their way.
        double spent = 0;
    };

    /// What is known of a filter. Cost: an evaluation for each row that was written since it was
    /// asked. Runs inside the reader's section. Throws std::bad_alloc.
    template <class Rows, class Trace>
    [[nodiscard]] memory recall(std::string_view text, filter const& where, Rows const& rows,
                                Trace& trace) {
        memory known;
        {
            mutex_lock const held(mutex_);
            auto const& e = entry_of(text, rows.epoch());
            known = {e.found, e.spent};
            ++(e.found ? counts_.hits : counts_.misses);
        }
        if (!known.found || known.found->up_to_date(rows)) return known;
        auto fresh = std::make_shared<matching_slots>(*known.found);
        fresh->look_at_new(rows, asking(where, rows, trace));
        known.found = keep(text, rows, std::move(fresh));
        return known;
    }

    /// Evaluates a filter on every row and remembers what it matches.
    template <class Rows, class Trace>
    [[nodiscard]] pointer evaluate(std::string_view text, filter const& where, Rows const& rows,
                                   Trace& trace) {
        auto fresh = std::make_shared<matching_slots>();
        fresh->look_at_new(rows, asking(where, rows, trace));
        return keep(text, rows, std::move(fresh));
    }

    /// Remembers what a filter was found to match.
    template <class Rows>
    pointer keep(std::string_view text, Rows const& rows, std::shared_ptr<matching_slots> found) {
        if (storage::fault_scope::met()) return found; // wrong, and so will be the query's answer
        mutex_lock const held(mutex_);
        auto& e = entry_of(text, rows.epoch());
        if (!e.found || found->as_new_as(*e.found)) e.found = found;
        return found;
    }

    /// Remembers that a search had to ask its way for so long.
    void add_spent(std::string_view text, std::uint64_t epoch, double nanoseconds) {
        mutex_lock const held(mutex_);
        entry_of(text, epoch).spent += nanoseconds;
    }

    /// Payloads of some rows.
    template <class Rows>
    [[nodiscard]] std::shared_ptr<payload_sample const> sample(Rows const& rows) {
        {
            mutex_lock const held(mutex_);
            if (sample_ && sample_->stands_for(rows)) return sample_;
        }
        auto fresh = std::make_shared<payload_sample const>(rows);
        if (storage::fault_scope::met()) return fresh;
        mutex_lock const held(mutex_);
        return sample_ = std::move(fresh);
    }

    [[nodiscard]] filter_cache_stats stats() const {
        mutex_lock const held(mutex_);
        auto s = counts_;
        for (auto const& e : entries_)
            if (e.found) {
                ++s.filters;
                s.bytes += e.found->bytes();
            }
        return s;
    }

    /// The filter as a question to a slot: reads its payload.
    template <class Rows, class Trace>
    [[nodiscard]] static auto asking(filter const& where, Rows const& rows, Trace& trace) noexcept {
        return [&where, &rows, &trace](slot s) {
            auto const payload = rows.payload(s);
            std::span<std::byte const> const bytes = payload;
            trace.asked(bytes.size());
            return where.matches(bytes);
        };
    }

private:
    static constexpr std::size_t most = 8;

    struct entry {
        std::string text;
        std::uint64_t epoch = 0;
        std::uint64_t last_use = 0;
        double spent = 0;
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

    mutable mutex mutex_;
    std::vector<entry> entries_;
    std::shared_ptr<payload_sample const> sample_;
    filter_cache_stats counts_;
    std::uint64_t uses_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_LOG_WALK_HPP
#define VICINAL_STORAGE_LOG_WALK_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/log_scan.hpp>

#include <cstdint>
#include <string>

namespace vicinal::inline VICINAL_ABI::detail {

/// Where the next valid record behind a damaged place at `offset` starts; the log's end where there
/// is none, or none is found within the search's bounds.
template <class Os>
[[nodiscard]] result<std::uint64_t> next_record(log_window<Os>& window, std::uint64_t salt,
                                                std::uint64_t offset, std::uint64_t lsn,
                                                std::uint64_t& budget) {
    for (auto p = offset + 8; p + log_record_bytes <= window.size(); p += 8) {
        auto const head = window.at(p, log_record_bytes);
        if (!head) return head.error();
        if (head->size() < log_record_bytes) break;
        auto const r = load_record(head->data());
        if (!plausible(r, p, offset, lsn, window.size())) continue;
        if (r.bytes() > budget) break;
        budget -= r.bytes();
        auto const later = read_record(window, salt, p);
        if (!later) return later.error();
        if (*later) return p;
    }
    return window.size();
}

/// Hands every valid record of a log to each(whole_record) -> result<void>, those behind damage
/// too; gap(from, to) is told of bytes that are part of none. `lsn` is the number before the first.
template <class Os, class Each, class Gap>
[[nodiscard]] result<void> walk_log(int file, std::string const& shown, std::uint64_t size,
                                    std::uint64_t salt, std::uint64_t lsn, Each&& each, Gap&& gap) {
    log_window<Os> window(file, size, shown);
    auto budget = search_budget(size);
    for (std::uint64_t at = log_header_bytes; at < size;) {
        auto const found = read_record(window, salt, at);
        if (!found) return found.error();
        if (*found) {
            lsn = (*found)->record.lsn;
            VICINAL_CHECK(each(**found));
            at += (*found)->record.bytes();
            continue;
        }
        auto const next = next_record(window, salt, at, lsn, budget);
        if (!next) return next.error();
        gap(at, *next);
        at = *next;
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

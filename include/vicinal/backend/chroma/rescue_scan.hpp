// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_RESCUE_SCAN_HPP
#define VICINAL_BACKEND_CHROMA_RESCUE_SCAN_HPP

#include <vicinal/backend/sqlite.hpp>
#include <vicinal/core/result.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Row numbers from..to of a table that could not be read.
struct row_gap {
    std::int64_t from;
    std::int64_t to;
};

/// Goes through the rows lo..hi of a damaged table: wherever SQLite gives up, the range is halved
/// and gone on with, so that only what lies on damaged pages is left out.
///
/// `sql` selects rows whose number is between ?1 and ?2, in their order, the number first; `row` is
/// called for each. A page of 50 rows costs about 100 tries; after 200,000 of them the rest is left
/// out. Returns what was left out.
template <class Row>
[[nodiscard]] result<std::vector<row_gap>> scan_damaged(sqlite_database const& db,
                                                        std::string const& sql, std::int64_t lo,
                                                        std::int64_t hi, Row&& row) {
    auto statement = db.prepare(sql);
    if (!statement) return statement.error();
    std::vector<row_gap> gaps;
    std::vector<row_gap> waiting{{lo, hi}};
    int tries = 200'000;
    while (!waiting.empty()) {
        auto range = waiting.back();
        waiting.pop_back();
        if (range.from > range.to) continue;
        statement->reset();
        statement->bind(1, range.from).bind(2, range.to);
        for (;;) {
            auto const more = statement->step();
            if (more && !*more) break;
            if (more) {
                auto const number = statement->integer(0);
                // A damaged page may give numbers that are not asked for.
                if (number < range.from || number > range.to) continue;
                range.from = number + 1;
                row(*statement);
                continue;
            }
            if (more.error().code() != errc::corrupt_source) return more.error();
            if (range.from > range.to) break;
            if (range.from == range.to || --tries < 0) {
                if (!gaps.empty() && gaps.back().to + 1 == range.from)
                    gaps.back().to = range.to;
                else
                    gaps.push_back(range);
                break;
            }
            auto const middle = range.from + (range.to - range.from) / 2;
            waiting.push_back({middle + 1, range.to});
            waiting.push_back({range.from, middle});
            break;
        }
    }
    return gaps;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_SEARCH_TRUTH_HPP
#define VICINAL_BENCH_SEARCH_TRUTH_HPP

#include "metric.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

/// The true neighbours of each query: `k` row numbers a query, nearest first; fewer where there are
/// fewer rows to find.
using truth = std::vector<std::vector<std::uint32_t>>;

/// Takes the first k of each row of a file of neighbours.
[[nodiscard]] inline truth truth_of(table<std::int32_t> const& neighbours, std::size_t k,
                                    std::size_t rows) {
    truth all(neighbours.rows);
    for (std::size_t q = 0; q < neighbours.rows; ++q)
        for (std::size_t i = 0; i < std::min(k, neighbours.columns); ++i) {
            auto const row = neighbours.row(q)[i];
            if (row < 0 || static_cast<std::size_t>(row) >= rows)
                throw std::runtime_error("the truth names row " + std::to_string(row) +
                                         ", which the base does not have");
            all[q].push_back(static_cast<std::uint32_t>(row));
        }
    return all;
}

/// By a scan of all rows.
[[nodiscard]] truth brute_force(metric_name metric, matrix const& base, matrix const& queries,
                                std::size_t k);

/// How many of the rows found are among the true neighbours, or as near as the farthest of those:
/// where distances are equal, no order of the rows is the right one. A row found twice counts once.
[[nodiscard]] inline std::size_t count_near(metric_name metric, matrix const& base,
                                            float const* query,
                                            std::vector<std::uint32_t> const& wanted,
                                            std::span<std::uint32_t const> found) {
    if (wanted.empty()) return 0;
    std::vector<std::uint32_t> rows(found.begin(), found.end());
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    auto const distance = [&](std::uint32_t row) {
        return true_distance(metric, query, base.row(row), base.columns);
    };
    auto const farthest = distance(wanted.back());
    auto const near = std::count_if(rows.begin(), rows.end(), [&](std::uint32_t row) {
        return std::find(wanted.begin(), wanted.end(), row) != wanted.end() ||
               distance(row) <= farthest;
    });
    return std::min(static_cast<std::size_t>(near), wanted.size());
}

} // namespace bench

#endif

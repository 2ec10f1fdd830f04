// SPDX-License-Identifier: MIT
// Searches among the records that a predicate keeps: recall is that among the matches.
//
// Each row draws a number, the payload field "draw"; a share of 0.1 is kept by `draw < 100000`. The
// draws know nothing of the vectors. A scan of the matches alone, their rows known beforehand, is
// what no index should be slower than.
#include "arguments.hpp"

#include <cstdio>

namespace bench {

namespace {

/// The true neighbours among the rows that are kept.
truth truth_among(metric_name metric, data_set const& d, double share, std::size_t k) {
    matrix some{0, d.base.columns, {}};
    std::vector<std::uint32_t> rows;
    for (std::size_t r = 0; r < d.base.rows; ++r)
        if (kept(r, share)) {
            rows.push_back(static_cast<std::uint32_t>(r));
            some.data.insert(some.data.end(), d.base.row(r), d.base.row(r) + d.base.columns);
        }
    some.rows = rows.size();
    if (some.rows == 0) return truth(d.queries.rows);
    auto all = brute_force(metric, some, d.queries, k);
    for (auto& wanted : all)
        for (auto& row : wanted) row = rows[row];
    return all;
}

} // namespace

std::vector<curve> search_filtered(arguments const& a) {
    auto all = contestants(a, true);
    all.push_back({make_scan_of_matches(a.build), {}});
    auto data = load(a);
    for (auto& c : all) build(c, data, a.sweep);
    std::vector<curve> curves;
    for (auto const share : a.shares) {
        std::fprintf(stderr, "keeping %g of the rows\n", share);
        data.wanted = truth_among(a.sweep.metric, data, share, a.sweep.k);
        for (auto& c : all) {
            c.system->keep(share);
            c.result.share = share;
            c.result.points.clear();
        }
        sweep(all, data, a.sweep);
        for (auto& c : results(all)) curves.push_back(std::move(c));
    }
    return curves;
}

} // namespace bench

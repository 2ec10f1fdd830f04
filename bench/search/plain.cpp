// SPDX-License-Identifier: MIT
// All rows, all records: the usual comparison.
#include "arguments.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace bench {

namespace {

/// From the file, where it is of these rows and goes as deep as is asked.
truth find_truth(arguments const& a, data_set const& d) {
    auto const depth = std::min(a.sweep.k, d.base.rows);
    if (!a.truth.empty() && a.limit == SIZE_MAX) {
        auto const neighbours = read_table<std::int32_t>(a.truth);
        if (neighbours.rows != d.queries.rows)
            throw std::runtime_error("the truth is of another number of queries");
        if (neighbours.columns >= depth) return truth_of(neighbours, depth, d.base.rows);
    }
    std::fprintf(stderr, "truth by a scan of %zu rows\n", d.base.rows);
    return brute_force(a.sweep.metric, d.base, d.queries, depth);
}

} // namespace

std::vector<curve> search(arguments const& a) {
    auto all = contestants(a);
    auto data = load(a);
    data.wanted = find_truth(a, data);
    for (auto& c : all) build(c, data, a.sweep);
    sweep(all, data, a.sweep);
    return results(all);
}

} // namespace bench

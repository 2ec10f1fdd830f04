// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_SEARCH_CURVE_HPP
#define VICINAL_BENCH_SEARCH_CURVE_HPP

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace bench {

/// What one effort gave; effort 0 is that of a system which leaves none to choose.
struct point {
    std::size_t effort = 0;
    double recall = 0;
    double queries_per_second = 0;
};

/// All that was measured of one system, by rising effort.
struct curve {
    std::string system;
    std::vector<point> points;
    double build_cpu_seconds = 0;
    double build_seconds = 0;
    double tune_cpu_seconds = 0;
    /// Of the index and the vectors.
    double bytes_per_vector = 0;
    /// The same with ids, payload and id map.
    double bytes_per_record = 0;
    /// The share of rows that a filter kept, where there was one.
    double share = 1;
    /// How often all records were replaced before the searches, and what all of that cost.
    std::size_t turnovers = 0;
    double churn_cpu_seconds = 0;
};

/// The speed at one recall. `at_least`: the least effort found more already, so the speed there is
/// a lower bound.
struct speed {
    double queries_per_second = 0;
    bool at_least = false;

    [[nodiscard]] bool known() const { return queries_per_second > 0; }
};

/// Between the first two efforts around the recall, the logarithm of the speed by a straight line;
/// not known where no effort reached the recall.
[[nodiscard]] inline speed speed_at(std::vector<point> const& points, double recall) {
    for (std::size_t i = 0; i < points.size(); ++i) {
        auto const& after = points[i];
        if (after.recall < recall) continue;
        if (i == 0) return {after.queries_per_second, after.effort != 0 && after.recall > recall};
        auto const& before = points[i - 1];
        auto const share = (recall - before.recall) / (after.recall - before.recall);
        return {std::exp((1 - share) * std::log(before.queries_per_second) +
                         share * std::log(after.queries_per_second)),
                false};
    }
    return {};
}

} // namespace bench

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_SEARCH_SWEEP_HPP
#define VICINAL_BENCH_SEARCH_SWEEP_HPP

#include "curve.hpp"
#include "system.hpp"
#include "truth.hpp"

#include <cstddef>
#include <vector>

namespace bench {

/// What every query asks, and how long is measured.
struct sweep_options {
    metric_name metric = metric_name::squared_l2;
    std::size_t k = 10;
    std::size_t threads = 1;
    /// Empty: from k upwards, until nothing is left to find.
    std::vector<std::size_t> efforts;
    std::size_t rounds = 7;
    /// Of search a point, over all rounds.
    double seconds = 1;
    /// What a point is asked at least, over all rounds, where the set has few rows.
    std::size_t least_queries = 30'000;
};

/// A set as all systems see it.
struct data_set {
    matrix base;
    matrix queries;
    truth wanted;
    /// The same at length 1, filled where a system wants it.
    matrix unit_queries;
};

/// A system beside the figures of its build.
struct contestant {
    system_pointer system;
    curve result;
};

/// Has a system take in the base, and notes what that cost.
void build(contestant& c, data_set& data, sweep_options const& options);

/// Notes the memory that was taken since there were `before` allocated bytes.
void note_bytes(contestant& c, std::size_t before, std::size_t rows);

/// Measures all systems at all efforts.
///
/// First every point is searched once, for its recall. Then come the rounds: in each, every point
/// has its turn, the systems next to each other at one effort, so that a busy moment of the machine
/// meets all of them. A turn is as many whole passes over the queries as fit into its share of the
/// seconds, at least one; a set below 20,000 rows gets `least_queries`. The speed is
/// the median over the rounds: queries a second of the thread's processor time; with several
/// threads, a second on the wall.
void sweep(std::vector<contestant>& all, data_set const& data, sweep_options const& options);

[[nodiscard]] inline std::vector<curve> results(std::vector<contestant> const& all) {
    std::vector<curve> curves;
    for (auto const& c : all) curves.push_back(c.result);
    return curves;
}

} // namespace bench

#endif

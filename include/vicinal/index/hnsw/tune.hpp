// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_TUNE_HPP
#define VICINAL_INDEX_HNSW_TUNE_HPP

#include <vicinal/index/candidates.hpp>
#include <vicinal/index/held_out.hpp>
#include <vicinal/index/tuning.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

/// How wide a beam must be for a wanted recall: measured on the graph itself.
namespace vicinal::inline VICINAL_ABI::index {

namespace hnsw_graph {

/// The efforts that are measured: each some 1.4 times the one before.
inline constexpr std::uint32_t tuned_efforts[] = {10,  14,  20,  28,  40,  56,  80,  112,
                                                  160, 224, 320, 448, 640, 896, 1280};
/// The recall of ten that walks which end by a ratio must come to, at some effort.
inline constexpr float enough_by_ratio = 0.99F;

/// Searches for each query at growing effort, until all recalls are next to 1; `search` as in
/// measure_recall. A walk for ten goes as far as one for the nearest, one for a hundred goes less
/// far.
template <class Metric, class Search>
[[nodiscard]] result<tuning> measure_with(float growth, held_out<Metric> const& queries,
                                          slot covered, std::size_t threads, Search const& search) {
    tuning t{covered, static_cast<std::uint32_t>(queries.size()), {}, growth};
    struct tally {
        double found[3] = {};
    };
    std::vector<tally> each(queries.size());
    for (auto const effort : tuned_efforts) {
        if (effort > covered || queries.size() == 0) break;
        VICINAL_CHECK(for_queries(queries.size(), threads, [&](std::size_t from, std::size_t to) {
            for (auto i = from; i < to; ++i) {
                each[i] = {};
                auto const look = [&](std::size_t first, std::size_t last) {
                    search(queries.vector(i), tuned_ks[last - 1], effort, growth,
                           std::span<slot const>(queries.copies(i)), [&](auto const& compared) {
                               count_found(queries.truth(i), first, last, compared, each[i].found);
                           });
                };
                look(0, 2);
                if (effort >= tuned_ks[2]) look(2, 3);
            }
        }));
        float recalls[3] = {};
        for (std::size_t n = 0; n < 3; ++n) {
            double sum = 0;
            for (auto const& e : each) sum += e.found[n];
            if (effort >= tuned_ks[n])
                recalls[n] = static_cast<float>(sum / static_cast<double>(queries.size()));
        }
        if (!add_line(t, effort, recalls)) break;
    }
    return t;
}

/// Compares the queries with all rows, then measures: search(vector, k, effort, growth, without,
/// use) walks for k and calls use(compared), with compared as in count_found.
///
/// Where rows differ by less than their codes tell, the ratios of codes' distances are noise, and
/// walks that end by them find too little at any effort: then beams are measured, and growth is 0.
template <class Metric, class Reader, class Live, class Search>
[[nodiscard]] result<tuning> measure_recall(held_out<Metric>& queries, Reader const& vectors,
                                            std::size_t dim, slot covered, Live const& live,
                                            std::size_t threads, Search const& search) {
    VICINAL_CHECK(compare_with_all(queries, vectors, dim, covered, live, threads));
    auto const growth = (std::clamp)(queries.growth(), 0.0F, most_growth);
    auto by_ratio = measure_with(growth, queries, covered, threads, search);
    if (!by_ratio || growth == 0 || by_ratio->table.empty() ||
        by_ratio->table.back().at_10 >= enough_by_ratio)
        return by_ratio;
    auto beams = measure_with(0.0F, queries, covered, threads, search);
    if (!beams || beams->table.back().at_10 > by_ratio->table.back().at_10) return beams;
    return by_ratio;
}

/// The effort for `wanted` neighbours at `recall`, from a table: between two k, and between two
/// efforts, on a logarithmic scale. Beyond the table the last effort is doubled for each halving of
/// what is missed. Without a table a rule of thumb: 64 for ten neighbours at 0.95, 125 at 0.99.
[[nodiscard]] inline std::size_t effort_from(tuning const& t, std::size_t wanted,
                                             double recall) noexcept {
    if (t.table.empty())
        return static_cast<std::size_t>(static_cast<double>(wanted) * 1.5 +
                                        11 / std::sqrt((std::max)(1 - recall, 0.001)));
    auto const at = [&](float measured_recall::*column, double k) {
        double const target = (std::min)(recall, 0.9999);
        measured_recall const* before = nullptr;
        for (auto const& m : t.table) {
            if (static_cast<double>(m.effort) < k) continue;
            if (m.*column >= target) {
                if (!before || m.*column <= before->*column) return static_cast<double>(m.effort);
                double const part =
                    (target - before->*column) / (static_cast<double>(m.*column) - before->*column);
                return before->effort *
                       std::pow(static_cast<double>(m.effort) / before->effort, part);
            }
            before = &m;
        }
        if (!before) return k * 2;
        double const missed = (std::max)(1.0 - before->*column, 1e-6) / (1 - target);
        return before->effort * (std::min)((std::max)(missed, 1.0), 8.0);
    };
    double const k = static_cast<double>((std::max)(wanted, std::size_t{1}));
    double effort = 0;
    if (k <= 10) {
        auto const a = at(&measured_recall::at_1, 1);
        auto const b = at(&measured_recall::at_10, 10);
        effort = a * std::pow(b / a, std::log10(k));
    } else {
        auto const a = at(&measured_recall::at_10, 10);
        auto const b = at(&measured_recall::at_100, 100);
        effort = a * std::pow(b / a, std::log10(k / 10));
    }
    return static_cast<std::size_t>((std::max)(effort, k) + 0.999);
}

} // namespace hnsw_graph

} // namespace vicinal::inline VICINAL_ABI::index

#endif

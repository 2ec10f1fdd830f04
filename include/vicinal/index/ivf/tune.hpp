// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_TUNE_HPP
#define VICINAL_INDEX_IVF_TUNE_HPP

#include <vicinal/index/held_out.hpp>
#include <vicinal/index/tuning.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// How many lists a wanted recall takes: measured on the lists themselves.
namespace vicinal::inline VICINAL_ABI::index::inverted {

/// The number of lists that is measured behind one.
[[nodiscard]] constexpr std::uint32_t next_effort(std::uint32_t effort) noexcept {
    return effort + (std::max)(effort / 3, std::uint32_t{1});
}

/// Searches for each query in more and more of `lists` lists, until all recalls are next to 1.
/// search(i, k, effort) gives what a search for k neighbours finds of query i, itself and its
/// copies left out.
template <class Metric, class Search>
[[nodiscard]] result<tuning> measure_lists(held_out<Metric> const& queries, slot covered,
                                           std::uint32_t lists, std::size_t threads,
                                           Search const& search) {
    tuning t{covered, static_cast<std::uint32_t>(queries.size()), {}, 0};
    struct tally {
        double found[3] = {};
    };
    std::vector<tally> each(queries.size());
    for (std::uint32_t effort = 1; effort <= lists && queries.size() > 0;
         effort = next_effort(effort)) {
        VICINAL_CHECK(for_queries(queries.size(), threads, [&](std::size_t from, std::size_t to) {
            for (auto i = from; i < to; ++i) {
                each[i] = {};
                // A search for ten tells of the nearest one as well.
                auto const look = [&](std::size_t first, std::size_t last) {
                    auto const all = search(i, tuned_ks[last - 1], std::size_t{effort});
                    count_found(
                        queries.truth(i), first, last,
                        [&](std::size_t k) {
                            return std::span(all).first((std::min)(k, all.size()));
                        },
                        each[i].found);
                };
                look(0, 2);
                look(2, 3);
            }
        }));
        float recalls[3] = {};
        for (std::size_t n = 0; n < 3; ++n) {
            double sum = 0;
            for (auto const& e : each) sum += e.found[n];
            recalls[n] = static_cast<float>(sum / static_cast<double>(queries.size()));
        }
        if (!add_line(t, effort, recalls)) break;
    }
    return t;
}

/// The lists for `wanted` neighbours at `recall`, from a table: between two k, and between two
/// lines, on a logarithmic scale; beyond 100 neighbours as the table grows from 10 to 100. Without
/// a table a rule of thumb.
[[nodiscard]] inline std::size_t lists_from(tuning const& t, std::size_t wanted, double recall,
                                            std::size_t lists) noexcept {
    double const target = (std::min)(recall, 0.9999);
    double const k = static_cast<double>((std::max)(wanted, std::size_t{1}));
    auto const within = [&](double found) {
        return (std::clamp)(static_cast<std::size_t>(found + 0.999), std::size_t{1},
                            (std::max)(lists, std::size_t{1}));
    };
    if (t.table.empty())
        return within(std::sqrt(static_cast<double>(lists)) * 0.1 / std::pow(1 - target, 0.7) *
                      (0.7 + 0.3 * std::log10(k)));
    auto const at = [&](float measured_recall::*column) {
        measured_recall const* before = nullptr;
        for (auto const& m : t.table) {
            if (m.*column >= target) {
                if (!before || m.*column <= before->*column) return static_cast<double>(m.effort);
                double const part =
                    (target - before->*column) / (static_cast<double>(m.*column) - before->*column);
                return before->effort *
                       std::pow(static_cast<double>(m.effort) / before->effort, part);
            }
            before = &m;
        }
        double const missed = (std::max)(1.0 - before->*column, 1e-6) / (1 - target);
        return before->effort * (std::min)((std::max)(missed, 1.0), 8.0);
    };
    auto const ten = at(&measured_recall::at_10);
    if (k <= 10) {
        auto const one = at(&measured_recall::at_1);
        return within(one * std::pow(ten / one, std::log10(k)));
    }
    auto const hundred = (std::max)(at(&measured_recall::at_100), ten);
    // Of many more the lists are as good as their rows: those of a hundred times as many.
    auto const power =
        k <= 100 ? std::log10(hundred / ten) : (std::max)(std::log10(hundred / ten), 0.5);
    return within(k <= 100 ? ten * std::pow(k / 10, power) : hundred * std::pow(k / 100, power));
}

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

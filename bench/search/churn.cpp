// SPDX-License-Identifier: MIT
// What deletes and inserts leave of the recall.
//
// The rows are dealt into two halves. One is indexed; then, hundred by hundred and in another order
// each time, its records are erased and those of the other half come in their place, until all have
// been replaced: one turnover. After the last the same records are indexed afresh, and both are
// searched with the same efforts.
#include "arguments.hpp"
#include "clock.hpp"
#include "memory_use.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <random>
#include <stdexcept>

namespace bench {

namespace {

constexpr std::size_t exchanged_at_once = 100;
using order = std::vector<std::uint32_t>;

order shuffled(std::size_t rows, std::mt19937& random) {
    order all(rows);
    std::iota(all.begin(), all.end(), 0U);
    std::shuffle(all.begin(), all.end(), random);
    return all;
}

matrix taken(matrix const& from, std::span<std::uint32_t const> rows) {
    matrix m{rows.size(), from.columns, {}};
    m.data.reserve(m.rows * m.columns);
    for (auto const r : rows) m.data.insert(m.data.end(), from.row(r), from.row(r) + from.columns);
    return m;
}

/// Row i of half h has the id h * rows + i.
void turn_over(system& s, matrix const& next, std::size_t half, std::mt19937& random) {
    auto const leaving = shuffled(next.rows, random);
    auto const coming = shuffled(next.rows, random);
    auto const ids = [&](order const& rows, std::size_t from, std::size_t to, std::size_t of) {
        std::vector<std::uint64_t> some;
        for (auto i = from; i < to; ++i) some.push_back(of * next.rows + rows[i]);
        return some;
    };
    for (std::size_t i = 0; i < next.rows; i += exchanged_at_once) {
        auto const end = std::min(next.rows, i + exchanged_at_once);
        s.erase(ids(leaving, i, end, 1 - half));
        s.insert(ids(coming, i, end, half), taken(next, std::span(coming).subspan(i, end - i)));
    }
}

void print_losses(curve const& churned, curve const& fresh) {
    auto worst = 0.0;
    std::size_t effort = 0;
    auto const points = std::min(churned.points.size(), fresh.points.size());
    for (std::size_t i = 0; i < points; ++i)
        if (auto const loss = fresh.points[i].recall - churned.points[i].recall; loss > worst) {
            worst = loss;
            effort = fresh.points[i].effort;
        }
    std::printf("%s: %.4f below a fresh build at most, at effort %zu; %.2f CPU s a turnover\n",
                churned.system.c_str(), worst, effort,
                churned.churn_cpu_seconds / static_cast<double>(churned.turnovers));
}

} // namespace

std::vector<curve> search_after_churn(arguments const& a) {
    if (!a.peers.empty()) throw std::runtime_error("--churn measures vicinal alone, no peers");
    auto data = load(a);
    std::mt19937 random(1);
    auto const dealt = shuffled(data.base.rows, random);
    auto const rows = data.base.rows / 2;
    if (rows == 0) throw std::runtime_error("--churn needs two rows at least");
    matrix const halves[] = {taken(data.base, std::span(dealt).first(rows)),
                             taken(data.base, std::span(dealt).subspan(rows, rows))};

    auto churned = contestants(a);
    for (auto& c : churned) {
        data.base = halves[0];
        auto const before = bytes_in_use();
        build(c, data, a.sweep);
        auto const start = process_cpu_seconds();
        for (std::size_t t = 1; t <= a.turnovers; ++t)
            turn_over(*c.system, halves[t % 2], t % 2, random);
        c.result.churn_cpu_seconds = process_cpu_seconds() - start;
        c.result.turnovers = a.turnovers;
        c.result.system += " after " + std::to_string(a.turnovers) + " turnovers";
        note_bytes(c, before, rows);
    }
    data.base = halves[a.turnovers % 2];
    data.wanted = brute_force(a.sweep.metric, data.base, data.queries, a.sweep.k);
    auto all = contestants(a);
    for (auto& c : all) build(c, data, a.sweep);
    auto const fresh = all.size();
    for (auto& c : churned) all.push_back(std::move(c));
    sweep(all, data, a.sweep);
    for (std::size_t i = 0; i < fresh; ++i) print_losses(all[fresh + i].result, all[i].result);
    return results(all);
}

} // namespace bench

// SPDX-License-Identifier: MIT
#include "sweep.hpp"
#include "clock.hpp"
#include "memory_use.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <thread>
#include <utility>

namespace bench {

namespace {

/// Beyond this nothing is learnt from more effort.
constexpr double enough_recall = 0.9995;
/// Below this a set fits into the caches, and its passes are short.
constexpr std::size_t small_set = 20'000;
/// Slow points are timed on a part of the queries, but on no fewer.
constexpr std::size_t fewest_queries = 50;
/// No point gets more than so many times the seconds for the sake of `least_queries`.
constexpr double most_patience = 20;

constexpr std::size_t usual_efforts[] = {10,  12,  14,  16,  20,   24,   28,   32,  40,  48,
                                         56,  64,  80,  96,  112,  128,  160,  192, 256, 320,
                                         384, 512, 640, 768, 1024, 1280, 1536, 2048};

std::vector<std::size_t> efforts_from(std::size_t k) {
    std::vector<std::size_t> all;
    for (auto const effort : usual_efforts)
        if (effort >= k) all.push_back(effort);
    return all;
}

matrix const& queries_for(contestant const& c, data_set const& data) {
    return c.system->wants_unit_length() && data.unit_queries.rows > 0 ? data.unit_queries
                                                                       : data.queries;
}

/// One pass over the first `count` queries; the rows found of query q lie at found + q * k, how
/// many at counts[q].
void pass(system const& s, matrix const& queries, std::size_t count, std::size_t k,
          std::size_t threads, std::vector<std::uint32_t>& found,
          std::vector<std::size_t>& counts) {
    auto const work = [&](std::size_t first) {
        for (std::size_t q = first; q < count; q += threads)
            counts[q] = s.search(queries.row(q), found.data() + q * k);
    };
    std::vector<std::thread> others;
    for (std::size_t t = 1; t < threads; ++t) others.emplace_back(work, t);
    work(0);
    for (auto& t : others) t.join();
}

double seconds_now(std::size_t threads) {
    return threads == 1 ? thread_cpu_seconds() : wall_seconds();
}

/// One system at one effort on its way through the rounds.
struct turn {
    contestant* of;
    std::size_t index;
    std::size_t effort;
    std::size_t queries;
    std::size_t passes;
    std::vector<double> speeds = {};
};

double median(std::vector<double> v) {
    std::sort(v.begin(), v.end());
    return v.size() % 2 == 1 ? v[v.size() / 2] : (v[v.size() / 2 - 1] + v[v.size() / 2]) / 2;
}

class sweeper {
public:
    sweeper(data_set const& data, sweep_options const& options)
        : data_(data), options_(options), found_(data.queries.rows * options.k),
          counts_(data.queries.rows) {}

    void find_recalls(std::vector<contestant>& all) {
        auto const efforts = options_.efforts.empty() ? efforts_from(options_.k) : options_.efforts;
        for (auto& c : all) {
            for (auto const effort : efforts) {
                search_once(c, c.system->sweeps() ? effort : 0);
                if (!c.system->sweeps()) break;
                if (options_.efforts.empty() && c.result.points.back().recall >= enough_recall)
                    break;
            }
            std::fprintf(stderr, "%s: recall %.4f to %.4f\n", c.result.system.c_str(),
                         c.result.points.front().recall, c.result.points.back().recall);
        }
        std::stable_sort(turns_.begin(), turns_.end(),
                         [](turn const& a, turn const& b) { return a.effort < b.effort; });
    }

    void run_rounds() {
        for (std::size_t r = 0; r < options_.rounds; ++r)
            for (auto& t : turns_) {
                t.of->system->ask(options_.k, t.effort);
                auto const start = seconds_now(options_.threads);
                for (std::size_t p = 0; p < t.passes; ++p) run(*t.of, t.queries);
                t.speeds.push_back(static_cast<double>(t.queries * t.passes) /
                                   (seconds_now(options_.threads) - start));
            }
        for (auto const& t : turns_)
            t.of->result.points[t.index].queries_per_second = median(t.speeds);
    }

private:
    void run(contestant const& c, std::size_t queries) {
        pass(*c.system, queries_for(c, data_), queries, options_.k, options_.threads, found_,
             counts_);
    }

    void search_once(contestant& c, std::size_t effort) {
        c.system->ask(options_.k, effort);
        auto const n = data_.queries.rows;
        auto const start = seconds_now(options_.threads);
        run(c, n);
        auto const took = seconds_now(options_.threads) - start;
        turns_.push_back({&c, c.result.points.size(), effort, n, passes_for(took)});
        if (took > options_.seconds)
            turns_.back().queries = std::clamp(
                static_cast<std::size_t>(static_cast<double>(n) * options_.seconds / took),
                std::min(fewest_queries, n), n);
        c.result.points.push_back({effort, recall(), 0});
    }

    [[nodiscard]] std::size_t passes_for(double seconds_of_one) const {
        auto const fitting = [&](double seconds) {
            auto const turn = seconds / static_cast<double>(options_.rounds);
            return static_cast<std::size_t>(turn / std::max(seconds_of_one, 1e-6));
        };
        auto const round = options_.rounds * data_.queries.rows;
        auto const least =
            data_.base.rows < small_set ? (options_.least_queries + round - 1) / round : 1;
        return std::max({fitting(options_.seconds),
                         std::min(least, fitting(options_.seconds * most_patience)),
                         std::size_t{1}});
    }

    [[nodiscard]] double recall() const {
        std::size_t near = 0, wanted = 0;
        for (std::size_t q = 0; q < data_.queries.rows; ++q) {
            near += count_near(options_.metric, data_.base, data_.queries.row(q), data_.wanted[q],
                               {found_.data() + q * options_.k, counts_[q]});
            wanted += data_.wanted[q].size();
        }
        return wanted == 0 ? 1 : static_cast<double>(near) / static_cast<double>(wanted);
    }

    data_set const& data_;
    sweep_options const& options_;
    std::vector<std::uint32_t> found_;
    std::vector<std::size_t> counts_;
    std::vector<turn> turns_;
};

} // namespace

void note_bytes(contestant& c, std::size_t before, std::size_t rows) {
    auto const bytes = static_cast<double>(bytes_in_use() - before);
    auto const identity = static_cast<double>(c.system->identity_bytes(rows));
    c.result.bytes_per_record = bytes / static_cast<double>(rows);
    c.result.bytes_per_vector = (bytes - identity) / static_cast<double>(rows);
}

void build(contestant& c, data_set& data, sweep_options const& options) {
    auto const unit = c.system->wants_unit_length() && options.metric == metric_name::cosine;
    matrix const unit_base = unit ? at_unit_length(data.base) : matrix{};
    if (unit && data.unit_queries.rows == 0) data.unit_queries = at_unit_length(data.queries);
    auto& r = c.result;
    r.system = c.system->name();
    auto const before = bytes_in_use();
    auto const cpu = process_cpu_seconds();
    auto const wall = wall_seconds();
    c.system->build(unit ? unit_base : data.base);
    r.build_seconds = wall_seconds() - wall;
    r.build_cpu_seconds = process_cpu_seconds() - cpu;
    auto const built = process_cpu_seconds();
    c.system->tune();
    r.tune_cpu_seconds = process_cpu_seconds() - built;
    // One search first: what it keeps for the next one is the index's memory too.
    c.system->ask(options.k, 4 * options.k);
    std::vector<std::uint32_t> found(options.k);
    static_cast<void>(c.system->search(queries_for(c, data).row(0), found.data()));
    note_bytes(c, before, data.base.rows);
    std::fprintf(stderr, "%s: built in %.2f CPU s, %.0f bytes a vector\n", r.system.c_str(),
                 r.build_cpu_seconds, r.bytes_per_vector);
}

void sweep(std::vector<contestant>& all, data_set const& data, sweep_options const& options) {
    sweeper s(data, options);
    s.find_recalls(all);
    s.run_rounds();
}

} // namespace bench

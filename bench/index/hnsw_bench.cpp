// SPDX-License-Identifier: MIT
// Graph search and build on the sift set, M = 16, ef_construction = 200, one thread, beside hnswlib
// on the same data in the same process. Time never without recall: recall@10 stands beside each
// figure.
//
// --benchmark_enable_random_interleaving=true --benchmark_repetitions=5 gives medians that a
// machine which changes its speed does not spoil.
#include "dataset.hpp"

#include <vicinal/vicinal.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <memory>
#include <set>
#include <string>
#include <vector>

#if VICINAL_BENCH_HNSWLIB
#    include <hnswlib/hnswlib.h>
#endif

namespace {

using namespace vicinal;
using hnsw = index::hnsw<>::of<metric::squared_l2, storage::memory>;
using flat = index::flat<>::of<metric::squared_l2, storage::memory>;
constexpr std::size_t k = 10;

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// The rows, the graph of each library, the true neighbours, and what building cost.
struct fixture {
    bench::matrix base = bench::load("sift.base.u8bin", bench::wanted_rows());
    bench::matrix queries = bench::load("sift.query.u8bin", 1000);
    storage::memory::space space;
    storage::memory_column* rows = *space.column("vectors", base.columns * sizeof(float));
    std::vector<float> farthest; ///< distance of the k-th true neighbour of each query
    double vicinal_build = 0;
    double hnswlib_build = 0;
    std::unique_ptr<hnsw> graph;
#if VICINAL_BENCH_HNSWLIB
    hnswlib::L2Space l2{base.columns};
    std::unique_ptr<hnswlib::HierarchicalNSW<float>> rival;
#endif

    fixture() {
        storage::grow(*rows, base.rows).value();
        std::memcpy(rows->edit(0), base.data.data(), base.data.size() * sizeof(float));
        auto start = cpu_seconds();
        graph = std::make_unique<hnsw>(hnsw::open(space, *rows, base.columns, {}).value());
        graph->take_in(static_cast<slot>(base.rows), index::keep_all{}, index::no_section{})
            .value();
        vicinal_build = cpu_seconds() - start;
#if VICINAL_BENCH_HNSWLIB
        start = cpu_seconds();
        rival = std::make_unique<hnswlib::HierarchicalNSW<float>>(&l2, base.rows, 16, 200);
        for (std::size_t i = 0; i < base.rows; ++i) rival->addPoint(base.row(i), i);
        hnswlib_build = cpu_seconds() - start;
#endif
        auto const exact = flat::open(space, *rows, base.columns, {}).value();
        for (std::size_t q = 0; q < queries.rows; ++q)
            farthest.push_back(
                exact.search(queries.row(q), k, 0, index::keep_all{}).value().back().distance);
    }
};

fixture& data() {
    static fixture all;
    return all;
}

/// search(query, near(distance)) calls near for each of the k hits.
template <class Search>
void measure(benchmark::State& state, Search const& search) {
    auto& d = data();
    std::size_t near = 0;
    for (std::size_t q = 0; q < d.queries.rows; ++q)
        search(d.queries.row(q),
               [&](float distance) { near += distance <= d.farthest[q] ? 1U : 0U; });
    std::size_t q = 0;
    for (auto _ : state)
        search(d.queries.row(q++ % d.queries.rows),
               [](float distance) { benchmark::DoNotOptimize(distance); });
    state.counters["recall@10"] =
        static_cast<double>(near) / static_cast<double>(d.queries.rows * k);
    state.counters["queries/s"] =
        benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void efforts(benchmark::internal::Benchmark* b) {
    for (auto const ef : {16, 24, 32, 48, 64, 96, 128, 256}) b->Arg(ef);
}

void vicinal_search(benchmark::State& state) {
    auto const ef = static_cast<std::size_t>(state.range(0));
    measure(state, [ef](float const* query, auto const& near) {
        auto const found = data().graph->search(query, k, ef, index::keep_all{}).value();
        for (std::size_t i = 0; i < k; ++i) near(found[i].distance);
    });
    state.counters["build_cpu_s"] = data().vicinal_build;
}
BENCHMARK(vicinal_search)->Name("hnsw/vicinal")->Apply(efforts);

#if VICINAL_BENCH_HNSWLIB
void hnswlib_search(benchmark::State& state) {
    data().rival->setEf(static_cast<std::size_t>(state.range(0)));
    measure(state, [](float const* query, auto const& near) {
        auto found = data().rival->searchKnn(query, k);
        for (; !found.empty(); found.pop()) near(found.top().first);
    });
    state.counters["build_cpu_s"] = data().hnswlib_build;
}
BENCHMARK(hnswlib_search)->Name("hnsw/hnswlib")->Apply(efforts);
#endif

} // namespace

BENCHMARK_MAIN();

// SPDX-License-Identifier: MIT
// Exact search over the sift set, one query at a time, beside a plain pass over the same floats.
#include "dataset.hpp"

#include <vicinal/vicinal.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>

namespace {

using namespace vicinal;
using flat = index::flat<>::of<metric::squared_l2, storage::memory>;

struct fixture {
    bench::matrix base = bench::load("sift.base.u8bin", bench::wanted_rows());
    bench::matrix queries = bench::load("sift.query.u8bin", 100);
    storage::memory::space space;
    storage::memory_column* rows = *space.column("vectors", base.columns * sizeof(float));
    flat index;

    fixture() : index(fill()) {}

    flat fill() {
        storage::grow(*rows, base.rows).value();
        std::memcpy(rows->edit(0), base.data.data(), base.data.size() * sizeof(float));
        return flat::open(space, *rows, base.columns, {}).value();
    }
};

fixture& data() {
    static fixture all;
    return all;
}

void search(benchmark::State& state) {
    auto& d = data();
    std::size_t q = 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(
            d.index.search(d.queries.row(q++ % d.queries.rows), 10, 0, index::keep_all{}));
    state.counters["recall@10"] = 1;
    state.SetBytesProcessed(state.iterations() *
                            static_cast<std::int64_t>(d.base.data.size() * sizeof(float)));
}
BENCHMARK(search)->Name("flat/vicinal")->Unit(benchmark::kMillisecond);

/// The largest element: no search can be done with fewer bytes of floats, so this is the bandwidth.
void read(benchmark::State& state) {
    auto& d = data();
    for (auto _ : state) {
        float lanes[16] = {};
        for (std::size_t i = 0; i + 16 <= d.base.data.size(); i += 16)
            for (std::size_t j = 0; j < 16; ++j) lanes[j] = std::max(lanes[j], d.base.data[i + j]);
        benchmark::DoNotOptimize(lanes);
    }
    state.SetBytesProcessed(state.iterations() *
                            static_cast<std::int64_t>(d.base.data.size() * sizeof(float)));
}
BENCHMARK(read)->Name("flat/read")->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();

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

/// Adds up all floats in four registers: what reading them costs, at the measured bandwidth.
void read(benchmark::State& state) {
    auto& d = data();
    using lanes = simd::pack<float, 16>;
    for (auto _ : state) {
        lanes sums[4], next;
        for (auto& s : sums) s.zero();
        for (std::size_t i = 0; i + 64 <= d.base.data.size(); i += 64)
            for (std::size_t j = 0; j < 4; ++j) {
                next.load(d.base.data.data() + i + 16 * j);
                sums[j].add(next);
            }
        benchmark::DoNotOptimize(sums);
    }
    state.SetBytesProcessed(state.iterations() *
                            static_cast<std::int64_t>(d.base.data.size() * sizeof(float)));
}
BENCHMARK(read)->Name("flat/read")->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();

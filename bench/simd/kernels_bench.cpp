// SPDX-License-Identifier: MIT
// Nanoseconds a distance, in cache: 64 rows that fit it, so that the kernel is measured and not the
// memory. `textbook` is the plain loop; `hnswlib` its kernel for the same dimension, compiled with
// the same flags.
#include <vicinal/vicinal.hpp>

#include <benchmark/benchmark.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#if VICINAL_BENCH_HNSWLIB
#    include <hnswlib/hnswlib.h>
#endif

namespace {

using namespace vicinal;
constexpr std::size_t rows = 64;

std::vector<float> random_floats(std::size_t n, std::uint64_t seed) {
    std::vector<float> v(n);
    for (std::size_t i = 0; i < n; ++i)
        v[i] = static_cast<float>(detail::mix(seed + i) >> 40) / 16777216.0F - 0.5F;
    return v;
}

template <class Distance>
void measure(benchmark::State& state, std::size_t dim, std::vector<float> const& data,
             Distance const& distance) {
    for (auto _ : state)
        for (std::size_t i = 0; i < rows; ++i)
            benchmark::DoNotOptimize(distance(data.data() + i * dim));
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows));
}

template <class Metric>
void vicinal_kernel(benchmark::State& state) {
    auto const dim = static_cast<std::size_t>(state.range(0));
    auto const query = random_floats(dim, 1);
    auto const data = random_floats(dim * rows, 2);
    auto const distance = metric::bind<Metric>(query.data(), dim);
    auto const exact = metric::exact<Metric>(query.data(), data.data(), dim);
    if (std::abs(distance(data.data()) - exact) > 1e-4F * (1 + std::abs(exact)))
        throw std::logic_error("a kernel differs from the exact distance");
    measure(state, dim, data, distance);
}

template <class Metric>
void vicinal_exact(benchmark::State& state) {
    auto const dim = static_cast<std::size_t>(state.range(0));
    auto const query = random_floats(dim, 1);
    auto const data = random_floats(dim * rows, 2);
    measure(state, dim, data,
            [&](float const* row) { return metric::exact<Metric>(query.data(), row, dim); });
}

void textbook_l2(benchmark::State& state) {
    auto const dim = static_cast<std::size_t>(state.range(0));
    auto const query = random_floats(dim, 1);
    auto const data = random_floats(dim * rows, 2);
    measure(state, dim, data, [&](float const* row) {
        float sum = 0;
        for (std::size_t i = 0; i < dim; ++i) sum += (query[i] - row[i]) * (query[i] - row[i]);
        return sum;
    });
}

#if VICINAL_BENCH_HNSWLIB
void hnswlib_l2(benchmark::State& state) {
    auto const dim = static_cast<std::size_t>(state.range(0));
    auto const query = random_floats(dim, 1);
    auto const data = random_floats(dim * rows, 2);
    hnswlib::L2Space space(dim);
    auto const distance = space.get_dist_func();
    measure(state, dim, data, [&](float const* row) {
        return distance(query.data(), row, space.get_dist_func_param());
    });
}
BENCHMARK(hnswlib_l2)->Name("squared_l2/hnswlib")->Arg(128)->Arg(384)->Arg(768)->Arg(1536);
#endif

void dimensions(benchmark::internal::Benchmark* b) {
    for (auto const dim : {32, 96, 128, 384, 768, 1536}) b->Arg(dim);
}

BENCHMARK(vicinal_kernel<metric::squared_l2>)->Name("squared_l2/vicinal")->Apply(dimensions);
BENCHMARK(vicinal_exact<metric::squared_l2>)->Name("squared_l2/exact")->Apply(dimensions);
BENCHMARK(textbook_l2)->Name("squared_l2/textbook")->Apply(dimensions);
BENCHMARK(vicinal_kernel<metric::inner_product>)->Name("inner_product/vicinal")->Apply(dimensions);
BENCHMARK(vicinal_kernel<metric::cosine>)->Name("cosine/vicinal")->Apply(dimensions);
BENCHMARK(vicinal_exact<metric::cosine>)->Name("cosine/exact")->Apply(dimensions);

} // namespace

BENCHMARK_MAIN();

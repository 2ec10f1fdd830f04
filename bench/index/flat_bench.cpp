// SPDX-License-Identifier: MIT
// Exact search beside faiss's IndexFlat and beside the time that reading the floats takes.
//
// Two sets: the rows of sift five times with noise of plus or minus 2 (1,000,000 x 128), and mnist
// (60,000 x 784). Each contestant runs once in every round, one after the other, and the median of
// its rounds counts, so that a busy moment of the machine meets all of them. Every answer is
// compared with a scan of all rows by the exact distance; a difference ends the program. Times are
// processor time of one thread.
//
//     flat_bench [--json FILE] [WORD]    only sets whose name has WORD in it
#include "dataset.hpp"
#include "report.hpp"

#include <vicinal/vicinal.hpp>

#if defined(VICINAL_BENCH_FAISS)
#    include <faiss/IndexFlat.h>
extern "C" void openblas_set_num_threads(int);
extern "C" void omp_set_num_threads(int);
#endif

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace vicinal;
using space = storage::memory::space;
template <class Codec>
using flat = typename index::flat<Codec>::template of<metric::squared_l2, storage::memory>;

constexpr std::size_t k = 10;

#if defined(__x86_64__)
#    define BENCH_WIDE __attribute__((target("avx512f")))
#else
#    define BENCH_WIDE
#endif

/// The sum of all elements in registers enough to hide the latency, fetching ahead: what reading
/// them takes.
template <class Lanes>
__attribute__((always_inline)) inline float sum_all(std::span<float const> data) {
    constexpr std::size_t w = sizeof(Lanes) / sizeof(float);
    Lanes a{}, b{}, c{}, d{};
    std::size_t i = 0;
    for (; i + 4 * w <= data.size(); i += 4 * w) {
        Lanes x[4];
        std::memcpy(x, data.data() + i, sizeof x);
        for (std::size_t line = 0; line < 4 * w; line += 16)
            __builtin_prefetch(data.data() + i + line + 2048);
        a += x[0];
        b += x[1];
        c += x[2];
        d += x[3];
    }
    a += b + c + d;
    float sum = 0;
    for (std::size_t j = 0; j < w; ++j) sum += a[j];
    return sum;
}
typedef float lanes_16 __attribute__((vector_size(64)));
typedef float lanes_4 __attribute__((vector_size(16)));
BENCH_WIDE float read_wide(std::span<float const> data) { return sum_all<lanes_16>(data); }
float read_all(std::span<float const> data) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return read_wide(data);
#endif
    return sum_all<lanes_4>(data);
}

struct contestant {
    std::string name;
    std::function<void()> run;
    std::vector<double> milliseconds = {};

    [[nodiscard]] double median() const { return bench::median(milliseconds); }
};

void run_rounds(std::vector<contestant>& all, int rounds) {
    for (auto& c : all) c.run();
    for (int r = 0; r < rounds; ++r)
        for (auto& c : all) {
            auto const start = bench::milliseconds_used();
            c.run();
            c.milliseconds.push_back(bench::milliseconds_used() - start);
        }
}

void tell(bench::report& report, std::string const& set, char const* what,
          std::vector<contestant> const& all, double queries) {
    std::printf("%s\n", what);
    for (auto const& c : all) {
        auto const each = c.median() / queries;
        auto const ratio = all.front().median() / c.median();
        std::printf("  %-34s %9.3f ms/query %9.2f x the first\n", c.name.c_str(), each, ratio);
        report.add({{"set", set}, {"what", what}, {"who", c.name}},
                   {{"ms", each}, {"ratio", ratio}});
    }
}

void compare(index::neighbours const& got, index::neighbours const& want, std::size_t query) {
    if (got == want) return;
    std::printf("query %zu: another answer than brute force\n", query);
    std::exit(1);
}

void measure(bench::report& report, char const* name, bench::matrix const& base,
             bench::matrix const& queries) {
    auto const set =
        std::string(name) + ", " + std::to_string(base.rows) + " x " + std::to_string(base.columns);
    std::printf("\n%s, k = %zu\n", set.c_str(), k);
    space columns;
    auto& rows = *columns.column("vectors", base.columns * sizeof(float)).value();
    storage::grow(rows, base.rows).value();
    std::memcpy(rows.edit(0), base.data.data(), base.data.size() * sizeof(float));
    auto const every_float = flat<codec::f32>::open(columns, rows, base.columns, {}).value();
    auto two_phase = flat<codec::sq8>::open(columns, rows, base.columns, {}).value();
    auto const start = bench::milliseconds_used();
    two_phase.take_in(static_cast<slot>(base.rows), index::keep_all{}, index::no_section{}).value();
    auto const took = bench::milliseconds_used() - start;
    std::printf("  encoded in %.0f ms\n", took);

    std::size_t q = 0;
    auto const next = [&] { return queries.row(q++ % queries.rows); };
    float sink = 0;
    std::span<float const> const floats(reinterpret_cast<float const*>(rows.reader().row(0)),
                                        base.data.size());
    std::vector<contestant> single{
        {"reading all floats", [&] { sink += read_all(floats); }},
        {"vicinal flat<sq8>, 1 query",
         [&] { static_cast<void>(two_phase.search(next(), k, 0, index::keep_all{}).value()); }},
        {"vicinal flat<f32>, 1 query",
         [&] { static_cast<void>(every_float.search(next(), k, 0, index::keep_all{}).value()); }},
    };
    std::vector<contestant> batch{
        {"vicinal flat<sq8>, batch, 1 thread",
         [&] {
             static_cast<void>(
                 two_phase.search(queries.data.data(), queries.rows, k, index::keep_all{}, 1)
                     .value());
         }},
    };
#if defined(VICINAL_BENCH_FAISS)
    faiss::IndexFlatL2 rival(static_cast<faiss::Index::idx_t>(base.columns));
    rival.add(static_cast<faiss::Index::idx_t>(base.rows), base.data.data());
    std::vector<float> distances(queries.rows * k);
    std::vector<faiss::Index::idx_t> labels(queries.rows * k);
    omp_set_num_threads(1);
    openblas_set_num_threads(1);
    single.push_back({"faiss IndexFlatL2, 1 query",
                      [&] { rival.search(1, next(), k, distances.data(), labels.data()); }});
    batch.insert(batch.begin(), {"faiss IndexFlatL2, batch, 1 thread", [&] {
                                     rival.search(static_cast<faiss::Index::idx_t>(queries.rows),
                                                  queries.data.data(), k, distances.data(),
                                                  labels.data());
                                 }});
#endif
    run_rounds(single, 21);
    tell(report, set, "one query", single, 1);
    std::printf("  reads %.1f GB/s\n",
                static_cast<double>(base.data.size() * 4) / single.front().median() / 1e6);
    run_rounds(batch, 3);
    tell(report, set, "a batch", batch, static_cast<double>(queries.rows));

    auto const found =
        two_phase.search(queries.data.data(), queries.rows, k, index::keep_all{}, 1).value();
    for (std::size_t i = 0; i < queries.rows; ++i) {
        index::nearest truth(k);
        index::scan_exactly<metric::squared_l2>(rows.reader(), 0, static_cast<slot>(base.rows),
                                                queries.row(i), base.columns, index::keep_all{},
                                                truth);
        auto const want = truth.take();
        compare(found[i], want, i);
        if (i < 100)
            compare(two_phase.search(queries.row(i), k, 0, index::keep_all{}).value(), want, i);
    }
    std::printf("  recall@10 = 1: every answer that of brute force, bit for bit (%zu queries)%s\n",
                queries.rows, sink == 1 ? " " : "");
}

} // namespace

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
    bench::arguments const arguments(argc, argv);
    bench::report report("flat");
    if (arguments.wanted("mnist"))
        measure(report, "mnist", bench::load("mnist.base.u8bin", bench::wanted_rows()),
                bench::load("mnist.query.u8bin"));
    if (arguments.wanted("sift x 5"))
        measure(report, "sift x 5", bench::noisy_sift(), bench::load("sift.query.u8bin"));
    return report.write(arguments.json()) ? 0 : 1;
}

// SPDX-License-Identifier: MIT
// A store under storage::file: reads a query and resident memory by the size of its cache, beside
// the same directory under storage::mmap.
//
// mnist (60,000 x 784) as floats in a graph over codes of a byte and of half a byte an element,
// 1,000 queries for ten neighbours at the default recall. Each line is a process of its own, so
// that its resident memory is its own: its growth since before the store was opened, the largest of
// 20 looks. Reads are those of the second half of the queries, when the cache is warm.
//
//     file_bench [--json FILE] [WORD]
#include "dataset.hpp"
#include "report.hpp"

#include <vicinal/vicinal.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace {

using namespace vicinal;
template <class Codec, class Storage>
using digits = store<metric::squared_l2, index::hnsw<Codec>, Storage, payload::none, std::uint32_t>;

constexpr std::size_t k = 10;
constexpr std::size_t count = 1000;

/// Resident memory of this process in MB.
double resident() {
    long pages = 0;
    long in_memory = 0;
    if (auto* const f = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(f, "%ld %ld", &pages, &in_memory) != 2) in_memory = 0;
        std::fclose(f);
    }
    return static_cast<double>(in_memory) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

/// The distance of the k-th neighbour of the first queries, which make() wrote: a scan of pages
/// takes a second.
std::vector<float> read_truth(std::string const& path) {
    std::ifstream file(path + ".truth");
    std::vector<float> all;
    for (float distance = 0; file >> distance;) all.push_back(distance);
    return all;
}

template <class Store>
double reads_of(Store const& s) {
    if constexpr (requires { s.paging(); }) return static_cast<double>(s.paging().reads);
    return 0;
}

/// Prints recall, reads a query, microseconds a query, MB.
template <class Codec, class Storage>
int measure(std::string const& path, std::uint64_t budget) {
    auto const queries = bench::load("mnist.query.u8bin", count);
    auto const query = [&](std::size_t i) {
        return vector_view<float>(queries.data.data() + i * queries.columns, queries.columns);
    };
    auto const before = resident();
    auto opened =
        digits<Codec, Storage>::try_open(path, {.read_only = true, .cache_bytes = budget});
    if (!opened) {
        std::fprintf(stderr, "%s\n", opened.error().message().c_str());
        return 1;
    }
    auto const& s = *opened;
    std::vector<typename digits<Codec, Storage>::hits> found;
    auto most = resident();
    double warm = 0;
    std::chrono::duration<double, std::micro> spent{};
    for (std::size_t i = 0; i < queries.rows; ++i) {
        if (i == queries.rows / 2) warm = reads_of(s);
        auto const start = std::chrono::steady_clock::now();
        found.push_back(s.search(query(i), {.k = k}));
        spent += std::chrono::steady_clock::now() - start;
        if (i % (queries.rows / 20 + 1) == 0) most = std::max(most, resident());
    }
    most = std::max(most, resident());
    auto const rows = static_cast<double>(queries.rows);
    auto const reads = (reads_of(s) - warm) / (rows / 2);
    std::size_t right = 0;
    auto const truth = read_truth(path);
    auto const checked = truth.size();
    for (std::size_t i = 0; i < checked; ++i)
        for (auto const& h : found[i]) right += h.distance <= truth[i] ? 1U : 0U;
    std::printf("%.4f %.2f %.1f %.1f\n",
                static_cast<double>(right) / static_cast<double>(checked * k), reads,
                spent.count() / rows, most - before);
    return 0;
}

template <class Codec>
void make(std::string const& path) {
    auto const base = bench::load("mnist.base.u8bin", bench::wanted_rows());
    digits<Codec, storage::mmap> s{path, {.dim = base.columns, .durability = durability::off}};
    std::vector<typename digits<Codec, storage::mmap>::record> batch;
    for (std::size_t i = 0; i < base.rows; ++i)
        batch.push_back(
            {static_cast<std::uint32_t>(i),
             {base.data.data() + i * base.columns, base.data.data() + (i + 1) * base.columns},
             {}});
    s.upsert(batch);
    s.checkpoint();
    auto const queries = bench::load("mnist.query.u8bin", 200);
    std::ofstream truth(path + ".truth");
    truth.precision(9);
    for (std::size_t i = 0; i < queries.rows; ++i)
        truth << s.search(vector_view<float>(queries.row(i), queries.columns),
                          {.k = k, .exact = true})
                     .back()
                     .distance
              << '\n';
}

/// One line, in this process.
template <class Codec>
int one(std::string const& path, std::uint64_t budget) {
    return budget == 0 ? measure<Codec, storage::mmap>(path, 0)
                       : measure<Codec, storage::file>(path, budget);
}

/// Runs this program for one line; false where the store did not open.
bool run(std::string const& self, std::string const& codec, std::string const& path,
         std::uint64_t budget, std::array<double, 4>& numbers) {
    auto const command = self + " --one " + codec + " " + path + " " + std::to_string(budget);
    auto* const p = ::popen(command.c_str(), "r");
    if (p == nullptr) return false;
    bool const read =
        std::fscanf(p, "%lf %lf %lf %lf", &numbers[0], &numbers[1], &numbers[2], &numbers[3]) == 4;
    return ::pclose(p) == 0 && read;
}

/// All lines of a codec.
template <class Codec>
bool compare(std::string const& self, bench::arguments const& arguments, bench::report& report) {
    std::string const codec(Codec::name);
    if (!arguments.wanted(codec)) return true;
    std::string directory = (std::filesystem::temp_directory_path() / "vicinal-bench-XXXXXX");
    if (::mkdtemp(directory.data()) == nullptr) return false;
    auto const path = directory + "/store";
    make<Codec>(path);
    auto const bytes = storage::file::space::inspect(path)->snapshot_bytes;
    std::printf("mnist, %s, %.1f MB of snapshot; recall@10, reads a query, us a query, MB "
                "resident\n",
                codec.c_str(), static_cast<double>(bytes) / 1e6);
    bool ran = true;
    for (unsigned const percent : {0U, 10U, 20U, 24U, 30U, 50U}) {
        auto const name = percent == 0 ? std::string("mmap") : std::to_string(percent) + " %";
        auto const budget = static_cast<double>(bytes * percent / 100) / 1e6;
        std::array<double, 4> numbers{};
        if (!run(self, codec, path, bytes * percent / 100, numbers)) {
            ran = false;
            continue;
        }
        std::printf("%6s  %.4f  %6.2f  %7.1f  %6.1f of %.1f\n", name.c_str(), numbers[0],
                    numbers[1], numbers[2], numbers[3], budget);
        std::fflush(stdout);
        report.add({{"codec", codec}, {"cache", name}}, {{"recall", numbers[0]},
                                                         {"reads", numbers[1]},
                                                         {"microseconds", numbers[2]},
                                                         {"megabytes", numbers[3]},
                                                         {"budget", budget}});
    }
    std::filesystem::remove_all(directory);
    return ran;
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 5 && std::string_view(argv[1]) == "--one") {
        auto const budget = std::strtoull(argv[4], nullptr, 10);
        return std::string_view(argv[2]) == codec::sq4::name ? one<codec::sq4>(argv[3], budget)
                                                             : one<codec::sq8>(argv[3], budget);
    }
    bench::arguments const arguments(argc, argv);
    bench::report report("file");
    bool ran = compare<codec::sq8>(argv[0], arguments, report);
    ran = compare<codec::sq4>(argv[0], arguments, report) && ran;
    return report.write(arguments.json()) && ran ? 0 : 1;
}

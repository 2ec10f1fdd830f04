// SPDX-License-Identifier: MIT
// How fast records are moved, and in how much memory.
//
// JSON Lines of 1,000,000 x 384 (VICINAL_BENCH_ROWS: fewer) with the shortest decimals, read into a
// store in memory without an index build, on one thread and with reading and writing side by side;
// the same without a store, for what is the reader's; both for a directory that the real Chroma
// wrote (VICINAL_BENCH_CHROMA, made by make_chroma.py). Then the most memory that a migration into
// a sink without any takes, verified, of a process of its own.
//
//     migrate_bench [--json FILE] [WORD]
#include "dataset.hpp"
#include "report.hpp"

#include <vicinal/backend/chroma_directory.hpp>
#include <vicinal/migrate/jsonl.hpp>
#include <vicinal/vicinal.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

namespace {

using namespace vicinal;
using flat_store = store<metric::cosine, index::flat<>>;

constexpr std::size_t dim = 384;

std::size_t rows() {
    auto const* const few = std::getenv("VICINAL_BENCH_ROWS");
    return few != nullptr ? std::strtoul(few, nullptr, 10) : 1'000'000;
}

/// Takes everything and keeps nothing.
struct no_sink {
    std::uint64_t records = 0;
    result<void> begin(schema const&) { return {}; }
    result<void> write(std::span<record const> batch) {
        records += batch.size();
        return {};
    }
    result<void> finish() { return {}; }
    result<backend::jsonl_source> reopen() { return error{errc::unsupported, "", ""}; }
};

/// The most resident memory of this process so far, in MB.
double most_resident() {
    ::rusage r{};
    ::getrusage(RUSAGE_SELF, &r);
    return static_cast<double>(r.ru_maxrss) / 1e3;
}

void make_lines(std::string const& path) {
    backend::jsonl_sink sink(path);
    sink.begin({}).value();
    std::uint64_t state = 1;
    auto const next = [&state] {
        state = detail::mix(state + 0x9e3779b97f4a7c15U);
        return static_cast<float>(static_cast<double>(state >> 11U) / 9007199254740992.0 - 0.5) / 4;
    };
    std::vector<record> batch(1000);
    for (std::size_t first = 0; first < rows(); first += batch.size()) {
        for (std::size_t i = 0; i < batch.size(); ++i) {
            batch[i].id = "doc-" + std::to_string(first + i);
            batch[i].vector.resize(dim);
            for (auto& x : batch[i].vector) x = next();
            batch[i].payload = {{"page", static_cast<std::int64_t>(i)}, {"lang", "en"}};
        }
        sink.write(batch).value();
    }
    sink.finish().value();
}

double seconds_of(auto const& run) {
    auto const start = std::chrono::steady_clock::now();
    run();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class measurement {
public:
    measurement(bench::arguments const& arguments, bench::report& report)
        : arguments_(arguments), report_(report) {}

    /// `run` gives how many records it moved. The median of three: the first may have to read its
    /// files from the disk, or wait for what was written before.
    void speed(std::string const& what, double megabytes, auto const& run) {
        if (!arguments_.wanted(what)) return;
        std::uint64_t records = 0;
        std::array<double, 3> times{};
        for (auto& t : times) t = seconds_of([&] { records = run(); });
        std::sort(times.begin(), times.end());
        auto const seconds = times[1];
        auto const rate = static_cast<double>(records) / seconds;
        std::printf("%-46s %9.0f records/s  %6.0f MB/s\n", what.c_str(), rate, megabytes / seconds);
        std::fflush(stdout);
        report_.add({{"what", what}},
                    {{"records_per_second", rate}, {"megabytes_per_second", megabytes / seconds}});
    }
    void memory(std::string const& self, std::string const& what, std::string const& command) {
        if (!arguments_.wanted(what)) return;
        auto* const p = ::popen((self + " --one " + command).c_str(), "r");
        double megabytes = 0;
        if (p == nullptr || std::fscanf(p, "%lf", &megabytes) != 1) megabytes = -1;
        if (p != nullptr) ::pclose(p);
        std::printf("%-46s %9.1f MB at most\n", what.c_str(), megabytes);
        std::fflush(stdout);
        report_.add({{"what", what}}, {{"most_megabytes", megabytes}});
    }

private:
    bench::arguments const& arguments_;
    bench::report& report_;
};

migrate_options unverified(std::size_t threads) {
    migrate_options o;
    o.verify = verify::nothing;
    o.threads = threads;
    return o;
}

/// From JSON Lines to JSON Lines, every record verified: prints the memory that it took.
int one(std::string const& from, std::string const& to) {
    auto const before = most_resident();
    migrate_options o;
    o.verify = verify::every_record;
    o.threads = 2;
    if (!migrate(backend::jsonl_source(from), backend::jsonl_sink(to), o).ok()) return 1;
    std::printf("%.1f\n", most_resident() - before);
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 4 && std::string_view(argv[1]) == "--one") return one(argv[2], argv[3]);
    bench::arguments const arguments(argc, argv);
    bench::report report("migrate");
    measurement measure(arguments, report);
    std::string directory = (std::filesystem::temp_directory_path() / "vicinal-bench-XXXXXX");
    if (::mkdtemp(directory.data()) == nullptr) return 1;

    auto const lines = directory + "/lines.jsonl";
    make_lines(lines);
    auto const megabytes = static_cast<double>(std::filesystem::file_size(lines)) / 1e6;
    measure.speed("json lines, nowhere", megabytes, [&] {
        return migrate(backend::jsonl_source(lines), no_sink{}, unverified(1)).records;
    });
    for (std::size_t const threads : {1U, 2U})
        measure.speed(
            "json lines, memory store, threads " + std::to_string(threads), megabytes, [&] {
                flat_store to({.dim = dim});
                return migrate(backend::jsonl_source(lines), to, unverified(threads)).records;
            });
    measure.memory(argv[0], "json lines to json lines, verified",
                   lines + " " + directory + "/copy.jsonl");
    std::filesystem::remove_all(directory);

    if (auto const* const chroma = std::getenv("VICINAL_BENCH_CHROMA")) {
        auto const vectors = 100'000 * dim * sizeof(float) / 1e6;
        measure.speed("chroma, nowhere", vectors, [&] {
            return migrate(backend::chroma_directory(chroma), no_sink{}, unverified(1)).records;
        });
        for (std::size_t const threads : {1U, 2U})
            measure.speed("chroma, memory store, threads " + std::to_string(threads), vectors, [&] {
                store<metric::squared_l2, index::flat<>> to({.dim = dim});
                return migrate(backend::chroma_directory(chroma), to, unverified(threads)).records;
            });
    } else {
        std::printf("chroma: skipped, VICINAL_BENCH_CHROMA names no directory\n");
    }
    return report.write(arguments.json()) ? 0 : 1;
}

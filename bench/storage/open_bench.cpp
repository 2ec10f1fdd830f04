// SPDX-License-Identifier: MIT
// From opening a durable store to its first answer, warm and cold, and searching it beside the same
// store in memory.
//
// The store is a graph over the rows of sift five times with noise of plus or minus 2 (1,000,000 x
// 128). It is made where VICINAL_BENCH_STORE says and kept there for the next run; without it, in a
// directory of its own that is removed again. Warm times are processor time of one thread and wall
// time, medians of 21. Cold: the file's pages are dropped, the store opened and searched; then they
// are dropped again, and those that the search has made resident are read by pread, in the order
// of the file. Wall time, medians of 7.
//
//     open_bench [--json FILE] [WORD]    only measurements whose name has WORD in it
#include "dataset.hpp"
#include "report.hpp"

#include <vicinal/vicinal.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace vicinal;
using mapped = store<metric::squared_l2, index::hnsw<>, storage::mmap>;
using in_memory = store<metric::squared_l2, index::hnsw<>>;

double milliseconds() {
    return std::chrono::duration<double, std::milli>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

void make_store(std::string const& path) {
    auto const rows = bench::noisy_sift();
    mapped::options o;
    o.dim = rows.columns;
    o.durability = durability::off;
    o.index.build_width = 24; // a graph made quickly
    o.index.threads = 2;
    mapped s{path, o};
    for (std::size_t first = 0; first < rows.rows; first += rows.rows / 5) {
        std::vector<mapped::record> records(rows.rows / 5);
        for (std::size_t i = 0; i < records.size(); ++i) {
            auto const n = first + i;
            records[i].id = "row-" + std::to_string(n);
            records[i].vector.assign(rows.row(n), rows.row(n) + rows.columns);
            records[i].payload = {{"n", static_cast<std::int64_t>(n)}};
        }
        s.upsert(records);
    }
    s.checkpoint();
}

std::string snapshot_of(std::string const& path) {
    for (auto const& e : std::filesystem::directory_iterator(path))
        if (e.path().extension() == ".vic") return e.path().string();
    std::fprintf(stderr, "no snapshot in %s\n", path.c_str());
    std::exit(1);
}

mapped open_store(std::string const& path, vicinal::check_level how) {
    mapped::options o;
    o.read_only = true;
    o.check = how;
    return mapped{path, o};
}

/// The pages of a file that are in memory, as runs of bytes.
class page_cache {
public:
    explicit page_cache(std::string const& path)
        : file_(::open(path.c_str(), O_RDONLY)), bytes_(std::filesystem::file_size(path)) {}
    ~page_cache() { ::close(file_); }

    void drop() const { ::posix_fadvise(file_, 0, 0, POSIX_FADV_DONTNEED); }
    void fill() const {
        std::vector<char> buffer(1 << 20);
        for (std::uint64_t at = 0; at < bytes_; at += buffer.size())
            if (::pread(file_, buffer.data(), buffer.size(), static_cast<off_t>(at)) <= 0) break;
    }
    [[nodiscard]] std::vector<std::pair<std::uint64_t, std::size_t>> resident() const {
        auto* const p = ::mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, file_, 0);
        std::vector<unsigned char> in((bytes_ + 4095) / 4096);
        std::vector<std::pair<std::uint64_t, std::size_t>> runs;
        if (p == MAP_FAILED || ::mincore(p, bytes_, in.data()) != 0) return runs;
        ::munmap(p, bytes_);
        for (std::size_t i = 0; i < in.size(); ++i) {
            if ((in[i] & 1) == 0) continue;
            if (i > 0 && (in[i - 1] & 1) != 0)
                runs.back().second += 4096;
            else
                runs.emplace_back(i * 4096, 4096);
        }
        return runs;
    }
    /// Reads those runs and nothing around them.
    void read(std::vector<std::pair<std::uint64_t, std::size_t>> const& runs) const {
        std::vector<char> buffer;
        ::posix_fadvise(file_, 0, 0, POSIX_FADV_RANDOM);
        for (auto const& [at, n] : runs) {
            buffer.resize(std::max(buffer.size(), n));
            if (::pread(file_, buffer.data(), n, static_cast<off_t>(at)) < 0) break;
        }
        ::posix_fadvise(file_, 0, 0, POSIX_FADV_NORMAL);
    }

private:
    int file_;
    std::uint64_t bytes_;
};

void warm(std::string const& path, bench::matrix const& queries, bench::report& out) {
    page_cache(snapshot_of(path)).fill();
    for (auto const& [name, how] : {std::pair{"warm, checked lazily", check::lazy},
                                    std::pair{"warm, trusted", check::trusted}}) {
        std::vector<double> used;
        std::vector<double> wall;
        for (std::size_t round = 0; round < 21; ++round) {
            auto const u = bench::milliseconds_used();
            auto const w = milliseconds();
            auto const s = open_store(path, how);
            static_cast<void>(s.search({queries.row(round * 13 % queries.rows), s.dim()}));
            used.push_back(bench::milliseconds_used() - u);
            wall.push_back(milliseconds() - w);
        }
        std::printf("open to first answer, %-22s %6.2f ms of processor, %6.2f ms\n", name,
                    bench::median(used), bench::median(wall));
        out.add({{"what", name}},
                {{"used_ms", bench::median(used)}, {"wall_ms", bench::median(wall)}});
    }
}

void cold(std::string const& path, bench::matrix const& queries, bench::report& out) {
    page_cache const pages(snapshot_of(path));
    std::vector<double> first;
    std::vector<double> reading;
    double megabytes = 0;
    for (std::size_t round = 0; round < 7; ++round) {
        pages.drop();
        auto w = milliseconds();
        {
            auto const s = open_store(path, check::lazy);
            static_cast<void>(s.search({queries.row(round * 29 % queries.rows), s.dim()}));
        }
        first.push_back(milliseconds() - w);
        auto const runs = pages.resident();
        megabytes = 0;
        for (auto const& [at, n] : runs) megabytes += static_cast<double>(n) / 1e6;
        pages.drop();
        w = milliseconds();
        pages.read(runs);
        reading.push_back(milliseconds() - w);
    }
    auto const ratio = bench::median(first) / bench::median(reading);
    std::printf(
        "open to first answer, cold %.1f ms; reading the same %.1f MB %.1f ms: %.2f times\n",
        bench::median(first), megabytes, bench::median(reading), ratio);
    out.add({{"what", "cold"}}, {{"wall_ms", bench::median(first)},
                                 {"read_ms", bench::median(reading)},
                                 {"read_mb", megabytes},
                                 {"times", ratio}});
}

void searching(std::string const& path, bench::matrix const& queries, bench::report& out) {
    auto const memory = in_memory::load(snapshot_of(path));
    auto const lazy = open_store(path, check::lazy);
    auto const trusted = open_store(path, check::trusted);
    auto const run = [&](auto const& s) {
        auto const from = bench::milliseconds_used();
        for (std::size_t i = 0; i < queries.rows; ++i)
            static_cast<void>(s.search({queries.row(i), s.dim()}));
        return static_cast<double>(queries.rows) / (bench::milliseconds_used() - from) * 1e3;
    };
    std::vector<double> speed[3];
    for (int round = 0; round < 8; ++round) {
        double const now[] = {run(memory), run(lazy), run(trusted)};
        if (round == 0) continue; // pages that are met for the first time
        for (std::size_t i = 0; i < 3; ++i) speed[i].push_back(now[i]);
    }
    char const* const names[] = {"memory", "mmap, checked lazily", "mmap, trusted"};
    auto const base = bench::median(speed[0]);
    for (std::size_t i = 0; i < 3; ++i) {
        auto const qps = bench::median(speed[i]);
        std::printf("searching %-22s %8.0f queries a second, %.2f of memory\n", names[i], qps,
                    qps / base);
        out.add({{"what", names[i]}}, {{"qps", qps}, {"of_memory", qps / base}});
    }
}

} // namespace

int main(int count, char** values) {
    bench::arguments const wanted(count, values);
    bench::report out("open");
    auto const* const kept = std::getenv("VICINAL_BENCH_STORE");
    auto const temporary =
        std::filesystem::temp_directory_path() / ("vicinal-open-" + std::to_string(::getpid()));
    auto const path = kept != nullptr ? std::string(kept) : temporary.string();
    if (!std::filesystem::exists(path)) make_store(path);
    auto const queries = bench::load("sift.query.u8bin");
    if (wanted.wanted("warm")) warm(path, queries, out);
    if (wanted.wanted("cold")) cold(path, queries, out);
    if (wanted.wanted("search")) searching(path, queries, out);
    if (kept == nullptr) std::filesystem::remove_all(temporary);
    return out.write(wanted.json()) ? 0 : 1;
}

// SPDX-License-Identifier: MIT
// What durability costs, and how quickly a store opens after its writer was killed.
//
// Writing: batches of 1,000 rows of sift into a store in memory and into one directory for each
// level of durability, one batch in turn to each, so that a busy moment of the machine meets all of
// them; with a batch the same rows go to all. Waiting for the disk counts: times are those of the
// clock. Opening: a child process fills a store, writes a checkpoint, then a tenth as many records
// into the log, and is gone without closing; then the store is opened and asked.
//
//     durable_bench [--json FILE] [WORD]    only parts whose name has WORD in it: write, open
//
// VICINAL_BENCH_ROWS bounds the rows (20,000 for writing, 1,000,000 for opening).
#include "dataset.hpp"
#include "report.hpp"

#include <vicinal/vicinal.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace vicinal;
using in_memory =
    store<metric::squared_l2, index::hnsw<>, storage::memory, payload::none, std::uint64_t>;
using on_disk =
    store<metric::squared_l2, index::hnsw<>, storage::mmap, payload::none, std::uint64_t>;

constexpr std::size_t k = 10;

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// A directory of this program's own, beside the data of the machine's temporary files.
class scratch {
public:
    scratch() {
        auto name = (std::filesystem::temp_directory_path() / "vicinal-bench-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) std::exit(1);
        path_ = name;
    }
    scratch(scratch const&) = delete;
    scratch& operator=(scratch const&) = delete;
    ~scratch() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] std::string operator/(char const* name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

/// Row `i` of a set that is the base again and again, with other noise each time.
std::vector<float> row_of(bench::matrix const& base, std::size_t i) {
    auto const* from = base.row(i % base.rows);
    std::vector<float> row(from, from + base.columns);
    if (i >= base.rows)
        for (std::size_t j = 0; j < row.size(); ++j)
            row[j] += static_cast<float>(detail::mix(i * row.size() + j) % 5) - 2;
    return row;
}

template <class Store>
std::vector<typename Store::record> rows_of(bench::matrix const& base, std::size_t first,
                                            std::size_t count) {
    std::vector<typename Store::record> list;
    list.reserve(count);
    for (std::size_t i = first; i < first + count; ++i) list.push_back({i, row_of(base, i), {}});
    return list;
}

void write(bench::report& report) {
    constexpr std::size_t batch = 1000;
    auto const base =
        bench::load("sift.base.u8bin", (std::min)(bench::wanted_rows(), std::size_t{20'000}));
    scratch const directory;
    std::size_t const dim = base.columns;
    in_memory memory{{.dim = dim}};
    on_disk full{directory / "full", {.dim = dim}};
    on_disk normal{directory / "normal", {.dim = dim, .durability = durability::normal}};
    on_disk off{directory / "off", {.dim = dim, .durability = durability::off}};
    char const* names[] = {"memory", "full", "normal", "off"};
    double seconds[4] = {};
    std::vector<double> ratios;
    for (std::size_t at = 0; at + batch <= base.rows; at += batch) {
        auto const list = rows_of<in_memory>(base, at, batch);
        double took[4] = {};
        auto const time = [&](std::size_t i, auto& s) {
            auto const start = now();
            s.upsert(list);
            took[i] = now() - start;
            seconds[i] += took[i];
        };
        // Whoever comes first finds the rows cold; turns change.
        if (at / batch % 2 == 0) time(0, memory);
        time(1, full);
        time(2, normal);
        time(3, off);
        if (at / batch % 2 != 0) time(0, memory);
        ratios.push_back(took[0] / took[1]);
    }
    std::printf("\nupserts of %zu rows of sift, %zu rows, index::hnsw<>\n", batch, base.rows);
    for (std::size_t i = 0; i < 4; ++i) {
        std::printf("  %-8s %8.2f s %8.0f rows/s  %5.2f of memory\n", names[i], seconds[i],
                    static_cast<double>(base.rows) / seconds[i], seconds[0] / seconds[i]);
        report.add({{"what", "write"}, {"durability", names[i]}},
                   {{"seconds", seconds[i]}, {"share", seconds[0] / seconds[i]}});
    }
    std::printf("  full, median of the batches: %.2f of memory\n", bench::median(ratios));
}

/// Fills a store as a process that is killed leaves it: `rows` in the snapshot, `more` in the log.
void leave_behind(std::string const& path, bench::matrix const& base, std::size_t rows,
                  std::size_t more, std::size_t batch) {
    std::fflush(stdout);
    auto const child = ::fork();
    if (child == 0) {
        on_disk::options o;
        o.dim = base.columns;
        o.durability = durability::off;
        o.index.neighbours = 4;
        o.index.build_width = 8;
        o.index.threads = 2;
        auto* const s = new on_disk(path, o); // never closed
        constexpr std::size_t step = 50'000;
        for (std::size_t at = 0; at < rows; at += step)
            s->upsert(rows_of<on_disk>(base, at, (std::min)(step, rows - at)));
        s->checkpoint();
        for (std::size_t at = 0; at < more; at += batch)
            s->upsert(rows_of<on_disk>(base, rows + at, (std::min)(batch, more - at)));
        ::_exit(0);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) {
        std::fprintf(stderr, "the store can't be made\n");
        std::exit(1);
    }
}

void open(bench::report& report) {
    auto const rows = (std::min)(bench::wanted_rows(), std::size_t{1'000'000});
    auto const more = rows / 10;
    auto const base = bench::load("sift.base.u8bin", rows);
    for (std::size_t const batch : {std::size_t{1000}, std::size_t{1}}) {
        scratch const directory;
        auto const path = directory / "killed";
        leave_behind(path, base, rows, more, batch);
        auto const start = now();
        auto s = std::make_unique<on_disk>(path);
        auto const opened = now();
        auto const target = row_of(base, rows + more / 2);
        auto const first = s->search(target, {.k = k});
        auto const answered = now();
        if (s->size() != rows + more || first.size() != k || first[0].id != rows + more / 2) {
            std::printf("the store that opened is another\n");
            std::exit(1);
        }
        std::vector<double> searches;
        for (std::size_t i = 0; i < 51; ++i) {
            auto const begin = now();
            static_cast<void>(s->search(row_of(base, i * 97), {.k = k}));
            searches.push_back(now() - begin);
        }
        std::vector<double> writes;
        for (std::size_t i = 0; i < 51; ++i) {
            auto const begin = now();
            s->upsert(2 * rows + i, row_of(base, i * 89));
            writes.push_back(now() - begin);
        }
        std::printf("\nopening %zu records after a kill, %zu of them in the log in batches of %zu\n"
                    "  open %.3f s, first answer after %.3f s; then a search %.2f ms, an upsert "
                    "%.2f ms, the longest %.2f ms (%zu of %zu rows in the graph)\n",
                    rows + more, more, batch, opened - start, answered - start,
                    bench::median(searches) * 1e3, bench::median(writes) * 1e3,
                    *std::max_element(writes.begin(), writes.end()) * 1e3, s->stats().indexed_rows,
                    s->stats().rows);
        report.add({{"what", "open"}, {"batch", std::to_string(batch)}},
                   {{"rows", static_cast<double>(rows)},
                    {"logged", static_cast<double>(more)},
                    {"open", opened - start},
                    {"answer", answered - start},
                    {"search", bench::median(searches)},
                    {"upsert", bench::median(writes)},
                    {"longest", *std::max_element(writes.begin(), writes.end())}});
    }
}

} // namespace

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
    bench::arguments const arguments(argc, argv);
    bench::report report("durable");
    if (arguments.wanted("write")) write(report);
    if (arguments.wanted("open")) open(report);
    return report.write(arguments.json()) ? 0 : 1;
}

// SPDX-License-Identifier: MIT
// Nanoseconds a distance, in cache, of every kernel: vicinal compiled with and without flags for
// this CPU, the loop of a textbook, and the kernels of hnswlib, faiss and OpenBLAS.
//
//     kernels_bench [--json FILE] [WORD]    only kernels whose name has WORD in it
//
// The contestants for one kernel and dimension run in turn, 31 times, and the median counts, so
// that a busy moment of the machine meets all of them. Their results are compared first.
#include "kernels/contestant.hpp"
#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace {

constexpr int rounds = 31;
constexpr double milliseconds_a_round = 0.2;
constexpr std::size_t dimensions[] = {32, 96, 128, 384, 768, 1536};

struct entry {
    bench::contestant const* of;
    std::function<double()> pass;
    int passes = 1;
    std::vector<double> nanoseconds = {};

    /// How many times as long as `other` it takes: the median over the rounds.
    [[nodiscard]] double times(entry const& other) const {
        std::vector<double> all;
        for (std::size_t i = 0; i < nanoseconds.size(); ++i)
            all.push_back(nanoseconds[i] / other.nanoseconds[i]);
        return bench::median(all);
    }
};

double milliseconds(entry& e) {
    auto const start = bench::milliseconds_used();
    for (int i = 0; i < e.passes; ++i) {
        auto volatile sink = e.pass();
        static_cast<void>(sink);
    }
    return bench::milliseconds_used() - start;
}

/// Runs all for one kernel and dimension in turn; fills in their times.
void race(std::vector<entry>& entries) {
    for (auto& e : entries)
        while (milliseconds(e) < milliseconds_a_round) e.passes *= 2;
    for (int r = 0; r < rounds; ++r)
        for (auto& e : entries) {
            // The others have had the caches since.
            auto volatile sink = e.pass();
            static_cast<void>(sink);
            e.nanoseconds.push_back(milliseconds(e) * 1e6 / e.passes /
                                    static_cast<double>(e.of->distances));
        }
}

/// Ends the program where one contestant computes something else.
void compare(std::vector<entry>& entries, std::size_t dim) {
    auto const first = entries.front().pass();
    for (auto& e : entries) {
        auto const got = e.pass();
        if (std::abs(got - first) <= 1e-3 * (1 + std::abs(first))) continue;
        std::printf("%s, %zu dimensions: %s gives %g, %s %g\n", e.of->kernel.c_str(), dim,
                    entries.front().of->who.c_str(), first, e.of->who.c_str(), got);
        std::exit(1);
    }
}

} // namespace

int main(int argc, char** argv) {
    bench::arguments const arguments(argc, argv);
    bench::report report("kernels");
    bench::contestants all;
    bench::add_vicinal_plain(all);
    bench::add_vicinal_native(all);
    bench::add_textbook(all);
    bench::add_peers(all);
    std::vector<std::string> kernels;
    for (auto const& c : all)
        if (arguments.wanted(c.kernel) &&
            std::find(kernels.begin(), kernels.end(), c.kernel) == kernels.end())
            kernels.push_back(c.kernel);

    for (auto const& kernel : kernels) {
        std::printf("%s\n", kernel.c_str());
        for (auto const dim : dimensions) {
            std::vector<entry> entries;
            for (auto const& c : all)
                if (c.kernel == kernel) entries.push_back({&c, c.make(dim)});
            compare(entries, dim);
            race(entries);
            std::printf("  %5zu", dim);
            for (auto const& e : entries) {
                auto const ns = bench::median(e.nanoseconds);
                auto const times = e.times(entries.front());
                std::printf("  %s %.2f ns (%.2f)", e.of->who.c_str(), ns, times);
                report.add({{"kernel", kernel}, {"who", e.of->who}},
                           {{"dim", static_cast<double>(dim)}, {"ns", ns}, {"times", times}});
            }
            std::puts("");
        }
    }
    return report.write(arguments.json()) ? 0 : 1;
}

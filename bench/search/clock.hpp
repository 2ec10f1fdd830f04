// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_SEARCH_CLOCK_HPP
#define VICINAL_BENCH_SEARCH_CLOCK_HPP

#include <ctime>

namespace bench {

[[nodiscard]] inline double seconds_of(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

/// Processor time of this thread: another program's turn on a shared machine doesn't count.
[[nodiscard]] inline double thread_cpu_seconds() { return seconds_of(CLOCK_THREAD_CPUTIME_ID); }
/// Processor time of all threads together.
[[nodiscard]] inline double process_cpu_seconds() { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }
[[nodiscard]] inline double wall_seconds() { return seconds_of(CLOCK_MONOTONIC); }

} // namespace bench

#endif

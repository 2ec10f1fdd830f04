// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_WORKERS_HPP
#define VICINAL_INDEX_WORKERS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/faults.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#if VICINAL_HAS_THREADS
#    include <atomic>
#    include <exception>
#    include <system_error>
#    include <thread>
#endif

namespace vicinal::inline VICINAL_ABI::index {

#if VICINAL_HAS_THREADS && VICINAL_EXCEPTIONS
inline constexpr bool has_workers = true;
#else
inline constexpr bool has_workers = false;
#endif

/// Cuts [0, count) into parts of multiples of `grain` and runs `body(first, last) -> result<void>`
/// on each, on up to `threads` threads of which the caller's is one: `parts_each` parts for each
/// thread, which takes the next one when it is done. The others live for this call only, which
/// costs some 40 microseconds a thread; where the system gives none, the caller does their work.
/// Nothing depends on their number but the time.
///
/// Gives the first part's error. What a body throws beside memory exhaustion is thrown on when all
/// have ended. Without threads or exceptions (a thread that can't be started ends the program
/// there) all of it runs here.
template <class Body>
[[nodiscard]] result<void> run_parts(std::size_t count, std::size_t grain, std::size_t threads,
                                     Body const& body, std::size_t parts_each = 1) {
#if VICINAL_HAS_THREADS && VICINAL_EXCEPTIONS
    auto const grains = (count + grain - 1) / grain;
    auto const most = (std::max)((std::min)(threads, grains), std::size_t{1});
    if (most == 1) return body(std::size_t{0}, count);
    auto const parts = (std::min)(grains, most * parts_each);
    struct outcome {
        result<void> done;
        std::exception_ptr thrown;
    };
    std::vector<outcome> outcomes(parts);
    std::atomic<std::size_t> next{0};
    auto* const faults = storage::fault_scope::current();
    auto const run = [&] {
        storage::fault_scope::part const of(faults);
        for (auto part = next++; part < parts; part = next++) {
            auto const first = grains * part / parts * grain;
            auto const last = (std::min)(count, grains * (part + 1) / parts * grain);
            try {
                outcomes[part].done = body(first, last);
            } catch (...) {
                outcomes[part].thrown = std::current_exception();
            }
        }
    };
    std::vector<std::thread> others;
    others.reserve(most - 1);
    try {
        while (others.size() + 1 < most) others.emplace_back(run);
    } catch (std::system_error const&) {
        // Too many threads in the process: the rest is done here.
    }
    run();
    for (auto& t : others) t.join();
    for (auto& o : outcomes)
        if (o.thrown) std::rethrow_exception(o.thrown);
    for (auto& o : outcomes) VICINAL_CHECK(o.done);
    return {};
#else
    static_cast<void>(grain);
    static_cast<void>(threads);
    static_cast<void>(parts_each);
    return body(std::size_t{0}, count);
#endif
}

} // namespace vicinal::inline VICINAL_ABI::index

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_CORE_MUTEX_HPP
#define VICINAL_CORE_MUTEX_HPP

#include <vicinal/core/config.hpp>

#if VICINAL_HAS_THREADS
#    include <mutex>
#endif

namespace vicinal::inline VICINAL_ABI::detail {

#if VICINAL_HAS_THREADS
using mutex = std::mutex;
using mutex_lock = std::lock_guard<std::mutex>;
#else
/// Nothing to keep apart in a build without threads.
struct mutex {};
struct mutex_lock {
    explicit mutex_lock(mutex&) noexcept {}
    ~mutex_lock() {}
};
#endif

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

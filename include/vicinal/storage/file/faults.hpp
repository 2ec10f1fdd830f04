// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_FAULTS_HPP
#define VICINAL_STORAGE_FILE_FAULTS_HPP

#include <vicinal/core/mutex.hpp>
#include <vicinal/core/result.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// Rows that could not be read. A reader gives zeros for such a row and counts it here; whoever
/// asked for rows compares the count from before with that from after, and fails if it has grown.
/// What another thread could not read meanwhile counts too: a call may fail for it and then succeed
/// when it is made again, but no call answers from zeros. Safe to share between threads.
class faults {
public:
    [[nodiscard]] std::uint64_t count() const noexcept {
        return count_.load(std::memory_order_acquire);
    }
    /// Success if nothing was counted since `before`; else the newest reason.
    [[nodiscard]] result<void> since(std::uint64_t before) const {
        if (count() == before) return {};
        vicinal::detail::mutex_lock const held(mutex_);
        return last_;
    }
    void add(error reason) noexcept {
        {
            vicinal::detail::mutex_lock const held(mutex_);
            last_ = std::move(reason);
        }
        count_.fetch_add(1, std::memory_order_release);
    }

private:
    mutable vicinal::detail::mutex mutex_;
    error last_{errc::io_failure};
    std::atomic<std::uint64_t> count_{0};
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_READ_AHEAD_HPP
#define VICINAL_MIGRATE_READ_AHEAD_HPP

#include <vicinal/migrate/concept.hpp>

#include <cstddef>
#include <utility>
#include <vector>

#if VICINAL_HAS_THREADS && VICINAL_EXCEPTIONS
#    include <condition_variable>
#    include <exception>
#    include <mutex>
#    include <system_error>
#    include <thread>
#endif

namespace vicinal::inline VICINAL_ABI::detail {

#if VICINAL_HAS_THREADS && VICINAL_EXCEPTIONS

/// The batches of a source, read on a thread of its own while the caller uses the one before. One
/// batch waits at most, so that three are in memory. Only the thread touches the source until this
/// object is gone.
template <basic_source Source>
class read_ahead {
public:
    /// `threads` below 2, or a system that gives no thread: reads when asked.
    read_ahead(Source& from, std::size_t batch_size, std::size_t threads)
        : from_(from), batch_size_(batch_size) {
        if (threads < 2) return;
        try {
            thread_ = std::thread([this] { work(); });
        } catch (std::system_error const&) {
            return;
        }
    }
    read_ahead(read_ahead const&) = delete;
    read_ahead& operator=(read_ahead const&) = delete;
    ~read_ahead() {
        if (!thread_.joinable()) return;
        {
            std::lock_guard const lock(mutex_);
            stopped_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

    /// Replaces `batch` by the next records; empty at the end. Throws on what reading threw.
    [[nodiscard]] result<void> next(std::vector<record>& batch) {
        if (!thread_.joinable()) return from_.read(batch, batch_size_);
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return filled_; });
        if (thrown_) std::rethrow_exception(thrown_);
        VICINAL_CHECK(outcome_);
        batch.swap(waiting_);
        // At the end the empty batch stays, for whoever asks again.
        filled_ = batch.empty();
        lock.unlock();
        changed_.notify_one();
        return {};
    }

private:
    void work() noexcept {
        std::vector<record> batch;
        for (;;) {
            result<void> read;
            std::exception_ptr thrown;
            try {
                read = from_.read(batch, batch_size_);
            } catch (...) {
                thrown = std::current_exception();
            }
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stopped_ || !filled_; });
            if (stopped_) return;
            batch.swap(waiting_);
            outcome_ = std::move(read);
            thrown_ = thrown;
            filled_ = true;
            bool const last = thrown_ || !outcome_ || waiting_.empty();
            lock.unlock();
            changed_.notify_one();
            if (last) return;
        }
    }

    Source& from_;
    std::size_t batch_size_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<record> waiting_;
    result<void> outcome_;
    std::exception_ptr thrown_;
    bool filled_ = false;
    bool stopped_ = false;
    std::thread thread_; // last: works on all of the above
};

#else

/// Without threads or exceptions (a thread that can't be started ends the program there): reads
/// when asked.
template <basic_source Source>
class read_ahead {
public:
    read_ahead(Source& from, std::size_t batch_size, std::size_t)
        : from_(from), batch_size_(batch_size) {}
    [[nodiscard]] result<void> next(std::vector<record>& batch) {
        return from_.read(batch, batch_size_);
    }

private:
    Source& from_;
    std::size_t batch_size_;
};

#endif

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

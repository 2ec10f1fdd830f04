// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_READ_THREADS_HPP
#define VICINAL_STORAGE_FILE_READ_THREADS_HPP

#include <vicinal/core/config.hpp>

#if VICINAL_HAS_THREADS && VICINAL_EXCEPTIONS
#    define VICINAL_HAS_READ_THREADS 1
#else
#    define VICINAL_HAS_READ_THREADS 0
#endif

#if VICINAL_HAS_READ_THREADS

#    include <vicinal/storage/file/read_request.hpp>

#    include <algorithm>
#    include <condition_variable>
#    include <cstddef>
#    include <memory>
#    include <mutex>
#    include <new>
#    include <span>
#    include <system_error>
#    include <thread>
#    include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// Reads on threads of its own, several pieces at once: for systems that have no io_ring, or do
/// not let this process have one. Any number of threads may call it. Each caller reads too, so that
/// with n threads n + 1 pieces of a call are under way, and no call waits for threads that others
/// keep busy.
template <class Os>
class read_threads {
public:
    /// Starts up to `count` threads, fewer where the system gives no more. Null where it gives none
    /// or where memory is short.
    [[nodiscard]] static std::unique_ptr<read_threads> make(std::size_t count) noexcept {
        try {
            std::unique_ptr<read_threads> made(new read_threads);
            made->start(count);
            if (!made->threads_.empty()) return made;
        } catch (std::bad_alloc const&) {
            // As where there are no threads.
        }
        return nullptr;
    }
    read_threads(read_threads const&) = delete;
    read_threads& operator=(read_threads const&) = delete;
    /// Joins the threads; no call may be under way.
    ~read_threads() {
        {
            std::lock_guard const held(mutex_);
            ending_ = true;
        }
        work_.notify_all();
        for (auto& t : threads_) t.join();
    }

    /// Pieces of one call that may be under way at once.
    [[nodiscard]] std::size_t together() const noexcept { return threads_.size() + 1; }

    /// Reads each piece whole, as read_rest() does; returns when none is under way any more.
    void read(std::span<read_request> pieces) noexcept {
        job j{pieces};
        std::unique_lock held(mutex_);
        *last_ = &j;
        last_ = &j.next;
        for (auto n = (std::min)(pieces.size() - 1, waiting_); n > 0; --n) work_.notify_one();
        while (j.taken < pieces.size()) read_one(j, held);
        j.ended.wait(held, [&] { return j.done == pieces.size(); });
    }

private:
    /// The pieces of one call. It is in the list while there is one to take.
    struct job {
        std::span<read_request> pieces;
        std::size_t taken = 0;
        std::size_t done = 0;
        job* next = nullptr;
        std::condition_variable ended{};
    };

    read_threads() = default;

    void start(std::size_t count) {
        try {
            threads_.reserve(count);
            while (threads_.size() < count) threads_.emplace_back([this] { run(); });
        } catch (std::system_error const&) {
            // Too many threads in the process.
        }
    }

    void run() noexcept {
        std::unique_lock held(mutex_);
        while (!ending_) {
            if (first_ != nullptr) {
                read_one(*first_, held);
                continue;
            }
            ++waiting_;
            work_.wait(held);
            --waiting_;
        }
    }

    /// Takes one piece of a job that has one left and reads it without the lock.
    void read_one(job& j, std::unique_lock<std::mutex>& held) noexcept {
        auto& p = j.pieces[j.taken++];
        if (j.taken == j.pieces.size()) leave_out(j);
        held.unlock();
        read_rest<Os>(p);
        held.lock();
        // Under the lock: the job is its caller's and gone when he sees this.
        if (++j.done == j.pieces.size()) j.ended.notify_one();
    }
    void leave_out(job& j) noexcept {
        auto** at = &first_;
        while (*at != &j) at = &(*at)->next;
        *at = j.next;
        if (last_ == &j.next) last_ = at;
    }

    std::mutex mutex_;
    std::condition_variable work_;
    std::vector<std::thread> threads_;
    std::size_t waiting_ = 0;
    bool ending_ = false;
    job* first_ = nullptr;
    job** last_ = &first_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#endif

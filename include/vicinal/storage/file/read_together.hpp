// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_READ_TOGETHER_HPP
#define VICINAL_STORAGE_FILE_READ_TOGETHER_HPP

#include <vicinal/core/mutex.hpp>
#include <vicinal/storage/file/io_ring.hpp>
#include <vicinal/storage/file/read_request.hpp>
#include <vicinal/storage/file/read_threads.hpp>
#include <vicinal/storage/posix.hpp>

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// Reads pieces of files, several at once where the system can: by io_uring where this process may
/// have it; else on `threads` threads that are started when they are first wanted; without any the
/// kernel is told of all pieces before the first is waited for. An `Os` of a test has no io_uring.
/// Safe to share between threads; a child of fork() has neither the ring nor the threads of its
/// parent.
template <class Os>
class read_together {
public:
    explicit read_together(std::size_t threads = 0) noexcept : threads_wanted_(threads) {}
    read_together(read_together const&) = delete;
    read_together& operator=(read_together const&) = delete;
    ~read_together() { leave_to_parent(); }

    /// Fills each piece; `done` are the bytes read, fewer where the file ends, or minus the reason
    /// (errno).
    void operator()(std::span<read_request> pieces) noexcept {
        reads_.fetch_add(pieces.size(), std::memory_order_relaxed);
        if (pieces.size() > 1 && read_at_once(pieces)) return;
        for (auto& p : pieces) read_rest<Os>(p);
    }

    /// Pieces that were read so far.
    [[nodiscard]] std::uint64_t reads() const noexcept {
        return reads_.load(std::memory_order_relaxed);
    }

private:
    /// Whether all is read, or was refused. Else read_rest() does what is left.
    [[nodiscard]] bool read_at_once(std::span<read_request> pieces) noexcept {
        leave_to_parent();
#if VICINAL_HAS_IO_RING
        if constexpr (std::same_as<Os, posix>) {
            if (auto ring = take()) {
                bool sound = true;
                for (std::size_t i = 0; sound && i < pieces.size(); i += io_ring::depth)
                    sound = ring->read(pieces.subspan(
                        i, (std::min)(pieces.size() - i, std::size_t{io_ring::depth})));
                if (sound) give_back(std::move(ring));
                return false;
            }
        }
#endif
#if VICINAL_HAS_READ_THREADS
        if (auto* const t = threads()) {
            if (pieces.size() > t->together()) announce(pieces.subspan(t->together()));
            t->read(pieces);
            return true;
        }
#endif
        announce(pieces);
        return false;
    }

    /// Tells the kernel of pieces that have to wait for others.
    static void announce([[maybe_unused]] std::span<read_request const> pieces) noexcept {
        if constexpr (std::same_as<Os, posix>)
            for (auto const& p : pieces) Os::will_read(p.file, p.bytes, p.offset);
    }

    /// In a child that a fork made the ring is the parent's still, and there are no threads to
    /// join: it begins with neither.
    void leave_to_parent() noexcept {
        auto const process = Os::process_id();
        if (process_.load(std::memory_order_relaxed) == process) return;
        vicinal::detail::mutex_lock const held(mutex_);
        if (process_.load(std::memory_order_relaxed) == process) return;
#if VICINAL_HAS_IO_RING
        for (auto& r : idle_) r.reset();
#endif
#if VICINAL_HAS_READ_THREADS
        static_cast<void>(threads_.release());
#endif
        process_.store(process, std::memory_order_relaxed);
    }

#if VICINAL_HAS_READ_THREADS
    /// Null where none are wanted or given.
    [[nodiscard]] read_threads<Os>* threads() noexcept {
        vicinal::detail::mutex_lock const held(mutex_);
        if (!threads_ && threads_wanted_ > 0) {
            threads_ = read_threads<Os>::make(threads_wanted_);
            if (!threads_) threads_wanted_ = 0;
        }
        return threads_.get();
    }
#endif

#if VICINAL_HAS_IO_RING
    [[nodiscard]] std::unique_ptr<io_ring> take() noexcept {
        {
            vicinal::detail::mutex_lock const held(mutex_);
            for (auto& r : idle_)
                if (r) return std::move(r);
        }
        if (none_.load(std::memory_order_relaxed)) return nullptr;
        auto made = io_ring::make();
        if (!made) none_.store(true, std::memory_order_relaxed);
        return made;
    }
    void give_back(std::unique_ptr<io_ring> ring) noexcept {
        vicinal::detail::mutex_lock const held(mutex_);
        for (auto& r : idle_)
            if (!r) {
                r = std::move(ring);
                return;
            }
    }

    std::unique_ptr<io_ring> idle_[8];
    std::atomic<bool> none_{false};
#endif
    vicinal::detail::mutex mutex_;
    [[maybe_unused]] std::size_t threads_wanted_;
#if VICINAL_HAS_READ_THREADS
    std::unique_ptr<read_threads<Os>> threads_;
#endif
    std::atomic<long> process_{Os::process_id()};
    std::atomic<std::uint64_t> reads_{0};
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

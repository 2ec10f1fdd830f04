// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_GATE_HPP
#define VICINAL_STORE_GATE_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

#if VICINAL_HAS_THREADS
#    include <atomic>
#    include <mutex>
#    include <new>
#    include <thread>
#endif

namespace vicinal::inline VICINAL_ABI::detail {

/// Keeps searches out of the short moments in which the writer moves or links rows.
///
/// A reader raises a counter of its own part of the gate, so that readers on several processors
/// share no cache line; the writer closes the gate and waits until every counter is down. Writers
/// are few and hold it for microseconds; one writer at a time is the caller's promise.
///
/// The counters take half a kilobyte, and so are there only once there is something to read.
class gate {
public:
    gate() = default;
    gate(gate const&) = delete;
    gate& operator=(gate const&) = delete;

#if VICINAL_HAS_THREADS
    ~gate() { delete[] parts_.load(std::memory_order_relaxed); }

    /// Lets readers in from now on, who then see all that was done before; once. False where there
    /// is no memory for it.
    [[nodiscard]] bool admit() noexcept {
        parts_.store(new (std::nothrow) part[parts], std::memory_order_release);
        return admits();
    }
    [[nodiscard]] bool admits() const noexcept {
        return parts_.load(std::memory_order_acquire) != nullptr;
    }

    /// Open for one reader while it lives; to be made where the gate admits() any.
    class reader {
    public:
        explicit reader(gate const& g) noexcept : counter_(&g.enter()) {}
        reader(reader const&) = delete;
        reader& operator=(reader const&) = delete;
        ~reader() { counter_->fetch_sub(1, std::memory_order_release); }

    private:
        std::atomic<std::uint32_t>* counter_;
    };

    /// Runs `body` with no reader inside.
    template <class Body>
    void exclude(Body&& body) {
        closed_.store(true, std::memory_order_seq_cst);
        if (auto const* const all = parts_.load(std::memory_order_relaxed))
            for (std::size_t i = 0; i < parts; ++i)
                while (all[i].inside.load(std::memory_order_seq_cst) != 0)
                    std::this_thread::yield();
        std::forward<Body>(body)();
        closed_.store(false, std::memory_order_release);
        closed_.notify_all();
    }

private:
    struct alignas(64) part {
        std::atomic<std::uint32_t> inside{0};
    };
    static constexpr std::size_t parts = 8;

    [[nodiscard]] std::atomic<std::uint32_t>& enter() const noexcept {
        // Threads differ in their stacks; which part one takes only matters for speed.
        char here;
        auto const spread = reinterpret_cast<std::uintptr_t>(&here) >> 16;
        auto* const all = parts_.load(std::memory_order_relaxed);
        auto& counter = all[(spread * 0x9e3779b97f4a7c15ULL >> 32) % parts].inside;
        for (;;) {
            counter.fetch_add(1, std::memory_order_seq_cst);
            if (!closed_.load(std::memory_order_seq_cst)) return counter;
            counter.fetch_sub(1, std::memory_order_release);
            closed_.wait(true, std::memory_order_acquire);
        }
    }

    std::atomic<part*> parts_{nullptr};
    std::atomic<bool> closed_{false};
#else
    [[nodiscard]] bool admit() noexcept { return admits_ = true; }
    [[nodiscard]] bool admits() const noexcept { return admits_; }

    class reader {
    public:
        explicit reader(gate const&) noexcept {}
        ~reader() {}
    };

    template <class Body>
    void exclude(Body&& body) {
        std::forward<Body>(body)();
    }

private:
    bool admits_ = false;
#endif
};

#if VICINAL_HAS_THREADS
/// Writers in turn. Work that is done in pieces asks between two of them whether one is waiting: a
/// mutex goes to whoever comes first, and that would be the next piece.
class writer_mutex {
public:
    void lock() {
        ++waiting_;
        mutex_.lock();
        --waiting_;
    }
    void unlock() { mutex_.unlock(); }
    void let_others() const noexcept {
        while (waiting_.load() != 0) std::this_thread::yield();
    }

private:
    std::mutex mutex_;
    std::atomic<std::uint32_t> waiting_{0};
};
using writer_lock = std::lock_guard<writer_mutex>;
#else
struct writer_mutex {
    void let_others() const noexcept {}
};
struct writer_lock {
    explicit writer_lock(writer_mutex&) noexcept {}
    ~writer_lock() {}
};
#endif

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

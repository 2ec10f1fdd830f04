// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_BACKGROUND_HPP
#define VICINAL_STORE_BACKGROUND_HPP

#include <vicinal/core/config.hpp>

#include <memory>
#include <utility>

#if VICINAL_HAS_THREADS && VICINAL_EXCEPTIONS
#    include <atomic>
#    include <system_error>
#    include <thread>
#endif

namespace vicinal::inline VICINAL_ABI::detail {

/// One thread that does work in steps beside a store's callers, if they asked for one. Without
/// threads or exceptions, or where the system gives none, the work is left to those who write.
class background {
public:
#if VICINAL_HAS_THREADS && VICINAL_EXCEPTIONS
    background() = default;
    background(background const&) = delete;
    background& operator=(background const&) = delete;
    ~background() { stop(); }

    /// Calls step() until it gives false. Does nothing while earlier steps are not done.
    template <class Step>
    void start(Step step) {
        if (thread_ && !done_.load()) return;
        stop();
        stopping_ = false;
        done_ = false;
        try {
            thread_ = std::make_unique<std::thread>([this, step = std::move(step)] {
                while (!stopping_.load() && step()) {
                }
                done_ = true;
            });
        } catch (std::system_error const&) {
            done_ = true;
        }
    }
    /// Waits for the step that is under way.
    void stop() noexcept {
        stopping_ = true;
        if (thread_) thread_->join();
        thread_.reset();
    }
    /// In a child that a fork made there is no such thread: there is nothing to wait for.
    void forget() noexcept { static_cast<void>(thread_.release()); }

private:
    std::unique_ptr<std::thread> thread_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> done_{true};
#else
    template <class Step>
    void start(Step) noexcept {}
    void stop() noexcept {}
    void forget() noexcept {}
#endif
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

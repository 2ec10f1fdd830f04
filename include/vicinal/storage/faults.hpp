// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FAULTS_HPP
#define VICINAL_STORAGE_FAULTS_HPP

#include <vicinal/core/result.hpp>

#include <utility>

#if VICINAL_HAS_THREADS
#    include <atomic>
#endif

namespace vicinal::inline VICINAL_ABI::storage {

/// Collects what readers of columns could not read right while it lives: a page that does not match
/// its checksum, a read that the system refused. A reader gives bytes, never errors, so that loops
/// over rows stay loops; whoever opened the scope asks at its end and throws the answer away.
///
/// Scopes nest on the stack of a thread, and a fault belongs to the innermost. Costs two writes to
/// a variable of the thread.
class fault_scope {
public:
    fault_scope() noexcept : outer_(std::exchange(innermost(), this)) {}
    fault_scope(fault_scope const&) = delete;
    fault_scope& operator=(fault_scope const&) = delete;
    ~fault_scope() { innermost() = outer_; }

    /// Where a thread does a part of another's work: its faults belong to that one's scope, which
    /// current() gave there and which must live longer. Null: nobody asks.
    class part {
    public:
        explicit part(fault_scope* of) noexcept : outer_(std::exchange(innermost(), of)) {}
        part(part const&) = delete;
        part& operator=(part const&) = delete;
        ~part() { innermost() = outer_; }

    private:
        fault_scope* outer_;
    };

    /// The innermost scope of this thread; null where there is none.
    [[nodiscard]] static fault_scope* current() noexcept { return innermost(); }

    /// Tells the innermost scope of a fault, of which the first one counts; make() gives the error.
    /// Without a scope nothing is kept.
    template <class Make>
    static void note(Make const& make) noexcept {
        auto* const scope = innermost();
        if (scope == nullptr || scope->claim()) return;
        scope->fault_ = detail::guarded([&]() -> result<void> { return make(); });
    }
    /// Whether the work of this thread's scope has met a fault: what it found must not be kept.
    [[nodiscard]] static bool met() noexcept {
        auto const* const scope = innermost();
        return scope != nullptr && scope->claimed_;
    }

    /// The fault, if there was one. Threads that did a part of the work must have ended.
    [[nodiscard]] result<void> check() const { return fault_; }

private:
    [[nodiscard]] static fault_scope*& innermost() noexcept {
#if VICINAL_HAS_THREADS
        static thread_local constinit fault_scope* scope = nullptr;
#else
        static constinit fault_scope* scope = nullptr;
#endif
        return scope;
    }

#if VICINAL_HAS_THREADS
    /// Whether another fault came first.
    [[nodiscard]] bool claim() noexcept { return claimed_.exchange(true); }
    std::atomic<bool> claimed_{false};
#else
    [[nodiscard]] bool claim() noexcept { return std::exchange(claimed_, true); }
    bool claimed_ = false;
#endif
    result<void> fault_;
    fault_scope* outer_;
};

/// What body() gives, or the fault that a reader met meanwhile. body gives a result.
template <class Body>
auto unless_faulty(Body&& body) -> decltype(body()) {
    fault_scope const faults;
    auto answer = body();
    VICINAL_CHECK(faults.check());
    return answer;
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

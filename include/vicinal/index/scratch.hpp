// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_SCRATCH_HPP
#define VICINAL_INDEX_SCRATCH_HPP

#include <vicinal/index/pool.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#if VICINAL_HAS_THREADS
#    include <mutex>
#endif

namespace vicinal::inline VICINAL_ABI::index {

/// Which nodes a walk has met: a bit a node, cleared for each walk (25 KB at
/// 200,000).
class visited_set {
public:
    void reset(std::size_t nodes) { words_.assign((nodes + 63) / 64, 0); }

    /// Marks the node; true if it was not marked before.
    [[nodiscard]] bool mark(std::uint32_t node) noexcept {
        auto& word = words_[node / 64];
        auto const bit = std::uint64_t{1} << (node % 64);
        bool const fresh = (word & bit) == 0;
        word |= bit;
        return fresh;
    }

private:
    std::vector<std::uint64_t> words_;
};

/// What one walk needs, kept from query to query so that a query allocates nothing of its size.
struct scratch {
    visited_set visited;
    pool beam;
    std::vector<std::uint32_t> fresh;
    neighbours candidates;
};

/// Scratch objects that are not in use. Safe to share between threads.
class scratch_pool {
public:
    /// A scratch object for the time of one query.
    class lease {
    public:
        lease(scratch_pool& from, std::unique_ptr<scratch> s) noexcept
            : from_(&from), scratch_(std::move(s)) {}
        lease(lease&&) noexcept = default;
        lease& operator=(lease&&) = delete;
        ~lease() {
            if (scratch_) from_->give_back(std::move(scratch_));
        }
        [[nodiscard]] scratch& operator*() const noexcept { return *scratch_; }
        [[nodiscard]] scratch* operator->() const noexcept { return scratch_.get(); }

    private:
        scratch_pool* from_;
        std::unique_ptr<scratch> scratch_;
    };

    [[nodiscard]] lease take() {
        {
            auto const held = hold();
            if (!free_.empty()) {
                auto s = std::move(free_.back());
                free_.pop_back();
                return {*this, std::move(s)};
            }
            // Room for the way back, which must not fail.
            free_.reserve(++made_);
        }
        return {*this, std::make_unique<scratch>()};
    }

private:
    void give_back(std::unique_ptr<scratch> s) noexcept {
        auto const held = hold();
        free_.push_back(std::move(s));
    }

#if VICINAL_HAS_THREADS
    [[nodiscard]] std::unique_lock<std::mutex> hold() { return std::unique_lock(mutex_); }
    std::mutex mutex_;
#else
    [[nodiscard]] static int hold() noexcept { return 0; }
#endif
    std::vector<std::unique_ptr<scratch>> free_;
    std::size_t made_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_SCRATCH_HPP
#define VICINAL_INDEX_SCRATCH_HPP

#include <vicinal/core/mutex.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/index/neighbour.hpp>
#include <vicinal/index/pool.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

/// Which nodes a walk has met: a bit a node. Up to 262,144 nodes all 32 KB are cleared for each
/// walk; beyond, what the last walk marked, which is a thousand nodes of any number.
class visited_set {
public:
    /// Empties the set, for nodes below `nodes`.
    void reset(std::size_t nodes) {
        auto const words = (nodes + 63) / 64;
        if (words > words_.size()) {
            words_.assign(words + words / 8, 0);
        } else if (keeps_list()) {
            for (auto const node : marked_) words_[node / 64] = 0;
        } else {
            std::fill(words_.begin(), words_.end(), std::uint64_t{0});
        }
        marked_.clear();
    }

    /// Marks the node; true if it was not marked before.
    [[nodiscard]] bool mark(std::uint32_t node) {
        if (!set(node)) return false;
        if (keeps_list()) marked_.push_back(node);
        return true;
    }

    [[nodiscard]] bool has(std::uint32_t node) const noexcept {
        return (words_[node / 64] >> (node % 64) & 1) != 0;
    }

    /// Marks those of a list that are below `nodes`, up to its end or the first no_slot, and writes
    /// what was not marked before to `fresh`, which has room for the list; how many those are.
    [[nodiscard]] std::size_t mark(std::uint32_t const* list, std::size_t width, std::size_t nodes,
                                   std::uint32_t* fresh) {
        std::size_t count = 0;
        for (std::size_t i = 0; i < width && list[i] != no_slot; ++i) {
            // A damaged file may name any number: a node is followed only if it is one.
            if (list[i] >= nodes) continue;
            fresh[count] = list[i];
            count += set(list[i]) ? 1U : 0U;
        }
        if (keeps_list()) marked_.insert(marked_.end(), fresh, fresh + count);
        return count;
    }

private:
    [[nodiscard]] bool keeps_list() const noexcept { return words_.size() > 4096; }
    [[nodiscard]] bool set(std::uint32_t node) noexcept {
        auto& word = words_[node / 64];
        auto const bit = std::uint64_t{1} << (node % 64);
        bool const fresh = (word & bit) == 0;
        word |= bit;
        return fresh;
    }

    std::vector<std::uint64_t> words_;
    std::vector<std::uint32_t> marked_;
};

/// What one walk needs, kept from query to query so that a query allocates nothing of its size.
struct scratch {
    visited_set visited;
    pool beam;
    std::vector<std::uint32_t> fresh;
    /// Of those.
    std::vector<float> distances;
    neighbours candidates;
    neighbours waiting[2];
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
            vicinal::detail::mutex_lock const held(mutex_);
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
        vicinal::detail::mutex_lock const held(mutex_);
        free_.push_back(std::move(s));
    }

    vicinal::detail::mutex mutex_;
    std::vector<std::unique_ptr<scratch>> free_;
    std::size_t made_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

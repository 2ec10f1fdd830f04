// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_READ_TOGETHER_HPP
#define VICINAL_STORAGE_FILE_READ_TOGETHER_HPP

#include <vicinal/core/mutex.hpp>
#include <vicinal/storage/descriptor.hpp>
#include <vicinal/storage/file/io_ring.hpp>
#include <vicinal/storage/posix.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// Reads pieces of files, several at once where the system can: by io_uring where this process may
/// have it; else the kernel is told of all before the first is waited for. An `Os` of a test is
/// asked for one after the other. Safe to share between threads.
template <class Os>
class read_together {
public:
    /// Fills each piece; `done` are the bytes read, fewer where the file ends, or minus the reason
    /// (errno).
    void operator()(std::span<read_request> pieces) noexcept {
        reads_.fetch_add(pieces.size(), std::memory_order_relaxed);
        if constexpr (std::same_as<Os, posix>)
            if (pieces.size() > 1) begin(pieces);
        for (auto& p : pieces) finish(p);
    }

    /// Pieces that were read so far.
    [[nodiscard]] std::uint64_t reads() const noexcept {
        return reads_.load(std::memory_order_relaxed);
    }

private:
    /// What the ring did not read, or only in part, is read in the usual way.
    static void finish(read_request& p) noexcept {
        auto done = p.done > 0 ? static_cast<std::size_t>(p.done) : std::size_t{0};
        while (done < p.bytes) {
            auto const n = vicinal::detail::uninterrupted([&] {
                return Os::read_at(p.file, p.into + done, p.bytes - done, p.offset + done);
            });
            if (n < 0) {
                p.done = -errno;
                return;
            }
            if (n == 0) break;
            done += static_cast<std::size_t>(n);
        }
        p.done = static_cast<std::ptrdiff_t>(done);
    }

    void begin(std::span<read_request> pieces) noexcept {
#if VICINAL_HAS_IO_RING
        if (auto ring = take()) {
            bool sound = true;
            for (std::size_t i = 0; sound && i < pieces.size(); i += io_ring::depth)
                sound = ring->read(
                    pieces.subspan(i, (std::min)(pieces.size() - i, std::size_t{io_ring::depth})));
            if (sound) give_back(std::move(ring));
            return;
        }
#endif
        for (auto const& p : pieces) Os::will_read(p.file, p.bytes, p.offset);
    }

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

    vicinal::detail::mutex mutex_;
    std::unique_ptr<io_ring> idle_[8];
    std::atomic<bool> none_{false};
#endif
    std::atomic<std::uint64_t> reads_{0};
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

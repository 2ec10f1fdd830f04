// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_REGION_HPP
#define VICINAL_STORAGE_REGION_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/storage/huge_pages.hpp>
#include <vicinal/storage/snapshot_header.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// A range of address space, of which the first `usable()` bytes can be read and written. Given
/// back at the end.
template <class Os>
class region {
public:
    region() = default;
    region(region&& other) noexcept
        : base_(std::exchange(other.base_, nullptr)), skipped_(std::exchange(other.skipped_, 0)),
          reserved_(std::exchange(other.reserved_, 0)), usable_(std::exchange(other.usable_, 0)) {}
    region& operator=(region&& other) noexcept {
        if (this != &other) {
            release();
            base_ = std::exchange(other.base_, nullptr);
            skipped_ = std::exchange(other.skipped_, 0);
            reserved_ = std::exchange(other.reserved_, 0);
            usable_ = std::exchange(other.usable_, 0);
        }
        return *this;
    }
    region(region const&) = delete;
    region& operator=(region const&) = delete;
    ~region() { release(); }

    /// At least `bytes`, better four times as much, so that growing rarely has to move; never less
    /// than 1 MiB. Where address space is scarce (ulimit -v, 32 bits) it does with less.
    [[nodiscard]] static result<region> reserve(std::uint64_t bytes) {
        // Half of the address space at most: the roundings below can't overflow then.
        constexpr std::uint64_t most = (std::numeric_limits<std::size_t>::max)() / 2;
        auto const least = detail::round_up((std::max<std::uint64_t>)(bytes, 1), step);
        if (bytes <= most / 4) {
            for (std::uint64_t const times : {4U, 2U}) {
                auto const wish = (std::max<std::uint64_t>)(least * times, std::uint64_t{1} << 20);
                if (region r; r.take(wish)) return r;
            }
        }
        if (region r; bytes <= most && r.take(least)) return r;
        return error{errc::out_of_memory, std::to_string(bytes) + " bytes of address space",
                     "a refusal of the system"};
    }

    [[nodiscard]] std::byte* data() const noexcept { return base_; }
    [[nodiscard]] std::uint64_t reserved() const noexcept { return reserved_; }
    [[nodiscard]] std::uint64_t usable() const noexcept { return usable_; }

    /// Makes the first `bytes` usable; what is new reads as zero. False where the system refuses.
    [[nodiscard]] bool allow(std::uint64_t bytes) noexcept {
        auto const end = (std::min)(detail::round_up(bytes, Os::page_bytes()), reserved_);
        if (end <= usable_) return true;
        if (Os::allow(base_ + usable_, static_cast<std::size_t>(end - usable_)) != 0) return false;
        usable_ = end;
        return true;
    }

    /// Puts `bytes` of a file at the start of a region that is not in use yet; whole pages, so that
    /// the file must be padded to one. The start moves so that the file's huge pages can be mapped
    /// as such: those begin at multiples of their size in the file and in memory.
    [[nodiscard]] bool map(int number, std::uint64_t offset, std::uint64_t bytes) noexcept {
        auto const end = detail::round_up(bytes, Os::page_bytes());
        auto const phase = static_cast<std::size_t>(
            (offset - reinterpret_cast<std::uintptr_t>(base_)) % huge_page);
        if (end >= huge_page && phase <= reserved_ && end <= reserved_ - phase) {
            base_ += phase;
            skipped_ += phase;
            reserved_ -= phase;
        }
        if (end > reserved_ ||
            Os::map_file(base_, static_cast<std::size_t>(end), number, offset) != 0)
            return false;
        usable_ = end;
        return true;
    }

private:
    static constexpr std::uint64_t step = snapshot_block_bytes;

    [[nodiscard]] bool take(std::uint64_t bytes) noexcept {
        base_ = static_cast<std::byte*>(Os::reserve(static_cast<std::size_t>(bytes)));
        reserved_ = base_ == nullptr ? 0 : bytes;
        return base_ != nullptr;
    }
    void release() noexcept {
        if (base_ != nullptr)
            static_cast<void>(
                Os::release(base_ - skipped_, static_cast<std::size_t>(reserved_ + skipped_)));
    }

    std::byte* base_ = nullptr;
    /// What lies before it and is not used.
    std::size_t skipped_ = 0;
    std::uint64_t reserved_ = 0;
    std::uint64_t usable_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

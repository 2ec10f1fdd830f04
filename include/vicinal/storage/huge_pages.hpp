// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_HUGE_PAGES_HPP
#define VICINAL_STORAGE_HUGE_PAGES_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>

#if defined(__linux__)
#    include <sys/mman.h>
#endif

namespace vicinal::inline VICINAL_ABI::storage {

/// The size of a huge page on x86-64, and on AArch64 with pages of 4 KiB.
inline constexpr std::size_t huge_page = std::size_t{2} << 20;

/// Asks for huge pages under a block that begins with a page and is not touched yet. A walk over a
/// graph touches a page of its own with each row; with small ones each is a miss in the TLB too.
/// A wish: where the system has none to give, or none of this name, nothing is different.
inline void ask_for_huge_pages([[maybe_unused]] void* block,
                               [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    static_cast<void>(::madvise(block, bytes, MADV_HUGEPAGE));
#endif
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

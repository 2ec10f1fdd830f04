// SPDX-License-Identifier: MIT
// The memory of this test program: how much is in use, and an allocation that fails on request.
// allocations_test.cpp defines the operators.
#ifndef VICINAL_TESTS_DAMAGE_ALLOCATIONS_HPP
#define VICINAL_TESTS_DAMAGE_ALLOCATIONS_HPP

#include <cstddef>

namespace damage::allocations {

/// Blocks that were allocated and not given back.
[[nodiscard]] long blocks() noexcept;
/// Bytes in use, and the most that there were since reset_peak().
[[nodiscard]] std::size_t bytes() noexcept;
[[nodiscard]] std::size_t peak() noexcept;
void reset_peak() noexcept;

/// While it lives, the `n`-th allocation of this thread from here on fails, and all later ones too
/// where `for_good`; n = 0 only counts.
class failing {
public:
    failing(long n, bool for_good) noexcept;
    failing(failing const&) = delete;
    failing& operator=(failing const&) = delete;
    ~failing();
    /// Allocations that were asked for so far.
    [[nodiscard]] static long asked() noexcept;
};

} // namespace damage::allocations

#endif

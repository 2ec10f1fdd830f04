// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_SETS_HPP
#define VICINAL_SIMD_SETS_HPP

/// The operations that vector extensions don't have, for each instruction set. What has no
/// instruction there is made of those that do, with the same results to the last bit.
#include <vicinal/simd/sets/avx2.hpp>
#include <vicinal/simd/sets/avx512.hpp>
#include <vicinal/simd/sets/baseline.hpp>

#endif

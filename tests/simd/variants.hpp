// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_SIMD_VARIANTS_HPP
#define VICINAL_TESTS_SIMD_VARIANTS_HPP

#include <vicinal/simd/dispatch.hpp>

#include <string>
#include <utility>
#include <vector>

namespace vicinal_test {

/// The variants of a kernel that this CPU can run, by name; baseline first.
template <class Kernel>
[[nodiscard]] std::vector<std::pair<std::string, typename Kernel::function>> variants_of() {
    std::vector<std::pair<std::string, typename Kernel::function>> list{
        {"baseline", &Kernel::baseline}};
#if VICINAL_X86_DISPATCH
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        list.push_back({"avx2", &Kernel::avx2});
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        list.push_back({"avx512", &Kernel::avx512});
#endif
    return list;
}

/// Longer than four of the widest registers four times over, so that every loop of a kernel runs
/// not at all, once, and more than once, with every remainder.
inline constexpr std::size_t longest_row = 260;

} // namespace vicinal_test

#endif

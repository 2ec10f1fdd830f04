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
    std::vector<std::pair<std::string, typename Kernel::function>> list;
    for (auto const set : vicinal::simd::all_instruction_sets)
        if (set <= vicinal::simd::best_instruction_set())
            list.emplace_back(vicinal::simd::name(set), Kernel::for_set(set));
    return list;
}

/// Longer than four of the widest registers four times over, so that every loop of a kernel runs
/// not at all, once, and more than once, with every remainder.
inline constexpr std::size_t longest_row = 260;

} // namespace vicinal_test

#endif

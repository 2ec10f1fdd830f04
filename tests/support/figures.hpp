// SPDX-License-Identifier: MIT
// What tests that break things count, for docs/reliability.md, and whether they are to take long.
#ifndef VICINAL_TESTS_SUPPORT_FIGURES_HPP
#define VICINAL_TESTS_SUPPORT_FIGURES_HPP

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string_view>

namespace vicinal_test {

/// Whether ./dev break runs: every case then, where the suite takes a part of them.
[[nodiscard]] inline bool thorough() { return std::getenv("VICINAL_TEST_THOROUGH") != nullptr; }

/// What the variable says, as a number: of padding, and of lengths inside it, ./dev break --step N
/// takes every N-th. 1 where it says nothing.
[[nodiscard]] inline std::size_t thorough_step() {
    auto const* const text = std::getenv("VICINAL_TEST_THOROUGH");
    auto const n = text == nullptr ? 1 : std::strtoul(text, nullptr, 10);
    return n == 0 ? 1 : n;
}

/// Adds to a figure of that name: a line of the file VICINAL_TEST_FIGURES, if that is named.
inline void figure(std::string_view name, std::uint64_t n) {
    auto const* const path = std::getenv("VICINAL_TEST_FIGURES");
    if (path != nullptr) std::ofstream(path, std::ios::app) << name << '\t' << n << '\n';
}

} // namespace vicinal_test

#endif

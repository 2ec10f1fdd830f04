// SPDX-License-Identifier: MIT
#ifndef VICINAL_CORE_PROBLEMS_HPP
#define VICINAL_CORE_PROBLEMS_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// What somebody who looked for damage has found.
struct problem_list {
    /// How much is wrong; the first hundred as a sentence each, with the place.
    std::uint64_t problem_count = 0;
    std::vector<std::string> problems = {};

    [[nodiscard]] bool ok() const noexcept { return problem_count == 0; }
    void add(std::string problem) {
        constexpr std::size_t most = 100;
        ++problem_count;
        if (problems.size() < most) problems.push_back(std::move(problem));
    }
};

} // namespace vicinal::inline VICINAL_ABI

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_CHECK_HPP
#define VICINAL_SIMD_CHECK_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/simd/instruction_set.hpp>

#include <string>

namespace vicinal::inline VICINAL_ABI::simd {

/// Whether an instruction set that was forced is one that can be obeyed on a CPU whose best is
/// `best`. Errors: invalid_argument (no such name), unsupported (the CPU lacks it).
[[nodiscard]] inline result<void> check(forced_instruction_set const& forced,
                                        instruction_set best) {
    if (forced.word.empty() || forced.able) return {};
    std::string const got = "VICINAL_ISA=" + std::string(forced.word.substr(0, 64));
    if (!forced.known) {
        std::string names;
        for (auto const set : all_instruction_sets)
            names.append(names.empty() ? "" : ", ").append(name(set));
        return error{errc::invalid_argument, "one of " + names, got};
    }
    return error{errc::unsupported,
                 "an instruction set that this CPU has, at most " + std::string(name(best)), got};
}

/// Whether the environment variable VICINAL_ISA is one that this CPU can obey; what opens a store
/// asks first. Kernels run on the best set that is legal in any case. Errors: invalid_argument (no
/// such name), unsupported (the CPU lacks it).
[[nodiscard]] inline result<void> check() { return check(forced(), best_instruction_set()); }

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FIXED_TEXT_HPP
#define VICINAL_PAYLOAD_FIXED_TEXT_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>
#include <string_view>

namespace vicinal::inline VICINAL_ABI {

/// A string literal as a template argument: `named<"year", &note::y>`.
template <std::size_t N>
struct fixed_text {
    constexpr fixed_text(char const (&literal)[N]) noexcept {
        for (std::size_t i = 0; i < N; ++i) chars[i] = literal[i];
    }
    /// Without the zero at its end.
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {chars, N - 1}; }

    char chars[N] = {};
};

} // namespace vicinal::inline VICINAL_ABI

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_CODE_LINES_HPP
#define VICINAL_INDEX_CODE_LINES_HPP

#include <vicinal/core/config.hpp>

#include <algorithm>
#include <cstddef>

namespace vicinal::inline VICINAL_ABI::index {

/// Cache lines of so many bytes of codes that are asked for ahead: all of a short code, as it may
/// begin anywhere in a line.
[[nodiscard]] constexpr std::size_t code_lines(std::size_t bytes, std::size_t most = 12) noexcept {
    return (std::min)((bytes + 48 + 63) / 64, most);
}

} // namespace vicinal::inline VICINAL_ABI::index

#endif

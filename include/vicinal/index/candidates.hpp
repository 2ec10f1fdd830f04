// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_CANDIDATES_HPP
#define VICINAL_INDEX_CANDIDATES_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>

namespace vicinal::inline VICINAL_ABI::index {

/// How many of an index's candidates are compared by their vectors for k neighbours: the index
/// ranks by codes, and half as many again make up for their rounding.
[[nodiscard]] constexpr std::size_t candidates_for(std::size_t k) noexcept { return k + k / 2 + 5; }

} // namespace vicinal::inline VICINAL_ABI::index

#endif

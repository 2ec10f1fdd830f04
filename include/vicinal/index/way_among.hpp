// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_WAY_AMONG_HPP
#define VICINAL_INDEX_WAY_AMONG_HPP

#include <vicinal/core/config.hpp>

#include <cstdint>

namespace vicinal::inline VICINAL_ABI::index {

/// How a search among known matches went.
enum class way_among : std::uint8_t { walk, scan, walk_then_scan };

} // namespace vicinal::inline VICINAL_ABI::index

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_LAYOUT_HPP
#define VICINAL_INDEX_LAYOUT_HPP

#include <vicinal/core/config.hpp>

/// How a graph lies in memory.
namespace vicinal::inline VICINAL_ABI::layout {

/// Links in one column, a code for each row in another: a hop reads the code of each neighbour.
struct plain {};

/// Each node's links with the codes of its neighbours behind them, as seen from the node: a hop
/// reads one record and one vector. The fastest, for 4 bits an element and neighbour: at 128
/// dimensions and 32 neighbours 768 bytes a row.
struct fused {};

} // namespace vicinal::inline VICINAL_ABI::layout

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_LAYOUT_HPP
#define VICINAL_INDEX_LAYOUT_HPP

#include <vicinal/core/config.hpp>

/// How a graph lies in memory.
namespace vicinal::inline VICINAL_ABI::layout {

/// Links in one column, a code for each row in another: a hop reads the code of each neighbour.
struct plain {};

/// Each node's links with the codes of its neighbours behind them, as seen from the node: a hop
/// reads one record and one vector, and compares all neighbours at once. Takes a bit an element and
/// neighbour: at 128 dimensions and 32 neighbours 768 bytes a row, links included. On 40,000 rows
/// of sift it answers 1.5 times as many queries as hnswlib at a recall of 0.95 and 1.75 times at
/// 0.99, a plain graph over codec::sq8 2.4 and 3.1 times (a loaded machine).
struct fused {};

} // namespace vicinal::inline VICINAL_ABI::layout

#endif

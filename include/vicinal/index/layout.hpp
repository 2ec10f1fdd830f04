// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_LAYOUT_HPP
#define VICINAL_INDEX_LAYOUT_HPP

#include <vicinal/core/config.hpp>

/// How a graph lies in memory.
namespace vicinal::inline VICINAL_ABI::layout {

/// Links in one column, a code for each row in another: a hop reads the code of each neighbour.
struct plain {};

/// Each node's links with a bit an element of its neighbours behind them, as seen from the node: a
/// hop reads one record, looks at all neighbours at once, and compares the codes (codec::sq8's) of
/// those alone that may be near enough. Takes 128 to 256 bits a neighbour beside the codes: at 128
/// dimensions and 32 neighbours 768 bytes a row, links included, from 256 on 1,280.
/// On 200,000 rows of sift it answers 2.8 and 3.7 times as many queries as hnswlib at a recall of
/// 0.95 and 0.99, the plain graph over codec::sq8 2.1 and 2.7 times (docs/benchmarks.md).
struct fused {};

} // namespace vicinal::inline VICINAL_ABI::layout

#endif

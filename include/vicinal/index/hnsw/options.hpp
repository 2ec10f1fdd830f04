// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_OPTIONS_HPP
#define VICINAL_INDEX_HNSW_OPTIONS_HPP

#include <vicinal/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace vicinal::inline VICINAL_ABI::index {

/// How a graph is built. A graph that lies in a file keeps the values it was made with, `threads`
/// and `tune` excepted.
struct hnsw_options {
    /// Links of a node on an upper level ("M"); a list on the ground level holds twice as many. 2
    /// to 512; 16 suits most, 32 and more help at high dimension and recall.
    std::size_t neighbours = 16;
    /// Candidates that an insert looks at on each level. At least `neighbours`. A bulk load makes
    /// two passes, the first with half of them, and a row that comes alone gets twice as many in
    /// one; 64 so gives a graph that one pass of 200 ("ef_construction") does not reach.
    std::size_t build_width = 64;
    /// Rows below which there is no graph: a scan is as fast there, and exact.
    std::size_t flat_below = 2000;
    /// Of the level that each slot draws, and of the order in which a batch is linked.
    std::uint64_t seed = 0x76696369;
    /// Threads that linking a batch may use, the caller's among them. The graph is the same for
    /// any number.
    std::size_t threads = 1;
    /// Whether a bulk load ends with measuring which effort gives which recall.
    bool tune = true;
};

namespace hnsw_graph {

/// Rows of one write below which their order is left as it is: the codes of so many stay in the
/// second-level cache, in whichever order.
inline constexpr std::size_t least_ordered = 4096;

/// Refuses options that no graph can be made with: errc::invalid_argument, with the range.
[[nodiscard]] inline result<void> check(hnsw_options const& o) {
    if (o.neighbours < 2 || o.neighbours > 512)
        return error{errc::invalid_argument, "index.neighbours from 2 to 512",
                     std::to_string(o.neighbours)};
    if (o.build_width < o.neighbours || o.build_width > 65536)
        return error{errc::invalid_argument, "index.build_width from neighbours to 65536",
                     std::to_string(o.build_width)};
    if (o.threads < 1 || o.threads > 1024)
        return error{errc::invalid_argument, "index.threads from 1 to 1024",
                     std::to_string(o.threads)};
    return {};
}

} // namespace hnsw_graph

} // namespace vicinal::inline VICINAL_ABI::index

#endif

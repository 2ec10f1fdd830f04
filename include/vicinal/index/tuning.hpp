// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_TUNING_HPP
#define VICINAL_INDEX_TUNING_HPP

#include <vicinal/core/config.hpp>

#include <cstdint>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

/// The recall that a beam of one width reached among the k nearest, for three k; 0 where the beam
/// is narrower than k.
struct measured_recall {
    std::uint32_t effort = 0;
    float at_1 = 0;
    float at_10 = 0;
    float at_100 = 0;
};

/// What tuning measured.
struct tuning {
    /// Rows that were covered then.
    std::uint32_t rows = 0;
    /// Rows that stood in for queries.
    std::uint32_t queries = 0;
    /// By growing effort; recall does not fall from one to the next.
    std::vector<measured_recall> table;
    /// How the distance of the n-th nearest grows: as n to this power. 0 where that was not
    /// measured, or the metric's distances are not above 0.
    float growth = 0;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_STATE_HPP
#define VICINAL_INDEX_IVF_STATE_HPP

#include <vicinal/core/record.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

/// What inverted lists say of themselves, as it lies in files.
namespace vicinal::inline VICINAL_ABI::index::inverted {

/// Rows of a block: what the kernels of packed codes take at once.
inline constexpr std::uint32_t block_rows = 32;
inline constexpr std::uint32_t none = 0xffffffffU;

/// How far rows are from the centres of their lists.
struct deviation {
    double squares = 0;
    std::uint32_t rows = 0;
    /// The mean of the squares when the centres were found.
    float at_first = 0;

    /// One whose square is not finite says nothing.
    void add(float distance) noexcept {
        double const square = double{distance} * double{distance};
        if (!std::isfinite(square)) return;
        squares += square;
        ++rows;
    }
    void remove(deviation const& other) noexcept {
        squares = (std::max)(squares - other.squares, 0.0);
        rows -= (std::min)(rows, other.rows);
    }
    [[nodiscard]] double mean() const noexcept { return rows == 0 ? 0 : squares / rows; }
};

/// The drift from which on compaction looks for centres anew. 200,000 SIFT descriptors, centres of
/// the first 60,000, the rest a thousand at a time: by chance the drift comes to 1.00 and a search
/// for a recall of .95 looks at 5,592 codes, in the order of a sum of their elements to 1.33 and
/// 7,520; with new centres these are 4,628 and 4,807.
inline constexpr double retrained_from = 1.3;

/// What is true of all lists, as the one row of its column.
struct state {
    std::uint64_t seed = 0;
    /// Slots taken in; later ones are the fresh tail, even where a list names them already.
    slot covered = 0;
    std::uint32_t lists = 0;
    /// Blocks that were ever in use.
    std::uint32_t blocks = 0;
    /// The first block of those that no list uses any more; none.
    std::uint32_t free = none;
    std::uint32_t partitions = 0;
    std::uint32_t flat_below = 0;
    /// Rows that there were when the centres were looked for.
    std::uint32_t trained = 0;
    /// Slots in lists.
    std::uint32_t rows = 0;
    /// Of the rows that were put into lists.
    deviation off = {};
};
static_assert(sizeof(state) == 56, "nothing between the members is written to a file");

/// How much farther rows lie from their centres than when these were found: the ratio of the mean
/// squared distances; 1 where that is not known.
[[nodiscard]] inline double drift_of(state const& s) noexcept {
    if (!(s.off.at_first > 0)) return 1;
    float const ratio = static_cast<float>(s.off.mean()) / s.off.at_first;
    return ratio > 0 && std::isfinite(ratio) ? double{ratio} : 1;
}

/// A list: a chain of blocks, all of them full but the last.
struct head {
    std::uint32_t first = none;
    std::uint32_t last = none;
    std::uint32_t rows = 0;
    /// At least the Euclidean distance of each row from the centre.
    float radius = 0;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

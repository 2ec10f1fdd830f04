// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_TALLY_HPP
#define VICINAL_INDEX_TALLY_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>

namespace vicinal::inline VICINAL_ABI::index {

/// Counts nothing and costs nothing: what a search takes that nobody asks about.
struct no_tally {
    constexpr void codes(std::size_t) const noexcept {}
    constexpr void vectors(std::size_t) const noexcept {}
};

/// How many distances a search has computed, of codes and of vectors.
struct distance_counts {
    std::size_t codes = 0;
    std::size_t vectors = 0;
};

/// Counts them. A type of its own, so that the searches that nobody asks about are compiled
/// without.
class tally {
public:
    explicit tally(distance_counts& counts) noexcept : counts_(&counts) {}
    void codes(std::size_t n) const noexcept { counts_->codes += n; }
    void vectors(std::size_t n) const noexcept { counts_->vectors += n; }

private:
    distance_counts* counts_;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

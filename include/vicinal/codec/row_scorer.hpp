// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_ROW_SCORER_HPP
#define VICINAL_CODEC_ROW_SCORER_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

namespace detail {

/// A base, so that the row is there before the scorer that reads it.
struct held_row {
    std::vector<std::byte> bytes; // one that is moved keeps its place
};

} // namespace detail

/// Distances from a row that is kept along with them: that of a query, which no column has.
/// Scorer is made from the row and what follows it, and points into it; so it is moved, not copied.
template <class Scorer>
class row_scorer : detail::held_row, public Scorer {
public:
    template <class... More>
    explicit row_scorer(std::vector<std::byte> row, More... more) noexcept
        : detail::held_row{std::move(row)}, Scorer(held_row::bytes.data(), more...) {}
    row_scorer(row_scorer&&) noexcept = default;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

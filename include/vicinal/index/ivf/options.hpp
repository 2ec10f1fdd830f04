// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_OPTIONS_HPP
#define VICINAL_INDEX_IVF_OPTIONS_HPP

#include <vicinal/core/result.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

namespace vicinal::inline VICINAL_ABI::index {

/// How inverted lists are made. Lists that lie in a file keep the values they were made with,
/// `threads` and `tune` excepted.
struct ivf_options {
    /// Lists ("nlist"), about; 0 for as many as suit the rows, which is 2 sqrt(rows). Where rows
    /// are fewer there are fewer lists, and one that grows too large is split.
    std::size_t num_partitions = 0;
    /// Rows below which there are no lists: a scan is as fast there, and exact.
    std::size_t flat_below = 2000;
    /// Of the rows that the first centres are drawn from.
    std::uint64_t seed = 0x76696369;
    /// Threads that a load may use, the caller's among them. The lists are the same for any number.
    std::size_t threads = 1;
    /// Whether a bulk load ends with measuring how many lists give which recall.
    bool tune = true;
};

namespace inverted {

inline constexpr std::size_t most_lists = std::size_t{1} << 24;
/// Rows of one write below which their order is left as it is.
inline constexpr std::size_t least_ordered = 4096;

/// Refuses options that no lists can be made with: errc::invalid_argument, with the range.
[[nodiscard]] inline result<void> check(ivf_options const& o) {
    if (o.num_partitions > most_lists)
        return error{errc::invalid_argument, "index.num_partitions from 0 to 2^24",
                     std::to_string(o.num_partitions)};
    if (o.threads < 1 || o.threads > 1024)
        return error{errc::invalid_argument, "index.threads from 1 to 1024",
                     std::to_string(o.threads)};
    return {};
}

/// How many lists suit so many rows; `wanted` as ivf_options::num_partitions. A list has 64 rows
/// at least on the average, two blocks, so that it is scanned and not merely looked up.
[[nodiscard]] inline std::size_t lists_for(std::size_t rows, std::size_t wanted) noexcept {
    auto const root = 2 * std::sqrt(static_cast<double>(rows));
    auto const fair = (std::min)(static_cast<std::size_t>(root), rows / 64);
    return (std::max)((std::min)(wanted == 0 ? fair : wanted, rows), std::size_t{1});
}

/// The rows that a list should have.
[[nodiscard]] inline std::size_t fair_rows(std::size_t rows, std::size_t wanted) noexcept {
    return (std::max)(rows / lists_for(rows, wanted), std::size_t{64});
}
/// The rows of a list beyond which it is split: so few that lists which grow come to be about as
/// many as a build makes (docs/indexes.md has what higher bounds cost a search). Four blocks stay:
/// they are scanned in a microsecond or two.
[[nodiscard]] inline std::size_t most_rows(std::size_t rows, std::size_t wanted) noexcept {
    return (std::max)(fair_rows(rows, wanted) * 3 / 2, std::size_t{128});
}

} // namespace inverted

} // namespace vicinal::inline VICINAL_ABI::index

#endif

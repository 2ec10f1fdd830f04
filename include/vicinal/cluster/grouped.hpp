// SPDX-License-Identifier: MIT
#ifndef VICINAL_CLUSTER_GROUPED_HPP
#define VICINAL_CLUSTER_GROUPED_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace vicinal::inline VICINAL_ABI::cluster {

/// The rows of each cluster, in ascending order.
class grouped {
public:
    /// cluster[i] is that of row i, below `clusters`.
    grouped(std::span<std::uint32_t const> cluster, std::size_t clusters)
        : ends_(clusters + 1), rows_(cluster.size()) {
        for (auto const c : cluster) ++ends_[c + 1];
        std::partial_sum(ends_.begin(), ends_.end(), ends_.begin());
        auto at = ends_;
        for (std::size_t i = 0; i < cluster.size(); ++i)
            rows_[at[cluster[i]]++] = static_cast<std::uint32_t>(i);
    }
    [[nodiscard]] std::size_t size(std::size_t c) const noexcept { return ends_[c + 1] - ends_[c]; }
    /// All rows, cluster by cluster.
    [[nodiscard]] std::span<std::uint32_t const> all() const noexcept { return rows_; }
    [[nodiscard]] std::span<std::uint32_t const> of(std::size_t c) const noexcept {
        return std::span(rows_).subspan(ends_[c], size(c));
    }

private:
    std::vector<std::size_t> ends_;
    std::vector<std::uint32_t> rows_;
};

} // namespace vicinal::inline VICINAL_ABI::cluster

#endif

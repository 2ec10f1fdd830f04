// SPDX-License-Identifier: MIT
#ifndef VICINAL_CLUSTER_LLOYD_HPP
#define VICINAL_CLUSTER_LLOYD_HPP

#include <vicinal/cluster/grouped.hpp>
#include <vicinal/cluster/nearest_centre.hpp>
#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/metric/squared_l2.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::cluster {

/// Runs all parts of a work here, as one.
struct on_this_thread {
    template <class Body>
    [[nodiscard]] result<void> operator()(std::size_t count, std::size_t, Body const& body) const {
        return body(std::size_t{0}, count);
    }
};

namespace detail {

/// Rows of floats, one behind the other.
class matrix {
public:
    matrix(std::size_t rows, std::size_t columns)
        : values_(rows * columns), rows_(rows), columns_(columns) {}

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t columns() const noexcept { return columns_; }
    [[nodiscard]] float* row(std::size_t i) noexcept { return values_.data() + i * columns_; }
    [[nodiscard]] float const* row(std::size_t i) const noexcept {
        return values_.data() + i * columns_;
    }
    void shrink(std::size_t rows) noexcept { rows_ = rows; }

    /// Those rows, in that order.
    [[nodiscard]] matrix chosen(std::span<std::uint32_t const> numbers) const {
        matrix some(numbers.size(), columns_);
        for (std::size_t i = 0; i < numbers.size(); ++i)
            std::copy_n(row(numbers[i]), columns_, some.row(i));
        return some;
    }
    /// `wanted` of the rows, from all over, or all.
    [[nodiscard]] matrix every(std::size_t wanted) const {
        auto const n = (std::min)(wanted, rows_);
        matrix some(n, columns_);
        for (std::size_t i = 0; i < n; ++i) std::copy_n(row(i * rows_ / n), columns_, some.row(i));
        return some;
    }

private:
    std::vector<float> values_;
    std::size_t rows_;
    std::size_t columns_;
};

template <class Run>
[[nodiscard]] result<void> assign(matrix const& rows, std::vector<float> const& centres,
                                  std::uint32_t* out, Run const& run) {
    auto const dim = rows.columns();
    centre_panels const panels(centres.data(), centres.size() / dim, dim);
    return run(rows.rows(), std::size_t{48}, [&](std::size_t first, std::size_t last) {
        panels.nearest(rows.row(first), last - first, out + first);
        return result<void>{};
    });
}

/// Up to k rows that differ, each drawn by its squared distance from those before it.
template <class Run>
[[nodiscard]] result<std::vector<float>> draw_centres(matrix const& rows, std::size_t k,
                                                      std::uint64_t seed, Run const& run) {
    auto const n = rows.rows();
    auto const dim = rows.columns();
    std::vector<float> centres;
    std::vector<float> left(n, (std::numeric_limits<float>::infinity)());
    auto next = static_cast<std::size_t>(vicinal::detail::mix(seed) % n);
    while (true) {
        centres.insert(centres.end(), rows.row(next), rows.row(next) + dim);
        if (centres.size() == k * dim) return centres;
        VICINAL_CHECK(run(n, std::size_t{1024}, [&](std::size_t first, std::size_t last) {
            auto const distance = metric::bind<metric::squared_l2>(rows.row(next), dim);
            for (auto i = first; i < last; i += 4) {
                float const* four[4];
                for (std::size_t j = 0; j < 4; ++j) four[j] = rows.row((std::min)(i + j, last - 1));
                float d[4];
                distance.four(four, d);
                for (std::size_t j = 0; j < 4 && i + j < last; ++j)
                    left[i + j] = (std::min)(left[i + j], d[j]);
            }
            return result<void>{};
        }));
        double total = 0;
        for (auto const d : left) total += double{d};
        if (!(total > 0)) return centres;
        auto const draw = vicinal::detail::mix(seed + centres.size()) >> 11;
        double until = static_cast<double>(draw) * 0x1p-53 * total;
        // The last row that is no centre, should rounding lead beyond it.
        for (std::size_t i = 0; i < n && until >= 0; ++i) {
            if (left[i] > 0) next = i;
            until -= double{left[i]};
        }
    }
}

/// Gives a centre that no row is near half of the largest cluster: its centre, moved a little.
inline void mend(std::vector<float>& centres, std::vector<std::size_t>& sizes, std::size_t dim) {
    for (std::size_t c = 0; c < sizes.size(); ++c) {
        if (sizes[c] != 0) continue;
        auto const largest =
            static_cast<std::size_t>(std::max_element(sizes.begin(), sizes.end()) - sizes.begin());
        if (sizes[largest] < 2) return;
        for (std::size_t j = 0; j < dim; ++j) {
            auto const x = centres[largest * dim + j];
            auto const step = (j % 2 == 0 ? x : -x) / 1024;
            centres[c * dim + j] = x + step;
            centres[largest * dim + j] = x - step;
        }
        sizes[c] = sizes[largest] / 2;
        sizes[largest] -= sizes[c];
    }
}

/// Puts each centre in the middle of its rows; one without rows stays.
template <class Run>
[[nodiscard]] result<void> average(matrix const& rows, grouped const& by_centre,
                                   std::vector<float>& centres, Run const& run) {
    auto const dim = rows.columns();
    return run(centres.size() / dim, std::size_t{1}, [&](std::size_t first, std::size_t last) {
        return vicinal::detail::guarded([&]() -> result<void> {
            std::vector<double> sums(dim);
            for (auto c = first; c < last; ++c) {
                auto const n = static_cast<double>(by_centre.size(c));
                if (n == 0) continue;
                std::fill(sums.begin(), sums.end(), 0.0);
                for (auto const i : by_centre.of(c))
                    for (std::size_t j = 0; j < dim; ++j) sums[j] += double{rows.row(i)[j]};
                for (std::size_t j = 0; j < dim; ++j)
                    centres[c * dim + j] = static_cast<float>(sums[j] / n);
            }
            return {};
        });
    });
}

/// Lloyd's rounds from those centres; those that no row is nearest to in the end are left out.
template <class Run>
[[nodiscard]] result<std::vector<float>> settle(matrix const& rows, std::vector<float> centres,
                                                std::size_t rounds, Run const& run) {
    auto const dim = rows.columns();
    auto const count = centres.size() / dim;
    std::vector<std::uint32_t> cluster(rows.rows()), before;
    std::vector<std::size_t> sizes(count, 1);
    for (std::size_t round = 0; round < rounds; ++round) {
        VICINAL_CHECK(assign(rows, centres, cluster.data(), run));
        if (cluster == before) break;
        grouped const by_centre(cluster, count);
        for (std::size_t c = 0; c < count; ++c) sizes[c] = by_centre.size(c);
        VICINAL_CHECK(average(rows, by_centre, centres, run));
        if (round + 1 < rounds) mend(centres, sizes, dim);
        before = cluster;
    }
    if (!before.empty()) {
        grouped const last(before, count);
        std::size_t left = 0;
        for (std::size_t c = 0; c < count; ++c) {
            if (last.size(c) == 0) continue;
            std::copy_n(centres.data() + c * dim, dim, centres.data() + left++ * dim);
        }
        centres.resize(left * dim);
    }
    return centres;
}

/// Lloyd's rounds from drawn centres.
template <class Run>
[[nodiscard]] result<std::vector<float>>
lloyd(matrix const& rows, std::size_t k, std::size_t rounds, std::uint64_t seed, Run const& run) {
    auto drawn = draw_centres(rows, (std::min)(k, rows.rows()), seed, run);
    VICINAL_CHECK(drawn);
    return settle(rows, std::move(*drawn), rounds, run);
}

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI::cluster

#endif

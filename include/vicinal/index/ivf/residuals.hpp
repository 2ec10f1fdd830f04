// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_RESIDUALS_HPP
#define VICINAL_INDEX_IVF_RESIDUALS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/index/ivf/geometry.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// The median of each element of centres that lie one behind the other, of which there is one at
/// least: a single centre that is far away would move the mean of all.
[[nodiscard]] inline std::vector<float> middle_of(std::span<float const> centres, std::size_t dim) {
    auto const count = centres.size() / dim;
    std::vector<float> middle(dim), all(count);
    for (std::size_t i = 0; i < dim; ++i) {
        for (std::size_t c = 0; c < count; ++c) all[c] = centres[c * dim + i];
        auto const half = all.begin() + static_cast<std::ptrdiff_t>(count / 2);
        std::nth_element(all.begin(), half, all.end());
        middle[i] = *half;
    }
    return middle;
}

/// What codes in blocks learn (codec::block_codes): of what `rows` vectors, of which row(i) is one,
/// have beyond the nearest of the centres, and of the middle of these.
template <class Metric, class Codec, class Row>
[[nodiscard]] result<std::vector<float>>
fit_residuals(Codec const& codec, std::size_t rows, Row const& row, std::span<float const> centres,
              std::size_t dim) {
    auto const count = centres.size() / dim;
    std::vector<float> beyond(dim), distances(count);
    auto const residual = [&](std::size_t i) {
        geometry<Metric>::bring(row(i), dim, beyond.data());
        geometry<metric::squared_l2>::distances(beyond.data(), centres.data(), count, dim,
                                                distances.data());
        auto const nearest = static_cast<std::size_t>(
            std::min_element(distances.begin(), distances.end()) - distances.begin());
        for (std::size_t j = 0; j < dim; ++j) beyond[j] -= centres[nearest * dim + j];
        return beyond.data();
    };
    return codec.fit(rows, residual, middle_of(centres, dim));
}

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif

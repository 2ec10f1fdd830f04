// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SAMPLED_MEAN_HPP
#define VICINAL_CODEC_SAMPLED_MEAN_HPP

#include <vicinal/core/config.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

/// The mean of `rows` vectors of `dim` elements, of which row(i) is one, each times multiplier(x).
/// Looks at up to 4,096 of them, evenly spread; the same rows give the same mean. Empty where there
/// is none that is finite. Takes memory.
template <class Row, class Multiplier>
[[nodiscard]] std::vector<float> sampled_mean(std::size_t dim, std::size_t rows, Row const& row,
                                              Multiplier const& multiplier) {
    auto const seen = (std::min)(rows, std::size_t{4096});
    std::vector<double> sums(dim);
    for (std::size_t i = 0; i < seen; ++i) {
        float const* const x = row(i * rows / seen);
        double const m = multiplier(x);
        for (std::size_t j = 0; j < dim; ++j) sums[j] += x[j] * m;
    }
    std::vector<float> mean(seen > 0 ? dim : 0);
    for (std::size_t j = 0; j < mean.size(); ++j) {
        mean[j] = static_cast<float>(sums[j] / static_cast<double>(seen));
        if (!std::isfinite(mean[j])) return {};
    }
    return mean;
}

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

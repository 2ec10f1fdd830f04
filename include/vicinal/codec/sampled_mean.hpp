// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SAMPLED_MEAN_HPP
#define VICINAL_CODEC_SAMPLED_MEAN_HPP

#include <vicinal/core/config.hpp>
#include <vicinal/simd/exact_sums.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

/// The mean of `rows` vectors of `dim` elements, of which row(i) is one until the next is asked
/// for, each times multiplier(x). Looks at up to 4,096 of them, evenly spread; the same rows give
/// the same mean. Empty where there are none. Takes memory.
///
/// Of rows that are not finite, or 16 times as long as half of the others, it knows nothing: one
/// such row would take the mean to where no other row is. Others have their share, as a mean keeps
/// what is left of the rows the shortest, which medians of elements do not: of images most elements
/// are 0 in more than half of the rows.
template <class Row, class Multiplier>
[[nodiscard]] std::vector<float> sampled_mean(std::size_t dim, std::size_t rows, Row const& row,
                                              Multiplier const& multiplier) {
    constexpr double longest = 16;
    auto const seen = (std::min)(rows, std::size_t{4096});
    std::vector<double> squares(seen);
    std::vector<double> lengths;
    for (std::size_t i = 0; i < seen; ++i) {
        float const* const x = row(i * rows / seen);
        double const m = multiplier(x);
        squares[i] = simd::exact_dot::get()(x, x, dim) * m * m;
        if (squares[i] > 0 && std::isfinite(squares[i])) lengths.push_back(squares[i]);
    }
    double most = 0;
    if (!lengths.empty()) {
        auto const middle = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() / 2);
        std::nth_element(lengths.begin(), middle, lengths.end());
        most = longest * longest * *middle;
    }
    std::vector<double> sums(dim);
    std::size_t count = 0;
    for (std::size_t i = 0; i < seen; ++i) {
        if (!(squares[i] <= most)) continue;
        float const* const x = row(i * rows / seen);
        double const m = multiplier(x);
        for (std::size_t j = 0; j < dim; ++j) sums[j] += x[j] * m;
        ++count;
    }
    std::vector<float> mean(count > 0 ? dim : 0);
    for (std::size_t j = 0; j < mean.size(); ++j)
        mean[j] = static_cast<float>(sums[j] / static_cast<double>(count));
    return mean;
}

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

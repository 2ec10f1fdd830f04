// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_RESIDUAL_TERMS_HPP
#define VICINAL_CODEC_RESIDUAL_TERMS_HPP

#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/simd/exact_sums.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

/// What a distance is made of where codes are of what vectors have beyond the centre c of their
/// list. With r for what a code stands for
///
///     |q - c - r|^2 = |q - c|^2 + |r|^2 + 2 <c, r> - 2 <q, r>
///
/// of which the first is the list's, the last is looked up, and the two between are the row's. So
/// one table of products serves all lists; the middle of the centres is taken from q and from c
/// first, as tables of short vectors are finer.
///
/// Source: Baranchuk, Babenko & Malkov, "Revisiting the inverted indices for billion-scale
/// approximate nearest neighbors", ECCV 2018.
template <class Metric>
struct residual_terms {
    static constexpr bool product = std::same_as<Metric, metric::inner_product>;
    static constexpr bool directions = std::same_as<Metric, metric::cosine>;
    /// So much of the list's distance, of |r|^2 and of products with r.
    static constexpr float of_list = directions ? 0.5F : 1.0F;
    static constexpr float of_square = product ? 0.0F : directions ? 0.5F : 1.0F;
    static constexpr float of_product = product || directions ? -1.0F : -2.0F;

    /// An element of the centre as products with r see it.
    [[nodiscard]] static double of_centre(float centre, float middle) noexcept {
        return (product ? 0.0 : double{centre}) - middle;
    }
    /// The query, under cosine its direction, beyond the middle; zeros behind it. Takes memory.
    [[nodiscard]] static std::vector<float> moved(float const* query, std::span<float const> middle,
                                                  std::size_t size) {
        double m = 1;
        if constexpr (directions)
            m = 1 / std::sqrt(simd::exact_dot::get()(query, query, middle.size()));
        std::vector<float> out(size);
        for (std::size_t i = 0; i < middle.size(); ++i)
            out[i] = static_cast<float>(query[i] * m - double{middle[i]});
        return out;
    }
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

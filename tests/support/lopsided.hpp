// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_SUPPORT_LOPSIDED_HPP
#define VICINAL_TESTS_SUPPORT_LOPSIDED_HPP

#include "support/random.hpp"

#include <cstddef>
#include <cstdint>

namespace vicinal_test {

/// Normal around a point about `away` from 0 in every dimension, another one in each.
[[nodiscard]] inline rows far_rows(std::size_t n, std::size_t dim, float away, std::uint64_t seed) {
    generator r(seed);
    rows out{dim};
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < dim; ++j)
            out.data.push_back(away * (1 + 0.25F * static_cast<float>(j % 5)) * (j % 2 ? -1 : 1) +
                               r.normal());
    return out;
}

/// Normal around 0, three elements `times` as wide as the others.
[[nodiscard]] inline rows uneven_rows(std::size_t n, std::size_t dim, float times,
                                      std::uint64_t seed) {
    generator r(seed);
    rows out{dim};
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < dim; ++j)
            out.data.push_back(r.normal() * (j % (dim / 3) == 1 && j < dim - 2 ? times : 1.0F));
    return out;
}

} // namespace vicinal_test

#endif

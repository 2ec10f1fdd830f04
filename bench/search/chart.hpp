// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_SEARCH_CHART_HPP
#define VICINAL_BENCH_SEARCH_CHART_HPP

#include "curve.hpp"

#include <string>
#include <vector>

namespace bench {

/// Recall against speed as an SVG that reads on a light and on a dark page.
///
/// To the right the misses become fewer by equal factors (0.9, 0.99, 0.999 are equally far apart);
/// upwards the speed grows by equal factors. Points below a recall of 0.7 are left out.
[[nodiscard]] std::string to_svg(std::vector<curve> const& all, std::string const& title,
                                 std::size_t k);

} // namespace bench

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_INDEX_ALWAYS_LISTS_HPP
#define VICINAL_TESTS_INDEX_ALWAYS_LISTS_HPP

#include <vicinal/index/ivf/options.hpp>

#include <cstddef>

namespace vicinal_test {

/// Lists, however few rows there are, with no time spent on tuning.
[[nodiscard]] inline vicinal::index::ivf_options always(std::size_t partitions) {
    vicinal::index::ivf_options o;
    o.flat_below = 0;
    o.num_partitions = partitions;
    o.tune = false;
    return o;
}

} // namespace vicinal_test

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_SEARCH_ARGUMENTS_HPP
#define VICINAL_BENCH_SEARCH_ARGUMENTS_HPP

#include "sweep.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace bench {

/// The command line of `search`.
struct arguments {
    std::string base, queries, truth, json, svg, markdown;
    std::vector<std::string> indexes{"hnsw"}, codecs{"f32"}, peers;
    std::string layout = "plain";
    std::size_t limit = SIZE_MAX;
    std::size_t turnovers = 0;
    std::vector<double> shares;
    build_options build;
    sweep_options sweep;
};

/// The systems that it names, not built yet. `fields`: those whose records carry a payload.
[[nodiscard]] std::vector<contestant> contestants(arguments const& a, bool fields = false);

/// The files that it names, without the truth.
[[nodiscard]] data_set load(arguments const& a);

/// What it asks for; each gives the curves to report.
[[nodiscard]] std::vector<curve> search(arguments const& a);
[[nodiscard]] std::vector<curve> search_after_churn(arguments const& a);
[[nodiscard]] std::vector<curve> search_filtered(arguments const& a);

} // namespace bench

#endif

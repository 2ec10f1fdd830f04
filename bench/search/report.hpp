// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_SEARCH_REPORT_HPP
#define VICINAL_BENCH_SEARCH_REPORT_HPP

#include "curve.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace bench {

/// The recalls at which systems are compared.
inline constexpr double compared_recalls[] = {0.90, 0.95, 0.99, 0.999};

/// Every point as a line, then what each system cost and how fast it is at the compared recalls,
/// with the ratio to hnswlib where that is among them. On standard output.
void print_table(std::vector<curve> const& all);

/// What each system cost and how fast it is, as print_table's last part, in Markdown. Bytes a
/// vector stand beside those of `dim` floats.
[[nodiscard]] std::string to_markdown(std::vector<curve> const& all, std::size_t dim);

/// A JSON array, one object a point.
[[nodiscard]] std::string to_json(std::vector<curve> const& all);

/// Writes a whole file or throws runtime_error.
void write_file(std::string const& path, std::string const& content);

} // namespace bench

#endif

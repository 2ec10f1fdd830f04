// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_DATASET_HPP
#define VICINAL_BENCH_DATASET_HPP

#include "matrix.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace bench {

/// Reads `data/NAME` under VICINAL_DATA (default: ../shared beside the project), .fbin or .u8bin.
/// At most `most` rows.
inline matrix load(std::string const& name, std::size_t most = SIZE_MAX) {
    auto const* root = std::getenv("VICINAL_DATA");
    return read_matrix(std::string(root ? root : VICINAL_SHARED_DEFAULT) + "/data/" + name, most);
}

/// Rows of VICINAL_BENCH_ROWS, for a quick look; all of them without it.
inline std::size_t wanted_rows() {
    auto const* text = std::getenv("VICINAL_BENCH_ROWS");
    return text ? std::strtoull(text, nullptr, 10) : SIZE_MAX;
}

} // namespace bench

#endif

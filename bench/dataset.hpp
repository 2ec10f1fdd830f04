// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_DATASET_HPP
#define VICINAL_BENCH_DATASET_HPP

#include "matrix.hpp"

#include <vicinal/core/bits.hpp>

#include <algorithm>
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

/// The rows of sift five times, 1,000,000 x 128 in all: integers still, the copies of a row apart
/// by noise of plus or minus 2.
inline matrix noisy_sift() {
    auto const once = load("sift.base.u8bin", wanted_rows());
    matrix m{once.rows * 5, once.columns, {}};
    m.data.reserve(m.rows * m.columns);
    std::uint64_t state = 1;
    for (int copy = 0; copy < 5; ++copy)
        for (auto const x : once.data) {
            state = vicinal::detail::mix(state + 1);
            m.data.push_back(std::clamp(x + static_cast<float>(state % 5) - 2, 0.0F, 255.0F));
        }
    return m;
}

} // namespace bench

#endif

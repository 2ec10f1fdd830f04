// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_DATASET_HPP
#define VICINAL_BENCH_DATASET_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

/// Rows of floats, one behind the other.
struct matrix {
    std::size_t rows = 0;
    std::size_t columns = 0;
    std::vector<float> data;

    [[nodiscard]] float const* row(std::size_t i) const { return data.data() + i * columns; }
};

/// Reads `data/NAME` under VICINAL_DATA (default: ../shared beside the project): two uint32, rows
/// and columns, then floats (.fbin) or bytes (.u8bin). At most `most` rows.
inline matrix load(std::string const& name, std::size_t most = SIZE_MAX) {
    auto const* root = std::getenv("VICINAL_DATA");
    auto const path = std::string(root ? root : VICINAL_SHARED_DEFAULT) + "/data/" + name;
    std::ifstream in(path, std::ios::binary);
    std::uint32_t head[2] = {};
    if (!in.read(reinterpret_cast<char*>(head), sizeof head))
        throw std::runtime_error("no " + path +
                                 "; set VICINAL_DATA to the directory that has data/");
    matrix m{std::min<std::size_t>(head[0], most), head[1], {}};
    if (name.ends_with(".u8bin")) {
        std::vector<unsigned char> bytes(m.rows * m.columns);
        in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        m.data.assign(bytes.begin(), bytes.end());
    } else {
        m.data.resize(m.rows * m.columns);
        in.read(reinterpret_cast<char*>(m.data.data()),
                static_cast<std::streamsize>(m.data.size() * sizeof(float)));
    }
    if (!in) throw std::runtime_error(path + " is shorter than its head says");
    return m;
}

/// Rows of VICINAL_BENCH_ROWS, for a quick look; all of them without it.
inline std::size_t wanted_rows() {
    auto const* text = std::getenv("VICINAL_BENCH_ROWS");
    return text ? std::strtoull(text, nullptr, 10) : SIZE_MAX;
}

} // namespace bench

#endif

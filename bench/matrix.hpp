// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_MATRIX_HPP
#define VICINAL_BENCH_MATRIX_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

/// Rows of one length, one behind the other.
template <class T>
struct table {
    std::size_t rows = 0;
    std::size_t columns = 0;
    std::vector<T> data;

    [[nodiscard]] T const* row(std::size_t i) const { return data.data() + i * columns; }
    [[nodiscard]] T* row(std::size_t i) { return data.data() + i * columns; }
};

using matrix = table<float>;

/// Reads the first `most` rows of a file: two uint32, rows and columns, then that many elements of
/// T, little-endian. Throws runtime_error where the file does not hold what its head says.
template <class T>
[[nodiscard]] table<T> read_table(std::string const& path, std::size_t most = SIZE_MAX) {
    std::ifstream in(path, std::ios::binary | std::ios::ate);
    auto const bytes = in ? static_cast<std::uint64_t>(in.tellg()) : 0;
    std::uint32_t head[2] = {};
    if (!in.seekg(0) || !in.read(reinterpret_cast<char*>(head), sizeof head))
        throw std::runtime_error("no matrix in '" + path + "'");
    // Asked before the memory is taken: a damaged head can name any size.
    if ((bytes - sizeof head) / sizeof(T) < std::uint64_t{head[0]} * head[1])
        throw std::runtime_error("'" + path + "' is shorter than its head says");
    table<T> t{std::min<std::size_t>(head[0], most), head[1], {}};
    t.data.resize(t.rows * t.columns);
    if (!in.read(reinterpret_cast<char*>(t.data.data()),
                 static_cast<std::streamsize>(t.data.size() * sizeof(T))))
        throw std::runtime_error("'" + path + "' could not be read");
    return t;
}

/// The same as floats, whether the file holds floats (.fbin) or bytes (.u8bin).
[[nodiscard]] inline matrix read_matrix(std::string const& path, std::size_t most = SIZE_MAX) {
    if (!path.ends_with(".u8bin")) return read_table<float>(path, most);
    auto const bytes = read_table<std::uint8_t>(path, most);
    return {bytes.rows, bytes.columns, {bytes.data.begin(), bytes.data.end()}};
}

} // namespace bench

#endif

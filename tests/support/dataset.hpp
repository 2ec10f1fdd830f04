// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_SUPPORT_DATASET_HPP
#define VICINAL_TESTS_SUPPORT_DATASET_HPP

#include "catch.hpp"
#include "support/random.hpp"

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#if !defined(VICINAL_SHARED_DEFAULT)
#    define VICINAL_SHARED_DEFAULT "../shared"
#endif

namespace vicinal_test {

/// The first `most` rows of data/`file` (an fbin of floats or u8bin of bytes: two uint32, rows and
/// columns, then the values) under VICINAL_DATA; nothing, said aloud, where it is not there.
[[nodiscard]] inline std::optional<rows> load_rows(std::string const& file, std::size_t most) {
    auto const* root = std::getenv("VICINAL_DATA");
    auto const path = std::string(root ? root : VICINAL_SHARED_DEFAULT) + "/data/" + file;
    std::ifstream in(path, std::ios::binary);
    std::uint32_t head[2] = {};
    if (!in || !in.read(reinterpret_cast<char*>(head), sizeof head)) {
        WARN("SKIPPED: no " << path << " (set VICINAL_DATA to the directory that has data/)");
        return std::nullopt;
    }
    auto const n = std::min<std::size_t>(head[0], most);
    rows out{head[1]};
    out.data.resize(n * head[1]);
    if (file.ends_with(".fbin")) {
        in.read(reinterpret_cast<char*>(out.data.data()),
                static_cast<std::streamsize>(out.data.size() * sizeof(float)));
    } else {
        std::vector<unsigned char> bytes(out.data.size());
        in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        out.data.assign(bytes.begin(), bytes.end());
    }
    REQUIRE(in);
    return out;
}

} // namespace vicinal_test

#endif

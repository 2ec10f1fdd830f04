// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_SUPPORT_SHARED_FIXTURE_HPP
#define VICINAL_TESTS_SUPPORT_SHARED_FIXTURE_HPP

#include "catch.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace vicinal_test {

/// The path of a fixture of that name, which may be one of the examples' too; empty (and a loud
/// warning) where it is not there.
inline std::string shared_fixture(std::string const& name) {
    std::string place = "../shared";
#if defined(VICINAL_SHARED_DEFAULT)
    place = VICINAL_SHARED_DEFAULT;
#endif
    if (char const* const set = std::getenv("VICINAL_DATA")) place = set;
    place += "/fixtures/" + name;
    if (std::filesystem::exists(place)) return place;
#if defined(VICINAL_SOURCE_DIR)
    auto const example = std::string(VICINAL_SOURCE_DIR) + "/examples/data/" + name;
    if (std::filesystem::exists(example)) return example;
#endif
    WARN("SKIPPED: no fixture " << place << " (set VICINAL_DATA)");
    return {};
}

/// All bytes of a file.
inline std::string bytes_of(std::string const& path) {
    std::ostringstream s;
    s << std::ifstream(path, std::ios::binary).rdbuf();
    return s.str();
}

} // namespace vicinal_test

#endif

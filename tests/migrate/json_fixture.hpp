// SPDX-License-Identifier: MIT
// Files for the tests of JSON readers, and all records of one.
#ifndef VICINAL_TESTS_MIGRATE_JSON_FIXTURE_HPP
#define VICINAL_TESTS_MIGRATE_JSON_FIXTURE_HPP

#include "catch.hpp"
#include "support/source_records.hpp"

#include <vicinal/migrate/json_source.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace json_fixture {

namespace fs = std::filesystem;

/// A fixture that is not part of the project, empty (and a loud warning) where it is not there.
inline std::string find(std::string const& name) {
#if defined(VICINAL_SHARED_DEFAULT)
    std::string place = VICINAL_SHARED_DEFAULT;
#else
    std::string place = "../shared";
#endif
    if (char const* const set = std::getenv("VICINAL_DATA")) place = set;
    place += "/fixtures/" + name;
    if (fs::exists(place)) return place;
    WARN("SKIPPED: no fixture " << place << " (set VICINAL_DATA)");
    return {};
}

/// A directory that goes away with the test.
class directory {
public:
    directory() {
        char name[] = "/tmp/vicinal-json-XXXXXX";
        path_ = ::mkdtemp(name);
    }
    ~directory() { fs::remove_all(path_); }
    directory(directory const&) = delete;
    directory& operator=(directory const&) = delete;

    [[nodiscard]] std::string const& path() const { return path_; }
    [[nodiscard]] std::string file(std::string const& name, std::string const& text) const {
        std::ofstream(path_ + "/" + name, std::ios::binary | std::ios::trunc) << text;
        return path_ + "/" + name;
    }

private:
    std::string path_;
};

inline std::string slurp(std::string const& path) {
    std::ostringstream s;
    s << std::ifstream(path, std::ios::binary).rdbuf();
    return s.str();
}

inline vicinal::result<std::vector<vicinal::record>>
read_all(std::string const& path, vicinal::backend::json_options options = {}) {
    auto source = vicinal::backend::json_source::try_open(path, std::move(options));
    if (!source) return source.error();
    return vicinal_test::records_of(*source);
}

inline bool same_bits(std::vector<float> const& a, std::vector<float> const& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](float x, float y) {
        return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
    });
}

inline bool same(vicinal::record const& a, vicinal::record const& b) {
    return a.id == b.id && same_bits(a.vector, b.vector) && a.payload == b.payload;
}

/// The records of the file are exactly these, in this order.
inline void check_records(std::string const& path, std::vector<vicinal::record> const& expected,
                          vicinal::backend::json_options options = {}) {
    auto const got = read_all(path, std::move(options));
    CAPTURE(path);
    if (!got) FAIL(got.error().message());
    REQUIRE(got->size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i, (*got)[i].id, expected[i].id);
        CHECK((*got)[i].id == expected[i].id);
        CHECK(same_bits((*got)[i].vector, expected[i].vector));
        CHECK((*got)[i].payload == expected[i].payload);
    }
}

inline std::vector<std::string> losses(std::string const& path,
                                       vicinal::backend::json_options options = {}) {
    auto source = vicinal::backend::json_source::try_open(path, std::move(options));
    REQUIRE(source);
    auto const all = vicinal_test::records_of(*source);
    if (!all) FAIL(all.error().message());
    return source->describe()->losses;
}

} // namespace json_fixture

#endif

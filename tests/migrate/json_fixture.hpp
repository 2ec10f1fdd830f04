// SPDX-License-Identifier: MIT
// Files for the tests of JSON readers, and all records of one.
#ifndef VICINAL_TESTS_MIGRATE_JSON_FIXTURE_HPP
#define VICINAL_TESTS_MIGRATE_JSON_FIXTURE_HPP

#include "catch.hpp"
#include "support/shared_fixture.hpp"
#include "support/source_records.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/migrate/json_source.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace json_fixture {

using vicinal_test::bytes_of;
using vicinal_test::same_bits;
using vicinal_test::shared_fixture;
using vicinal_test::temporary_directory;

inline vicinal::result<std::vector<vicinal::record>>
read_all(std::string const& path, vicinal::backend::json_options options = {}) {
    auto source = vicinal::backend::json_source::try_open(path, std::move(options));
    if (!source) return source.error();
    return vicinal_test::records_of(*source);
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

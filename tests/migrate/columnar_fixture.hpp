// SPDX-License-Identifier: MIT
// Where tables are, what they hold, and copies of them that may be damaged.
#ifndef VICINAL_TESTS_MIGRATE_COLUMNAR_FIXTURE_HPP
#define VICINAL_TESTS_MIGRATE_COLUMNAR_FIXTURE_HPP

#include "catch.hpp"
#include "support/shared_fixture.hpp"
#include "support/source_records.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/core/bits.hpp>
#include <vicinal/migrate/columnar/source.hpp>
#include <vicinal/migrate/jsonl.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace columnar_fixture {

using vicinal::record;
using vicinal::result;
using vicinal_test::bytes_of;
using vicinal_test::records_of;
using vicinal_test::shared_fixture;
using vicinal_test::temporary_directory;

/// A table of the repository, as make_tables.py wrote it.
inline std::string own(std::string const& name) { return "tests/migrate/columnar/" + name; }

/// Opens and reads everything: what it gives, or the first error.
inline result<std::vector<record>> read_all(std::string const& path,
                                            vicinal::backend::columnar_options options = {},
                                            std::size_t at_once = 1000) {
    auto source = vicinal::backend::columnar_source::try_open(path, std::move(options));
    if (!source) return source.error();
    return records_of(*source, at_once);
}

inline std::vector<record> expected_rows() {
    auto source = vicinal::backend::jsonl_source::try_open(own("rows.jsonl"));
    REQUIRE(source);
    return records_of(*source).value();
}

/// Vectors bit for bit, payloads exactly.
inline void check_same(std::vector<record> const& got, std::vector<record> const& wanted) {
    REQUIRE(got.size() == wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        CAPTURE(i, wanted[i].id);
        CHECK(got[i].id == wanted[i].id);
        CHECK(got[i].vector == wanted[i].vector);
        bool const payload = got[i].payload == wanted[i].payload;
        CHECK(payload);
    }
}

/// The rows of the LanceDB fixture, from its JSON Lines.
inline std::vector<record> lance_rows(std::string const& folder) {
    std::ifstream lines(folder + "/items.jsonl");
    std::vector<record> wanted;
    vicinal::detail::json_parser parser;
    for (std::string line; std::getline(lines, line);) {
        auto const root = parser.parse(line);
        REQUIRE(root);
        vicinal::fields all;
        REQUIRE(vicinal::detail::read_fields(root->get_object().value_unsafe(), all));
        auto& r = wanted.emplace_back();
        r.id = *all["id"].get_if<std::string>();
        for (auto const& x : *all["vector"].get_if<vicinal::value::array>()) {
            auto const* const whole = x.get_if<std::int64_t>();
            r.vector.push_back(whole ? static_cast<float>(*whole)
                                     : static_cast<float>(*x.get_if<double>()));
        }
        // JSON doesn't tell 1 from 1.0; the columns are doubles.
        for (std::string const name : {"n", "f"})
            if (auto const* const whole = all[name].get_if<std::int64_t>())
                all.set(name, static_cast<double>(*whole));
        for (auto const& [name, v] : all)
            if (name != "id" && name != "vector" && !v.is_null()) r.payload.set(name, v);
    }
    return wanted;
}

/// Copies of bytes with a few of them changed, always the same ones.
class damage {
public:
    /// Half of the changes lie among the `count` bytes from `first` on.
    std::string of(std::string bytes, std::size_t first, std::size_t count) {
        auto const flips = 1 + random(4);
        for (std::size_t f = 0; f < flips; ++f) {
            auto const at = random(2) == 0 ? random(bytes.size()) : first + random(count);
            bytes[at] = static_cast<char>(random(4) == 0 ? 0xff : random(256));
        }
        if (random(8) == 0) bytes.resize(random(bytes.size()));
        return bytes;
    }

private:
    std::size_t random(std::size_t below) {
        seed_ = vicinal::detail::mix(seed_);
        return static_cast<std::size_t>(seed_ % below);
    }

    std::uint64_t seed_ = 1;
};

/// Reads what can be read of a damaged file.
inline void read_damaged(std::string const& path) {
    auto source = vicinal::backend::columnar_source::try_open(path);
    if (!source) return;
    static_cast<void>(source->describe());
    source->pass_over([](vicinal::bad_record const&) {});
    static_cast<void>(records_of(*source));
}

} // namespace columnar_fixture

#endif

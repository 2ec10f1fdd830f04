// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/core/error.hpp>

#include <exception>
#include <set>
#include <string>

using vicinal::errc;
using vicinal::error;

TEST_CASE("an error says its code, what was expected and what came", "[core]") {
    error const e{errc::dimension_mismatch, "384", "3 for 'readme'"};
    CHECK(e.code() == errc::dimension_mismatch);
    CHECK(e.expected() == "384");
    CHECK(e.got() == "3 for 'readme'");
    CHECK(e.message() == "dimension_mismatch: expected 384, got 3 for 'readme'");
}

TEST_CASE("an error leaves out what it was not given", "[core]") {
    CHECK(error{errc::empty_id}.message() == "empty_id");
    CHECK(error(errc::not_found, "a directory").message() == "not_found: expected a directory");
    CHECK(error(errc::io_failure, "", "disk full").message() == "io_failure: disk full");
}

TEST_CASE("an error is a std::exception whose what() is the message", "[core]") {
    try {
        throw error{errc::read_only, "a writer"};
    } catch (std::exception const& e) {
        CHECK(std::string(e.what()) == "read_only: expected a writer");
    }
}

TEST_CASE("every code has a name of its own", "[core]") {
    std::set<std::string> names;
    auto const last = static_cast<int>(errc::vector_not_kept);
    for (int i = 1; i <= last; ++i) {
        CAPTURE(i);
        auto const n = std::string(name(static_cast<errc>(i)));
        CHECK(n != "unknown");
        names.insert(n);
    }
    CHECK(names.size() == static_cast<std::size_t>(last));
    CHECK(name(static_cast<errc>(last + 1)) == "unknown");
    CHECK(name(static_cast<errc>(0)) == "unknown");
}

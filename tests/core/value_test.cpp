// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/core/value.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

using vicinal::fields;
using vicinal::value;
using kind = vicinal::value::kind;

TEST_CASE("a value takes the kind of what it is made from", "[core]") {
    CHECK(value().type() == kind::null);
    CHECK(value(nullptr).is_null());
    CHECK(value(true).type() == kind::boolean);
    CHECK(value(2024).type() == kind::integer);
    CHECK(value(2024U).type() == kind::integer);
    CHECK(value(1.5).type() == kind::real);
    CHECK(value(1.5F).type() == kind::real);
    CHECK(value("guide").type() == kind::string);
    CHECK(value(std::string("guide")).type() == kind::string);
    CHECK(value(std::string_view("guide")).type() == kind::string);
    CHECK(value({1, 2}).type() == kind::array);
    CHECK(value({{"a", 1}, {"b", "x"}}).type() == kind::nested);
}

TEST_CASE("get_if gives the value only as the type that it has", "[core]") {
    value const v = 2024;
    REQUIRE(v.get_if<std::int64_t>());
    CHECK(*v.get_if<std::int64_t>() == 2024);
    CHECK(v.get_if<double>() == nullptr);
    CHECK(v.get_if<bool>() == nullptr);
    CHECK(v.get_if<std::string>() == nullptr);
}

TEST_CASE("unsigned numbers beyond the signed range become doubles", "[core]") {
    auto const limit = static_cast<std::uint64_t>((std::numeric_limits<std::int64_t>::max)());
    CHECK(value(limit) == value((std::numeric_limits<std::int64_t>::max)()));
    CHECK(value(limit + 1) == value(9223372036854775808.0));
}

TEST_CASE("values are equal by kind and bits", "[core]") {
    CHECK(value(1) == value(std::int64_t{1}));
    CHECK_FALSE(value(1) == value(1.0));
    CHECK_FALSE(value(1) == value(true));
    CHECK_FALSE(value(0.0) == value(-0.0));
    auto const nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(value(nan) == value(nan));
    CHECK_FALSE(value("a") == value("b"));
    CHECK(value({1, 2}) == value(value::array{1, 2}));
    CHECK_FALSE(value({1, 2}) == value({2, 1}));
}

TEST_CASE("an array in braces holds scalars of any kind", "[core]") {
    value const v = {1, 2.5, "three", true, nullptr};
    auto const* a = v.get_if<value::array>();
    REQUIRE(a);
    REQUIRE(a->size() == 5);
    CHECK((*a)[0] == value(1));
    CHECK((*a)[1] == value(2.5));
    CHECK((*a)[2] == value("three"));
    CHECK((*a)[3] == value(true));
    CHECK((*a)[4].is_null());
}

TEST_CASE("fields keep their names sorted and each name once", "[core]") {
    fields const f{{"year", 2024}, {"category", "guide"}, {"year", 2025}};
    REQUIRE(f.size() == 2);
    CHECK(f.begin()[0].name == "category");
    CHECK(f.begin()[1].name == "year");
    CHECK(f["year"] == value(2025));
    CHECK(f == fields{{"category", "guide"}, {"year", 2025}});
}

TEST_CASE("a name that is not there gives a null value and no pointer", "[core]") {
    fields const f{{"here", nullptr}};
    CHECK(f["gone"].is_null());
    CHECK(f.find("gone") == nullptr);
    CHECK(f.find("here") != nullptr);
    CHECK(f.contains("here"));
    CHECK_FALSE(f.contains("gone"));
}

TEST_CASE("fields are set, replaced, erased and cleared by name", "[core]") {
    fields f;
    CHECK(f.empty());
    f.set("b", 1);
    f.set("a", 2);
    f.set("b", 3);
    CHECK(f == fields{{"a", 2}, {"b", 3}});
    CHECK(f.erase("a"));
    CHECK_FALSE(f.erase("a"));
    CHECK(f.size() == 1);
    f.clear();
    CHECK(f.empty());
}

TEST_CASE("fields nest, and a copy is independent", "[core]") {
    fields f{{"author", {{"name", "Ada"}, {"born", 1815}}}};
    fields const copy = f;
    f.set("author", "nobody");
    auto const* inner = copy["author"].get_if<fields>();
    REQUIRE(inner);
    CHECK((*inner)["name"] == value("Ada"));
    CHECK((*inner)["born"] == value(1815));
    CHECK_FALSE(copy == f);
}

TEST_CASE("a value holds text with any byte in it", "[core]") {
    std::string const text("a\0b", 3);
    CHECK(value(text).get_if<std::string>()->size() == 3);
    CHECK_FALSE(value(text) == value("a"));
}

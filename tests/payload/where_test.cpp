// SPDX-License-Identifier: MIT
// Filters that are checked while compiling. What must not compile is in tests/compile_fail.
#include "catch.hpp"
#include "payload/note.hpp"

#include <vicinal/payload/filter/builder.hpp>
#include <vicinal/payload/record.hpp>
#include <vicinal/payload/where.hpp>
#include <vicinal/store/options.hpp>

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace where_test {

using namespace vicinal;
using payload::detail::fault_of;
using testing::note;
using testing::shelf;

namespace {

filter parsed(std::string const& text) {
    auto f = filter::parse(text);
    if (!f) FAIL(f.error().message());
    return *f;
}

struct priced {
    float price = 0;
    double exact = 0;
    using members = vicinal::members<&priced::price, vicinal::named<"in", &priced::exact>>;
};

// The parser is the one of run time: what it finds is found in a constant expression too.
static_assert(fault_of("").expected == nullptr);
static_assert(fault_of("a = 'it''s' and not (b.\"c d\" in (1, -2.5e-3, true) or c is null)")
                  .expected == nullptr);
static_assert(std::string_view(fault_of("year >= ").expected) ==
              "a value ('text', a number, true or false)");
static_assert(fault_of("a = \xc3\x28").expected == std::string_view("UTF-8"));
static_assert(fault_of("a = 1 b").offset == 6);

template <fixed_text Text>
constexpr bool fits() {
    return payload::detail::checked_against<note>(Text.view()).says() ==
           payload::detail::filter_type_check<note>::verdict::fits;
}
static_assert(fits<"year >= 2023 and price < 9.99 and score between 1 and 2.5">());
static_assert(fits<"title = 'x' and title contains 'y' and title starts_with 'z'">());
static_assert(fits<"tags contains 'ml' and flags contains true and gaps contains 3">());
static_assert(fits<"by.name = 'Ada' and by.born is null and editor.name is null">());
static_assert(fits<"shelf in (1, 200) and \"a table\" is not null and \"by\".\"name\" < 'B'">());
static_assert(fits<"draft = true and draft != false">());
static_assert(fits<"any tags = 'ml' and any tags contains 'm' and any year > 3">());
static_assert(fits<"(any tags in ('a', 'b')) is not true and any gaps is null">());
static_assert(!fits<"any tags = 'a' and tags = 'a'">());
static_assert(fits<"any tags starts_with 'm' and any gaps > 3 and any year = 2023">());
static_assert(fits<"any gaps is null and (title = 'x') is not true">());
static_assert(!fits<"any tags = 5">());
static_assert(!fits<"any tags is null">());
static_assert(!fits<"any tags = 'x' and tags = 'x'">());
static_assert(!fits<"where_kept = 1">());
static_assert(!fits<"by.age = 1">());
static_assert(!fits<"year.name = 1">());
static_assert(!fits<"\"by.name\" = 'Ada'">());
static_assert(!fits<"year = '2023'">());
static_assert(!fits<"year in (1, '2')">());
static_assert(!fits<"title != 5">());
static_assert(!fits<"draft < 1">());
static_assert(!fits<"tags = 'ml'">());
static_assert(!fits<"tags contains 5">());
static_assert(!fits<"others contains 'x'">());
static_assert(!fits<"year contains 2">());
static_assert(!fits<"year starts_with '2'">());
static_assert(!fits<"by = 1">());
static_assert(!fits<"year is null">());
static_assert(!fits<"by.name is null">());

} // namespace

TEST_CASE("a literal in where<> is the filter of its text", "[filter]") {
    filter const f = where<"year >= 2023 and tags contains 'ml'">;
    CHECK(f == parsed("year >= 2023 and tags contains 'ml'"));
    CHECK(where<"year >= 2023">() == parsed("year >= 2023"));
    CHECK((where<"a = 1"> && where<"b = 2"> && !where<"c = 3">) ==
          parsed("a = 1 and b = 2 and not c = 3"));
    CHECK((where<"a = 1"> || field("b") == 2) == parsed("a = 1 or b = 2"));
    CHECK(where<"">().empty());
    CHECK(&where<"a = 1">() == &where<"a = 1">());

    search_options options{.k = 3, .where = where<"year  >=  2023">};
    CHECK(options.where == "year  >=  2023");
    options.where = where<"a = 1">;
    CHECK(options.where == "a = 1");
    options.where = where_of<note, "year >= 2023 and tags contains 'ml'">;
    CHECK(options.where == "year >= 2023 and tags contains 'ml'");
}

TEST_CASE("a literal that compiles parses at run time, whatever its numbers", "[filter]") {
    for (auto const* text :
         {"a = 0", "a = -0.0", "a = 9.9e307", "a = 1e-307", "a = 0.00001e310", "a = 100000e-310",
          "a = 0e999999999999", "a = 123456789012345678901234", "a = 1234.5e303",
          "a = 0.0000e-99999"}) {
        CAPTURE(text);
        CHECK(fault_of(text).expected == nullptr);
        CHECK(filter::parse(text));
    }
    for (auto const* text : {"a = 1e308", "a = 1e-308", "a = 10e307", "a = 0.01e-306", "a = 1e999",
                             "a = 1e99999999999999999999", "a = -1e-99999999999999999999"})
        CHECK(fault_of(text).expected != nullptr);
    std::string const digits(309, '9');
    CHECK(fault_of("a = " + digits).expected != nullptr);
    CHECK(fault_of("a = " + digits.substr(1)).expected == nullptr);
}

TEST_CASE("conditions on members are the filters of their names", "[filter]") {
    CHECK((where<&note::year>() >= 2023) == parsed("year >= 2023"));
    CHECK((where<&note::year>() >= 2023 && where<&note::tags>().contains("ml")) ==
          parsed("year >= 2023 and tags contains 'ml'"));
    CHECK((where<&note::title> == "x" || where<&note::title> != std::string("it's")) ==
          parsed("title = 'x' or title != 'it''s'"));
    CHECK((where<&note::draft>() == true) == parsed("draft = true"));
    CHECK((where<&note::small> < 3 && where<&note::hash> <= 3U && where<&note::year> > 1.5) ==
          parsed("small < 3 and hash <= 3 and year > 1.5"));
    CHECK((where<&note::where_kept>() == shelf::closed) == parsed("shelf = 200"));
    CHECK((where<&note::direction>() != testing::sign::minus) == parsed("direction != -300"));
    CHECK(where<&note::where_kept>().in(shelf::open, shelf::closed, 7) ==
          parsed("shelf in (1, 200, 7)"));
    CHECK(where<&note::year>().not_in(std::vector{1, 2}) == parsed("year not in (1, 2)"));
    CHECK(where<&note::draft>().in(std::vector<bool>{true}) == parsed("draft in (true)"));
    CHECK(where<&note::title>().in(std::vector<std::string>{"a", "b"}) ==
          parsed("title in ('a', 'b')"));
    CHECK(where<&note::score>().between(1, 2.5) == parsed("score between 1 and 2.5"));
    CHECK(where<&note::score>().is_null() == parsed("score is null"));
    CHECK(where<&note::year>().is_not_null() == parsed("year is not null"));
    CHECK(where<&note::title>().starts_with("On") == parsed("title starts_with 'On'"));
    CHECK(where<&note::title>().contains("w") == parsed("title contains 'w'"));
    CHECK((where<&note::tags>().any() == "ml") == parsed("any tags = 'ml'"));
    CHECK(where<&note::tags>().any().contains("m") == parsed("any tags contains 'm'"));
    CHECK(where<&note::gaps>().any().in(1, 2) == parsed("any gaps in (1, 2)"));
    CHECK(where<&note::gaps>().any().is_null() == parsed("any gaps is null"));
    CHECK((where<&note::title> == "x").is_not_true() == parsed("(title = 'x') is not true"));
    CHECK(where<&note::flags>().contains(false) == parsed("flags contains false"));
    CHECK((where<&note::by, &library::author::name>() == "Ada") == parsed("by.name = 'Ada'"));
    CHECK(where<&note::by, &library::author::born>().is_null() == parsed("by.born is null"));
    CHECK(where<&note::editor, &library::author::name>().is_null() ==
          parsed("editor.name is null"));
    STATIC_REQUIRE(std::is_same_v<decltype(where<&note::year>() >= 2023), filter>);
}

TEST_CASE("a float member is asked for the number that a float shows", "[filter]") {
    CHECK((where<&priced::price>() == 9.99F) == parsed("price = 9.99"));
    CHECK(where<&priced::price>().in(0.1F, 0.2) == parsed("price in (0.1, 0.2)"));
    CHECK((where<&priced::exact>() == 0.5F) == parsed("\"in\" = 0.5"));
    CHECK((where<&priced::exact>() == 9.99F) == (field("\"in\"") == 9.99F));
    std::string bytes;
    REQUIRE(payload::record<priced>::encode({9.99F, 1}, bytes));
    auto const span = std::as_bytes(std::span<char const>(bytes.data(), bytes.size()));
    CHECK((where<&priced::price>() == 9.99F).matches(span));
    CHECK((field("price") == 9.99).matches(span));
}

} // namespace where_test

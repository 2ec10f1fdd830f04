// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "payload/naive_filter.hpp"
#include "payload/random_fields.hpp"
#include "payload/random_filters.hpp"

#include <vicinal/payload/fields.hpp>
#include <vicinal/payload/filter.hpp>

#include <cmath>

namespace filter_test {

using namespace vicinal;
using payload::filter_op;

namespace {

std::string encoded(fields const& f) {
    std::string out;
    REQUIRE(payload::fields::encode(f, out));
    return out;
}

bool matches(std::string const& text, fields const& f) {
    CAPTURE(text);
    auto const parsed = filter::parse(text);
    if (!parsed) FAIL(parsed.error().message());
    auto const bytes = encoded(f);
    return parsed->matches(std::as_bytes(std::span<char const>(bytes.data(), bytes.size())));
}

/// 't', 'f' or 'u': a filter is unknown where neither it nor its negation matches.
char truth(std::string const& text, fields const& f) {
    bool const yes = matches(text, f);
    bool const no = matches("not (" + text + ")", f);
    CHECK_FALSE((yes && no));
    return yes ? 't' : (no ? 'f' : 'u');
}

fields const sample{{"author", {{"name", "Ada"}, {"born", 1815}}},
                    {"category", "guide"},
                    {"draft", false},
                    {"empty", nullptr},
                    {"first name", "A"},
                    {"list", value::array{1, 2.5, "x", true, nullptr}},
                    {"nan", std::nan("")},
                    {"price", 9.99},
                    {"year", 2024}};

} // namespace

TEST_CASE("each operator says what its name says", "[filter]") {
    CHECK(matches("category = 'guide' and year >= 2023", sample));
    CHECK(matches("year = 2024", sample));
    CHECK_FALSE(matches("year != 2024", sample));
    CHECK(matches("year != 2023", sample));
    CHECK(matches("year<2025", sample));
    CHECK_FALSE(matches("year < 2024", sample));
    CHECK(matches("year <= 2024", sample));
    CHECK(matches("year > 2023.5", sample));
    CHECK(matches("price >= 9.99", sample));
    CHECK(matches("price = 999e-2", sample));
    CHECK(matches("draft = FALSE", sample));
    CHECK(matches("category IN ('blog', 'guide')", sample));
    CHECK_FALSE(matches("category in ('blog')", sample));
    CHECK(matches("category not in ('blog', 5)", sample));
    CHECK(matches("year between 2024 and 2024.0", sample));
    CHECK_FALSE(matches("year between 2025 and 2023", sample));
    CHECK(matches("category between 'g' and 'h'", sample));
    CHECK(matches("category contains 'uid'", sample));
    CHECK(matches("category contains ''", sample));
    CHECK_FALSE(matches("category contains 'UID'", sample));
    CHECK(matches("list contains 1", sample));
    CHECK(matches("list contains 2.5 and list contains 'x' and list contains true", sample));
    CHECK_FALSE(matches("list contains 2", sample));
    CHECK(matches("category starts_with 'gui'", sample));
    CHECK_FALSE(matches("category starts_with 'uide'", sample));
    CHECK(matches("empty is null and missing is null and year is not null", sample));
    CHECK(matches("author.name = 'Ada' and author.born < 1900", sample));
    CHECK(matches("\"author\".\"name\" = 'Ada'", sample));
    CHECK(matches("\"first name\" = 'A'", sample));
    CHECK_FALSE(matches("\"author.name\" is not null", sample));
    CHECK(matches("\"a.b\" = 1 and a.b = 1", {{"a.b", 1}, {"a", {{"b", 2}}}}));
    CHECK(matches("a.\"b.c\" = 1 and a.b.c = 1", {{"a", {{"b.c", 1}}}}));
    CHECK(matches("\"\" = 'it''s' and \"q\"\"q\" = 1", {{"", "it's"}, {"q\"q", 1}}));
    CHECK(matches("not year = 1 and not (year = 2 or draft = true)", sample));
    CHECK(matches("year = 1 and year = 2 or year = 2024", sample));
    CHECK_FALSE(matches("year = 1 and (year = 2 or year = 2024)", sample));
    CHECK(matches("any = 1 and \"any\" = 1 and any any = 1 and ANY \"any\" in (1)", {{"any", 1}}));
    CHECK(filter{}.matches({}));
    CHECK(filter{}.empty());
    CHECK(matches(" \n", {}));
}

TEST_CASE("and, or and not follow the truth tables of SQL", "[filter]") {
    std::string const names = "tfu";
    auto const text = [](char c) {
        return c == 't' ? "year = 2024" : (c == 'f' ? "year = 1" : "missing = 1");
    };
    std::string const conjunction = "tfu"
                                    "fff"
                                    "ufu";
    std::string const disjunction = "ttt"
                                    "tfu"
                                    "tuu";
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(truth(text(names[i]), sample) == names[i]);
        CHECK(truth(std::string("not ") + text(names[i]), sample) == "ftu"[i]);
        for (std::size_t j = 0; j < 3; ++j) {
            CAPTURE(names[i], names[j]);
            auto const a = std::string(text(names[i]));
            auto const b = std::string(text(names[j]));
            CHECK(truth(a + " and " + b, sample) == conjunction[3 * i + j]);
            CHECK(truth(a + " or " + b, sample) == disjunction[3 * i + j]);
        }
    }
}

TEST_CASE("values of different kinds compare as the documentation has it", "[filter]") {
    struct row {
        char const* text;
        char expected;
    };
    for (auto const& r : std::initializer_list<row>{
             {"category = 5", 'f'},
             {"category != 5", 't'},
             {"category < 5", 'u'},
             {"year = '2024'", 'f'},
             {"year >= 'a'", 'u'},
             {"draft = 0", 'f'},
             {"draft < true", 't'},
             {"draft < 1", 'u'},
             {"list = 1", 'f'},
             {"list != 1", 't'},
             {"list < 1", 'u'},
             {"list in (1)", 'f'},
             {"list contains 'nothing'", 'f'},
             {"author = 1", 'f'},
             {"author contains 'name'", 'u'},
             {"year contains 2", 'u'},
             {"category contains 5", 'u'},
             {"year starts_with '2'", 'u'},
             {"nan = 1", 'f'},
             {"nan != 1", 't'},
             {"nan < 1", 'u'},
             {"nan between 0 and 1", 'u'},
             {"empty = 1", 'u'},
             {"empty != 1", 'u'},
             {"empty not in (1)", 'u'},
             {"missing contains 'x'", 'u'},
             {"year between 3000 and 1", 'f'},
             {"year is null", 'f'},
             {"any list = 1 and any list = 'x' and any list = true", 't'},
             {"any list > 2", 't'},
             {"any list > 3", 'u'},
             {"any list = 7", 'u'},
             {"any list is null", 't'},
             {"any year = 2024", 't'},
             {"any category contains 'uid'", 't'},
             {"any list contains 'x'", 't'},
             {"any list contains 1", 'u'},
             {"any missing = 1", 'u'},
             {"any missing is null", 't'},
             {"(missing = 1) is not true", 't'},
             {"(year = 2024) is not true", 'f'},
             {"(year = 1) is not true", 't'},
             {"not (missing = 1) is not true", 'f'},
         }) {
        CAPTURE(r.text);
        CHECK(truth(r.text, sample) == r.expected);
    }
}

TEST_CASE("any asks the elements of an array, and contains the parts of a text", "[filter]") {
    struct row {
        fields f;
        char const* expected;
    };
    for (auto const& r : std::initializer_list<row>{
             {{{"x", "a"}}, "tttt"},
             {{{"x", "bad"}}, "ftft"},
             {{{"x", value::array{"a", "b"}}}, "fttt"},
             {{{"x", value::array{"bad"}}}, "ffft"},
             {{{"x", value::array{}}}, "ffff"},
             {{{"x", value::array{value{value::array{"a"}}}}}, "fffu"},
             {{{"x", value::array{nullptr}}}, "ffuu"},
             {{}, "uuuu"},
         }) {
        std::string got;
        for (auto const* text : {"x = 'a'", "x contains 'a'", "any x = 'a'", "any x contains 'a'"})
            got += truth(text, r.f);
        CHECK(got == r.expected);
    }
    CHECK(truth("any x is not null", {{"x", value::array{}}}) == 'f');
    CHECK(truth("any x is not null", {{"x", value::array{nullptr, 1}}}) == 't');
    CHECK(truth("any x between 1 and 2", {{"x", value::array{0, 3}}}) == 'f');
}

TEST_CASE("integers and doubles compare by value without rounding", "[filter]") {
    fields const f{{"big", (std::int64_t{1} << 53) + 1},
                   {"max", INT64_MAX},
                   {"min", INT64_MIN},
                   {"two63", 9223372036854775808.0},
                   {"inf", INFINITY},
                   {"half", -0.5},
                   {"zero", -0.0}};
    CHECK(matches("big != 9007199254740992.0 and big > 9007199254740992.0", f));
    CHECK(matches("max < 9223372036854775808.0 and max < 9223372036854775808", f));
    CHECK(matches("min = -9223372036854775808 and min = -9223372036854775808.0", f));
    CHECK(matches("two63 > 9223372036854775807 and two63 = 9223372036854775808", f));
    CHECK(matches("inf > 9223372036854775807 and inf > 1e308", f));
    CHECK(matches("half < 0 and half > -1 and zero = 0 and zero = 0.0", f));
}

TEST_CASE("a decimal beside a literal compares as its double does", "[filter]") {
    testing::dice d(11);
    constexpr double powers[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7};
    for (int i = 0; i < 4000; ++i) {
        auto const mantissa = static_cast<double>(d.bits() >> (24 + d.below(40)));
        auto const x = (d.one_in(2) ? -mantissa : mantissa) / powers[d.below(8)];
        auto const bytes = encoded({{"x", x}});
        auto const payload = std::as_bytes(std::span<char const>(bytes.data(), bytes.size()));
        for (auto const b :
             {x, std::nextafter(x, INFINITY), std::nextafter(x, -INFINITY), x * (1 + 0x1p-48),
              x * (1 - 0x1p-47), x * 1.5, std::round(x), -x, 0.0}) {
            char text[64];
            std::snprintf(text, sizeof text, "%.17e", b);
            if (b == std::round(b) && std::fabs(b) < 1e15)
                std::snprintf(text, sizeof text, "%.0f", b);
            if (b != 0 && std::fabs(b) < 1e-300) continue;
            CAPTURE(x, text);
            for (auto const& [op, holds] :
                 {std::pair{"x < ", x < b}, {"x = ", x == b}, {"x > ", x > b}})
                if (filter::parse(op + std::string(text))->matches(payload) != holds) {
                    CAPTURE(op);
                    CHECK_FALSE(holds);
                    CHECK(holds);
                }
        }
    }
}

TEST_CASE("a filter that does not parse is told with its column", "[filter]") {
    struct row {
        std::string text;
        std::string message;
    };
    for (auto const& r : std::initializer_list<row>{
             {"a =",
              "a value ('text', a number, true or false) at column 4, got the end of the filter"},
             {"= 1", "a field name, not or ( at column 1, got '='"},
             {"5 < x", "a field name, not or ( at column 1, got '5'"},
             {"a 1",
              "an operator (=, !=, <, <=, >, >=, in, not in, between, contains, starts_with, "
              "is) at column 3, got '1'"},
             {"a = 1 b = 2", "and, or, or the end at column 7, got b"},
             {"a = 1)", "and, or, or the end at column 6, got ')'"},
             {"(a = 1", "and, or, or a closing parenthesis at column 7, got the end of the filter"},
             {"a = null",
              "a value (missing and null are found by 'is null') at column 5, got null"},
             {"a in (1, null)", "a value (missing and null are found by 'is null') at column 10, "
                                "got null"},
             {"a = \"guide\"", "a value (text stands in single quotes) at column 5, got the name "
                               "\"guide\""},
             {"a == 1", "a single = at column 3, got '=='"},
             {"a <> 1", "!= at column 3, got '<>'"},
             {"a = 1 && b = 2", "the word and at column 7, got '&'"},
             {"a = 1 || b = 2", "the word or at column 7, got '|'"},
             {"!a = 1", "!= or the word not at column 1, got '!'"},
             {"a = 'x",
              "a closing ' for the text that begins at column 5, got the end of the filter"},
             {"\"a = 1", "a closing \" for the name that begins at column 1, got the end of the "
                         "filter"},
             {"a. = 1", "a name behind the dot at column 3, got ' '"},
             {"a = 5x", "the end of the number at column 6, got 'x'"},
             {"a = 1.", "the end of the number at column 6, got '.'"},
             {"a = 1e999", "a number within the range of double at column 5, got '1e999'"},
             {"a in 1", "an opening parenthesis at column 6, got '1'"},
             {"a in ()", "a value ('text', a number, true or false) at column 7, got ')'"},
             {"a in (1 2)", "a comma or a closing parenthesis at column 9, got '2'"},
             {"a not like 'x'", "in at column 7, got like"},
             {"a between 1 or 2", "and at column 13, got 'or'"},
             {"a between 1 and 'x'", "a bound of the same kind as the first at column 17, got 'x'"},
             {"a starts_with 5", "text in single quotes at column 15, got '5'"},
             {"a is 5", "null or not null at column 6, got '5'"},
             {"a is not 5", "null at column 10, got '5'"},
             {"(a = 5) is null", "not true at column 12, got 'null'"},
             {"(a = 5) is not null", "true at column 16, got 'null'"},
             {"any (a = 5)", "an operator (=, !=, <, <=, >, >=, in, not in, between, contains, "
                             "starts_with, is) at column 5, got '('"},
             {"in = 1", "a field name at column 1, got the keyword 'in' (a field of that name is "
                        "written in double quotes)"},
             {"first-name = 1", "a name, value or operator (other names stand in double quotes) at "
                                "column 6, got '-'"},
             {"n = '\xe2\x82\xac\xe2\x82\xac' x", "and, or, or the end at column 10, got x"},
             {"a = 'x\xff'", "UTF-8 at column 7, got a byte that is none"},
         }) {
        CAPTURE(r.text);
        auto const parsed = filter::parse(r.text);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code() == errc::invalid_filter);
        CHECK(parsed.error().message() == "invalid_filter: expected " + r.message);
    }
}

TEST_CASE("a filter has limits of size, of nodes and of depth", "[filter]") {
    auto const nested = [](std::size_t n, std::string const& open, std::string const& close) {
        std::string s;
        for (std::size_t i = 0; i < n; ++i) s += open;
        s += "a = 1";
        for (std::size_t i = 0; i < n; ++i) s += close;
        return s;
    };
    CHECK(filter::parse(nested(64, "(", ")")));
    CHECK_FALSE(filter::parse(nested(65, "(", ")")));
    CHECK(filter::parse(nested(64, "not ", "")));
    CHECK_FALSE(filter::parse(nested(60000, "(", "")));
    CHECK_FALSE(filter::parse(nested(15000, "not ", "")));

    auto const list = [](std::size_t n) {
        std::string s = "a in (0";
        for (std::size_t i = 1; i < n; ++i) s += ",0";
        return s + ")";
    };
    CHECK(filter::parse(list(4095)));
    CHECK(filter::parse(list(4096)).error().expected().find("4,096") == 8);
    std::string chain = "a=1";
    for (int i = 1; i < 4095; ++i) chain += " or a=1";
    CHECK(filter::parse(chain));
    CHECK_FALSE(filter::parse(chain + " or a=1"));
    CHECK(filter::parse("a = '" + std::string(65536 - 6, 'x') + "'"));
    CHECK_FALSE(filter::parse("a = '" + std::string(65536 - 5, 'x') + "'"));
}

TEST_CASE("random filters agree with the slow evaluation and survive printing", "[filter]") {
    std::size_t hits = 0;
    std::size_t trials = 0;
    for (std::uint64_t seed = 0; seed < 4000; ++seed) {
        testing::dice d(seed * 7919);
        auto const expression = testing::random_expression(d, 4);
        auto const text = testing::filter_writer(d).text(expression);
        CAPTURE(seed, text);
        auto const parsed = filter::parse(text);
        if (!parsed) FAIL(parsed.error().message());

        auto const printed = parsed->print();
        CAPTURE(printed);
        auto const again = filter::parse(printed);
        REQUIRE(again);
        REQUIRE(*again == *parsed);
        REQUIRE(again->print() == printed);

        for (int i = 0; i < 25; ++i) {
            auto const f = testing::random_fields(d, 3);
            auto const bytes = encoded(f);
            bool const expected = naive::evaluate(expression, f).value_or(false);
            bool const got =
                parsed->matches(std::as_bytes(std::span<char const>(bytes.data(), bytes.size())));
            REQUIRE(got == expected);
            hits += expected ? 1U : 0U;
            ++trials;
        }
    }
    // Neither nothing nor everything: otherwise the comparison would say little.
    CHECK(hits > trials / 20);
    CHECK(hits < trials - trials / 20);
}

TEST_CASE("a filter on damaged bytes gives an answer and reads nothing outside", "[filter]") {
    auto const bytes = encoded(sample);
    std::vector<filter> filters;
    for (auto const* text : {"year >= 2023", "author.name = 'Ada'", "list contains 'y'",
                             "price < 5 or zzz is null", "nan in (1, 2.5, 'x')"})
        filters.push_back(filter::parse(text).value());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (int v = 0; v < 256; ++v) {
            std::vector<std::byte> changed(bytes.size());
            for (std::size_t j = 0; j < bytes.size(); ++j)
                changed[j] = static_cast<std::byte>(bytes[j]);
            changed[i] = static_cast<std::byte>(v);
            for (auto const& f : filters) static_cast<void>(f.matches(changed));
        }
        std::vector<std::byte> cut(i);
        for (std::size_t j = 0; j < i; ++j) cut[j] = static_cast<std::byte>(bytes[j]);
        for (auto const& f : filters) static_cast<void>(f.matches(cut));
    }
    // Found by fuzzing: the name occurs twice, the second time with a body that is not there.
    std::string const twice("\0\0\0\x78", 4);
    CHECK_FALSE(filter::parse("\"\".j = 0")
                    ->matches(std::as_bytes(std::span<char const>(twice.data(), twice.size()))));
}

} // namespace filter_test

// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "payload/random_filters.hpp"

#include <vicinal/payload/fields.hpp>
#include <vicinal/payload/filter/any_element.hpp>
#include <vicinal/payload/filter/builder.hpp>
#include <vicinal/store/options.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

namespace builder_test {

using namespace vicinal;
using payload::filter_op;

namespace {

filter parsed(std::string const& text) {
    auto f = filter::parse(text);
    if (!f) FAIL(f.error().message());
    return *f;
}

bool matches(filter const& f, fields const& payload) {
    std::string bytes;
    REQUIRE(payload::fields::encode(payload, bytes));
    return f.matches(std::as_bytes(std::span<char const>(bytes.data(), bytes.size())));
}

std::string quoted(std::vector<std::string> const& path) {
    std::string s;
    for (auto const& part : path) {
        s += s.empty() ? "\"" : ".\"";
        for (auto const c : part) s += std::string(c == '"' ? 2 : 1, c);
        s += '"';
    }
    return s;
}

/// A comparison with the literal's own type.
template <class Compare>
filter with(value const& v, Compare const& compare) {
    if (auto const* b = v.get_if<bool>()) return compare(*b);
    if (auto const* i = v.get_if<std::int64_t>()) return compare(*i);
    if (auto const* x = v.get_if<double>()) return compare(*x);
    return compare(*v.get_if<std::string>());
}

/// A comparison with a field, or with any of its elements.
template <class Asked>
filter compared(Asked const& f, naive::expression const& e) {
    switch (e.op) {
        case filter_op::equal: return with(e.values[0], [&](auto v) { return f == v; });
        case filter_op::not_equal: return with(e.values[0], [&](auto v) { return f != v; });
        case filter_op::less: return with(e.values[0], [&](auto v) { return f < v; });
        case filter_op::less_equal: return with(e.values[0], [&](auto v) { return f <= v; });
        case filter_op::greater: return with(e.values[0], [&](auto v) { return f > v; });
        case filter_op::greater_equal: return with(e.values[0], [&](auto v) { return f >= v; });
        case filter_op::in: return with(e.values[0], [&](auto v) { return f.in(v, v); });
        case filter_op::not_in:
            return with(e.values[0], [&](auto v) { return f.not_in(std::vector{v}); });
        case filter_op::contains: return with(e.values[0], [&](auto v) { return f.contains(v); });
        case filter_op::starts_with: return f.starts_with(*e.values[0].get_if<std::string>());
        case filter_op::between:
            return with(e.values[0], [&](auto least) {
                return with(e.values[1], [&](auto most) { return f.between(least, most); });
            });
        case filter_op::is_null: return f.is_null();
        default: return f.is_not_null();
    }
}

/// The expression by the operators of C++. Lists of several kinds have no C++ type here: they are
/// joined of one element each.
filter built(naive::expression const& e) {
    if (e.op == filter_op::negated) return !built(e.children[0]);
    if (e.op == filter_op::not_true) return built(e.children[0]).is_not_true();
    if (e.op <= filter_op::all_of) {
        filter f;
        for (std::size_t i = 0; i < e.children.size(); ++i) {
            auto const child = built(e.children[i]);
            // A first child of the same kind would become a part of the group.
            if (i == 0)
                f = e.children[0].op == e.op ? !!child : child;
            else
                f = e.op == filter_op::all_of ? std::move(f) && child : std::move(f) || child;
        }
        return f;
    }
    field const f(quoted(e.op == filter_op::any_element ? e.children[0].path : e.path));
    return e.op == filter_op::any_element ? compared(f.any(), e.children[0]) : compared(f, e);
}

/// The same changes as built() makes of the expression.
void adapt(naive::expression& e) {
    for (auto& child : e.children) adapt(child);
    if ((e.op == filter_op::all_of || e.op == filter_op::any_of) && e.children[0].op == e.op) {
        naive::expression once{.op = filter_op::negated, .children = {e.children[0]}};
        e.children[0] = {.op = filter_op::negated, .children = {once}};
    }
    if (e.op == filter_op::in) e.values = {e.values[0], e.values[0]};
    if (e.op == filter_op::not_in) e.values = {e.values[0]};
}

} // namespace

TEST_CASE("a condition in C++ is the filter of its text", "[filter]") {
    CHECK((field("year") >= 2023 && field("tags").contains("ml")) ==
          parsed("year >= 2023 and tags contains 'ml'"));
    CHECK((field("a") == 1 || (field("b") != "x" && field("c") < 2.5)) ==
          parsed("a = 1 or b != 'x' and c < 2.5"));
    CHECK(((field("a") == 1 || field("b") == 2) && !(field("c") <= 3)) ==
          parsed("(a = 1 or b = 2) and not c <= 3"));
    CHECK((field("a") > 1 && (field("b") == 2 && field("c") == 3)) ==
          parsed("a > 1 and (b = 2 and c = 3)"));
    CHECK(field("a").in(1, 2.5, "x", true) == parsed("a in (1, 2.5, 'x', true)"));
    CHECK(field("a").not_in(std::vector<std::string>{"x", "it's"}) ==
          parsed("a not in ('x', 'it''s')"));
    CHECK(field("a").in(std::vector<bool>{true, false}) == parsed("a in (true, false)"));
    CHECK(field("a").between(1, 2.5) == parsed("a between 1 and 2.5"));
    CHECK(field("a").starts_with("gu") == parsed("a starts_with 'gu'"));
    CHECK((field("a").is_null() || field("b").is_not_null()) ==
          parsed("a is null or b is not null"));
    CHECK((field("tags").any() == "ml" && field("a").any() < 3) ==
          parsed("any tags = 'ml' and any a < 3"));
    CHECK(field("tags").any().in("x", "y") == parsed("any tags in ('x', 'y')"));
    CHECK((!field("a.b").any().is_null()) == parsed("not any a.b is null"));
    CHECK((field("a") == 1 || field("b") == 2).is_not_true() ==
          parsed("(a = 1 or b = 2) is not true"));
    CHECK((!field("a").any().contains("x").is_not_true()).is_not_true() ==
          parsed("(not (any a contains 'x') is not true) is not true"));
    CHECK((field("a") == -1.0) == parsed("a = -1.0"));
    CHECK((field("a") == 18446744073709551615U) == parsed("a = 18446744073709551615"));
    CHECK((field("a") == std::int64_t{INT64_MIN}) == parsed("a = -9223372036854775808"));
    STATIC_REQUIRE(std::is_same_v<decltype(field("a") == 1), filter>);
    STATIC_REQUIRE(std::is_same_v<decltype(field("a") == field("b")), bool>);
}

TEST_CASE("a name in C++ needs no quotes, and its dots mean what they mean in text", "[filter]") {
    CHECK((field("author.name") == 1) == parsed("author.name = 1"));
    CHECK((field("first name") == 1) == parsed("\"first name\" = 1"));
    CHECK((field("in") == 1) == parsed("\"in\" = 1"));
    CHECK((field("a.in") == 1) == parsed("a.in = 1"));
    CHECK((field("a.b c") == 1) == parsed("a.\"b c\" = 1"));
    CHECK((field("\"a.b\"") == 1) == parsed("\"a.b\" = 1"));
    CHECK((field("\"a.b") == 1) == parsed("\"\"\"a\".b = 1"));
    CHECK((field("") == 1) == parsed("\"\" = 1"));
    CHECK((field("a..b") == 1) == parsed("a.\"\".b = 1"));
    CHECK((field(" a") == 1) == parsed("\" a\" = 1"));
    CHECK((field("a = 1 or b") == 1) == parsed("\"a = 1 or b\" = 1"));
    CHECK((field("7") == 1) == parsed("\"7\" = 1"));
}

TEST_CASE("a field is still a name and a value", "[filter]") {
    fields const several{{"year", 2024}, {"tags", {"a", "b"}}, {"in", {{"x", 1}, {"y", "z"}}}};
    CHECK(several["in"].get_if<fields>()->size() == 2);
    CHECK(several["tags"] == value(value::array{"a", "b"}));
    field const one{"a", 1};
    auto const& [name, v] = one;
    CHECK(name == "a");
    CHECK(v == value(1));
    CHECK(one == field("a", 1));
    CHECK_FALSE(one == field("a"));
    std::vector<field> list{{"a", 1}, {"b", "x"}};
    list.push_back({"c", nullptr});
    CHECK(list.back() == field("c"));
    CHECK(matches(field("in.y") == "z", several));
}

TEST_CASE("a filter goes where its text goes", "[filter]") {
    search_options options{.k = 3, .where = field("year") >= 2023};
    CHECK(options.where == "year >= 2023");
    options.where = field("a") == "it's" || !field("b c").is_null();
    CHECK(options.where == "a = 'it''s' or not \"b c\" is null");
    options.where = filter{};
    CHECK(options.where.empty());
}

TEST_CASE("the filter that matches everything is the beginning of a loop", "[filter]") {
    filter all;
    filter any;
    for (int i = 0; i < 3; ++i) {
        all = all && field("a") != i;
        any = any || field("a") == i;
    }
    CHECK(all == parsed("a != 0 and a != 1 and a != 2"));
    CHECK(any.empty());
    CHECK((all && filter{}) == all);
    CHECK((all || filter{}).empty());
}

TEST_CASE("what no text can say makes a filter that fails and never a wrong one", "[filter]") {
    auto const nan = std::numeric_limits<double>::quiet_NaN();
    auto const infinity = std::numeric_limits<double>::infinity();
    fields const sample{{"a", 1}, {"b", "x"}};
    for (auto const& wrong :
         {field("a") != nan, field("a") < infinity, field("a") > -infinity, field("b") != "\xff",
          field("\xff") == 1, field("a").in(std::vector<int>{}), field("a").not_in(1, nan),
          field("a").between(1, "x"), field("a").contains(nan), !filter{},
          field("b").starts_with("\xc3"), filter{}.is_not_true(), field("a").any() == nan,
          field("a").any().in(std::vector<int>{})}) {
        CAPTURE(wrong.print());
        for (auto const& f : {wrong, !wrong, wrong.is_not_true(), wrong && field("a") == 1,
                              field("a") == 1 || wrong, wrong || filter{}, filter{} && wrong}) {
            REQUIRE_FALSE(f.check());
            CHECK(f.check().error().code() == errc::invalid_filter);
            CHECK_FALSE(filter::parse(f.print()));
            CHECK_FALSE(f.empty());
            CHECK_FALSE(matches(f, sample));
            CHECK_FALSE(matches(f, {}));
        }
    }
    CHECK((field("a") == nan).check().error().message() ==
          "invalid_filter: expected a value (text stands in single quotes) at column 5, got the "
          "name nan");
    // Two halves of a character, one in each text, are no character.
    CHECK_FALSE(((field("b") == "\xc3") || (field("b") == "\xb6")).check());
}

TEST_CASE("a filter that is built has the limits of one that is parsed", "[filter]") {
    filter deep = field("a") == 1;
    for (int i = 0; i < 64; ++i) deep = !std::move(deep);
    CHECK(deep.check());
    CHECK(parsed(deep.print()) == deep);
    CHECK_FALSE((!deep).check());
    // Around a group, a `not` needs parentheses, which count too.
    filter group = field("a") == 1 && field("b") == 2;
    for (int i = 0; i < 63; ++i) group = !std::move(group);
    CHECK(group.check());
    CHECK(parsed(group.print()) == group);
    CHECK_FALSE((!group).check());
    for (int i = 0; i < 100000; ++i) group = !std::move(group);
    CHECK_FALSE(group.check());

    filter many;
    many = field("a").in(std::vector<int>(3000, 7));
    auto const more = field("a").in(std::vector<int>(1093, 7));
    CHECK((many && more).check());
    CHECK_FALSE((many && more && field("a") == 1).check());
    CHECK_FALSE(field("a").in(std::vector<int>(4096, 7)).check());

    auto const half = field("a") == std::string(32000, 'x');
    auto const rest = [](std::size_t n) { return field("a") == std::string(n, '\''); };
    auto const fits = (65536 - 32000 - 6 - 5 - 6) / 2;
    CHECK((half && rest(fits)).check());
    CHECK((half && rest(fits)).print().size() > 65534);
    CHECK_FALSE((half && rest(fits + 1)).check());
}

TEST_CASE("random filters by operators are the filters of their text", "[filter]") {
    for (std::uint64_t seed = 0; seed < 3000; ++seed) {
        testing::dice d(seed * 104729);
        auto expression = testing::random_expression(d, 4);
        adapt(expression);
        auto const f = built(expression);
        CAPTURE(seed, f.print());
        REQUIRE(f.check());
        REQUIRE(f == parsed(testing::filter_writer(d).text(expression)));
        REQUIRE(f == parsed(f.print()));
    }
}

} // namespace builder_test

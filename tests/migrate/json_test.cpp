// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/core/bits.hpp>
#include <vicinal/migrate/json/fast_floats.hpp>
#include <vicinal/migrate/json/floats.hpp>
#include <vicinal/migrate/json/read.hpp>
#include <vicinal/migrate/json/write.hpp>

#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

namespace json_test {

using namespace vicinal;

namespace {

result<value> parsed(std::string const& text) {
    detail::json_parser parser;
    auto const root = parser.parse(text);
    if (!root) return root.error();
    value v;
    VICINAL_CHECK(detail::read_value(*root, v));
    return v;
}

std::string written(value const& v) {
    std::string out;
    detail::to_json(v, out).value();
    return out;
}

// The floats of "[...]" by way of the parser's tree.
result<std::vector<float>> general(std::string const& array) {
    auto const line = R"({"id":"x","vector":)" + array + "}";
    detail::json_parser parser;
    auto const root = parser.parse(line);
    if (!root) return root.error();
    simdjson::dom::object object;
    if (root->get_object().get(object) != simdjson::SUCCESS) return error{errc::invalid_json};
    std::vector<float> out;
    std::size_t member = 0;
    for (auto const [name, element] : object) {
        if (name == "vector")
            VICINAL_CHECK(detail::read_floats(element.get_array().value_unsafe(), parser.text(),
                                              member, out));
        ++member;
    }
    return out;
}

// The same by the way that does not use the tree; none where it leaves the array to the other.
result<std::vector<float>> fast(std::string const& array) {
    auto padded = array + std::string(64, '\0');
    std::vector<float> out;
    if (detail::fast_floats(padded.data(), 65'536, out) != padded.data() + array.size())
        return error{errc::unsupported};
    return out;
}

std::uint32_t bits(float f) { return std::bit_cast<std::uint32_t>(f); }

} // namespace

TEST_CASE("a value written as JSON reads back equal", "[migrate]") {
    value const samples[] = {nullptr,
                             true,
                             false,
                             0,
                             -1,
                             std::numeric_limits<std::int64_t>::min(),
                             std::numeric_limits<std::int64_t>::max(),
                             0.0,
                             -0.0,
                             1.0,
                             0.1,
                             1e22,
                             1e300,
                             -5e-324,
                             1.7976931348623157e308,
                             "",
                             "plain",
                             "quote \" back \\ slash / \b\f\n\r\t \x01 \x1f \x7f",
                             std::string("nul \0 inside", 12),
                             "日本語 🦀 \u2028",
                             value{{"a", 1}, {"b", "x"}},
                             value(value::array{}),
                             value(fields{}),
                             value{1, 2.5, "three", nullptr, true},
                             value(value::array{value{{"deep", value{1, 2}}}, nullptr})};
    for (auto const& v : samples) {
        CAPTURE(written(v));
        CHECK(parsed(written(v)).value() == v);
    }
}

TEST_CASE("doubles keep their bits and their kind in JSON", "[migrate]") {
    CHECK(written(1.0) == "1.0");
    CHECK(written(-0.0) == "-0.0");
    CHECK(written(1e22) == "1e+22");
    CHECK(written(1) == "1");
    std::uint64_t seed = 1;
    for (int i = 0; i < 100'000; ++i) {
        seed = detail::mix(seed);
        auto const d = std::bit_cast<double>(seed);
        if (!std::isfinite(d)) continue;
        CAPTURE(seed);
        REQUIRE(parsed(written(d)).value() == value(d));
    }
}

TEST_CASE("what JSON cannot say is refused", "[migrate]") {
    std::string out;
    CHECK(detail::to_json(value(std::nan("")), out).error().code() == errc::unsupported);
    CHECK(detail::to_json(value(-HUGE_VAL), out).error().code() == errc::unsupported);
    auto const named = detail::to_json(fields{{"price", HUGE_VAL}}, out);
    CHECK(named.error().message().find("'price'") != std::string::npos);
    for (char const* wrong : {"\x80", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                              "\xff", "12345678\xe0\x80\x80"})
        CHECK(detail::to_json(value(wrong), out).error().code() == errc::invalid_payload);
    value deep = 1;
    for (int i = 0; i < 64; ++i) deep = value::array{deep};
    CHECK(detail::to_json(deep, out));
    deep = value::array{deep};
    CHECK(detail::to_json(deep, out).error().code() == errc::invalid_payload);
}

TEST_CASE("JSON that is not right is refused with the reason", "[migrate]") {
    for (char const* text : {"", "{", "[1,]", "{\"a\":1,}", "nul", "1 2", "\"\xff\"", "\"\\ud800\"",
                             "01", "1.", ".5", "+1", "NaN", "Infinity", "1e999", "'a'"}) {
        CAPTURE(text);
        REQUIRE_FALSE(parsed(text));
        CHECK(parsed(text).error().code() == errc::invalid_json);
    }
    CHECK(parsed(R"({"a":1,"b":{"x":1,"\u0078":2}})").error().got() == "'x' twice");
    CHECK(parsed(std::string(64, '[') + std::string(64, ']')));
    CHECK(parsed(std::string(65, '[') + std::string(65, ']')).error().code() == errc::invalid_json);
    CHECK_FALSE(parsed(std::string(100'000, '[')));
    std::string many = "{";
    for (int i = 0; i <= 10'000; ++i) many += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":1";
    CHECK(parsed(many + "}").error().code() == errc::invalid_json);
}

TEST_CASE("integers beyond 64 bits become doubles", "[migrate]") {
    CHECK(parsed("9223372036854775807").value() == value(INT64_MAX));
    CHECK(parsed("9223372036854775808").value() == value(9223372036854775808.0));
    CHECK(parsed("18446744073709551615").value() == value(18446744073709551615.0));
    CHECK(parsed("[18446744073709551616, -9223372036854775809, 1]").value() ==
          value(value::array{18446744073709551616.0, -9223372036854775808.0, 1}));
    CHECK(parsed(R"({"100000000000000000000":"\"100000000000000000000","b":100000000000000000000})")
              .value() == value{{"100000000000000000000", "\"100000000000000000000"}, {"b", 1e20}});
}

TEST_CASE("every float written reads back with the same bits, both ways", "[migrate]") {
    std::vector<float> all = {0.0F,
                              -0.0F,
                              1.0F,
                              -3.0F,
                              std::numeric_limits<float>::max(),
                              std::numeric_limits<float>::lowest(),
                              std::numeric_limits<float>::min(),
                              std::numeric_limits<float>::denorm_min(),
                              -std::numeric_limits<float>::denorm_min(),
                              16777216.0F,
                              1e20F};
    std::uint64_t seed = 7;
    while (all.size() < 60'000) {
        seed = detail::mix(seed);
        auto const f = std::bit_cast<float>(static_cast<std::uint32_t>(seed));
        if (std::isfinite(f)) all.push_back(f);
        all.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(seed >> 41))); // subnormal
        all.push_back(static_cast<float>(static_cast<double>(seed >> 11) / 9007199254740992.0));
    }
    std::string text;
    detail::append_json_floats(all, text);
    auto const slow = general(text).value();
    auto const quick = fast(text).value();
    REQUIRE(slow.size() == all.size());
    REQUIRE(quick.size() == all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        CAPTURE(i, all[i]);
        REQUIRE(bits(slow[i]) == bits(all[i]));
        REQUIRE(bits(quick[i]) == bits(all[i]));
    }
}

TEST_CASE("decimals beside the middle of two floats round to the right one", "[migrate]") {
    // The middle of two neighbours has at most 25 significant bits, so it is a double, and printf
    // gives all its digits. One digit more or less at the end decides; as doubles they are equal.
    std::uint64_t seed = 11;
    for (int i = 0; i < 20'000; ++i) {
        seed = detail::mix(seed);
        auto low = std::bit_cast<float>(static_cast<std::uint32_t>(seed) & 0x7fffffffU);
        if (i % 4 == 0) low = std::bit_cast<float>(static_cast<std::uint32_t>(seed) & 0x7fffffU);
        auto const high = std::nextafter(low, HUGE_VALF);
        if (!std::isfinite(high)) continue;
        double const middle = (static_cast<double>(low) + static_cast<double>(high)) / 2;
        char digits[256];
        std::snprintf(digits, sizeof digits, "%.180e", middle);
        std::string const text = digits;
        auto const e = text.find('e');
        auto const above = text.substr(0, e) + "1" + text.substr(e);
        // A digit below the last one that is not zero: 5 -> 4999...
        auto below = text.substr(0, e);
        auto const last = below.find_last_not_of('0');
        below[last] = static_cast<char>(below[last] - 1);
        for (auto at = last + 1; at < below.size(); ++at) below[at] = '9';
        if (below[last] == '.') continue;
        below += text.substr(e);
        auto const even = (bits(low) & 1U) == 0 ? low : high;
        for (auto const& [decimal, wanted] :
             {std::pair{text, even}, std::pair{above, high}, std::pair{below, low}}) {
            CAPTURE(decimal);
            auto const array = "[1," + decimal + ",2]";
            REQUIRE(bits(general(array).value()[1]) == bits(wanted));
            if (auto const quick = fast(array)) REQUIRE(bits((*quick)[1]) == bits(wanted));
        }
    }
}

TEST_CASE("numbers in vectors may have any form that JSON allows", "[migrate]") {
    auto const array =
        std::string("[ 1 ,\t-0, -0.0,0,1e0,1E+2,1.5e-1, 16777217, 33554435,"
                    "100000000000000000000,1e-60,-1e-60,0.1,123456789012345678901e-20]");
    std::vector<float> const wanted = {1,           -0.0F,       -0.0F, 0, 1,     100,  0.15F,
                                       16777216.0F, 33554436.0F, 1e20F, 0, -0.0F, 0.1F, 1.2345679F};
    auto const got = general(array).value();
    REQUIRE(got.size() == wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        CAPTURE(i);
        CHECK(bits(got[i]) == bits(wanted[i]));
    }
    CHECK(general("[]").value().empty());
    CHECK(fast("[]").value().empty());
    CHECK(general("[1e39]").error().code() == errc::not_finite);
    // Half-way between the largest float and what would be the next is ...3366163...e38.
    CHECK(general("[3.4028235677973366e38]").value()[0] == std::numeric_limits<float>::max());
    REQUIRE_FALSE(general("[3.4028235677973367e38]"));
    CHECK(general("[1,null]").error().got() == "element 1 is none");
    for (char const* wrong :
         {"[1,]", "[,1]", "[01]", "[1.]", "[.5]", "[-]", "[1e]", "[1 2]", "[+1]", "[1e39]", "[NaN]",
          "[0x1p3]", "[inf]", "[1", "[\"1\"]", "[[1]]"}) {
        CAPTURE(wrong);
        CHECK_FALSE(fast(wrong));
        CHECK_FALSE(general(wrong));
    }
}

} // namespace json_test

// SPDX-License-Identifier: MIT
#include "contract/payload.hpp"
#include "payload/compact_json.hpp"
#include "payload/random_fields.hpp"

#include <vicinal/payload/encoding.hpp>
#include <vicinal/payload/fields.hpp>
#include <vicinal/payload/none.hpp>

#include <charconv>

namespace encoding_test {

using namespace vicinal;
using testing::bytes_of;

namespace {

std::string encoded(fields const& f) {
    std::string out;
    REQUIRE(payload::fields::encode(f, out));
    return out;
}

fields edge_cases() {
    fields inner{{"name", "Ada"}, {"n", 1}};
    return {{"", "empty name"},
            {"a.b", 1},
            {"array", value::array{}},
            {"author", inner},
            {"denormal", std::numeric_limits<double>::denorm_min()},
            {"flag", true},
            {"inf", -std::numeric_limits<double>::infinity()},
            {"list", value::array{1, "x", nullptr, value::array{false}, inner}},
            {"max", INT64_MAX},
            {"min", INT64_MIN},
            {"minus", -0.0},
            {"nan", std::bit_cast<double>(std::uint64_t{0x7ff8000000000123})},
            {"nested", fields{}},
            {"null", nullptr},
            {"price", 9.99},
            {"text", std::string("\0gr\xc3\xb6\xc3\x9f"
                                 "er",
                                 10)}};
}

} // namespace

TEST_CASE("fields and none keep the payload contract", "[payload]") {
    contract::check_payload<payload::fields>({edge_cases(),
                                              {},
                                              {{"category", "guide"}, {"year", 2024}},
                                              {{"long", std::string(200, 'x')}}});
    contract::check_payload<payload::none>({{}});
    STATIC_REQUIRE(payload::fields::filterable);
    STATIC_REQUIRE_FALSE(payload::none::filterable);
}

TEST_CASE("random payloads come back bit for bit", "[payload]") {
    for (std::uint64_t seed = 0; seed < 3000; ++seed) {
        testing::dice d(seed * 1000003);
        auto const f = testing::random_fields(d, 5);
        CAPTURE(seed);
        auto const back = payload::fields::decode(bytes_of(encoded(f)));
        REQUIRE(back);
        REQUIRE(*back == f);
    }
}

TEST_CASE("every decimal of few digits decodes to the double that its text gives", "[payload]") {
    testing::dice d(7);
    for (int i = 0; i < 200000; ++i) {
        auto const mantissa =
            static_cast<std::int64_t>(d.bits() >> (24 + d.below(40))) * (d.one_in(2) ? 1 : -1);
        auto const scale = static_cast<unsigned>(d.below(8));
        auto const text = std::to_string(mantissa) + "e-" + std::to_string(scale);
        double x = 0;
        std::from_chars(text.data(), text.data() + text.size(), x);
        // Zero with a sign is not a decimal here: -0 / 10 would need a sign of its own.
        if (mantissa == 0) x = 0;
        CAPTURE(text);
        REQUIRE(std::bit_cast<std::uint64_t>(payload::detail::decimal_value(mantissa, scale)) ==
                std::bit_cast<std::uint64_t>(x));
        std::string out;
        payload::detail::put_real(out, x);
        auto const* at = bytes_of(out).data();
        payload::value_view v;
        REQUIRE(payload::value_view::read(at, at + out.size(), v));
        REQUIRE(std::bit_cast<std::uint64_t>(v.real()) == std::bit_cast<std::uint64_t>(x));
        REQUIRE(out.size() <= 9);
    }
}

TEST_CASE("an encoded payload is smaller than its JSON", "[payload]") {
    fields const typical{{"category", "guide"}, {"year", 2024},        {"price", 19.99},
                         {"draft", false},      {"title", "On walls"}, {"tags", {"a", "b"}}};
    CHECK(encoded(typical).size() < testing::compact_json(typical).size());
    for (auto const& v :
         value::array{0.1, 1.5, 1, -7, true, nullptr, "", value({0.1, 9.99, 0.5}), value({1, 2, 3}),
                      fields{}, INT64_MIN, 0.1234567890123, -122.4194155, 1e20, 1e300,
                      value::array{}, std::string(1000, 'x')}) {
        fields const one{{"n", v}};
        CAPTURE(testing::compact_json(one));
        CHECK(static_cast<double>(encoded(one).size()) <=
              1.3 * static_cast<double>(testing::compact_json(one).size()));
    }
}

TEST_CASE("what may not be in a payload is refused by name and leaves the output alone",
          "[payload]") {
    std::string out = "before";
    auto const refused = [&](fields const& f) {
        auto const r = payload::fields::encode(f, out);
        REQUIRE_FALSE(r);
        CHECK(r.error().code() == errc::invalid_payload);
        CHECK((out == "before")); // Not expanded in the report: it may be 16 MiB.
        return r.error().message();
    };
    CHECK(refused({{"t", "ab\xff"}}) ==
          "invalid_payload: expected text in UTF-8, got another byte at offset 2 in field 't'");
    CHECK(refused({{"\xc0\x80", 1}}).find("of a field's name") != std::string::npos);
    CHECK_FALSE(payload::detail::is_utf8("\xed\xa0\x80"));
    CHECK_FALSE(payload::detail::is_utf8("\xf4\x90\x80\x80"));
    CHECK(payload::detail::is_utf8("\xf4\x8f\xbf\xbf"));

    value deep = 1;
    for (int i = 0; i < 64; ++i)
        deep = i % 2 ? value(value::array{deep}) : value(fields{{"d", deep}});
    fields const deepest{{"x", deep}};
    auto const bytes = encoded(deepest);
    auto const back = payload::fields::decode(bytes_of(bytes));
    REQUIRE(back);
    CHECK(*back == deepest);
    CHECK(refused({{"x", value::array{deep}}}).find("64 deep") != std::string::npos);

    // The same depth, written by hand: one array more around the deepest that is allowed.
    std::string hostile(1, '\x06');
    for (int i = 0; i < 65; ++i) {
        std::string around;
        payload::detail::put_head(around, payload::detail::wire_kind::array, hostile.size());
        hostile = around + hostile;
    }
    auto const too_deep = payload::fields::decode(bytes_of(std::string("\x01x", 2) + hostile));
    REQUIRE_FALSE(too_deep);
    CHECK(too_deep.error().expected().find("64 deep") != std::string::npos);

    std::string const half(std::size_t{8} << 20, 'x');
    CHECK(refused({{"a", half}, {"b", half}}).find("16 MiB") != std::string::npos);
    CHECK(payload::fields::encode({{"a", half}}, out));
}

TEST_CASE("decoding names the byte at which a payload is damaged", "[payload]") {
    auto const message = [](std::string const& s) {
        auto const r = payload::fields::decode(bytes_of(s));
        REQUIRE_FALSE(r);
        return r.error().message();
    };
    std::string const b("\x01"
                        "b\x03",
                        3);
    CHECK(message(b + b) == "invalid_payload: expected names in ascending order, got something "
                            "else at byte 3 of the payload");
    CHECK(message(std::string("\x01"
                              "a\x03\x01"
                              "b\x0f",
                              6))
              .find("byte 3") != std::string::npos);
    CHECK(message(std::string("\x7f"
                              "a",
                              2))
              .find("a name and a value") != std::string::npos);
    CHECK(message("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").find("byte") != std::string::npos);
}

TEST_CASE("a view finds names without decoding, flat ones before nested ones", "[payload]") {
    auto const bytes = encoded(
        {{"a", {{"b", 1}, {"b.c", 2}, {"x", "in a"}}}, {"a.b", 3}, {"list", {1, 2}}, {"tail", 4}});
    payload::fields_view const view(bytes_of(bytes));
    CHECK(view.find_dotted("a.b")->integer() == 3);
    CHECK(view.find_dotted("a.b.c")->integer() == 2);
    CHECK(view.find_dotted("a.x")->text() == "in a");
    CHECK(view.find("tail")->integer() == 4);
    CHECK_FALSE(view.find("a.x"));
    CHECK_FALSE(view.find_dotted("a.missing"));
    CHECK_FALSE(view.find_dotted("list.x"));
    CHECK_FALSE(view.find_dotted("."));
    auto elements = view.find("list")->array();
    payload::value_view v;
    REQUIRE(elements.next(v));
    CHECK(v.integer() == 1);
    REQUIRE(elements.next(v));
    CHECK_FALSE(elements.next(v));
    CHECK(elements.at_end());
}

} // namespace encoding_test

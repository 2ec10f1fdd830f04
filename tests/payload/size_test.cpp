// SPDX-License-Identifier: MIT
// Payload bytes against compact JSON: at most 1.3 times as many, for each record of each kind.
#include "catch.hpp"
#include "payload/compact_json.hpp"
#include "payload/random_fields.hpp"

#include <vicinal/payload/fields.hpp>
#include <vicinal/payload/record.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace size_test {

using namespace vicinal;

namespace {

using testing::dice;

std::string word(dice& d) {
    std::string s;
    for (auto n = 2 + d.below(8); n > 0; --n) s += static_cast<char>('a' + d.below(26));
    return s;
}

std::string words(dice& d, std::uint64_t n) {
    std::string s;
    for (; n > 0; --n) s += (s.empty() ? "" : " ") + word(d);
    return s;
}

double price(dice& d) { return static_cast<double>(d.below(100000)) / 100; }

fields product(dice& d) {
    value::array tags;
    for (auto n = d.below(5); n > 0; --n) tags.emplace_back(word(d));
    return {{"category", word(d)},
            {"price", price(d)},
            {"tags", tags},
            {"timestamp", static_cast<std::int64_t>(1700000000 + d.below(50000000))}};
}
fields document(dice& d) {
    return {{"text", words(d, 20 + d.below(300))},
            {"source", "https://example.org/" + word(d) + "/" + word(d) + ".html"},
            {"chunk", static_cast<std::int64_t>(d.below(40))},
            {"score", static_cast<double>(d.bits() >> 11) * 0x1p-53}};
}
fields nested(dice& d) {
    return {{"author", {{"name", words(d, 2)}, {"born", static_cast<std::int64_t>(d.below(2000))}}},
            {"place", {{"lat", price(d) / 10}, {"lon", -price(d) / 10}, {"ok", d.one_in(2)}}},
            {"when", nullptr}};
}
fields smallest(dice& d) {
    switch (d.below(4)) {
        case 0: return {{"n", static_cast<std::int64_t>(d.below(10))}};
        case 1: return {{"t", word(d).substr(0, 1)}};
        case 2: return {{"b", d.one_in(2)}};
        default: return {{"x", static_cast<double>(d.below(99)) / 10}};
    }
}
template <class Number>
fields list_of(dice& d, Number number) {
    value::array all;
    for (auto n = 1 + d.below(200); n > 0; --n) all.emplace_back(number(d));
    return {{"list", all}};
}

struct sizes {
    double mean = 0;
    double worst = 0;
};

template <class Encode, class Make>
sizes measured(Encode encode, Make make) {
    sizes all;
    std::size_t own = 0;
    std::size_t json = 0;
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
        dice d(seed * 7919);
        auto const record = make(d);
        std::string bytes;
        REQUIRE(encode(record, bytes));
        auto const decoded =
            payload::fields::decode(std::as_bytes(std::span(bytes.data(), bytes.size())));
        auto const text = testing::compact_json(*decoded);
        own += bytes.size();
        json += text.size();
        all.worst = (std::max)(all.worst, static_cast<double>(bytes.size()) /
                                              static_cast<double>(text.size()));
    }
    all.mean = static_cast<double>(own) / static_cast<double>(json);
    return all;
}

template <class Make>
void check(char const* name, Make make) {
    CAPTURE(name);
    auto const s = measured(payload::fields::encode, make);
    UNSCOPED_INFO(name << ": mean " << s.mean << ", worst " << s.worst);
    CHECK(s.worst <= 1.3);
}

struct reading {
    float value = 0;
    std::int32_t sensor = 0;
    std::vector<float> window;
    using members = vicinal::members<&reading::value, &reading::sensor, &reading::window>;
};

} // namespace

TEST_CASE("a payload takes at most 1.3 times the bytes of its compact JSON", "[payload]") {
    check("product", product);
    check("document", document);
    check("nested", nested);
    check("smallest", smallest);
    check("digits", [](dice& d) {
        return list_of(d, [](dice& e) { return static_cast<std::int64_t>(e.below(10)); });
    });
    check("small integers", [](dice& d) {
        return list_of(d, [](dice& e) { return static_cast<std::int64_t>(e.below(1000)) - 500; });
    });
    check("integers of any length", [](dice& d) {
        return list_of(d,
                       [](dice& e) { return static_cast<std::int64_t>(e.bits() >> e.below(64)); });
    });
    check("prices", [](dice& d) { return list_of(d, price); });
    check("tenths", [](dice& d) {
        return list_of(d, [](dice& e) { return static_cast<double>(e.below(100)) / 10; });
    });
    check("doubles of 17 digits", [](dice& d) {
        return list_of(d, [](dice& e) { return static_cast<double>(e.bits() >> 11) * 0x1p-53; });
    });
    check("short texts", [](dice& d) {
        return list_of(d, [](dice& e) { return word(e).substr(0, e.below(3)); });
    });
    check("flags", [](dice& d) { return list_of(d, [](dice& e) { return e.one_in(2); }); });
}

TEST_CASE("a struct's floats take no more than their JSON", "[payload]") {
    auto const with = [](auto number) {
        return [number](dice& d) {
            reading r;
            r.value = number(d);
            r.sensor = static_cast<std::int32_t>(d.below(1000));
            for (auto n = d.below(200); n > 0; --n) r.window.push_back(number(d));
            return r;
        };
    };
    for (auto const& s :
         {measured(payload::record<reading>::encode,
                   with([](dice& d) { return static_cast<float>(d.below(100)) / 10; })),
          measured(payload::record<reading>::encode,
                   with([](dice& d) { return static_cast<float>(d.below(100000)) / 100; })),
          measured(payload::record<reading>::encode,
                   with([](dice& d) { return static_cast<float>(d.bits() >> 40) * 0x1p-24F; }))}) {
        CAPTURE(s.mean);
        CHECK(s.worst <= 1.3);
    }
}

} // namespace size_test

// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/migrate/fingerprint.hpp>

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace fingerprint_test {

using namespace vicinal;
using detail::fingerprint_of;

TEST_CASE("every difference of two payloads is seen in their fingerprints", "[migrate]") {
    auto const nan = std::numeric_limits<double>::quiet_NaN();
    std::vector<fields> const list{
        {},
        {{"a", nullptr}},
        {{"a", false}},
        {{"a", true}},
        {{"a", 0}},
        {{"a", 1}},
        {{"a", 0.0}},
        {{"a", -0.0}},
        {{"a", 1.0}},
        {{"a", nan}},
        {{"a", ""}},
        {{"a", "0"}},
        {{"a", std::string(1, '\0')}},
        {{"b", ""}},
        {{"", "a"}},
        {{"a", value::array{}}},
        {{"a", value::array{value(nullptr)}}},
        {{"a", value::array{value(1), value(2)}}},
        {{"a", value::array{value(2), value(1)}}},
        {{"a", value::array{value(value::array{value(1)}), value(2)}}},
        {{"a", value::array{value(value::array{value(1), value(2)})}}},
        {{"a", fields{}}},
        {{"a", fields{{"b", 1}}}},
        {{"a", fields{{"b", 1}, {"c", 2}}}},
        {{"a", fields{{"b", 1}}}, {"c", 2}},
        {{"a", 1}, {"b", 2}},
        {{"a", 2}, {"b", 1}},
    };
    for (std::size_t i = 0; i < list.size(); ++i)
        for (std::size_t j = 0; j < list.size(); ++j) {
            CAPTURE(i, j);
            auto const a = fingerprint_of({"id", {1}, list[i]});
            auto const b = fingerprint_of({"id", {1}, list[j]});
            CHECK((a.payload == b.payload) == (list[i] == list[j]));
            CHECK((a.payload == b.payload) == (i == j));
            CHECK(a.vector == b.vector);
            CHECK(a.id == b.id);
        }
}

TEST_CASE("the order in which fields were set is no difference", "[migrate]") {
    fields a;
    a.set("x", 1);
    a.set("y", 2);
    fields b;
    b.set("y", 2);
    b.set("x", 1);
    CHECK(fingerprint_of({"id", {}, a}).payload == fingerprint_of({"id", {}, b}).payload);
}

TEST_CASE("each bit of a vector and each byte of an id is in the fingerprint", "[migrate]") {
    std::vector<float> const zeros(9, 0.0F);
    std::set<std::uint64_t> seen{fingerprint_of({"id", zeros, {}}).vector};
    for (std::size_t i = 0; i < zeros.size(); ++i)
        for (int bit = 0; bit < 32; ++bit) {
            auto v = zeros;
            v[i] = std::bit_cast<float>(std::uint32_t{1} << bit);
            seen.insert(fingerprint_of({"id", v, {}}).vector);
        }
    CHECK(seen.size() == 1 + 9 * 32);
    // Another length of zeros, too.
    CHECK(seen.insert(fingerprint_of({"id", {0, 0}, {}}).vector).second);
    CHECK(seen.insert(fingerprint_of({"id", {0, 0, 0}, {}}).vector).second);

    std::set<std::uint64_t> ids;
    std::string text;
    for (int i = 0; i < 40; ++i, text.push_back('\0'))
        ids.insert(fingerprint_of({text, {}, {}}).id);
    CHECK(ids.size() == 40);
}

} // namespace fingerprint_test

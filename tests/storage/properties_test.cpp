// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/storage/properties.hpp>

#include <cstddef>
#include <span>
#include <string>

namespace properties_test {

using vicinal::storage::properties;
namespace detail = vicinal::detail;

TEST_CASE("properties are sorted by name, and the last value of a name counts", "[storage]") {
    properties p{{"metric", "cosine"}, {"dim", "384"}, {"metric", "l1"}};
    REQUIRE(p.size() == 2);
    REQUIRE(p.begin()->first == "dim");
    REQUIRE(*p.find("metric") == "l1");
    REQUIRE(p.find("index") == nullptr);
}

TEST_CASE("properties come back from their bytes, and from no other bytes", "[storage]") {
    properties p;
    p.set("a", std::string("\0\xff", 2));
    p.set("empty", "");
    p.set("metric", "cosine");
    auto const encoded = detail::encode_properties(p);
    auto const decoded = detail::decode_properties(encoded);
    REQUIRE(decoded);
    REQUIRE(*decoded == p);
    REQUIRE(*detail::decode_properties(detail::encode_properties({})) == properties{});
    for (std::size_t n = 0; n < encoded.size(); ++n) {
        CAPTURE(n);
        REQUIRE_FALSE(detail::decode_properties(std::span(encoded).first(n)));
    }
    auto longer = encoded;
    longer.push_back(std::byte{0});
    REQUIRE_FALSE(detail::decode_properties(longer));
    auto twice = detail::encode_properties({{"a", "1"}, {"b", "2"}});
    twice[4 + 8 + 2 + 8] = std::byte{'a'};
    REQUIRE_FALSE(detail::decode_properties(twice));
}

} // namespace properties_test

// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/core/bits.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <set>
#include <string>

namespace d = vicinal::detail;

TEST_CASE("integers are stored with their lowest byte first", "[core]") {
    std::array<std::byte, 4> bytes{};
    d::store_le(bytes.data(), std::uint32_t{0x01020304});
    CHECK(bytes[0] == std::byte{4});
    CHECK(bytes[1] == std::byte{3});
    CHECK(bytes[2] == std::byte{2});
    CHECK(bytes[3] == std::byte{1});
}

TEST_CASE("what was stored little-endian is loaded again", "[core]") {
    auto const round_trip = [](auto v) {
        std::array<std::byte, sizeof(v)> bytes{};
        d::store_le(bytes.data(), v);
        return d::load_le<decltype(v)>(bytes.data());
    };
    for (auto v : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x8000000000000001},
                   (std::numeric_limits<std::uint64_t>::max)()}) {
        CAPTURE(v);
        CHECK(round_trip(v) == v);
        CHECK(round_trip(static_cast<std::uint32_t>(v)) == static_cast<std::uint32_t>(v));
        CHECK(round_trip(static_cast<std::uint16_t>(v)) == static_cast<std::uint16_t>(v));
        CHECK(round_trip(static_cast<std::uint8_t>(v)) == static_cast<std::uint8_t>(v));
    }
}

TEST_CASE("checked arithmetic tells overflow and gives the result without", "[core]") {
    constexpr auto largest = (std::numeric_limits<std::uint64_t>::max)();
    std::uint64_t out = 0;
    CHECK(d::checked_multiply<std::uint64_t>(1ULL << 31, 1ULL << 32, out));
    CHECK(out == 1ULL << 63);
    CHECK_FALSE(d::checked_multiply<std::uint64_t>(1ULL << 32, 1ULL << 32, out));
    CHECK(d::checked_add<std::uint64_t>(largest - 1, 1, out));
    CHECK(out == largest);
    CHECK_FALSE(d::checked_add<std::uint64_t>(largest, 1, out));
}

TEST_CASE("rounding up reaches the next multiple and stays on one", "[core]") {
    CHECK(d::round_up(0, 64) == 0);
    CHECK(d::round_up(1, 64) == 64);
    CHECK(d::round_up(64, 64) == 64);
    CHECK(d::round_up(65, 64) == 128);
}

TEST_CASE("mix is splitmix64", "[core]") {
    // The reference implementation's first outputs for the seed 1234567: each call adds the
    // constant 0x9e3779b97f4a7c15 to the state.
    std::uint64_t state = 1234567;
    for (auto expected : {6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL}) {
        CHECK(d::mix(state) == expected);
        state += 0x9e3779b97f4a7c15ULL;
    }
}

TEST_CASE("hashes of strings differ by content and by length", "[core]") {
    std::set<std::uint64_t> seen;
    for (std::size_t n = 0; n <= 40; ++n) {
        seen.insert(d::hash_bytes(std::string(n, '\0')));
        seen.insert(d::hash_bytes(std::string(n, 'a') + "b"));
        seen.insert(d::hash_bytes("b" + std::string(n + 1, 'a')));
    }
    CHECK(seen.size() == 3 * 41);
}

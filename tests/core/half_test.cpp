// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/core/half.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

using vicinal::bf16;
using vicinal::f16;

namespace {

template <class H>
H of_bits(unsigned bits) {
    H h;
    h.bits = static_cast<std::uint16_t>(bits);
    return h;
}

/// The value of a half by definition: sign, power of two, fraction.
double by_definition(unsigned bits) {
    double const sign = (bits & 0x8000U) != 0 ? -1.0 : 1.0;
    int const exponent = static_cast<int>((bits >> 10) & 31U);
    double const fraction = static_cast<double>(bits & 1023U) / 1024;
    if (exponent == 0) return sign * std::ldexp(fraction, -14);
    if (exponent == 31)
        return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                             : std::numeric_limits<double>::quiet_NaN();
    return sign * std::ldexp(1 + fraction, exponent - 15);
}

float next(float x) { return std::nextafter(x, std::numeric_limits<float>::infinity()); }
float before(float x) { return std::nextafter(x, -std::numeric_limits<float>::infinity()); }

} // namespace

TEST_CASE("each of the 65,536 f16 is its value by definition and comes back", "[core]") {
    for (unsigned bits = 0; bits < 65536; ++bits) {
        CAPTURE(bits);
        auto const value = static_cast<float>(of_bits<f16>(bits));
        auto const want = by_definition(bits);
        if (std::isnan(want)) {
            REQUIRE(std::isnan(value));
            REQUIRE(std::isnan(static_cast<float>(f16(value))));
        } else {
            REQUIRE(static_cast<double>(value) == want);
            REQUIRE(f16(value).bits == bits);
        }
    }
}

TEST_CASE("floats between two f16 go to the nearer, and to the even one at a tie", "[core]") {
    for (unsigned bits = 0; bits < 0x7BFF; ++bits) {
        CAPTURE(bits);
        auto const low = static_cast<float>(of_bits<f16>(bits));
        auto const high = static_cast<float>(of_bits<f16>(bits + 1));
        float const middle = low + (high - low) / 2; // exact: twelve bits
        auto const even = bits % 2 == 0 ? bits : bits + 1;
        REQUIRE(f16(middle).bits == even);
        REQUIRE(f16(before(middle)).bits == bits);
        REQUIRE(f16(next(middle)).bits == bits + 1);
        REQUIRE(f16(-middle).bits == (even | 0x8000U));
    }
    CHECK(f16(65519.996F).bits == 0x7BFF);
    CHECK(f16(65520.0F).bits == 0x7C00);
    CHECK(f16(std::numeric_limits<float>::max()).bits == 0x7C00);
    CHECK(f16(-std::numeric_limits<float>::infinity()).bits == 0xFC00);
    CHECK(f16(std::numeric_limits<float>::denorm_min()).bits == 0);
}

TEST_CASE("each of the 65,536 bf16 is the upper half of a float and comes back", "[core]") {
    for (unsigned bits = 0; bits < 65536; ++bits) {
        CAPTURE(bits);
        auto const value = static_cast<float>(of_bits<bf16>(bits));
        REQUIRE(std::bit_cast<std::uint32_t>(value) == bits << 16);
        if (std::isnan(value))
            REQUIRE(std::isnan(static_cast<float>(bf16(value))));
        else
            REQUIRE(bf16(value).bits == bits);
    }
}

TEST_CASE("floats between two bf16 go to the nearer, and to the even one at a tie", "[core]") {
    for (unsigned bits = 0; bits < 0x7F7F; ++bits) {
        CAPTURE(bits);
        auto const middle = std::bit_cast<float>((bits << 16) | 0x8000U);
        REQUIRE(bf16(middle).bits == (bits % 2 == 0 ? bits : bits + 1));
        REQUIRE(bf16(before(middle)).bits == bits);
        REQUIRE(bf16(next(middle)).bits == bits + 1);
    }
    CHECK(bf16(std::numeric_limits<float>::max()).bits == 0x7F80);
    CHECK(std::isnan(static_cast<float>(bf16(std::bit_cast<float>(0x7F800001U)))));
}

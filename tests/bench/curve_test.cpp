// SPDX-License-Identifier: MIT
#include "../../bench/search/curve.hpp"
#include "catch.hpp"

using bench::point;
using bench::speed_at;

TEST_CASE("between two efforts the logarithm of the speed goes in a straight line", "[bench]") {
    std::vector<point> const points{{10, 0.90, 10'000}, {20, 0.94, 2'500}, {40, 1.0, 100}};
    auto const half = speed_at(points, 0.92);
    CHECK(half.queries_per_second == Approx(5'000));
    CHECK_FALSE(half.at_least);
    CHECK(speed_at(points, 0.97).queries_per_second == Approx(500));
    CHECK(speed_at(points, 0.94).queries_per_second == Approx(2'500));
    CHECK(speed_at(points, 1.0).queries_per_second == Approx(100));
}

TEST_CASE("a recall below that of the least effort gives a lower bound", "[bench]") {
    std::vector<point> const points{{10, 0.96, 10'000}, {20, 0.99, 5'000}};
    auto const s = speed_at(points, 0.95);
    CHECK(s.queries_per_second == 10'000);
    CHECK(s.at_least);
    CHECK_FALSE(speed_at(points, 0.96).at_least);
}

TEST_CASE("a recall that no effort reached has no speed", "[bench]") {
    CHECK_FALSE(speed_at({{10, 0.90, 10'000}, {20, 0.94, 2'500}}, 0.95).known());
    CHECK_FALSE(speed_at({}, 0.95).known());
}

TEST_CASE("a system without efforts has one speed at every recall", "[bench]") {
    auto const s = speed_at({{0, 1.0, 300}}, 0.9);
    CHECK(s.queries_per_second == 300);
    CHECK_FALSE(s.at_least);
}

TEST_CASE("where more effort happened to find less, the first crossing counts", "[bench]") {
    std::vector<point> const points{
        {10, 0.90, 1'000}, {20, 0.96, 500}, {30, 0.94, 400}, {40, 0.98, 300}};
    CHECK(speed_at(points, 0.95).queries_per_second > 500);
}

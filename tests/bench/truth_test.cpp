// SPDX-License-Identifier: MIT
#include "../../bench/search/truth.hpp"
#include "catch.hpp"

using bench::count_near;
using bench::metric_name;

namespace {

/// Rows on a line: 0, 1, 2, 2, 3, -2; the query stands at 0.
bench::matrix const line{6, 1, {0, 1, 2, 2, 3, -2}};
float const query = 0;

std::size_t count(std::vector<std::uint32_t> const& wanted, std::vector<std::uint32_t> found) {
    return count_near(metric_name::squared_l2, line, &query, wanted, found);
}

} // namespace

TEST_CASE("a row counts when it is in the truth, or as near as the truth's last", "[bench]") {
    CHECK(count({0, 1, 2}, {2, 1, 0}) == 3);
    CHECK(count({0, 1, 2}, {0, 1, 3}) == 3);
    CHECK(count({0, 1, 2}, {0, 1, 5}) == 3);
    CHECK(count({0, 1, 2}, {0, 1, 4}) == 2);
    CHECK(count({0, 1, 2}, {0}) == 1);
    CHECK(count({0, 1, 2}, {}) == 0);
}

TEST_CASE("a row found twice counts once", "[bench]") { CHECK(count({0, 1, 2}, {1, 1, 1}) == 1); }

TEST_CASE("more rows than were asked for don't raise the recall above 1", "[bench]") {
    CHECK(count({0, 1, 2}, {0, 1, 2, 3}) == 3);
}

TEST_CASE("distances of the truth know the three metrics", "[bench]") {
    float const a[] = {3, 4}, b[] = {4, 3};
    CHECK(bench::true_distance(metric_name::squared_l2, a, b, 2) == 2);
    CHECK(bench::true_distance(metric_name::inner_product, a, b, 2) == -24);
    CHECK(bench::true_distance(metric_name::cosine, a, b, 2) == Approx(1 - 24.0 / 25));
}

TEST_CASE("rows at unit length keep their direction, and zeros stay zeros", "[bench]") {
    auto const unit = bench::at_unit_length({2, 2, {3, 4, 0, 0}});
    CHECK(unit.row(0)[0] == Approx(0.6F));
    CHECK(unit.row(0)[1] == Approx(0.8F));
    CHECK(unit.row(1)[0] == 0);
}

TEST_CASE("the truth is cut to the first k, and one of another base is refused", "[bench]") {
    bench::table<std::int32_t> const t{1, 3, {5, 0, 2}};
    CHECK(bench::truth_of(t, 2, 6).front() == std::vector<std::uint32_t>{5, 0});
    CHECK(bench::truth_of(t, 10, 6).front().size() == 3);
    CHECK_THROWS_AS(bench::truth_of(t, 2, 5), std::runtime_error);
    CHECK_THROWS_AS(bench::truth_of({1, 1, {-1}}, 1, 5), std::runtime_error);
}

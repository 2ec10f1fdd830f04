// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/brute_force.hpp"
#include "support/random.hpp"

#include <vicinal/cluster/kmeans.hpp>
#include <vicinal/index/workers.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

namespace kmeans_test {

namespace cluster = vicinal::cluster;
namespace metric = vicinal::metric;
using namespace vicinal_test;

namespace {

auto reading(rows const& data) {
    return [&data](std::size_t i, float* out) { std::copy_n(data.row(i), data.dim, out); };
}

std::vector<float> centres_of(rows const& data, std::size_t k,
                              cluster::kmeans_options const& o = {}) {
    return cluster::kmeans(data.count(), data.dim, k, reading(data), o).value();
}

/// The mean squared distance to the nearest centre.
double loss(rows const& data, std::vector<float> const& centres) {
    double sum = 0;
    for (std::size_t i = 0; i < data.count(); ++i) {
        double least = std::numeric_limits<double>::infinity();
        for (std::size_t c = 0; c < centres.size(); c += data.dim)
            least = std::min(
                least, textbook<metric::squared_l2>(data.row(i), centres.data() + c, data.dim));
        sum += least;
    }
    return sum / static_cast<double>(data.count());
}

} // namespace

TEST_CASE("the nearest centre is the nearest, for any number of rows and centres", "[cluster]") {
    for (std::size_t const dim : {1U, 7U, 33U})
        for (std::size_t const centres : {1U, 5U, 31U, 32U, 33U, 100U})
            for (std::size_t const count : {0U, 1U, 47U, 48U, 101U}) {
                CAPTURE(dim, centres, count);
                auto const c = uniform_rows(centres, dim, 1);
                auto const x = uniform_rows(count, dim, 2);
                std::vector<std::uint32_t> out(count + 1, 12345);
                cluster::centre_panels(c.data.data(), centres, dim)
                    .nearest(x.data.data(), count, out.data());
                REQUIRE(out.back() == 12345);
                for (std::size_t i = 0; i < count; ++i) {
                    double least = std::numeric_limits<double>::infinity();
                    for (std::size_t j = 0; j < centres; ++j)
                        least =
                            std::min(least, textbook<metric::squared_l2>(x.row(i), c.row(j), dim));
                    REQUIRE(out[i] < centres);
                    REQUIRE(textbook<metric::squared_l2>(x.row(i), c.row(out[i]), dim) <=
                            least + 1e-4);
                }
            }
}

TEST_CASE("among equal centres the first is nearest, and to a row with a NaN as well",
          "[cluster]") {
    rows c{2};
    for (int i = 0; i < 70; ++i) c.add({3, 4});
    float const nan = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> const x{3, 4, 0, 0, nan, 1};
    std::uint32_t out[3] = {9, 9, 9};
    cluster::centre_panels(c.data.data(), c.count(), 2).nearest(x.data(), 3, out);
    for (auto const o : out) CHECK(o == 0);
}

TEST_CASE("k-means finds clusters that lie apart", "[cluster]") {
    auto const data = clustered_rows(2000, 8, 20, 5);
    auto const centres = centres_of(data, 40);
    REQUIRE(centres.size() == 40 * 8);
    // 0.5 deviation in 8 dimensions.
    CHECK(loss(data, centres) < 2.1);
}

TEST_CASE("k-means in two levels loses little", "[cluster]") {
    auto const data = uniform_rows(6000, 6, 8);
    cluster::kmeans_options at_once;
    at_once.most_at_once = 1000;
    auto const flat = centres_of(data, 300, at_once);
    auto const levels = centres_of(data, 300);
    REQUIRE(flat.size() == 300 * 6);
    REQUIRE(levels.size() >= 290 * 6);
    REQUIRE(levels.size() <= 310 * 6);
    CHECK(loss(data, levels) < 1.1 * loss(data, flat));
}

TEST_CASE("k-means gives the same centres on any number of threads", "[cluster]") {
    auto const data = clustered_rows(5000, 12, 40, 9);
    for (std::size_t const k : {60U, 300U}) {
        auto const one = centres_of(data, k);
        auto const four = cluster::kmeans(data.count(), data.dim, k, reading(data), {},
                                          [](std::size_t n, std::size_t grain, auto const& body) {
                                              return vicinal::index::run_parts(n, grain, 4, body);
                                          });
        REQUIRE(four);
        CHECK(*four == one);
    }
}

TEST_CASE("k-means gives no more centres than there are different rows", "[cluster]") {
    CHECK(centres_of(uniform_rows(3, 4, 1), 10).size() == 3 * 4);
    CHECK(centres_of(repeated_rows(500, 4, 1, 1), 10).size() == 4);
    CHECK(centres_of(repeated_rows(500, 4, 7, 1), 20).size() == 7 * 4);
    CHECK(centres_of(repeated_rows(900, 4, 3, 1), 400).size() <= 20 * 4);
    CHECK(centres_of(uniform_rows(0, 4, 1), 10).empty());
    CHECK(centres_of(uniform_rows(5, 4, 1), 0).empty());
}

TEST_CASE("rows that are not finite are no part of a mean", "[cluster]") {
    auto data = clustered_rows(600, 5, 6, 3);
    for (std::size_t i = 0; i < 600; i += 7)
        data.data[i * 5 + i % 5] = i % 2 == 0 ? std::numeric_limits<float>::quiet_NaN()
                                              : std::numeric_limits<float>::infinity();
    data.data[5] = 1e30F;
    for (auto const x : centres_of(data, 8)) REQUIRE(std::abs(x) < 20);
    rows none{2};
    none.add({std::numeric_limits<float>::quiet_NaN(), 1});
    CHECK(centres_of(none, 4).empty());
}

TEST_CASE("a cluster without rows takes half of the largest", "[cluster]") {
    std::vector<float> centres{1, 2, 100, 200, 50, 60};
    std::vector<std::size_t> sizes{10, 0, 3};
    cluster::detail::mend(centres, sizes, 2);
    CHECK(sizes == std::vector<std::size_t>{5, 5, 3});
    CHECK(std::abs(centres[2] - 1) < 0.01F);
    CHECK(std::abs(centres[3] - 2) < 0.01F);
    CHECK(centres[2] != centres[0]);
    std::vector<float> lonely{1, 2};
    std::vector<std::size_t> few{1, 0};
    cluster::detail::mend(lonely, few, 1);
    CHECK(lonely == std::vector<float>{1, 2});
}

TEST_CASE("centres are shared out by the size of the parts, to none more than it has rows",
          "[cluster]") {
    auto const shares = cluster::detail::share_out(100, {1000, 3000, 0, 1, 5999});
    CHECK(shares == std::vector<std::size_t>{10, 30, 0, 1, 59});
    auto const few = cluster::detail::share_out(100, {20, 20, 20});
    CHECK(few == std::vector<std::size_t>{20, 20, 20});
}

} // namespace kmeans_test

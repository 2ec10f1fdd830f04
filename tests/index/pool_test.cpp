// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/index/pool.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace pool_test {

using vicinal::index::pool;

TEST_CASE("a pool keeps the nearest and hands out each once, nearest first", "[index]") {
    vicinal_test::generator r(7);
    for (std::size_t const width : {1U, 2U, 30U, 500U}) {
        pool p;
        p.reset(width);
        std::vector<std::pair<float, std::uint32_t>> all;
        for (std::uint32_t n = 0; n < 400; ++n) {
            all.emplace_back(static_cast<float>(r.below(50)), n);
            p.insert(all.back().first, n);
        }
        std::sort(all.begin(), all.end());
        all.resize(std::min<std::size_t>(width, 400));
        CAPTURE(width);
        REQUIRE(p.size() == all.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            REQUIRE(p.node(i) == all[i].second);
            REQUIRE(p.has_next());
            REQUIRE(p.pop() == all[i].second);
        }
        CHECK_FALSE(p.has_next());
    }
}

TEST_CASE("a pool takes many at once as it takes them one by one", "[index]") {
    vicinal_test::generator r(8);
    for (std::size_t const width : {1U, 7U, 40U, 200U}) {
        CAPTURE(width);
        pool at_once, single;
        at_once.reset(width);
        single.reset(width);
        std::uint32_t node = 0;
        for (std::size_t round = 0; round < 50; ++round) {
            std::vector<float> distances(r.below(70));
            std::vector<std::uint32_t> nodes(distances.size());
            for (std::size_t i = 0; i < nodes.size(); ++i) {
                distances[i] = static_cast<float>(r.below(300)) - 100;
                nodes[i] = node++;
            }
            auto const useful = static_cast<float>(r.below(400)) - 100;
            at_once.insert(distances.data(), nodes.data(), nodes.size(), useful);
            for (std::size_t i = 0; i < nodes.size(); ++i)
                if (distances[i] <= useful) single.insert(distances[i], nodes[i]);
            REQUIRE(at_once.size() == single.size());
            REQUIRE(at_once.limit() == single.limit());
            for (std::size_t i = 0; i < single.size(); ++i) {
                REQUIRE(at_once.node(i) == single.node(i));
                REQUIRE(at_once.distance(i) == single.distance(i));
            }
            for (std::size_t i = 0; i < 2; ++i) {
                REQUIRE(at_once.has_next() == single.has_next());
                if (single.has_next()) {
                    REQUIRE(at_once.next_distance() == single.next_distance());
                    REQUIRE(at_once.pop() == single.pop());
                }
            }
        }
    }
}

TEST_CASE("infinity is let in while there is room, what is no number never", "[index]") {
    auto const infinity = std::numeric_limits<float>::infinity();
    pool p;
    p.reset(3);
    p.insert(infinity, 1);
    p.insert(std::numeric_limits<float>::quiet_NaN(), 2);
    p.insert(-std::numeric_limits<float>::quiet_NaN(), 3);
    p.insert(-2, 4);
    p.insert(-1, 5);
    REQUIRE(p.size() == 3);
    CHECK(p.node(0) == 4);
    CHECK(p.distance(0) == -2);
    CHECK(p.node(1) == 5);
    CHECK(p.node(2) == 1);
    CHECK(p.limit() == infinity);
    p.insert(7, 6);
    CHECK(p.node(2) == 6);
    CHECK(p.limit() == 7);
}

TEST_CASE("a nearer node that comes late is handed out next", "[index]") {
    pool p;
    p.reset(3);
    p.insert(5, 1);
    p.insert(6, 2);
    CHECK(p.pop() == 1);
    p.insert(1, 3);
    CHECK(p.pop() == 3);
    CHECK(p.pop() == 2);
    CHECK_FALSE(p.has_next());
    p.insert(0, 4);
    CHECK(p.size() == 3);
    CHECK(p.pop() == 4);
    p.reset(2);
    CHECK(p.size() == 0);
    CHECK_FALSE(p.has_next());
}

} // namespace pool_test

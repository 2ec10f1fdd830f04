// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/index/pool.hpp>

#include <algorithm>
#include <cstddef>
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

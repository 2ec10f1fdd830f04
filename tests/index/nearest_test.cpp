// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/index/nearest.hpp>

#include <algorithm>
#include <cstddef>

namespace nearest_test {

namespace indexes = vicinal::index;
using vicinal::slot;

TEST_CASE("nearest keeps the k nearest of any order, ties by slot", "[index]") {
    vicinal_test::generator r(6);
    for (std::size_t const k : {1U, 2U, 10U, 99U, 100U, 1000U}) {
        indexes::neighbours all;
        indexes::nearest best(k);
        for (slot s = 0; s < 100; ++s) {
            all.push_back({static_cast<float>(r.below(12)), s});
            if (best.could_enter(all.back().distance)) best.offer(all.back());
        }
        std::sort(all.begin(), all.end());
        all.resize(std::min<std::size_t>(k, 100));
        CAPTURE(k);
        CHECK(best.size() == all.size());
        CHECK(best.take() == all);
        CHECK(best.size() == 0);
    }
}

TEST_CASE("nearest of none takes none", "[index]") {
    indexes::nearest best(0);
    CHECK_FALSE(best.could_enter(0));
    best.offer({0, 1});
    CHECK(best.take().empty());
}

TEST_CASE("nearest asks its own order only where distances are equal", "[index]") {
    struct descending {
        bool operator()(slot a, slot b) const { return a > b; }
    };
    indexes::nearest<descending> best(2);
    for (slot s = 0; s < 5; ++s) best.offer({1, s});
    best.offer({0.5F, 9});
    CHECK(best.take() == indexes::neighbours{{0.5F, 9}, {1, 4}});
}

} // namespace nearest_test

// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/index/reservoir.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>

namespace reservoir_test {

namespace indexes = vicinal::index;
using vicinal::slot;

TEST_CASE("a reservoir keeps the k nearest of any order, ties by slot", "[index]") {
    vicinal_test::generator r(6);
    for (std::size_t const k : {1U, 2U, 10U, 99U, 500U, 1000U}) {
        for (std::size_t const values : {1U, 12U, 100000U}) {
            CAPTURE(k, values);
            indexes::neighbours all;
            indexes::reservoir best(k);
            for (slot s = 0; s < 700; ++s) {
                all.push_back({static_cast<float>(r.below(values)), 1000 - s});
                CHECK(best.full() == (s >= k));
                // Nothing is refused that is among the nearest so far.
                if (best.full()) {
                    auto sorted = all;
                    std::nth_element(sorted.begin(), sorted.begin() + static_cast<long>(k) - 1,
                                     sorted.end());
                    CHECK(best.farthest() >= sorted[k - 1].distance);
                }
                if (best.could_enter(all.back().distance)) best.offer(all.back());
            }
            std::sort(all.begin(), all.end());
            all.resize(std::min<std::size_t>(k, 700));
            CHECK(best.take() == all);
        }
    }
}

TEST_CASE("a reservoir of none takes none, and none takes what is no number", "[index]") {
    indexes::reservoir none(0);
    CHECK_FALSE(none.could_enter(0));
    none.offer({0, 1});
    CHECK(none.take().empty());
    indexes::reservoir some(3);
    some.offer({std::numeric_limits<float>::quiet_NaN(), 1});
    some.offer({std::numeric_limits<float>::infinity(), 2});
    CHECK(some.take().size() == 1);
}

} // namespace reservoir_test

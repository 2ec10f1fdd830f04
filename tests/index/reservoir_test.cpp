// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/index/reservoir.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
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

TEST_CASE("a reservoir takes of 32 rows those that are chosen and lie below an end", "[index]") {
    vicinal_test::generator r(8);
    constexpr slot end = 5000;
    for (std::size_t const k : {1U, 40U, 300U})
        for (std::size_t const values : {3U, 1000000U}) {
            CAPTURE(k, values);
            indexes::neighbours all;
            indexes::reservoir best(k);
            for (int block = 0; block < 150; ++block) {
                float distances[32];
                slot slots[32];
                std::uint32_t bits = 0;
                std::size_t below = 0;
                for (std::size_t i = 0; i < 32; ++i) {
                    distances[i] = static_cast<float>(r.below(values));
                    slots[i] = static_cast<slot>(block * 37) + static_cast<slot>(i);
                    if (r.below(3) == 0 || !best.could_enter(distances[i])) continue;
                    bits |= std::uint32_t{1} << i;
                    if (slots[i] >= end) continue;
                    ++below;
                    all.push_back({distances[i], slots[i]});
                }
                CHECK(best.offer(distances, slots, bits, end) == below);
            }
            // What could not enter is not among the best.
            std::sort(all.begin(), all.end());
            all.resize(k);
            auto const found = best.take();
            REQUIRE(found.size() == k);
            for (std::size_t i = 0; i < k; ++i) CHECK(found[i].distance == all[i].distance);
            CHECK(best.take().empty());
        }
    indexes::reservoir none(0);
    float const near[32] = {};
    slot const rows[32] = {};
    CHECK(none.offer(near, rows, 0xffffffffU, end) == 0);
}

} // namespace reservoir_test

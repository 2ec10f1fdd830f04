// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/index/ivf/lazy_order.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

namespace ivf_order_test {

namespace indexes = vicinal::index;

TEST_CASE("lists come in the order of their distances, as far as they are asked for", "[index]") {
    vicinal_test::generator r(3);
    for (std::size_t const n : {0U, 1U, 5U, 16U, 17U, 63U, 64U, 65U, 900U, 5000U})
        for (std::size_t const values : {1U, 3U, 1000000U}) {
            CAPTURE(n, values);
            std::vector<float> distances(n);
            for (auto& d : distances) {
                d = static_cast<float>(r.below(values)) - 500;
                if (values == 3 && r.below(3) == 0) d = std::numeric_limits<float>::infinity();
            }
            indexes::neighbours want;
            for (std::size_t i = 0; i < n; ++i)
                want.push_back({distances[i], static_cast<vicinal::slot>(i)});
            std::sort(want.begin(), want.end());
            indexes::inverted::lazy_order order(distances);
            for (auto const& w : want) {
                REQUIRE_FALSE(order.empty());
                REQUIRE(order.next() == w);
            }
            CHECK(order.empty());
        }
}

} // namespace ivf_order_test

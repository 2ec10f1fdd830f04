// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/index/ivf/lazy_order.hpp>
#include <vicinal/index/ivf/nearest_lists.hpp>
#include <vicinal/metric/l1.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
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

TEMPLATE_TEST_CASE("a batch ranks lists as a query alone does", "[index]",
                   vicinal::metric::squared_l2, vicinal::metric::inner_product,
                   vicinal::metric::cosine, vicinal::metric::l1) {
    using indexes::inverted::geometry;
    constexpr std::size_t dim = 12;
    for (std::size_t const lists : {1U, 7U, 300U})
        for (std::size_t const count : {1U, 32U}) {
            auto const centres = vicinal_test::uniform_rows(lists, dim, lists).data;
            auto const queries = vicinal_test::uniform_rows(count, dim, 5).data;
            auto const wanted = std::min<std::size_t>(lists, 20);
            indexes::inverted::nearest_lists<TestType> nearest(centres.data(), lists, dim);
            std::size_t next = 0;
            nearest(queries.data(), count, wanted,
                    [&](std::size_t q, std::span<indexes::neighbour const> near) {
                        CAPTURE(lists, q);
                        REQUIRE(q == next++);
                        std::vector<float> brought(dim), distances(lists);
                        geometry<TestType>::bring(queries.data() + q * dim, dim, brought.data());
                        geometry<TestType>::distances(brought.data(), centres.data(), lists, dim,
                                                      distances.data());
                        indexes::inverted::lazy_order order(std::move(distances));
                        REQUIRE(near.size() == wanted);
                        for (auto const& n : near) {
                            auto const want = order.next();
                            CHECK(n.row == want.row);
                            CHECK(n.distance == want.distance);
                        }
                    });
            CHECK(next == count);
        }
}

} // namespace ivf_order_test

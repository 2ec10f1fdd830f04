// SPDX-License-Identifier: MIT
#include "contract/metric.hpp"

#include <vicinal/metric/squared_l2.hpp>

TEST_CASE("squared_l2 keeps the contract of metrics", "[metric]") {
    vicinal_test::check_metric_contract<vicinal::metric::squared_l2>();
}

TEST_CASE("squared_l2 takes no root, and similarity is 1 for equal vectors", "[metric]") {
    using metric = vicinal::metric::squared_l2;
    float const a[] = {0, 0};
    float const b[] = {3, 4};
    CHECK(metric::exact(a, b, 2) == 25);
    CHECK(metric::exact(a, a, 2) == 0);
    CHECK(metric::similarity(0) == 1);
    CHECK(metric::similarity(3) == 0.25F);
}

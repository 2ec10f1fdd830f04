// SPDX-License-Identifier: MIT
#include "contract/metric.hpp"

#include <vicinal/metric/inner_product.hpp>

TEST_CASE("inner_product keeps the contract of metrics", "[metric]") {
    vicinal_test::check_metric_contract<vicinal::metric::inner_product>();
}

TEST_CASE("inner_product is negated, so that smaller is nearer", "[metric]") {
    using metric = vicinal::metric::inner_product;
    float const a[] = {1, 2};
    float const b[] = {3, 4};
    CHECK(metric::exact(a, b, 2) == -11);
    CHECK(metric::similarity(-11) == 11);
}

TEST_CASE("inner_product of sums beyond float cancels to the right number", "[metric]") {
    using metric = vicinal::metric::inner_product;
    std::vector<float> const a(64, 3e38F);
    std::vector<float> b(64, 3e38F);
    for (std::size_t i = 0; i < b.size(); i += 2) b[i] = -b[i];
    CHECK(metric::exact(a.data(), b.data(), 64) == 0);
    CHECK(metric::bind(a.data(), 64)(b.data()) == 0);
}

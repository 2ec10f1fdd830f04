// SPDX-License-Identifier: MIT
#include "contract/metric.hpp"

#include <vicinal/metric/cosine.hpp>

#include <limits>

using cosine = vicinal::metric::cosine;

TEST_CASE("cosine keeps the contract of metrics", "[metric]") {
    vicinal_test::check_metric_contract<cosine>();
}

TEST_CASE("cosine does not depend on length", "[metric]") {
    vicinal_test::generator r(5);
    for (int i = 0; i < 20; ++i) {
        auto const a = r.vector(24);
        auto const b = r.vector(24);
        auto const want = cosine::exact(a.data(), b.data(), 24);
        for (float const f : {1e-36F, 1e-18F, 1e-9F, 1e9F, 1e18F, 1e36F})
            for (float const g : {1e-36F, 1e-9F, 1.0F, 1e9F, 1e36F}) {
                CAPTURE(i, f, g);
                auto x = a;
                auto y = b;
                for (auto& v : x) v *= f;
                for (auto& v : y) v *= g;
                CHECK(cosine::exact(x.data(), y.data(), 24) == Approx(want).margin(1e-5));
                CHECK(cosine::bind(x.data(), 24)(y.data()) == Approx(want).margin(1e-5));
            }
    }
}

TEST_CASE("cosine is 0 for one direction, 1 across, 2 for the opposite", "[metric]") {
    float const a[] = {2, 0};
    float const b[] = {5, 0};
    float const c[] = {0, 7};
    float const d[] = {-1, 0};
    CHECK(cosine::exact(a, b, 2) == 0);
    CHECK(cosine::exact(a, c, 2) == 1);
    CHECK(cosine::exact(a, d, 2) == 2);
    CHECK(cosine::similarity(2) == -1);
}

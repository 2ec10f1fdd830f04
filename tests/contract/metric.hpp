// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_CONTRACT_METRIC_HPP
#define VICINAL_TESTS_CONTRACT_METRIC_HPP

#include "catch.hpp"
#include "support/brute_force.hpp"
#include "support/random.hpp"

#include <vicinal/metric/concept.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace vicinal_test {

namespace metric = vicinal::metric;

/// Vectors at the ends of what float holds, with a direction.
[[nodiscard]] inline std::vector<std::vector<float>> extreme_vectors(std::size_t dim) {
    using limits = std::numeric_limits<float>;
    std::vector<std::vector<float>> list;
    for (float const size : {1.0F, 1e18F, 1e19F, 3e19F, 1e30F, (limits::max)(), 1e-15F, 1e-18F,
                             1e-20F, 1e-30F, (limits::min)(), limits::denorm_min()}) {
        std::vector<float> along(dim, 0.0F);
        along[0] = size;
        list.push_back(along);
        std::vector<float> across(dim, 0.0F);
        across[dim - 1] = -size;
        list.push_back(across);
        std::vector<float> both(dim);
        for (std::size_t i = 0; i < dim; ++i) both[i] = i % 2 == 0 ? size : -size;
        list.push_back(both);
        list.push_back(std::vector<float>(dim, size));
    }
    return list;
}

/// What every built-in metric of floats promises.
template <class Metric>
void check_metric_contract() {
    STATIC_REQUIRE(metric::model<Metric>);
    STATIC_REQUIRE(metric::built_in<Metric>);
    STATIC_REQUIRE_FALSE(metric::name_of<Metric>().empty());

    SECTION("both forms are the textbook's sum at every length and address") {
        generator r(3);
        auto const a = r.vector(264, -10, 10);
        auto const b = r.vector(264, -10, 10);
        for (std::size_t n = 1; n <= 260; ++n) {
            auto const* x = &a[n % 4];
            auto const* y = &b[3 - n % 4];
            CAPTURE(n);
            auto const want = textbook<Metric>(x, y, n);
            // Inner products cancel: the bound is of the terms' size, 100 at most each.
            auto const scale =
                metric::needs_direction<Metric> ? 1.0 : 100.0 * static_cast<double>(n);
            REQUIRE(std::abs(static_cast<double>(metric::exact<Metric>(x, y, n)) - want) <=
                    1.2e-7 * (std::abs(want) + 1e-6));
            REQUIRE(std::abs(static_cast<double>(metric::bind<Metric>(x, n)(y)) - want) <=
                    3e-7 * scale);
        }
    }
    SECTION("distances at the ends of float's range are ordered and never NaN") {
        for (std::size_t const dim : {1U, 3U, 17U, 64U}) {
            auto const list = extreme_vectors(dim);
            for (auto const& a : list)
                for (auto const& b : list) {
                    CAPTURE(dim, a.front(), a.back(), b.front(), b.back());
                    auto const exact = metric::exact<Metric>(a.data(), b.data(), dim);
                    auto const bound = metric::bind<Metric>(a.data(), dim)(b.data());
                    REQUIRE_FALSE(std::isnan(exact));
                    REQUIRE(metric::bind_exact<Metric>(a.data(), dim)(b.data()) == exact);
                    REQUIRE_FALSE(std::isnan(bound));
                    auto const want = static_cast<float>(textbook<Metric>(a.data(), b.data(), dim));
                    if (std::isinf(want)) {
                        REQUIRE(exact == want);
                    } else {
                        REQUIRE(std::abs(exact - want) <= 2e-6F * (std::abs(want) + 1e-30F));
                        if (std::isfinite(bound))
                            REQUIRE(std::abs(bound - want) <=
                                    1e-5F * (std::abs(want) +
                                             (metric::needs_direction<Metric> ? 1.0F : 1e-30F)));
                    }
                    if constexpr (metric::needs_direction<Metric>) {
                        REQUIRE(std::isfinite(bound));
                        REQUIRE(exact >= 0);
                        REQUIRE(exact <= 2.000001F);
                    }
                }
        }
    }
    SECTION("the distance is symmetric, bit for bit") {
        generator r(4);
        for (int i = 0; i < 50; ++i) {
            auto const a = r.vector(33);
            auto const b = r.vector(33);
            REQUIRE(metric::exact<Metric>(a.data(), b.data(), 33) ==
                    metric::exact<Metric>(b.data(), a.data(), 33));
        }
    }
    SECTION("similarity falls where distance grows") {
        float before = std::numeric_limits<float>::infinity();
        for (float const d : {0.0F, 0.1F, 0.5F, 1.0F, 1.5F, 2.0F}) {
            auto const s = metric::similarity<Metric>(d);
            CHECK(s < before);
            before = s;
        }
    }
}

} // namespace vicinal_test

#endif

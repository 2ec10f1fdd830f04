// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/metric/concept.hpp>
#include <vicinal/metric/squared_l2.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace metric = vicinal::metric;

namespace {

struct largest_difference {
    static float distance(float const* a, float const* b, std::size_t dim) {
        float most = 0;
        for (std::size_t i = 0; i < dim; ++i) most = std::fmax(most, std::abs(a[i] - b[i]));
        return most;
    }
};

struct of_bytes {
    static constexpr std::string_view name = "of_bytes";
    static int distance(std::uint8_t const* a, std::uint8_t const* b, std::size_t) noexcept {
        return std::abs(a[0] - b[0]);
    }
    static float similarity(float d) { return 255 - d; }
};

struct breaks_its_promise {
    static float distance(float const*, float const*, std::size_t) {
        return std::numeric_limits<float>::quiet_NaN();
    }
};

struct no_metric {};

} // namespace

TEST_CASE("a struct with one function is a metric", "[metric]") {
    STATIC_REQUIRE(metric::model<largest_difference>);
    STATIC_REQUIRE(metric::model<of_bytes>);
    STATIC_REQUIRE_FALSE(metric::model<no_metric>);
    STATIC_REQUIRE_FALSE(metric::model<int>);
    STATIC_REQUIRE(std::same_as<metric::element_of<largest_difference>, float>);
    STATIC_REQUIRE(std::same_as<metric::element_of<of_bytes>, std::uint8_t>);
    STATIC_REQUIRE(metric::name_of<largest_difference>().empty());
    STATIC_REQUIRE(metric::name_of<of_bytes>() == "of_bytes");
    STATIC_REQUIRE_FALSE(metric::needs_direction<largest_difference>);

    float const a[] = {1, 5};
    float const b[] = {2, 9};
    CHECK(metric::bind<largest_difference>(a, 2)(b) == 4);
    CHECK(metric::exact<largest_difference>(a, b, 2) == 4);
    CHECK(metric::similarity<largest_difference>(4) == -4);
    std::uint8_t const x[] = {7};
    std::uint8_t const y[] = {9};
    CHECK(metric::exact<of_bytes>(x, y, 1) == 2);
    CHECK(metric::similarity<of_bytes>(2) == 253);
}

TEST_CASE("a metric that gives NaN has its rows last, so that there is an order", "[metric]") {
    float const a[] = {1};
    CHECK(metric::exact<breaks_its_promise>(a, a, 1) == std::numeric_limits<float>::infinity());
    CHECK(metric::bind<breaks_its_promise>(a, 1)(a) == std::numeric_limits<float>::infinity());
}

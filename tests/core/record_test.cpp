// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/core/record.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

using vicinal::matrix_view;
using vicinal::text_id;
using vicinal::vector_view;

TEST_CASE("every contiguous range is a vector", "[core]") {
    std::vector<float> const v{1, 2, 3};
    std::array<float, 3> const a{1, 2, 3};
    float const c[] = {1, 2, 3};
    auto const sum = [](vector_view<float> x) {
        float s = 0;
        for (float e : x) s += e;
        return s;
    };
    CHECK(sum(v) == 6);
    CHECK(sum(a) == 6);
    CHECK(sum(c) == 6);
    CHECK(sum(std::span<float const>(v)) == 6);
    CHECK(sum({v.data(), 2}) == 3);
    CHECK(vector_view<float>(v).size() == 3);
    CHECK(vector_view<float>(v).data() == v.data());
}

TEST_CASE("a range of another element type is no vector", "[core]") {
    STATIC_REQUIRE_FALSE(std::is_convertible_v<std::vector<double>, vector_view<float>>);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<std::vector<int>, vector_view<float>>);
}

TEST_CASE("a matrix gives its rows", "[core]") {
    std::vector<float> const data{1, 2, 3, 4, 5, 6};
    matrix_view<float> const m(data, 3);
    REQUIRE(m.rows() == 2);
    CHECK(m.columns() == 3);
    CHECK(m.row(1).size() == 3);
    CHECK(m.row(1).data() == data.data() + 3);
    CHECK(matrix_view<float>({}, 3).rows() == 0);
    CHECK(matrix_view<float>(data, 0).rows() == 0);
}

TEST_CASE("an id parameter takes text and never the literal zero", "[core]") {
    CHECK(std::string_view(text_id("readme")) == "readme");
    CHECK(std::string_view(text_id(std::string("readme"))) == "readme");
    STATIC_REQUIRE(std::is_constructible_v<text_id, std::string_view>);
    STATIC_REQUIRE_FALSE(std::is_constructible_v<text_id, int>);
    STATIC_REQUIRE_FALSE(std::is_constructible_v<text_id, std::nullptr_t>);
}

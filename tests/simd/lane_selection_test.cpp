// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "simd/variants.hpp"
#include "support/random.hpp"

#include <vicinal/simd/lane_selection.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace lane_selection_test {

namespace simd = vicinal::simd;
using vicinal_test::variants_of;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr std::size_t width = simd::panel_queries;

/// Columns of other ranges; the fourth has equal values alone, in the fifth all but one are
/// infinite, the sixth has two kinds.
std::vector<float> columns(std::size_t rows) {
    vicinal_test::generator r(rows);
    std::vector<float> out(rows * width);
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < width; ++j) {
            auto& x = out[i * width + j];
            x = (static_cast<float>(r.below(1U << 20)) - 1000) * static_cast<float>(j + 1);
            if (j == 3) x = 5;
            if (j == 4) x = i == 0 ? 1 : infinity;
            if (j == 5) x = static_cast<float>(i % 2);
        }
    return out;
}

TEST_CASE("products become distances, and what is no number is far", "[simd]") {
    std::vector<float> const add = {1, 2, infinity};
    for (auto const& [name, make] : variants_of<simd::lane_distances>()) {
        CAPTURE(name);
        std::vector<float> values(3 * width, 3.0F);
        values[width + 1] = infinity;
        values[2 * width + 2] = infinity;
        make(add.data(), -2, 3, values.data());
        CHECK(values[0] == -5);
        CHECK(values[width] == -4);
        CHECK(values[width + 1] == -infinity);
        CHECK(values[2 * width] == infinity);
        CHECK(values[2 * width + 2] == infinity);
    }
}

TEST_CASE("each column's least are found at once, in every instruction set", "[simd]") {
    for (std::size_t const rows : {1U, 16U, 60U, 1000U})
        for (std::uint32_t const least : {1U, 12U, 60U}) {
            if (least > rows) continue;
            auto const most = least + least / 4 + 4;
            auto const values = columns(rows);
            for (auto const& [name, find] : variants_of<simd::lane_bounds>()) {
                CAPTURE(rows, least, name);
                float bounds[width];
                std::uint32_t found[width], at[width];
                find(values.data(), rows, least, most, bounds, found);
                std::uint32_t all = 0;
                for (std::size_t j = 0; j < width; ++j) {
                    CAPTURE(j);
                    std::uint32_t near = 0;
                    for (std::size_t i = 0; i < rows; ++i)
                        near += values[i * width + j] <= bounds[j] ? 1U : 0U;
                    CHECK(near == found[j]);
                    CHECK(near >= least);
                    if (j < 3 || j > 5) CHECK(near <= most);
                    at[j] = all;
                    all += near;
                }
                for (auto const& [other, list] : variants_of<simd::lane_lists>()) {
                    CAPTURE(other);
                    std::vector<std::uint32_t> numbers(all);
                    auto ends = std::vector<std::uint32_t>(at, at + width);
                    list(values.data(), rows, bounds, ends.data(), numbers.data());
                    for (std::size_t j = 0; j < width; ++j) {
                        REQUIRE(ends[j] == at[j] + found[j]);
                        std::size_t next = at[j];
                        for (std::uint32_t i = 0; i < rows; ++i)
                            if (values[i * width + j] <= bounds[j]) REQUIRE(numbers[next++] == i);
                    }
                }
            }
        }
}

} // namespace lane_selection_test

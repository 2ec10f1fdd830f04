// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/simd/tile.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace simd = vicinal::simd;

namespace {

/// Small whole numbers, whose sums are exact in float in any order.
template <class T>
std::vector<T> numbers(std::size_t n, std::uint64_t seed, int low, int high) {
    vicinal_test::generator r(seed);
    std::vector<T> list(n);
    for (auto& x : list)
        x = static_cast<T>(low +
                           static_cast<int>(r.below(static_cast<std::size_t>(high - low + 1))));
    return list;
}

template <class Q, class R, class Out, class Panel, class Kernel>
void check_tile(std::size_t (*size)(std::size_t) noexcept, Panel const& make,
                Kernel const& kernel_for, int low, int high, int row_low, int row_high) {
    for (std::size_t dim = 0; dim <= 70; ++dim)
        for (std::size_t const queries :
             {std::size_t{0}, std::size_t{1}, std::size_t{31}, simd::panel_queries})
            for (std::size_t const rows : {0U, 1U, 3U, 4U, 6U, 12U, 29U}) {
                CAPTURE(dim, queries, rows);
                auto const stride = dim + dim % 3;
                auto const q = numbers<Q>(queries * stride + 1, 1, low, high);
                auto const x = numbers<R>(rows * stride + 1, 2, row_low, row_high);
                std::vector<Q> panel(size(dim) + 1);
                make(q.data() + 1, stride, queries, dim, panel.data() + 1);
                for (auto const set : simd::all_instruction_sets) {
                    if (set > simd::best_instruction_set()) continue;
                    CAPTURE(simd::name(set));
                    std::vector<Out> out(rows * simd::panel_queries + 1, Out{-1});
                    kernel_for(set)(panel.data() + 1, x.data() + 1, stride, rows, dim, out.data());
                    for (std::size_t r = 0; r < rows; ++r)
                        for (std::size_t j = 0; j < simd::panel_queries; ++j) {
                            Out want = 0;
                            for (std::size_t k = 0; k < dim && j < queries; ++k)
                                want += static_cast<Out>(q[1 + j * stride + k]) *
                                        static_cast<Out>(x[1 + r * stride + k]);
                            REQUIRE(out[r * simd::panel_queries + j] == want);
                        }
                    REQUIRE(out.back() == Out{-1});
                }
            }
}

} // namespace

TEST_CASE("a tile holds the products of every query with every row", "[simd]") {
    check_tile<float, float, float>(simd::panel_size, simd::make_panel, simd::tile_product::for_set,
                                    -9, 9, -9, 9);
}

TEST_CASE("a tile of bytes is exact, at both ends of their range", "[simd]") {
    check_tile<std::int8_t, std::uint8_t, std::int32_t>(
        simd::byte_panel_size, simd::make_byte_panel, simd::byte_tile_product::for_set, -128, 127,
        0, 255);
    check_tile<std::int8_t, std::uint8_t, std::int32_t>(
        simd::byte_panel_size, simd::make_byte_panel, simd::byte_tile_product::for_set, -128, -128,
        255, 255);
}

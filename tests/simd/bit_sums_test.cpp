// SPDX-License-Identifier: MIT
#include "simd/row_kernels.hpp"

#include <vicinal/simd/bit_sums.hpp>
#include <vicinal/simd/nibble_sums.hpp>

#include <bit>
#include <cstdint>

namespace simd = vicinal::simd;
using u8 = std::uint8_t;
using vicinal_test::check_row_kernels;
using vicinal_test::longest_row;
using vicinal_test::random_bytes;

namespace {

constexpr std::size_t enough = 7 * (longest_row + 4);

} // namespace

TEST_CASE("bits that differ, and bits in both and in either, are counted in every variant",
          "[simd]") {
    auto const q = random_bytes<u8>(enough, 1);
    for (auto const& r : {random_bytes<u8>(enough, 2), std::vector<u8>(enough, u8{255})}) {
        check_row_kernels<simd::bits_that_differ>(
            q, r, [](std::int32_t got, u8 const* x, u8 const* y, std::size_t n) {
                std::int32_t want = 0;
                for (std::size_t i = 0; i < n; ++i)
                    want += std::popcount(static_cast<u8>(x[i] ^ y[i]));
                return got == want;
            });
        check_row_kernels<simd::bits_shared>(
            q, r, [](simd::shared_bits got, u8 const* x, u8 const* y, std::size_t n) {
                std::int32_t both = 0;
                std::int32_t either = 0;
                for (std::size_t i = 0; i < n; ++i) {
                    both += std::popcount(static_cast<u8>(x[i] & y[i]));
                    either += std::popcount(static_cast<u8>(x[i] | y[i]));
                }
                return got.both == both && got.either == either;
            });
    }
}

TEST_CASE("squared differences of 4-bit codes are exact in every variant", "[simd]") {
    check_row_kernels<simd::nibble_difference>(
        random_bytes<u8>(enough, 1), random_bytes<u8>(enough, 2),
        [](std::int32_t got, u8 const* x, u8 const* y, std::size_t n) {
            std::int32_t want = 0;
            for (std::size_t i = 0; i < n; ++i) {
                int const low = (x[i] & 15) - (y[i] & 15);
                int const high = (x[i] >> 4) - (y[i] >> 4);
                want += low * low + high * high;
            }
            return got == want;
        });
}

TEST_CASE("a query's product with 4-bit codes is exact in every variant", "[simd]") {
    auto const query = random_bytes<std::int8_t>(2 * longest_row, 1);
    auto const codes = random_bytes<u8>(4 * longest_row, 2);
    for (std::size_t count = 0; count <= 2 * longest_row; ++count) {
        CAPTURE(count);
        auto const bytes = (count + 1) / 2;
        std::vector<std::int8_t> ordered(simd::nibble_query_size(bytes));
        simd::order_nibble_query(query.data(), count, ordered.data());
        std::int32_t want[4] = {};
        for (std::size_t row = 0; row < 4; ++row)
            for (std::size_t i = 0; i < count; ++i) {
                auto const byte = codes[row * bytes + i / 2];
                want[row] += query[i] * (i % 2 == 0 ? byte & 15 : byte >> 4);
            }
        for (auto const set : simd::all_instruction_sets) {
            if (set > simd::best_instruction_set()) continue;
            CAPTURE(simd::name(set));
            std::int32_t got[4] = {};
            simd::nibble_dot::block::for_set(set)(ordered.data(), codes.data(), bytes, 4, bytes,
                                                  got);
            for (std::size_t row = 0; row < 4; ++row) {
                REQUIRE(got[row] == want[row]);
                REQUIRE(simd::nibble_dot::one::for_set(set)(
                            ordered.data(), codes.data() + row * bytes, bytes) == want[row]);
            }
        }
    }
}

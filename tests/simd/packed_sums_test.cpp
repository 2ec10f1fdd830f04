// SPDX-License-Identifier: MIT
#include "simd/row_kernels.hpp"

#include <vicinal/simd/packed_sums.hpp>

#include <cstdint>
#include <vector>

namespace simd = vicinal::simd;
using vicinal_test::check_row_kernels;
using vicinal_test::longest_row;
using vicinal_test::random_bytes;

namespace {

/// The kernel reads whole blocks of a query in its own order: the sum is worked out in that order,
/// and once more by way of order_packed_query.
template <unsigned Bits>
void check_packed() {
    CAPTURE(Bits);
    constexpr std::size_t each = 8 / Bits;
    auto const query = random_bytes<std::int8_t>(2 * (longest_row + 64) * each, Bits);
    auto const rows = random_bytes<std::uint8_t>(7 * (longest_row + 4), 1 + Bits);
    check_row_kernels<simd::packed_dot<Bits>>(
        query, rows,
        [](std::int32_t got, std::int8_t const* q, std::uint8_t const* r, std::size_t n) {
            std::int32_t want = 0;
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t j = 0; j < each; ++j)
                    want += (r[i] >> (j * Bits) & ((1 << Bits) - 1)) *
                            q[i / 64 * 64 * each + j * 64 + i % 64];
            return got == want;
        });
    for (std::size_t const count : {1U, 63U, 64U, 65U, 1024U}) {
        auto const bytes = (count + each - 1) / each;
        std::vector<std::int8_t> ordered(simd::packed_query_size<Bits>(bytes), 99);
        simd::order_packed_query<Bits>(query.data(), count, ordered.data());
        std::int32_t want = 0;
        for (std::size_t i = 0; i < count; ++i)
            want += (rows[i / each] >> (i % each * Bits) & ((1 << Bits) - 1)) * query[i];
        REQUIRE(simd::packed_dot<Bits>::one::get()(ordered.data(), rows.data(), bytes) == want);
    }
}

} // namespace

TEST_CASE("products with codes of 1, 2 and 4 bits are exact in every instruction set", "[simd]") {
    check_packed<1>();
    check_packed<2>();
    check_packed<4>();
}

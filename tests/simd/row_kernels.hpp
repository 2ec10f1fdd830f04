// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_SIMD_ROW_KERNELS_HPP
#define VICINAL_TESTS_SIMD_ROW_KERNELS_HPP

#include "catch.hpp"
#include "simd/variants.hpp"
#include "support/random.hpp"

#include <vicinal/simd/row_sums.hpp>

#include <cstddef>
#include <vector>

namespace vicinal_test {

/// Runs the three kernels of a step, in every instruction set that this CPU has, at every length
/// and at odd addresses. `same(result, query, row, n)` says whether a result is right.
///
/// Rows are `stride` elements apart, the blocks too long and too short for every way that they are
/// gone through; behind the last row no memory is left to read by mistake.
template <class Kernels, class Query, class Row, class Same>
void check_row_kernels(std::vector<Query> const& queries, std::vector<Row> const& data,
                       Same const& same, std::size_t longest = longest_row) {
    using result = typename Kernels::result;
    constexpr std::size_t count = 7;
    REQUIRE(queries.size() >= longest + 4);
    REQUIRE(data.size() >= count * (longest + 4));
    for (auto const set : vicinal::simd::all_instruction_sets) {
        if (set > vicinal::simd::best_instruction_set()) continue;
        CAPTURE(vicinal::simd::name(set));
        auto const one = Kernels::one::for_set(set);
        auto const four = Kernels::four::for_set(set);
        auto const block = Kernels::block::for_set(set);
        for (std::size_t n = 0; n <= longest; ++n) {
            CAPTURE(n);
            auto const* const query = queries.data() + n % 4;
            auto const stride = n + n % 3;
            // Exactly as long as it must be, so that the sanitizers see a read behind it.
            std::vector<Row> rows(
                data.begin(),
                data.begin() + static_cast<std::ptrdiff_t>(n % 2 + (count - 1) * stride + n));
            auto const* const first = rows.data() + n % 2;
            std::vector<result> out(count);
            block(query, first, stride, count, n, out.data());
            for (std::size_t i = 0; i < count; ++i) {
                CAPTURE(i);
                REQUIRE(same(out[i], query, first + i * stride, n));
                REQUIRE(same(one(query, first + i * stride, n), query, first + i * stride, n));
            }
            Row const* const pointers[4] = {first + 6 * stride, first, first + 3 * stride,
                                            first + stride};
            result results[4];
            four(query, pointers, n, results);
            for (std::size_t i = 0; i < 4; ++i) {
                CAPTURE(i);
                REQUIRE(same(results[i], query, pointers[i], n));
            }
        }
    }
}

/// Bytes, all values as likely.
template <class T>
[[nodiscard]] std::vector<T> random_bytes(std::size_t n, std::uint64_t seed,
                                          unsigned values = 256) {
    generator r(seed);
    std::vector<T> list(n);
    for (auto& x : list) x = static_cast<T>(r.below(values));
    return list;
}

} // namespace vicinal_test

#endif

// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "simd/row_kernels.hpp"
#include "simd/variants.hpp"
#include "support/random.hpp"

#include <vicinal/simd/fast_scan.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace simd = vicinal::simd;
using vicinal_test::random_bytes;
using vicinal_test::variants_of;

TEST_CASE("sums of table entries over blocks of 32 rows are exact in every instruction set",
          "[simd]") {
    // 1,024 parts are 4,096 elements of a bit each; beyond 257 of them 16 bits would overflow.
    for (std::size_t const parts : {4U, 8U, 16U, 252U, 256U, 260U, 1024U}) {
        CAPTURE(parts);
        auto const numbers = random_bytes<std::uint8_t>(simd::fast_scan_rows * parts / 2, parts);
        for (bool const full : {false, true}) {
            auto tables = random_bytes<std::uint8_t>(16 * parts, 1 + parts);
            if (full) tables.assign(16 * parts, 255);
            std::vector<std::uint8_t> block(simd::fast_scan_bytes(parts));
            std::vector<std::uint32_t> want(simd::fast_scan_rows);
            for (std::size_t row = 0; row < want.size(); ++row) {
                auto const* const own = numbers.data() + row * parts / 2;
                simd::fast_scan_put(own, parts, row, block.data());
                for (std::size_t i = 0; i < parts; ++i)
                    want[row] += tables[16 * i + (own[i / 2] >> (i % 2 * 4) & 15)];
            }
            for (auto const& [name, scan] : variants_of<simd::fast_scan>()) {
                CAPTURE(name);
                std::vector<std::uint32_t> sums(simd::fast_scan_rows, 7);
                scan(block.data(), tables.data(), parts, sums.data());
                REQUIRE(sums == want);
            }
        }
    }
}

TEST_CASE("tables of a query hold the sums over each four elements, to half a step", "[simd]") {
    vicinal_test::generator random(3);
    for (std::size_t const parts : {4U, 16U, 100U}) {
        std::vector<float> query(4 * parts);
        for (auto& x : query) x = static_cast<float>(random.normal());
        std::vector<std::uint8_t> tables(16 * parts);
        auto const s = simd::make_fast_scan_tables(query.data(), parts, tables.data());
        double least = 0;
        for (std::size_t i = 0; i < parts; ++i) {
            double below = 0;
            for (std::size_t j = 0; j < 4; ++j) below += std::fmin(query[4 * i + j], 0.0F);
            least += below;
            for (std::size_t n = 0; n < 16; ++n) {
                double sum = 0;
                for (std::size_t j = 0; j < 4; ++j)
                    if ((n >> j & 1) != 0) sum += query[4 * i + j];
                REQUIRE(std::fabs(tables[16 * i + n] / double{s.scale} + below - sum) <=
                        0.501 / s.scale);
            }
        }
        CHECK(s.offset == Approx(least));
        std::vector<std::uint8_t> again(tables.size());
        for (auto const& [name, make] : variants_of<simd::fast_scan_tables>()) {
            CAPTURE(name);
            make(query.data(), parts, s.scale, again.data());
            // Multiply-adds may round differently.
            for (std::size_t i = 0; i < tables.size(); ++i)
                REQUIRE(std::abs(int{again[i]} - int{tables[i]}) <= 1);
        }
    }
    std::vector<float> const nothing(16);
    std::vector<std::uint8_t> tables(64, 9);
    auto const s = simd::make_fast_scan_tables(nothing.data(), 4, tables.data());
    CHECK(tables == std::vector<std::uint8_t>(64));
    CHECK(s.offset == 0);
    CHECK(s.scale == 1);
}

// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "simd/variants.hpp"
#include "support/random.hpp"

#include <vicinal/simd/sorted_keys.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace simd = vicinal::simd;

TEST_CASE("a sorted array keeps the least of what comes in, in every instruction set", "[simd]") {
    constexpr auto nothing = (std::numeric_limits<std::int64_t>::max)();
    // Up to eight registers an array is gone through whole; beyond, from where a number goes.
    for (std::size_t const length : {8U, 16U, 64U, 72U, 200U, 1000U})
        for (std::uint64_t const kinds : {3U, 1000000U})
            for (auto const& [name, insert] : vicinal_test::variants_of<simd::insert_sorted>()) {
                CAPTURE(length, kinds, name);
                vicinal_test::generator r(length + kinds);
                std::vector<std::int64_t> all(length, nothing), want;
                for (std::size_t round = 0; round < 60; ++round) {
                    std::vector<std::int64_t> more(1 + r.below(32));
                    for (auto& x : more)
                        x = static_cast<std::int64_t>(r.below(kinds) << 33) -
                            (std::int64_t{1} << 34);
                    insert(all.data(), length, more.data(), more.size());
                    want.insert(want.end(), more.begin(), more.end());
                    std::sort(want.begin(), want.end());
                    if (want.size() > length) want.resize(length);
                    REQUIRE(std::equal(want.begin(), want.end(), all.begin()));
                    REQUIRE(std::count(all.begin(), all.end(), nothing) ==
                            static_cast<std::ptrdiff_t>(length - want.size()));
                }
            }
}

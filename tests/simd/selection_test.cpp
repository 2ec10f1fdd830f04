// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "simd/variants.hpp"
#include "support/random.hpp"

#include <vicinal/simd/selection.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace selection_test {

namespace simd = vicinal::simd;
using vicinal_test::variants_of;

constexpr float infinity = std::numeric_limits<float>::infinity();

/// Distances of few kinds, so that many are equal, or of many; some are infinite.
std::vector<float> distances_of(std::size_t count, std::uint64_t kinds, std::uint64_t seed) {
    vicinal_test::generator r(seed);
    std::vector<float> out(count);
    for (auto& d : out) d = r.below(50) == 0 ? infinity : static_cast<float>(r.below(kinds)) - 100;
    return out;
}
std::vector<std::uint32_t> numbers_of(std::size_t count, std::uint64_t seed) {
    vicinal_test::generator r(seed);
    std::vector<std::uint32_t> out(count);
    for (auto& n : out) n = static_cast<std::uint32_t>(r.next());
    return out;
}
constexpr std::size_t counts[] = {0, 1, 15, 16, 17, 33, 100, 271};
constexpr std::uint64_t kinds[] = {1, 7, 100000};

TEST_CASE("those of 32 rows that are chosen and lie below an end are appended in their order",
          "[simd]") {
    vicinal_test::generator r(1);
    for (auto const& [name, append] : variants_of<simd::append_below>()) {
        CAPTURE(name);
        for (int round = 0; round < 200; ++round) {
            auto const distances = distances_of(32, 1000, r.next());
            auto numbers = numbers_of(32, r.next());
            auto const bits = static_cast<std::uint32_t>(round == 0 ? 0xffffffffU : r.next());
            auto const end = round < 2 ? 0xffffffffU : static_cast<std::uint32_t>(r.next());
            std::vector<std::pair<float, std::uint32_t>> want, got;
            for (std::size_t i = 0; i < 32; ++i)
                if ((bits >> i & 1) != 0 && numbers[i] < end)
                    want.emplace_back(distances[i], numbers[i]);
            std::vector<float> to_distances(32 + simd::selection_step);
            std::vector<std::uint32_t> to_numbers(32 + simd::selection_step);
            auto const count = append(distances.data(), numbers.data(), bits, end,
                                      to_distances.data(), to_numbers.data());
            for (std::size_t i = 0; i < count; ++i)
                got.emplace_back(to_distances[i], to_numbers[i]);
            REQUIRE(got == want);
        }
    }
}

TEST_CASE("those at most a bound are counted, listed and kept in every instruction set", "[simd]") {
    for (auto const count : counts)
        for (auto const many : kinds)
            for (float const bound : {-infinity, -97.0F, 0.0F, 50000.0F, infinity}) {
                CAPTURE(count, many, bound);
                auto const distances = distances_of(count, many, count + many);
                auto const numbers = numbers_of(count, count);
                std::vector<std::uint32_t> which;
                for (std::size_t i = 0; i < count; ++i)
                    if (distances[i] <= bound) which.push_back(static_cast<std::uint32_t>(i));
                for (auto const& [name, counted] : variants_of<simd::count_at_most>()) {
                    CAPTURE(name);
                    REQUIRE(counted(distances.data(), count, bound) == which.size());
                }
                for (auto const& [name, listed] : variants_of<simd::list_at_most>()) {
                    CAPTURE(name);
                    std::vector<std::uint32_t> got(count);
                    got.resize(listed(distances.data(), count, bound, got.data()));
                    REQUIRE(got == which);
                }
                for (auto const& [name, keep] : variants_of<simd::keep_at_most>()) {
                    CAPTURE(name);
                    auto kept = distances;
                    auto with = numbers;
                    kept.resize(count + simd::selection_step);
                    with.resize(count + simd::selection_step);
                    REQUIRE(keep(kept.data(), with.data(), count, bound) == which.size());
                    for (std::size_t i = 0; i < which.size(); ++i) {
                        REQUIRE(kept[i] == distances[which[i]]);
                        REQUIRE(with[i] == numbers[which[i]]);
                    }
                }
            }
}

TEST_CASE("a bound has as many distances below it as are wanted, or there is none", "[simd]") {
    for (auto const count : counts)
        for (auto const many : kinds)
            for (std::size_t const least : {1U, 10U, 80U})
                for (auto const& [name, find] : variants_of<simd::bound_between>()) {
                    auto const most = least + least / 4;
                    CAPTURE(count, many, least, name);
                    auto distances = distances_of(count, many, count * many + least);
                    auto const bound = find(distances.data(), count, least, most);
                    auto const near = static_cast<std::size_t>(std::count_if(
                        distances.begin(), distances.end(), [&](float d) { return d <= bound; }));
                    if (bound == bound) {
                        CHECK(near >= least);
                        CHECK(near <= most);
                    } else {
                        std::sort(distances.begin(), distances.end());
                        // Too few, equal ones, or a range of which no half is finite.
                        bool const none =
                            count < least || many < 100 || distances.back() == infinity;
                        CHECK(none);
                    }
                }
    // Evenly spread ones have one.
    std::vector<float> even(300);
    for (std::size_t i = 0; i < even.size(); ++i) even[i * 7 % 300] = static_cast<float>(i);
    for (auto const& [name, find] : variants_of<simd::bound_between>()) {
        auto const bound = find(even.data(), even.size(), 80, 90);
        CHECK(bound >= 79);
        CHECK(bound < 90);
    }
}

TEST_CASE("a distance's rank is how many are less", "[simd]") {
    for (auto const count : counts)
        for (auto const many : kinds)
            for (auto const& [name, rank] : variants_of<simd::distance_ranks>()) {
                CAPTURE(count, many, name);
                auto distances = distances_of(count, many, count + many);
                distances.resize(count + simd::selection_step, -infinity);
                std::vector<std::uint32_t> ranks(count + simd::selection_step);
                rank(distances.data(), count, ranks.data());
                for (std::size_t i = 0; i < count; ++i)
                    REQUIRE(ranks[i] == std::count_if(distances.begin(),
                                                      distances.begin() + static_cast<long>(count),
                                                      [&](float d) { return d < distances[i]; }));
            }
}

} // namespace selection_test

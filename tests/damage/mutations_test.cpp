// SPDX-License-Identifier: MIT
// Files that an attacker made: damage anywhere, with checksums that fit. What they say is anybody's
// guess; that nothing crashes, hangs or takes much memory is not (the sanitizers look on in the
// preset asan, and libFuzzer goes on from here).
#include "catch.hpp"
#include "damage/allocations.hpp"
#include "damage/use.hpp"
#include "support/figures.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mutations_test {

using namespace damage;
using vicinal_test::figure;
using vicinal_test::thorough;

namespace {

/// Bytes that reading a damaged store may take at most, beside what its files have four times.
constexpr std::size_t most_beside = std::size_t{16} << 20;

std::vector<std::uint8_t> random_recipe(vicinal_test::generator& r) {
    std::vector<std::uint8_t> text(2 + r.below(40));
    for (auto& b : text) b = static_cast<std::uint8_t>(r.next());
    return text;
}

template <class Index>
void mutate(std::string const& name, std::uint64_t seed) {
    sample<Index> const sound;
    workbench const b;
    vicinal_test::generator r(seed);
    auto const rounds = thorough() ? 5'000 : 150;
    auto const file_bytes = sound.sound.snapshot.size();
    std::size_t largest = 0;
    double slowest = 0;
    for (int i = 0; i < rounds; ++i) {
        CAPTURE(seed, i);
        auto const text = random_recipe(r);
        allocations::reset_peak();
        auto const before = allocations::bytes();
        auto const start = std::chrono::steady_clock::now();
        REQUIRE(follow(sound, b, recipe(text), i % 3 == 0));
        std::chrono::duration<double> const took = std::chrono::steady_clock::now() - start;
        largest = (std::max)(largest, allocations::peak() - before);
        slowest = (std::max)(slowest, took.count());
    }
    // The files themselves, as the test holds them, are in this.
    CHECK(largest < 4 * file_bytes + most_beside);
    CHECK(slowest < 20);
    figure("mutations, " + name, static_cast<std::uint64_t>(rounds));
}

} // namespace

TEST_CASE("damage with checksums that fit does no harm: flat", "[damage][breaking]") {
    mutate<flat>("flat", 1);
}
TEST_CASE("damage with checksums that fit does no harm: hnsw", "[damage][breaking]") {
    mutate<hnsw>("hnsw", 2);
}
TEST_CASE("damage with checksums that fit does no harm: ivf", "[damage][breaking]") {
    mutate<ivf>("ivf", 3);
}

} // namespace mutations_test

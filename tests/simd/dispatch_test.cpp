// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "simd/variants.hpp"

#include <vicinal/simd/check.hpp>
#include <vicinal/simd/float_sums.hpp>

#include <cstdlib>

namespace simd = vicinal::simd;
using simd::instruction_set;
using vicinal_test::variants_of;

TEST_CASE("the kernel chosen is the one for the set chosen, and stays the same", "[simd]") {
    using kernel = simd::dot_product<float>::one;
    CAPTURE(simd::name(simd::chosen()));
    CHECK(kernel::get() == kernel::for_set(simd::chosen()));
    CHECK(kernel::get() == kernel::get());
    CHECK(simd::chosen() <= simd::best_instruction_set());
    if (std::getenv("VICINAL_ISA") == nullptr)
        CHECK(simd::chosen() == simd::best_instruction_set());
    CHECK(variants_of<kernel>().front().second == &kernel::baseline);
}

TEST_CASE("every instruction set has a name by which it can be forced", "[simd]") {
    for (auto const set : simd::all_instruction_sets) {
        auto const word = std::string(simd::name(set));
        CAPTURE(word);
        auto const forced = simd::read_forced(word.c_str(), instruction_set::avx512_popcnt);
        CHECK(forced.known);
        CHECK(forced.able);
        CHECK(forced.set == set);
        CHECK(simd::check(forced, instruction_set::avx512_popcnt));
    }
}

TEST_CASE("a forced set that the CPU lacks is an error that names the best it has", "[simd]") {
    auto const forced = simd::read_forced("avx512", instruction_set::avx2);
    CHECK(forced.known);
    CHECK_FALSE(forced.able);
    auto const checked = simd::check(forced, instruction_set::avx2);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code() == vicinal::errc::unsupported);
    CHECK(checked.error().message() ==
          "unsupported: expected an instruction set that this CPU has, at most avx2, got "
          "VICINAL_ISA=avx512");
}

TEST_CASE("an unknown word for a forced set is an error that lists the words", "[simd]") {
    for (auto const* word : {"sse9", "AVX2", "avx2 ", "neon"}) {
        CAPTURE(word);
        auto const forced = simd::read_forced(word, instruction_set::avx512_popcnt);
        auto const checked = simd::check(forced, instruction_set::avx512_popcnt);
        REQUIRE_FALSE(checked);
        CHECK(checked.error().code() == vicinal::errc::invalid_argument);
        CHECK(checked.error().expected() ==
              "one of baseline, avx2, avx512, avx512_vnni, avx512_popcnt");
    }
}

TEST_CASE("no forced set, or an empty word, is no error", "[simd]") {
    CHECK(simd::check(simd::read_forced(nullptr, instruction_set::baseline),
                      instruction_set::baseline));
    CHECK(simd::check(simd::read_forced("", instruction_set::baseline), instruction_set::baseline));
    if (std::getenv("VICINAL_ISA") == nullptr) CHECK(simd::check());
}

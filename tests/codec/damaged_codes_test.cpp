// SPDX-License-Identifier: MIT
// Any bytes as codes, and any numbers as what they were learnt from: what the fuzz target does with
// inputs that it looks for, with some thousand by chance.
#include "catch.hpp"
#include "fuzz/codec_input.hpp"
#include "support/random.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace damaged_codes_test {

TEST_CASE("codes and models of a damaged file have distances that can be ordered", "[codec]") {
    vicinal_test::generator r(5);
    for (std::size_t i = 0; i < 3000; ++i) {
        std::vector<std::uint8_t> input(40 + r.below(300));
        for (auto& b : input) b = static_cast<std::uint8_t>(r.next() >> 56);
        // Often exponents of all ones: infinities and what is no number.
        if (i % 3 == 0)
            for (std::size_t j = 20; j < input.size(); j += 1 + r.below(5)) input[j] = 0xff;
        CAPTURE(i, input);
        REQUIRE(codec_input::run(input));
        if (i % 10 == 0) REQUIRE(codec_input::run_projected(input));
    }
}

} // namespace damaged_codes_test

// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "simd/variants.hpp"

#include <vicinal/simd/float_sums.hpp>

using vicinal_test::variants_of;

TEST_CASE("the kernel chosen is the widest that this CPU can run, and stays the same", "[simd]") {
    using kernel = vicinal::simd::dot_product;
    auto const able = variants_of<kernel>();
    CAPTURE(able.back().first);
    CHECK(kernel::choose() == able.back().second);
    CHECK(kernel::get() == kernel::choose());
    CHECK(kernel::get() == kernel::get());
}

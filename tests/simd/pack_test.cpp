// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/simd/pack.hpp>

#include <array>
#include <cstddef>

using vicinal::simd::pack;

namespace {

template <class T, std::size_t Width>
void check_pack() {
    CAPTURE(Width);
    std::array<T, Width + 1> a{};
    std::array<T, Width + 1> b{};
    T sum = 0;
    for (std::size_t i = 0; i < Width; ++i) {
        a[i + 1] = static_cast<T>(i + 1);
        b[i + 1] = static_cast<T>(2 * i);
        sum += static_cast<T>(i + 1) +
               (static_cast<T>(i + 1) - static_cast<T>(2 * i)) * static_cast<T>(2 * i);
    }
    pack<T, Width> x, y, z;
    x.load(a.data() + 1);
    y.load(b.data() + 1);
    z.zero();
    CHECK(z.sum() == 0);
    z.add(x);
    x.subtract(y);
    z.add_product(x, y);
    CHECK(z.sum() == sum);
}

} // namespace

TEST_CASE("a pack loads, adds, subtracts and sums every lane once", "[simd]") {
    check_pack<float, 4>();
    check_pack<float, 8>();
    check_pack<float, 16>();
    check_pack<double, 2>();
    check_pack<double, 8>();
}

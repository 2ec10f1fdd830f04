// SPDX-License-Identifier: MIT
#include "simd/row_kernels.hpp"

#include <vicinal/simd/byte_sums.hpp>
#include <vicinal/simd/integer_sums.hpp>

#include <cstdint>
#include <cstdlib>

namespace simd = vicinal::simd;
using vicinal_test::check_row_kernels;
using vicinal_test::longest_row;
using vicinal_test::random_bytes;

namespace {

constexpr std::size_t enough = 7 * (longest_row + 4);

template <class Q, class R>
int product(Q q, R r) {
    return int{q} * int{r};
}
template <class Q, class R>
int square(Q q, R r) {
    return (int{q} - int{r}) * (int{q} - int{r});
}
template <class Q, class R>
int size(Q q, R r) {
    return std::abs(int{q} - int{r});
}

template <class Kernels, class Q, class R>
void check(std::vector<Q> const& q, std::vector<R> const& r, int (*term)(Q, R)) {
    check_row_kernels<Kernels>(q, r, [&](std::int32_t got, Q const* x, R const* y, std::size_t n) {
        std::int32_t want = 0;
        for (std::size_t i = 0; i < n; ++i) want += term(x[i], y[i]);
        return got == want;
    });
}

template <class T>
void check_alike() {
    auto const q = random_bytes<T>(enough, 1);
    auto const r = random_bytes<T>(enough, 2);
    check<simd::integer_difference<T>, T, T>(q, r, square<T, T>);
    check<simd::integer_product<T>, T, T>(q, r, product<T, T>);
    check<simd::integer_distance<T>, T, T>(q, r, size<T, T>);
    check_row_kernels<simd::integer_product_and_square<T>>(
        q, r, [](simd::integer_dot_and_square got, T const* x, T const* y, std::size_t n) {
            std::int32_t dot = 0;
            std::int32_t own = 0;
            for (std::size_t i = 0; i < n; ++i) {
                dot += product(x[i], y[i]);
                own += product(y[i], y[i]);
            }
            return got.dot == dot && got.square == own;
        });
}

} // namespace

TEST_CASE("sums over 8-bit codes are exact in every variant", "[simd]") {
    auto const q = random_bytes<std::int8_t>(enough, 1);
    auto const u = random_bytes<std::uint8_t>(enough, 3);
    auto const r = random_bytes<std::uint8_t>(enough, 2);
    check<simd::byte_dot, std::int8_t, std::uint8_t>(q, r, product<std::int8_t, std::uint8_t>);
    check<simd::byte_difference, std::uint8_t, std::uint8_t>(u, r,
                                                             square<std::uint8_t, std::uint8_t>);
}

TEST_CASE("sums over 7-bit codes are exact in every variant", "[simd]") {
    auto const q = random_bytes<std::int8_t>(enough, 1);
    auto const u = random_bytes<std::uint8_t>(enough, 3, 128);
    auto const r = random_bytes<std::uint8_t>(enough, 2, 128);
    check<simd::low_byte_dot, std::int8_t, std::uint8_t>(q, r, product<std::int8_t, std::uint8_t>);
    check<simd::low_byte_difference, std::uint8_t, std::uint8_t>(
        u, r, square<std::uint8_t, std::uint8_t>);
}

TEST_CASE("the largest codes do not saturate", "[simd]") {
    std::vector<std::int8_t> const q(enough, std::int8_t{-128});
    std::vector<std::uint8_t> const full(enough, std::uint8_t{255});
    std::vector<std::uint8_t> const low(enough, std::uint8_t{127});
    std::vector<std::uint8_t> const none(enough, std::uint8_t{0});
    check<simd::byte_dot, std::int8_t, std::uint8_t>(q, full, product<std::int8_t, std::uint8_t>);
    check<simd::low_byte_dot, std::int8_t, std::uint8_t>(q, low,
                                                         product<std::int8_t, std::uint8_t>);
    check<simd::byte_difference, std::uint8_t, std::uint8_t>(none, full,
                                                             square<std::uint8_t, std::uint8_t>);
    check<simd::low_byte_difference, std::uint8_t, std::uint8_t>(
        none, low, square<std::uint8_t, std::uint8_t>);
    check<simd::integer_product<std::int8_t>, std::int8_t, std::int8_t>(
        q, q, product<std::int8_t, std::int8_t>);
    check<simd::integer_product<std::uint8_t>, std::uint8_t, std::uint8_t>(
        full, full, product<std::uint8_t, std::uint8_t>);
}

TEST_CASE("sums over signed bytes are exact in every variant", "[simd]") {
    check_alike<std::int8_t>();
}

TEST_CASE("sums over unsigned bytes are exact in every variant", "[simd]") {
    check_alike<std::uint8_t>();
}

TEST_CASE("sums of more elements than 32 bits hold are made in parts", "[simd]") {
    for (std::size_t const n : {32767U, 32768U, 32769U, 65536U, 200001U}) {
        CAPTURE(n);
        std::vector<std::uint8_t> const a(n, std::uint8_t{255});
        std::vector<std::uint8_t> const b(n, std::uint8_t{0});
        auto const want = static_cast<std::int64_t>(n) * 65025;
        using u8 = std::uint8_t;
        CHECK(simd::in_parts<u8>(simd::integer_difference<u8>::one::get(), a.data(), b.data(), n) ==
              want);
        auto const both = simd::in_parts<u8>(simd::integer_product_and_square<u8>::one::get(),
                                             a.data(), a.data(), n);
        CHECK(both.dot == want);
        CHECK(both.square == want);
    }
}

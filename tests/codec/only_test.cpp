// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/codec/f16.hpp>
#include <vicinal/codec/only.hpp>
#include <vicinal/codec/rabitq.hpp>
#include <vicinal/codec/sq4.hpp>
#include <vicinal/codec/sq8.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string_view>
#include <type_traits>
#include <vector>

namespace only_test {

namespace {

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
using vicinal_test::generator;

/// How far what codes stand for is from the vector, over the vector's norm.
template <class Codec>
double loss(Codec const& c, std::vector<float> const& x, bool direction) {
    std::vector<std::byte> row(c.row_bytes());
    std::vector<float> scratch(x.size() + 64);
    if constexpr (requires { c.scratch(); })
        c.encode_row(x.data(), row.data(), scratch.data());
    else
        c.encode_row(x.data(), row.data());
    std::vector<float> back(x.size() + 64); // rabitq rounds up to 64 elements
    c.decode_row(row.data(), back.data());
    double square = 0;
    for (auto const v : x) square += double{v} * v;
    double const norm = direction ? std::sqrt(square) : 1;
    double missed = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        double const d = x[i] / norm - back[i];
        missed += d * d;
    }
    return std::sqrt(missed) / (direction ? 1 : std::sqrt(square));
}

template <class Codec>
void check_decoding(double most) {
    generator r(7);
    for (std::size_t const dim : {1U, 2U, 3U, 63U, 64U, 65U, 1536U, 4096U})
        for (float const size : {1e-12F, 1.0F, 300.0F}) {
            CAPTURE(dim, size);
            auto const x = r.vector(dim, -size, size);
            typename Codec::template of<metric::squared_l2> const l2(dim);
            typename Codec::template of<metric::inner_product> const product(dim);
            typename Codec::template of<metric::cosine> const cosine(dim);
            if (!l2.encodes(x.data())) continue;
            if (l2.encodes(x.data()) && loss(l2, x, false) > most) {
                REQUIRE(std::is_same_v<Codec, codec::f16>); // which has no numbers below 2^-24
                continue;
            }
            REQUIRE(l2.encodes(x.data()));
            REQUIRE(loss(product, x, false) <= most);
            REQUIRE(loss(cosine, x, true) <= most);
        }
}

} // namespace

TEST_CASE("codes stand for vectors as near as their steps, in every dimension", "[codec]") {
    // A step is 2/255, 2/15 and 2^-11 of an element here, a third of it is lost of a norm of 0.58.
    check_decoding<codec::sq8>(0.01);
    check_decoding<codec::sq4>(0.15);
    check_decoding<codec::f16>(0.001);
    check_decoding<codec::bf16>(0.01);
    check_decoding<codec::rabitq<4>>(0.15);
    check_decoding<codec::rabitq<8>>(0.02);
}

TEST_CASE("codes of a rotated frame stand for the vectors before it", "[codec]") {
    for (std::size_t const dim : {3U, 64U, 65U, 784U}) {
        generator r(dim);
        std::vector<float> numbers{0};
        for (std::size_t i = 0; i < dim; ++i) numbers.push_back(r.real(100, 200));
        for (std::uint32_t const kind : {1U, 2U}) {
            CAPTURE(dim, kind);
            numbers[0] = std::bit_cast<float>(kind);
            codec::only<codec::sq8>::of<metric::squared_l2> c(dim);
            REQUIRE(c.put_model(numbers));
            std::vector<float> x(dim);
            for (std::size_t i = 0; i < dim; ++i) x[i] = numbers[i + 1] + r.real(-1, 1);
            // A step of the spread around the mean, which is 1/150 of the elements.
            REQUIRE(loss(c, x, false) <= 0.01 / 100);
        }
    }
}

TEST_CASE("a codec that stands alone refuses a model that is none", "[codec]") {
    codec::only<codec::sq8>::of<metric::squared_l2> c(2);
    float const one = std::bit_cast<float>(std::uint32_t{1});
    CHECK(c.put_model(std::vector<float>{one, 1, 2}));
    CHECK_FALSE(c.put_model(std::vector<float>{one, 1}));
    CHECK_FALSE(c.put_model(std::vector<float>{0.5F, 1, 2}));
    CHECK_FALSE(c.put_model(std::vector<float>{one, 1, std::numeric_limits<float>::infinity()}));
    CHECK(c.put_model(std::vector<float>{}));
    CHECK(c.frame().empty());
}

TEST_CASE("what has no codes is told", "[codec]") {
    codec::only<codec::sq4>::of<metric::squared_l2> const c(2);
    CHECK(c.encodes(std::vector<float>{0, 0}.data()));
    CHECK(c.encodes(std::vector<float>{1e18F, 0}.data()));
    CHECK_FALSE(c.encodes(std::vector<float>{1e19F, 0}.data()));
    CHECK_FALSE(c.encodes(std::vector<float>{1e-19F, 0}.data()));
    codec::only<codec::f16>::of<metric::inner_product> const h(1);
    CHECK(h.encodes(std::vector<float>{65504}.data()));
    CHECK_FALSE(h.encodes(std::vector<float>{-65505}.data()));
    STATIC_REQUIRE(std::string_view(codec::only<codec::sq4>::name) == "only<sq4>");
}

} // namespace only_test

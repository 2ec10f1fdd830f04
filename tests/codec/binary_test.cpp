// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/codec/binary.hpp>
#include <vicinal/codec/only.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace binary_test {

namespace {

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
using vicinal_test::generator;

/// The distance of two rows is that of what they stand for; a query is encoded as a row is, but
/// under the inner product, where it keeps the mean.
template <class Metric>
void check_distances() {
    constexpr bool product = std::is_same_v<Metric, metric::inner_product>;
    for (std::size_t const dim : {1U, 3U, 63U, 64U, 65U, 1536U, 4096U}) {
        generator r(dim);
        std::vector<std::vector<float>> all;
        for (int i = 0; i < 12; ++i) all.push_back(r.vector(dim, 1, 3));
        codec::binary::of<Metric> c(dim);
        c.put(c.fitting_frame(12, [&](std::size_t i) { return all[i].data(); }));
        REQUIRE(c.frame().mean().size() == dim);
        for (auto const& x : all) {
            auto const query = c.query(x.data());
            std::vector<std::byte> own(c.row_bytes());
            c.encode_row(x.data(), own.data());
            std::vector<float> a(dim), b(dim);
            c.decode_row(own.data(), a.data());
            double size = 0;
            for (auto const v : x) size += v; // all above 0
            for (auto const& y : all) {
                CAPTURE(dim);
                std::vector<std::byte> row(c.row_bytes());
                c.encode_row(y.data(), row.data());
                c.decode_row(row.data(), b.data());
                double want = 0;
                for (std::size_t i = 0; i < dim; ++i) {
                    double const d = double{a[i]} - b[i];
                    auto const mean = double{c.frame().mean()[i]};
                    if (product) // the query stands for its mean size on every axis
                        want -= size / static_cast<double>(dim) * (b[i] - mean) + x[i] * mean;
                    else
                        want += d * d * (std::is_same_v<Metric, metric::cosine> ? 0.5 : 1);
                }
                double const near = 1e-4 * (1 + std::fabs(want));
                REQUIRE(std::fabs(double{query(row.data())} - want) <= near);
                std::byte const* const four[4] = {row.data(), own.data(), row.data(), own.data()};
                float out[4];
                query.four(four, out);
                REQUIRE(out[2] == query(row.data()));
                REQUIRE(out[3] == query(own.data()));
                if (!product) {
                    auto const between = c.between(own.data());
                    REQUIRE(between(row.data()) == query(row.data()));
                }
            }
        }
    }
}

} // namespace

TEST_CASE("a distance of bits is that of what they stand for, in every dimension", "[codec]") {
    check_distances<metric::squared_l2>();
    check_distances<metric::inner_product>();
    check_distances<metric::cosine>();
}

TEST_CASE("bits without a mean are signs", "[codec]") {
    codec::binary::of<metric::squared_l2> const c(9);
    std::vector<float> const x{1, -1, 2, -2, 3, -3, 0, 1, 2};
    std::vector<std::byte> row(c.row_bytes());
    REQUIRE(row.size() == 4 + 2);
    c.encode_row(x.data(), row.data());
    std::vector<float> out(9);
    c.decode_row(row.data(), out.data());
    float const size = 15.0F / 9;
    for (std::size_t i = 0; i < 9; ++i) CHECK(out[i] == (x[i] > 0 ? size : -size));
    STATIC_REQUIRE(codec::decodable<codec::only<codec::binary>::of<metric::cosine>>);
}

} // namespace binary_test

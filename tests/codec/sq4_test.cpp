// SPDX-License-Identifier: MIT
#include "contract/codec.hpp"

#include <vicinal/codec/sq4.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace sq4_test {

namespace {

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
using vicinal_test::generator;
using vicinal_test::textbook;

template <class Metric>
std::vector<std::byte> row_of(codec::sq4::of<Metric> const& c, std::vector<float> const& x) {
    std::vector<std::byte> row(c.row_bytes());
    c.encode_row(x.data(), row.data());
    return row;
}

/// The bound never lies above the true distance, and four at once are one by one.
template <class Metric>
void check_bound() {
    generator r(7);
    for (std::size_t const dim : {1U, 2U, 7U, 64U, 129U, 784U}) {
        codec::sq4::of<Metric> const c(dim);
        std::vector<std::vector<float>> all;
        for (float const size : {1e-12F, 1e-3F, 1.0F, 255.0F, 1e6F, 1e9F}) {
            all.push_back(r.vector(dim, -size, size));
            auto near = all.back();
            for (auto& x : near) x += r.real(-size, size) * 1e-2F;
            all.push_back(near);
            all.push_back(r.vector(dim, size * 0.99F, size));
        }
        std::vector<std::vector<std::byte>> rows;
        for (auto const& x : all) rows.push_back(row_of<Metric>(c, x));
        for (std::size_t i = 0; i < all.size(); ++i) {
            auto const query = c.query(all[i].data());
            for (std::size_t j = 0; j < all.size(); ++j) {
                CAPTURE(dim, i, j);
                auto const d = query(rows[j].data());
                auto const exact = textbook<Metric>(all[i].data(), all[j].data(), dim);
                REQUIRE(static_cast<double>(query.at_least(rows[j].data(), d)) <=
                        exact + 1e-12 * std::abs(exact));
                std::byte const* const four[4] = {rows[j].data(), rows[0].data(), rows[1].data(),
                                                  rows[j].data()};
                float out[4];
                query.four(four, out);
                REQUIRE(out[0] == d);
                REQUIRE(out[3] == d);
                REQUIRE(out[1] == query(rows[0].data()));
            }
        }
    }
}

} // namespace

TEST_CASE("sq4 keeps the contract of codecs", "[codec]") {
    vicinal_test::check_codec_contract<codec::sq4, metric::squared_l2>(0.15);
    vicinal_test::check_codec_contract<codec::sq4, metric::inner_product>(0.15);
    vicinal_test::check_codec_contract<codec::sq4, metric::cosine>(0.15);
}

TEST_CASE("what sq4 says of a distance is never more than it is", "[codec]") {
    check_bound<metric::squared_l2>();
    check_bound<metric::inner_product>();
    check_bound<metric::cosine>();
}

TEST_CASE("sq4 keeps integers from 0 to 15 without loss, zeros always", "[codec]") {
    codec::sq4::of<metric::squared_l2> const c(16);
    std::vector<float> x(16);
    for (std::size_t i = 0; i < 16; ++i) x[i] = static_cast<float>(i);
    auto const row = row_of<metric::squared_l2>(c, x);
    CHECK(row.size() == 24);
    std::vector<float> const zeros(16);
    CHECK(c.query(zeros.data())(row.data()) == 1240); // the sum of the squares to 15
    CHECK(c.query(zeros.data()).at_least(row.data(), 1240) > 1239);
}

TEST_CASE("a vector that sq4 can't encode rules nothing out", "[codec]") {
    codec::sq4::of<metric::squared_l2> const c(4);
    std::vector<float> const sound{1, 2, 3, 4};
    auto const query = c.query(sound.data());
    for (float const bad : {std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN(), 1e30F, 1e-30F}) {
        auto const row = row_of<metric::squared_l2>(c, {0, bad, 0, 0});
        CHECK(query.at_least(row.data(), query(row.data())) ==
              -std::numeric_limits<float>::infinity());
    }
}

} // namespace sq4_test

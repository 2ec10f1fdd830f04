// SPDX-License-Identifier: MIT
#include "contract/codec.hpp"

#include <vicinal/codec/f16.hpp>
#include <vicinal/metric/l1.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace f16_test {

namespace {

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
using vicinal_test::generator;

/// Near, far and equal vectors, of sizes that f16 rounds to nothing, has, and does not reach.
std::vector<std::vector<float>> vectors(std::size_t dim) {
    generator r(dim);
    std::vector<std::vector<float>> all;
    for (float const size : {1e-30F, 1e-9F, 1e-5F, 1.0F, 255.0F, 1e5F, 1e9F, 1e18F, 3e38F}) {
        all.push_back(r.vector(dim, -size, size));
        auto near = all.back();
        for (auto& x : near) x += r.real(-size, size) * 1e-3F;
        all.push_back(near);
        all.push_back(near);
        all.push_back(r.vector(dim, size * 0.99F, size));
    }
    return all;
}

template <class Codec, class Metric>
void check_bounds() {
    for (std::size_t const dim : {1U, 3U, 16U, 65U, 300U}) {
        typename Codec::template of<Metric> const c(dim);
        auto const all = vectors(dim);
        for (auto const& a : all)
            for (auto const& b : all) {
                auto const query = c.query(a.data());
                std::vector<std::byte> row(c.row_bytes());
                c.encode_row(b.data(), row.data());
                auto const by_codes = query(row.data());
                float const exact = metric::exact<Metric>(a.data(), b.data(), dim);
                CAPTURE(Codec::name, metric::name_of<Metric>(), dim, a[0], b[0], by_codes, exact);
                std::byte const* const rows[4] = {row.data(), row.data(), row.data(), row.data()};
                float four[4];
                query.four(rows, four);
                // Four at once are added up in another order.
                for (float const d : {by_codes, four[0], four[3]}) {
                    REQUIRE(query.at_least(row.data(), d) <= exact);
                    // What ties with the farthest must be compared.
                    REQUIRE_FALSE(query.rules_out(row.data(), d, query.reach(exact)));
                }
            }
    }
}

template <class Codec, class Metric>
void check_near_bound(float share) {
    generator r(9);
    typename Codec::template of<Metric> const c(64);
    auto const a = r.vector(64);
    auto const b = r.vector(64);
    auto const query = c.query(a.data());
    std::vector<std::byte> row(c.row_bytes());
    c.encode_row(b.data(), row.data());
    auto const exact = metric::exact<Metric>(a.data(), b.data(), 64);
    CHECK(query.at_least(row.data(), query(row.data())) >= exact - share * std::abs(exact));
}

} // namespace

TEST_CASE("f16 and bf16 keep the contract of codecs", "[codec]") {
    vicinal_test::check_codec_contract<codec::f16, metric::squared_l2>(1e-3);
    vicinal_test::check_codec_contract<codec::f16, metric::inner_product>(1e-3);
    vicinal_test::check_codec_contract<codec::f16, metric::cosine>(1e-3);
    vicinal_test::check_codec_contract<codec::bf16, metric::squared_l2>(1e-2);
    vicinal_test::check_codec_contract<codec::bf16, metric::inner_product>(1e-2);
    vicinal_test::check_codec_contract<codec::bf16, metric::cosine>(1e-2);
}

TEST_CASE("what halves say the distance is at least is never more than it is", "[codec]") {
    check_bounds<codec::f16, metric::squared_l2>();
    check_bounds<codec::f16, metric::inner_product>();
    check_bounds<codec::f16, metric::cosine>();
    check_bounds<codec::bf16, metric::squared_l2>();
    check_bounds<codec::bf16, metric::inner_product>();
    check_bounds<codec::bf16, metric::cosine>();
}

TEST_CASE("the bound of halves is near the distance", "[codec]") {
    check_near_bound<codec::f16, metric::squared_l2>(0.01F);
    check_near_bound<codec::f16, metric::cosine>(0.01F);
    check_near_bound<codec::bf16, metric::squared_l2>(0.05F);
    check_near_bound<codec::bf16, metric::cosine>(0.05F);
}

TEST_CASE("elements beyond the range of f16 are the largest there is, and known to be", "[codec]") {
    codec::f16::of<metric::squared_l2> const c(2);
    std::vector<float> const far{1e6F, -1e6F};
    std::vector<float> const zero{0, 0};
    std::vector<std::byte> row(c.row_bytes());
    c.encode_row(far.data(), row.data());
    auto const query = c.query(zero.data());
    CHECK(query(row.data()) == 2 * 65504.0F * 65504.0F);
    CHECK(query.at_least(row.data(), query(row.data())) == 0);
}

TEST_CASE("a metric without halves is read from the vectors", "[codec]") {
    STATIC_REQUIRE(codec::f16::of<metric::l1>::reads_rows);
    STATIC_REQUIRE(codec::bf16::of<metric::basic_squared_l2<vicinal::bf16>>::reads_rows);
}

} // namespace f16_test

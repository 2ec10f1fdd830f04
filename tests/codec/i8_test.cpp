// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/learnt_codec.hpp"
#include "support/random.hpp"

#include <vicinal/codec/i8.hpp>
#include <vicinal/codec/only.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string_view>
#include <vector>

namespace i8_test {

namespace {

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
using vicinal_test::encode;
using vicinal_test::generator;
using vicinal_test::learnt;
using vicinal_test::rows;

template <class Metric>
using coded = codec::i8::of<Metric>;

template <class Codec>
std::vector<float> decode(Codec const& c, std::vector<std::byte> const& row) {
    std::vector<float> x(c.dim());
    c.decode_row(row.data(), x.data());
    return x;
}

template <class Metric>
double between(std::vector<float> const& a, std::vector<float> const& b) {
    double square = 0, dot = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        square += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
        dot += double{a[i]} * b[i];
    }
    if (std::is_same_v<Metric, metric::inner_product>) return -dot;
    return square * (std::is_same_v<Metric, metric::cosine> ? 0.5 : 1);
}

/// Distances are those of what codes stand for, which is half a step from the vectors at most.
template <class Metric>
void check_distances(std::size_t dim, float low, float high) {
    CAPTURE(Metric::name, dim, low);
    generator r(dim);
    rows const data{dim, r.vector(30 * dim, low, high)};
    auto const c = learnt<coded<Metric>>(data);
    for (std::size_t i = 0; i < data.count(); ++i) {
        auto const own = encode(c, data.row(i));
        auto const a = decode(c, own);
        auto const query = c.query(data.row(i));
        auto const row = c.between(own.data());
        if (!std::is_same_v<Metric, metric::cosine>)
            for (std::size_t j = 0; j < dim; ++j)
                REQUIRE(std::fabs(a[j] - data.row(i)[j]) <=
                        (std::fabs(low) + std::fabs(high)) / 127 * 0.51);
        for (std::size_t j = 0; j < data.count(); ++j) {
            auto const other = encode(c, data.row(j));
            auto const want = between<Metric>(a, decode(c, other));
            REQUIRE(query(other.data()) ==
                    Approx(want).epsilon(1e-4).margin(1e-3 * static_cast<double>(high * high)));
            REQUIRE(row(other.data()) == query(other.data()));
            std::byte const* const four[4] = {other.data(), own.data(), other.data(), own.data()};
            float out[4];
            query.four(four, out);
            REQUIRE(out[0] == query(other.data()));
            REQUIRE(out[3] == query(own.data()));
        }
    }
}

} // namespace

TEST_CASE("distances of bytes of one scale are those of what they stand for", "[codec]") {
    for (std::size_t const dim : {1U, 3U, 63U, 64U, 65U, 1536U, 4096U}) {
        check_distances<metric::squared_l2>(dim, -2, 7);
        check_distances<metric::inner_product>(dim, -2, 7);
        check_distances<metric::cosine>(dim, -1, 1);
    }
}

TEST_CASE("bytes of one scale lose nothing of whole numbers of a byte", "[codec]") {
    struct span {
        float low, high;
    };
    for (auto const s : {span{0, 255}, span{-128, 127}, span{1000, 1255}, span{0, 9}}) {
        CAPTURE(s.low);
        generator r(3);
        rows data{20};
        for (std::size_t i = 0; i < 2000; ++i)
            data.data.push_back(std::floor(r.real(s.low, s.high + 0.99F)));
        auto const c = learnt<coded<metric::squared_l2>>(data);
        auto const query = c.query(data.row(0));
        for (std::size_t i = 0; i < data.count(); ++i) {
            std::vector<float> const x(data.row(i), data.row(i) + 20);
            auto const row = encode(c, data.row(i));
            REQUIRE(decode(c, row) == x);
            REQUIRE(double{query(row.data())} ==
                    between<metric::squared_l2>({data.row(0), data.row(0) + 20}, x));
        }
    }
    rows const small{2, {-127, 5, 127, -9}};
    auto const c = learnt<coded<metric::inner_product>>(small);
    CHECK(c.query(small.row(0))(encode(c, small.row(1)).data()) == 127 * 127 + 45);
}

TEST_CASE("what lies outside the range that was learnt counts as its end", "[codec]") {
    rows const data{2, {0, 255, 3, 4}};
    auto const c = learnt<coded<metric::squared_l2>>(data);
    constexpr auto none = std::numeric_limits<float>::quiet_NaN();
    constexpr auto most = std::numeric_limits<float>::infinity();
    for (auto const& [x, want] :
         {std::pair(std::vector<float>{-7, 300}, std::vector<float>{0, 255}),
          std::pair(std::vector<float>{-most, most}, std::vector<float>{0, 255}),
          std::pair(std::vector<float>{none, 1e38F}, std::vector<float>{0, 255})})
        CHECK(decode(c, encode(c, x.data())) == want);
    CHECK_FALSE(c.encodes(std::vector<float>{1, none}.data()));
}

TEST_CASE("no rows, equal rows and endless ones give bytes that work", "[codec]") {
    float const same[] = {0.3F, 0.3F};
    float const zeros[] = {0, 0};
    float const endless[] = {std::numeric_limits<float>::infinity(), -1e30F};
    for (auto const* x : {same, zeros, endless}) {
        coded<metric::squared_l2> c(2);
        CHECK_FALSE(c.has_model());
        for (std::size_t const n : {0U, 1U, 2U, 5000U}) {
            auto const model = c.fit(n, [&](std::size_t) { return x; });
            REQUIRE(model);
            REQUIRE(c.put_model(*model));
            auto const d = c.query(x)(encode(c, x).data());
            REQUIRE(std::isfinite(d));
            if (x != endless) REQUIRE(d == 0);
        }
        coded<metric::inner_product> product(2);
        REQUIRE(product.put_model(*product.fit(3, [&](std::size_t) { return x; })));
        REQUIRE(std::isfinite(product.query(x)(encode(product, x).data())));
        coded<metric::cosine> directions(2);
        REQUIRE(directions.put_model(*directions.fit(3, [&](std::size_t) { return x; })));
        REQUIRE(std::isfinite(directions.query(x)(encode(directions, x).data())));
    }
}

TEST_CASE("a range that none was learnt as is refused", "[codec]") {
    coded<metric::squared_l2> c(4);
    constexpr auto endless = std::numeric_limits<float>::infinity();
    CHECK(c.put_model(std::vector<float>{-3, 0.5F}));
    CHECK_FALSE(c.put_model(std::vector<float>{1}));
    CHECK_FALSE(c.put_model(std::vector<float>{1, 2, 3}));
    CHECK_FALSE(c.put_model(std::vector<float>{endless, 1}));
    CHECK_FALSE(c.put_model(std::vector<float>{0, 0}));
    CHECK_FALSE(c.put_model(std::vector<float>{0, -1}));
    CHECK_FALSE(c.put_model(std::vector<float>{0, endless}));
    CHECK_FALSE(c.has_model());
    CHECK(c.put_model({}));
    coded<metric::inner_product> product(4);
    CHECK_FALSE(product.put_model(std::vector<float>{-3, 0.5F}));
    CHECK(product.put_model(std::vector<float>{-64, 0.5F}));
}

TEST_CASE("bytes of one scale take dim + 4 bytes, dim under the inner product", "[codec]") {
    CHECK(coded<metric::squared_l2>(100).row_bytes() == 104);
    CHECK(coded<metric::inner_product>(100).row_bytes() == 100);
    STATIC_REQUIRE(codec::model<codec::only<codec::i8>>);
    STATIC_REQUIRE(codec::decodable<codec::only<codec::i8>::of<metric::cosine>>);
    STATIC_REQUIRE(codec::needs_model<codec::only<codec::i8>::of<metric::cosine>>);
    CHECK(std::string_view(codec::only<codec::i8>::name) == "only<i8>");
}

} // namespace i8_test

// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/brute_force.hpp"
#include "support/learnt_codec.hpp"
#include "support/random.hpp"

#include <vicinal/codec/only.hpp>
#include <vicinal/codec/pq.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <set>
#include <string_view>
#include <vector>

namespace pq_test {

namespace {

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
using vicinal_test::clustered_rows;
using vicinal_test::encode;
using vicinal_test::generator;
using vicinal_test::learnt;
using vicinal_test::rows;
using vicinal_test::textbook;
using vicinal_test::uniform_rows;

/// Distances of codes are those of the vectors that they stand for, one, four and between.
template <class Codec, class Metric>
void check_distances(std::size_t dim) {
    using bound = typename Codec::template of<Metric>;
    auto const data = clustered_rows(400, dim, 20, dim);
    auto const c = learnt<bound>(data);
    CAPTURE(dim, Codec::name);
    std::vector<float> a(dim), b(dim);
    for (std::size_t i = 0; i < 20; ++i) {
        auto const query = c.query(data.row(i));
        auto const own = encode(c, data.row(i));
        auto const between = c.between(own.data());
        c.decode_row(own.data(), a.data());
        std::vector<float> asked(data.row(i), data.row(i) + dim);
        double norm = 0;
        for (auto const x : asked) norm += double{x} * x;
        if (std::is_same_v<Metric, metric::cosine>)
            for (auto& x : asked) x = static_cast<float>(x / std::sqrt(norm));
        for (std::size_t j = 0; j < 20; ++j) {
            auto const row = encode(c, data.row(j));
            c.decode_row(row.data(), b.data());
            double from_query = 0;
            double from_row = 0;
            for (std::size_t k = 0; k < dim; ++k) {
                double const x = asked[k], y = a[k], z = b[k];
                bool const product = std::is_same_v<Metric, metric::inner_product>;
                double const part = std::is_same_v<Metric, metric::cosine> ? 0.5 : 1;
                from_query += product ? -x * z : (x - z) * (x - z) * part;
                from_row += product ? -y * z : (y - z) * (y - z) * part;
            }
            double const near = 1e-4 * (1 + std::fabs(from_query) + norm);
            REQUIRE(std::fabs(double{query(row.data())} - from_query) <= near);
            REQUIRE(std::fabs(double{between(row.data())} - from_row) <= near);
            std::byte const* const all[4] = {row.data(), own.data(), row.data(), own.data()};
            float out[4];
            query.four(all, out);
            REQUIRE(out[0] == query(row.data()));
            REQUIRE(out[3] == query(own.data()));
        }
    }
}

} // namespace

TEST_CASE("distances of product codes are those of what they stand for, in every dimension",
          "[codec]") {
    for (std::size_t const dim : {1U, 3U, 63U, 64U, 65U, 200U}) {
        check_distances<codec::pq<8, 4>, metric::squared_l2>(dim);
        check_distances<codec::pq<7, 4>, metric::inner_product>(dim);
        check_distances<codec::pq<5, 4>, metric::cosine>(dim);
    }
    check_distances<codec::pq<8, 8>, metric::squared_l2>(65);
    check_distances<codec::pq<3, 8>, metric::cosine>(24);
    check_distances<codec::pq<16, 4>, metric::squared_l2>(1536);
    check_distances<codec::pq<16, 4>, metric::squared_l2>(4096);
}

TEST_CASE("each part of a vector is the nearest of its centres", "[codec]") {
    auto const data = uniform_rows(500, 12, 3);
    using bound = codec::pq<3, 4>::of<metric::squared_l2>;
    auto const model = bound(12).fit(500, [&](std::size_t i) { return data.row(i); }).value();
    bound c(12);
    REQUIRE(c.put_model(model));
    for (std::size_t i = 0; i < 100; ++i) {
        auto const row = encode(c, data.row(i));
        std::vector<float> out(12);
        c.decode_row(row.data(), out.data());
        for (std::size_t p = 0; p < 3; ++p) {
            double least = std::numeric_limits<double>::infinity();
            for (std::size_t n = 0; n < 16; ++n)
                least =
                    (std::min)(least, textbook<metric::squared_l2>(
                                          data.row(i) + 4 * p, model.data() + (16 * p + n) * 4, 4));
            REQUIRE(textbook<metric::squared_l2>(data.row(i) + 4 * p, out.data() + 4 * p, 4) <=
                    least * (1 + 1e-5) + 1e-9);
        }
    }
}

TEST_CASE("too few, equal and no rows to learn from give a codec that works", "[codec]") {
    using bound = codec::pq<4, 8>::of<metric::squared_l2>;
    std::vector<float> const same{1, 2, 3, 4, 5, 6, 7, 8};
    bound c(8);
    CHECK_FALSE(c.has_model());
    for (std::size_t const n : {1U, 2U, 300U}) {
        auto const model = c.fit(n, [&](std::size_t) { return same.data(); });
        REQUIRE(model);
        REQUIRE(c.put_model(*model));
        std::vector<float> out(8);
        c.decode_row(encode(c, same.data()).data(), out.data());
        CHECK(out == same);
        CHECK(c.query(same.data())(encode(c, same.data()).data()) == 0);
    }
    std::vector<float> const beyond(8, 1e30F);
    auto const none = c.fit(5, [&](std::size_t) { return beyond.data(); });
    REQUIRE(none);
    CHECK(c.put_model(*none));
    CHECK_FALSE(c.put_model(std::vector<float>(7)));
    auto wrong = *none;
    wrong[3] = std::numeric_limits<float>::quiet_NaN();
    CHECK_FALSE(c.put_model(wrong));
    CHECK(c.put_model({}));
    CHECK_FALSE(c.has_model());
}

TEST_CASE("product codes take the bytes that their name says", "[codec]") {
    CHECK(codec::pq<48, 8>::of<metric::squared_l2>::row_bytes() == 48);
    CHECK(codec::pq<7, 4>::of<metric::squared_l2>::row_bytes() == 4);
    CHECK(std::string_view(codec::pq<96, 4>::name) == "pq96x4");
    CHECK(std::string_view(codec::only<codec::pq<8>>::name) == "only<pq8x8>");
    STATIC_REQUIRE(codec::decodable<codec::only<codec::pq<8>>::of<metric::cosine>>);
}

} // namespace pq_test

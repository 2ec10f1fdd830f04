// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/brute_force.hpp"
#include "support/dataset.hpp"
#include "support/learnt_codec.hpp"
#include "support/random.hpp"

#include <vicinal/codec/f16.hpp>
#include <vicinal/codec/pca.hpp>
#include <vicinal/codec/pq.hpp>
#include <vicinal/codec/rabitq.hpp>
#include <vicinal/codec/sq4.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string_view>
#include <type_traits>
#include <vector>

namespace pca_test {

namespace {

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
using vicinal_test::encode;
using vicinal_test::generator;
using vicinal_test::learnt;
using vicinal_test::rows;
using vicinal_test::textbook;
using vicinal_test::uniform_rows;

/// Rows far from 0 that lie in a space of `rank` directions, next to which there is a little noise.
rows flat_rows(std::size_t n, std::size_t dim, std::size_t rank, float noise) {
    generator r(7);
    auto const axes = uniform_rows(rank, dim, 3);
    rows out{dim};
    for (std::size_t i = 0; i < n; ++i) {
        std::vector<float> x(dim, 5);
        for (std::size_t k = 0; k < rank; ++k) {
            auto const part = r.normal();
            for (std::size_t j = 0; j < dim; ++j) x[j] += part * axes.row(k)[j];
        }
        for (auto& e : x) e += noise * r.normal();
        out.add(x);
    }
    return out;
}

/// What a set has beyond its mean, and how much of that lies along the directions.
template <class Codec>
double share_kept(Codec const& c, std::vector<float> const& model, rows const& data,
                  std::size_t kept) {
    double all = 0, along = 0;
    std::vector<float> scratch(data.dim), out(kept);
    for (std::size_t i = 0; i < data.count(); ++i) {
        c.project(data.row(i), scratch.data(), out.data());
        for (std::size_t j = 0; j < data.dim; ++j) {
            double const x = double{data.row(i)[j]} - model[j];
            all += x * x;
        }
        for (auto const x : out) along += double{x} * x;
    }
    return along / all;
}

template <class Metric, class Inner>
void check_distances(rows const& data, double near) {
    CAPTURE(Metric::name, Inner::name);
    auto const c = learnt<typename codec::pca<8, Inner>::template of<Metric>>(data);
    // Under the inner product codes may leave out what is the same for all pairs.
    bool const product = std::is_same_v<Metric, metric::inner_product>;
    auto const first = encode(c, data.row(0));
    auto const same = product ? c.query(data.row(0))(first.data()) -
                                    textbook<Metric>(data.row(0), data.row(0), data.dim)
                              : 0.0;
    for (std::size_t i = 0; i < 20; ++i) {
        auto const query = c.query(data.row(i));
        auto const own = encode(c, data.row(i));
        auto const between = c.between(own.data());
        for (std::size_t j = 0; j < 20; ++j) {
            auto const row = encode(c, data.row(j));
            auto const want = textbook<Metric>(data.row(i), data.row(j), data.dim);
            REQUIRE(query(row.data()) - same == Approx(want).epsilon(0.02).margin(near));
            REQUIRE(between(row.data()) - same == Approx(want).epsilon(0.02).margin(2 * near));
            if constexpr (requires { query.likely_at_least(row.data(), 0.0F); })
                REQUIRE(query.likely_at_least(row.data(), query(row.data())) <= want);
            std::byte const* const four[4] = {row.data(), own.data(), row.data(), own.data()};
            float out[4];
            query.four(four, out);
            REQUIRE(out[0] == query(row.data()));
            REQUIRE(out[3] == query(own.data()));
        }
    }
}

} // namespace

TEST_CASE("directions are those in which rows differ most, and orthogonal", "[codec]") {
    using bound = codec::pca<6, codec::f16>::of<metric::squared_l2>;
    auto const data = flat_rows(500, 40, 6, 0.01F);
    auto const model =
        bound(40).fit(data.count(), [&](std::size_t i) { return data.row(i); }).value();
    REQUIRE(model.size() == 7 * 40);
    for (std::size_t a = 0; a < 6; ++a)
        for (std::size_t b = 0; b < 6; ++b) {
            double dot = 0;
            for (std::size_t j = 0; j < 40; ++j)
                dot += double{model[(a + 1) * 40 + j]} * model[(b + 1) * 40 + j];
            CHECK(std::fabs(dot - (a == b ? 1 : 0)) <= 1e-5);
        }
    bound c(40);
    REQUIRE(c.put_model(model));
    CHECK(share_kept(c, model, data, 6) >= 0.999);
    // The same rows give the same directions.
    CHECK(bound(40).fit(data.count(), [&](std::size_t i) { return data.row(i); }).value() == model);
}

TEST_CASE("of real images a fifth of the directions has most of what they differ by", "[codec]") {
    auto const images = vicinal_test::load_rows("mnist.base.u8bin", 1500);
    if (!images) return;
    using bound = codec::pca<100, codec::f16>::of<metric::squared_l2>;
    auto const model =
        bound(784).fit(images->count(), [&](std::size_t i) { return images->row(i); }).value();
    bound c(784);
    REQUIRE(c.put_model(model));
    // Of 1,500 rows 0.917 are along the first hundred eigenvectors.
    CHECK(share_kept(c, model, *images, 100) >= 0.9);
}

TEST_CASE("distances along the directions are nearly those of the vectors", "[codec]") {
    auto const data = flat_rows(2500, 50, 7, 0);
    check_distances<metric::squared_l2, codec::f16>(data, 0.02);
    check_distances<metric::squared_l2, codec::sq8>(data, 0.1);
    check_distances<metric::cosine, codec::sq8>(data, 0.02);
    check_distances<metric::inner_product, codec::sq8>(data, 10);
    check_distances<metric::inner_product, codec::f16>(data, 2);
    check_distances<metric::squared_l2, codec::pq<8, 8>>(data, 60);
    check_distances<metric::squared_l2, codec::sq4>(data, 60);
    check_distances<metric::squared_l2, codec::rabitq<8>>(data, 10);
}

TEST_CASE("more directions than elements are all of them", "[codec]") {
    for (std::size_t const dim : {1U, 3U, 63U, 64U, 65U}) {
        auto const data = uniform_rows(200, dim, dim);
        auto const c = learnt<codec::pca<100, codec::f16>::of<metric::squared_l2>>(data);
        for (std::size_t i = 0; i < 10; ++i)
            REQUIRE(c.query(data.row(0))(encode(c, data.row(i)).data()) ==
                    Approx(textbook<metric::squared_l2>(data.row(0), data.row(i), dim))
                        .epsilon(0.01)
                        .margin(1e-5));
    }
}

TEST_CASE("many elements, and few rows of them, have directions", "[codec]") {
    for (std::size_t const dim : {1536U, 2048U}) {
        auto const data = uniform_rows(9, dim, dim);
        auto const c = learnt<codec::pca<8, codec::f16>::of<metric::squared_l2>>(data);
        // Nine rows differ in eight directions.
        for (std::size_t i = 0; i < 9; ++i)
            REQUIRE(c.query(data.row(0))(encode(c, data.row(i)).data()) ==
                    Approx(textbook<metric::squared_l2>(data.row(0), data.row(i), dim))
                        .epsilon(0.01)
                        .margin(0.01));
    }
}

TEST_CASE("equal, endless and no rows give directions that work", "[codec]") {
    using bound = codec::pca<3>::of<metric::squared_l2>;
    std::vector<float> const same{1, 2, 3, 4, 5};
    std::vector<float> const zeros(5);
    std::vector<float> const endless(5, std::numeric_limits<float>::infinity());
    for (auto const& x : {same, zeros, endless})
        for (std::size_t const n : {0U, 1U, 2U, 3000U}) {
            bound c(5);
            auto const model = c.fit(n, [&](std::size_t) { return x.data(); });
            REQUIRE(model);
            REQUIRE(c.put_model(*model));
            REQUIRE(c.has_model());
            REQUIRE(c.query(zeros.data())(encode(c, zeros.data()).data()) == Approx(0).margin(0.1));
        }
}

TEST_CASE("directions that none were learnt as are refused", "[codec]") {
    auto const data = flat_rows(300, 10, 4, 0.1F);
    using bound = codec::pca<4>::of<metric::squared_l2>;
    auto const model =
        bound(10).fit(data.count(), [&](std::size_t i) { return data.row(i); }).value();
    bound c(10);
    REQUIRE(c.put_model(model));
    CHECK_FALSE(c.put_model(std::vector<float>(model.begin(), model.begin() + 49)));
    auto longer = model;
    longer.insert(longer.end(), 3, 1.0F);
    CHECK_FALSE(c.put_model(longer));
    auto wrong = model;
    wrong[20] = std::numeric_limits<float>::quiet_NaN();
    CHECK_FALSE(c.put_model(wrong));
    CHECK_FALSE(c.has_model());
    REQUIRE(c.put_model(model));
    CHECK(c.put_model({}));
    CHECK_FALSE(c.has_model());
    // Of a codec that wants a model of its own, without it.
    codec::pca<4, codec::pq<2, 4>>::of<metric::squared_l2> parts(10);
    CHECK_FALSE(parts.put_model(std::vector<float>(50)));
}

TEST_CASE("a codec of fewer elements is named after them", "[codec]") {
    STATIC_REQUIRE(codec::model<codec::pca<160>>);
    STATIC_REQUIRE_FALSE(codec::decodable<codec::pca<160>::of<metric::cosine>>);
    CHECK(std::string_view(codec::pca<160>::name) == "pca160<sq8>");
    CHECK(std::string_view(codec::pca<7, codec::pq<4, 8>>::name) == "pca7<pq4x8>");
    CHECK(codec::pca<160>::of<metric::squared_l2>(784).row_bytes() == 176);
    CHECK(codec::pca<160>::of<metric::squared_l2>(50).row_bytes() == 66);
}

} // namespace pca_test

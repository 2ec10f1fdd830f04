// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/brute_force.hpp"
#include "support/random.hpp"

#include <vicinal/codec/only.hpp>
#include <vicinal/codec/rabitq.hpp>
#include <vicinal/codec/rabitq_about.hpp>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

namespace rabitq_about_test {

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
using namespace vicinal_test;

namespace {

template <class Bound>
std::vector<std::byte> encode(Bound const& c, float const* v) {
    std::vector<std::byte> row(c.row_bytes());
    std::vector<float> scratch(c.scratch());
    c.encode_row(v, row.data(), scratch.data());
    return row;
}
template <class Bound>
std::vector<float> decode(Bound const& c, std::vector<std::byte> const& row, std::size_t dim) {
    std::vector<float> v(c.scratch());
    c.decode_row(row.data(), v.data());
    v.resize(dim);
    return v;
}
template <class Bound>
void learn(Bound& c, rows const& data) {
    auto const model = c.fit(data.count(), [&](std::size_t i) { return data.row(i); }).value();
    REQUIRE(c.put_model(model));
}

/// Distances are those of what codes stand for, but for the query's byte an element.
template <unsigned Bits, class Metric>
void check_distances(std::size_t dim) {
    CAPTURE(Bits, dim, Metric::name);
    auto const data = clustered_rows(300, dim, 5, 3);
    auto const queries = clustered_rows(10, dim, 5, 4);
    typename codec::rabitq_about<Bits, 4>::template of<Metric> c(dim);
    learn(c, data);
    for (std::size_t q = 0; q < queries.count(); ++q) {
        auto const score = c.query(queries.row(q));
        auto norm = std::sqrt(
            textbook<metric::squared_l2>(queries.row(q), std::vector<float>(dim).data(), dim));
        for (std::size_t i = 0; i < 50; ++i) {
            auto const row = encode(c, data.row(i));
            auto const stands_for = decode(c, row, dim);
            double dot = 0, square = 0;
            for (std::size_t j = 0; j < dim; ++j) {
                dot += double{stands_for[j]} * queries.row(q)[j];
                square += double{stands_for[j]} * stands_for[j];
            }
            auto const want = std::is_same_v<Metric, metric::inner_product> ? -dot
                              : std::is_same_v<Metric, metric::cosine>
                                  ? (1 + square) / 2 - dot / norm
                                  : norm * norm + square - 2 * dot;
            auto const scale = std::is_same_v<Metric, metric::cosine> ? 1 : norm * norm + square;
            auto const got = score(row.data());
            REQUIRE(std::fabs(got - want) <= 0.01 * (scale + static_cast<double>(dim)));
            auto const other = encode(c, data.row(i + 1));
            std::byte const* const four[4] = {other.data(), row.data(), other.data(), row.data()};
            float out[4];
            score.four(four, out);
            REQUIRE(out[1] == got);
            REQUIRE(out[3] == got);
        }
    }
    // A row's code in the place of the query is what it stands for.
    auto const row = encode(c, data.row(0));
    auto const stands_for = decode(c, row, dim);
    auto const square =
        textbook<metric::squared_l2>(stands_for.data(), std::vector<float>(dim).data(), dim);
    CHECK(
        c.between(row.data())(row.data()) ==
        Approx(std::is_same_v<Metric, metric::inner_product> ? -square : 0).margin(0.01 * square));
}

} // namespace

TEST_CASE("codes about centres have the distances of what they stand for", "[codec]") {
    for (std::size_t const dim : {1U, 63U, 64U, 100U, 384U}) {
        check_distances<5, metric::squared_l2>(dim);
        check_distances<5, metric::inner_product>(dim);
        check_distances<5, metric::cosine>(dim);
    }
    check_distances<3, metric::squared_l2>(130);
    check_distances<8, metric::squared_l2>(130);
}

TEST_CASE("codes about centres lose less of rows in clusters than those about the mean",
          "[codec]") {
    constexpr std::size_t dim = 128;
    auto const data = clustered_rows(1500, dim, 20, 3);
    auto const row = [&](std::size_t i) { return data.row(i); };
    codec::rabitq_about<5, 32>::of<metric::squared_l2> near(dim);
    learn(near, data);
    codec::rabitq<5>::of<metric::squared_l2> about_mean(dim);
    about_mean.put(about_mean.fitting_frame(1500, row));
    REQUIRE(near.row_bytes() == about_mean.row_bytes());
    double lost = 0, lost_about_mean = 0;
    for (std::size_t i = 0; i < 1500; ++i) {
        auto const a = decode(near, encode(near, data.row(i)), dim);
        auto const b = decode(about_mean, encode(about_mean, data.row(i)), dim);
        lost += textbook<metric::squared_l2>(a.data(), data.row(i), dim);
        lost_about_mean += textbook<metric::squared_l2>(b.data(), data.row(i), dim);
    }
    CHECK(lost < 0.5 * lost_about_mean);
}

TEST_CASE("too few, equal and no rows give centres that codes can be about", "[codec]") {
    using bound = codec::rabitq_about<4, 8>::of<metric::squared_l2>;
    std::vector<float> const same{1, 2, 3, 4, 5, 6, 7, 8};
    bound c(8);
    CHECK_FALSE(c.has_model());
    for (std::size_t const n : {1U, 2U, 300U}) {
        auto const model = c.fit(n, [&](std::size_t) { return same.data(); });
        REQUIRE(model);
        REQUIRE(c.put_model(*model));
        auto const row = encode(c, same.data());
        CHECK(decode(c, row, 8) == same);
        CHECK(c.query(same.data())(row.data()) == 0);
    }
    std::vector<float> const endless(8, std::numeric_limits<float>::infinity());
    auto const none = c.fit(5, [&](std::size_t) { return endless.data(); });
    REQUIRE(none);
    REQUIRE(c.put_model(*none));
    CHECK(c.encodes(same.data()));
    CHECK_FALSE(c.encodes(endless.data()));
    CHECK_FALSE(c.put_model(std::vector<float>(7)));
    CHECK_FALSE(c.put_model(std::vector<float>(8 * 9)));
    CHECK_FALSE(c.put_model(endless));
    CHECK(c.put_model({}));
    CHECK_FALSE(c.has_model());
}

TEST_CASE("a centre that a damaged row names is one that there is", "[codec]") {
    codec::rabitq_about<4, 8>::of<metric::squared_l2> c(20);
    auto const data = clustered_rows(100, 20, 8, 3);
    learn(c, data);
    auto row = encode(c, data.row(0));
    std::uint32_t const beyond = 4000000000U;
    std::memcpy(row.data() + 8, &beyond, sizeof beyond);
    CHECK(std::isfinite(c.query(data.row(0))(row.data())));
    for (auto const x : decode(c, row, 20)) CHECK(std::isfinite(x));
}

TEST_CASE("codes about centres have a name for files", "[codec]") {
    CHECK(std::string_view(codec::rabitq_about<5>::name) == "rabitq5about64");
    CHECK(std::string_view(codec::only<codec::rabitq_about<8, 100>>::name) ==
          "only<rabitq8about100>");
    STATIC_REQUIRE(codec::decodable<codec::only<codec::rabitq_about<5>>::of<metric::cosine>>);
}

} // namespace rabitq_about_test

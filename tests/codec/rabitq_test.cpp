// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/brute_force.hpp"
#include "support/learnt_codec.hpp"
#include "support/random.hpp"
#include "support/spaces.hpp"

#include <vicinal/codec/rabitq.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
using vicinal_test::encode;
using vicinal_test::normal_vector;
using vicinal_test::textbook;

namespace {

template <class Bound>
std::vector<float> decoded(Bound const& codec, std::vector<std::byte> const& row, std::size_t dim) {
    std::vector<float> v(codec.scratch());
    codec.decode_row(row.data(), v.data());
    v.resize(dim);
    return v;
}

double square_between(std::vector<float> const& a, std::vector<float> const& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    return sum;
}

/// Calls use with each number of bits.
template <class Use>
void with_each_width(Use const& use) {
    [&]<unsigned... Less>(std::integer_sequence<unsigned, Less...>) {
        (use(std::integral_constant<unsigned, Less + 1>{}), ...);
    }
    (std::make_integer_sequence<unsigned, 8>{});
}

/// The root of the mean square of what products of unit residuals are wrong by, times the root of
/// the dimension: for 1 to 8 bits. A normal distribution's, and the query's byte.
constexpr double expected[8] = {0.77, 0.38, 0.20, 0.11, 0.06, 0.035, 0.022, 0.018};

/// Estimates about a far mean: their bias, their error, and what at_least says.
template <unsigned Bits, class Metric>
void check_estimates(std::size_t dim) {
    CAPTURE(Bits, dim, Metric::name);
    constexpr std::size_t count = 60;
    typename codec::rabitq<Bits>::template of<Metric> c(dim);
    std::vector<std::vector<float>> data;
    for (std::size_t i = 0; i < count; ++i) data.push_back(normal_vector(dim, 1 + i, 3));
    c.put(c.fitting_frame(count, [&](std::size_t i) { return data[i].data(); }));
    std::vector<std::vector<std::byte>> rows;
    for (auto const& v : data) rows.push_back(encode(c, v));
    double bias = 0, square = 0, size = 0;
    std::size_t missed = 0, pairs = 0;
    for (std::size_t i = 0; i < count; ++i) {
        auto const query = c.query(data[i].data());
        for (std::size_t j = 0; j < count; ++j) {
            if (i == j) continue;
            float const estimate = query(rows[j].data());
            auto const want = textbook<Metric>(data[i].data(), data[j].data(), dim);
            bias += estimate - want;
            square += (estimate - want) * (estimate - want);
            size += std::is_same_v<Metric, metric::inner_product>
                        ? std::sqrt(10.0) * static_cast<double>(dim)
                        : std::fabs(want);
            missed += query.at_least(rows[j].data(), estimate) > want ? 1U : 0U;
            ++pairs;
            std::byte const* const four[4] = {rows[j].data(), rows[0].data(), rows[j].data(),
                                              rows[1].data()};
            float out[4];
            query.four(four, out);
            REQUIRE(out[0] == estimate);
            REQUIRE(out[3] == query(four[3]));
        }
    }
    auto const n = static_cast<double>(pairs);
    auto const relative = std::sqrt(square / n) / (size / n);
    CHECK(relative <= 1.5 * expected[Bits - 1] / std::sqrt(double(dim)));
    // Pairs share vectors: a tenth of them counts as independent.
    CHECK(std::fabs(bias / n) <= 4 * std::sqrt(square / n) / std::sqrt(n / 10));
    CHECK(static_cast<double>(missed) <= 0.004 * n);
}

} // namespace

TEST_CASE("an estimate is what its codes and factors say, at every number of bits", "[codec]") {
    with_each_width([](auto bits) {
        for (std::size_t const dim : {1U, 3U, 63U, 64U, 65U, 1536U, 4096U}) {
            CAPTURE(bits(), dim);
            typename codec::rabitq<bits()>::template of<metric::squared_l2> c(dim);
            auto const padded = codec::rabitq_padded(dim);
            auto const x = normal_vector(dim, dim);
            auto const q = normal_vector(dim, dim + 1);
            auto const row = encode(c, x);
            std::vector<std::uint8_t> numbers(padded);
            codec::rabitq_unpack<bits()>(row.data() + 12, padded, numbers.data());
            auto rotated_x = x;
            auto rotated_q = q;
            rotated_x.resize(padded);
            rotated_q.resize(padded);
            codec::sq8_rotation const rotation(padded);
            rotation(rotated_x.data());
            rotation(rotated_q.data());
            double ru = 0, uq = 0, rr = 0, qq = 0;
            for (std::size_t i = 0; i < padded; ++i) {
                double const u = numbers[i] - ((1 << bits()) - 1) / 2.0;
                REQUIRE(u * rotated_x[i] >= 0);
                ru += u * rotated_x[i];
                uq += u * rotated_q[i];
                rr += double{rotated_x[i]} * rotated_x[i];
                qq += double{rotated_q[i]} * rotated_q[i];
            }
            auto const f = codec::rabitq_factors::of(row.data());
            CHECK(f.square == Approx(rr).epsilon(1e-6));
            CHECK(f.rescale == Approx(rr / ru).epsilon(1e-6));
            auto const want = rr + qq - 2 * rr / ru * uq;
            // The query's bytes lose of it half a step an element, in all directions alike.
            CHECK(std::fabs(c.query(q.data())(row.data()) - want) <=
                  0.02 * std::sqrt(rr * qq) * (dim < 64 ? 1 : 8 / std::sqrt(double(dim))));
        }
    });
}

TEST_CASE("estimates have no bias, and an error that falls with bits and dimension", "[codec]") {
    with_each_width([](auto bits) { check_estimates<bits(), metric::squared_l2>(128); });
    check_estimates<1, metric::squared_l2>(768);
    check_estimates<4, metric::squared_l2>(768);
    check_estimates<1, metric::cosine>(384);
    check_estimates<4, metric::inner_product>(384);
}

TEST_CASE("what a code stands for is the nearer the more bits it has", "[codec]") {
    auto const v = normal_vector(300, 5, 2);
    auto const other = normal_vector(300, 6, 2);
    double before = std::numeric_limits<double>::infinity();
    with_each_width([&](auto bits) {
        typename codec::rabitq<bits()>::template of<metric::squared_l2> c(300);
        c.put({std::vector<float>(300, 2.0F), false});
        auto const row = encode(c, v);
        auto const lost = square_between(decoded(c, row, 300), v);
        CHECK(lost < 0.4 * before);
        before = lost;
        // A row's code in the place of the query.
        auto const as_query = c.between(row.data())(encode(c, other).data());
        CHECK(as_query == Approx(square_between(v, other)).epsilon(0.15));
    });
    CHECK(before < 0.03);
    codec::rabitq<6>::of<metric::inner_product> c(300);
    c.put({std::vector<float>(300, 2.0F), false});
    auto const row = encode(c, v);
    CHECK(c.between(row.data())(encode(c, other).data()) ==
          Approx(textbook<metric::inner_product>(v.data(), other.data(), v.size())).epsilon(0.01));
}

TEST_CASE("a row's code in the place of the query is taken as it is", "[codec]") {
    with_each_width([](auto bits) {
        for (std::size_t const dim : {3U, 64U, 65U, 300U, 4096U}) {
            CAPTURE(bits(), dim);
            typename codec::rabitq<bits()>::template of<metric::squared_l2> c(dim);
            auto const padded = codec::rabitq_padded(dim);
            auto const a = encode(c, normal_vector(dim, dim));
            auto const b = encode(c, normal_vector(dim, dim + 1));
            std::vector<std::uint8_t> of_a(padded), of_b(padded);
            codec::rabitq_unpack<bits()>(a.data() + 12, padded, of_a.data());
            codec::rabitq_unpack<bits()>(b.data() + 12, padded, of_b.data());
            double dot = 0, square = 0;
            for (std::size_t i = 0; i < padded; ++i) {
                double const middle = ((1 << bits()) - 1) / 2.0;
                dot += (of_a[i] - middle) * (of_b[i] - middle);
                square += (of_a[i] - middle) * (of_a[i] - middle);
            }
            auto const f = codec::rabitq_factors::of(a.data());
            auto const g = codec::rabitq_factors::of(b.data());
            double const length = f.square / (double{f.rescale} * square);
            double const want = double{f.square} + g.square - 2 * length * g.rescale * dot;
            auto const score = c.between(a.data());
            // Eight bits go through a query's signed bytes.
            CHECK(score(b.data()) == Approx(want).epsilon(bits() < 8 ? 1e-5 : 0.02));
            CHECK(score(a.data()) == Approx(0).margin(f.square * (bits() < 8 ? 1e-5 : 0.02)));
        }
    });
}

TEST_CASE("equal vectors, and vectors of no length, have codes that say so", "[codec]") {
    using bound = codec::rabitq<1>::of<metric::squared_l2>;
    bound c(65);
    auto const v = normal_vector(65, 9);
    c.put(c.fitting_frame(500, [&](std::size_t) { return v.data(); }));
    auto const row = encode(c, v);
    auto const query = c.query(v.data());
    CHECK(std::fabs(query(row.data())) < 1e-6F);
    CHECK(query.at_least(row.data(), query(row.data())) <= 0);
    auto const far = normal_vector(65, 10);
    CHECK(c.query(far.data())(row.data()) == Approx(square_between(v, far)).epsilon(1e-5));

    bound plain(3);
    std::vector<float> const nothing(3);
    auto const zero = encode(plain, nothing);
    CHECK(plain.query(nothing.data())(zero.data()) == 0);
    CHECK(decoded(plain, zero, 3) == nothing);
}

TEST_CASE("a frame of few or no vectors is their mean or none", "[codec]") {
    codec::rabitq<2>::of<metric::squared_l2> c(2);
    CHECK(c.fitting_frame(0, [](std::size_t) { return nullptr; }).empty());
    float const one[] = {3, 4};
    auto const frame = c.fitting_frame(1, [&](std::size_t) { return one; });
    CHECK(frame.mean()[1] == 4);
    float const endless[] = {1, std::numeric_limits<float>::infinity()};
    CHECK(c.fitting_frame(1, [&](std::size_t) { return endless; }).empty());
}

TEST_CASE("vectors without codes count as the mean and are never ruled out", "[codec]") {
    codec::rabitq<4>::of<metric::squared_l2> c(16);
    auto v = normal_vector(16, 2);
    auto const query = c.query(v.data());
    v[7] = std::numeric_limits<float>::infinity();
    auto const row = encode(c, v);
    CHECK(query.at_least(row.data(), query(row.data())) == -std::numeric_limits<float>::infinity());
    CHECK(std::isfinite(query(row.data())));
    auto const lost = c.query(v.data());
    auto const sound = encode(c, normal_vector(16, 3));
    CHECK(std::isfinite(lost(sound.data())));
    CHECK(lost.at_least(sound.data(), 1) == -std::numeric_limits<float>::infinity());
    std::vector<float> const nothing(16);
    codec::rabitq<4>::of<metric::cosine> directions(16);
    CHECK(std::isfinite(directions.query(nothing.data())(encode(directions, nothing).data())));
}

TEST_CASE("a rotation is undone", "[codec]") {
    for (std::size_t const dim : {1U, 2U, 3U, 64U, 192U, 832U}) {
        codec::sq8_rotation const rotation(dim);
        auto const v = normal_vector(dim, dim);
        auto moved = v;
        rotation(moved.data());
        rotation.undo(moved.data());
        CHECK(square_between(v, moved) < 1e-10 * double(dim));
    }
}

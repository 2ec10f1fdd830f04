// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/brute_force.hpp"
#include "support/lopsided.hpp"

#include <vicinal/codec/sq8.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace sq8_frame_test {

namespace {

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
namespace simd = vicinal::simd;
using namespace vicinal_test;

template <class Metric>
codec::sq8_frame fitted(rows const& data) {
    return codec::sq8::of<Metric>(data.dim).fitting_frame(
        data.count(), [&](std::size_t i) { return data.row(i); });
}

template <class Metric>
std::vector<std::vector<std::byte>> encoded(codec::sq8::of<Metric> const& c, rows const& data) {
    std::vector<float> scratch(data.dim);
    std::vector<std::vector<std::byte>> all(data.count());
    for (std::size_t i = 0; i < data.count(); ++i) {
        all[i].resize(c.row_bytes());
        c.encode_row(data.row(i), all[i].data(), scratch.data());
    }
    return all;
}

/// Both bounds, that of a scan and that of a walk, for all pairs of some rows.
template <class Metric>
void check_bounds(rows const& data, codec::sq8_frame const& frame) {
    codec::sq8::of<Metric> c(data.dim);
    c.put(frame);
    auto const codes = encoded<Metric>(c, data);
    std::vector<float> scratch(data.dim);
    for (std::size_t i = 0; i < data.count(); i += 3) {
        auto const score = c.query(data.row(i));
        codec::sq8_query query;
        c.encode(data.row(i), query);
        for (std::size_t j = 0; j < data.count(); ++j) {
            float const exact = metric::exact<Metric>(data.row(i), data.row(j), data.dim);
            CAPTURE(metric::name_of<Metric>(), data.dim, i, j, exact);
            auto const by_codes = score(codes[j].data());
            REQUIRE(score.at_least(codes[j].data(), by_codes) <= exact);
            REQUIRE_FALSE(score.rules_out(codes[j].data(), by_codes, score.reach(exact)));

            std::vector<std::uint8_t> apart(data.dim);
            auto const factors = c.encode(data.row(j), apart.data(), scratch.data());
            REQUIRE(c.holds(data.row(j), apart.data(), factors));
            if (!query.factors().usable() || !factors.usable()) continue;
            std::int32_t product = 0;
            for (std::size_t n = 0; n < data.dim; ++n) product += apart[n] * query.shifted()[n];
            codec::sq8_block_terms terms{};
            codec::sq8_terms<codec::sq8_bound<Metric>>::get()(&factors, 1, &terms);
            auto const limit = query.limit<codec::sq8_bound<Metric>>(exact)(terms, 0);
            REQUIRE_FALSE(static_cast<float>(product) < limit);
        }
    }
}

} // namespace

TEST_CASE("the rotation keeps norms and products, and spreads what one element holds", "[codec]") {
    for (std::size_t const dim : {1U, 2U, 3U, 17U, 64U, 100U, 127U, 128U, 129U, 384U, 1000U}) {
        codec::sq8_rotation const rotate(dim);
        generator r(dim);
        for (int round = 0; round < 20; ++round) {
            auto a = r.vector(dim);
            auto b = r.vector(dim);
            auto const before = textbook<metric::inner_product>(a.data(), b.data(), dim);
            auto const apart = textbook<metric::squared_l2>(a.data(), b.data(), dim);
            rotate(a.data());
            rotate(b.data());
            CAPTURE(dim, round);
            CHECK(textbook<metric::inner_product>(a.data(), b.data(), dim) ==
                  Approx(before).margin(1e-5 * static_cast<double>(dim)));
            CHECK(textbook<metric::squared_l2>(a.data(), b.data(), dim) ==
                  Approx(apart).epsilon(1e-5));
        }
        if (dim < 64) continue;
        for (std::size_t i = 0; i < dim; ++i) {
            std::vector<float> one(dim);
            one[i] = 1;
            rotate(one.data());
            auto const most = std::max(*std::max_element(one.begin(), one.end()),
                                       -*std::min_element(one.begin(), one.end()));
            CAPTURE(dim, i);
            REQUIRE(most < 0.65F);
        }
    }
}

TEST_CASE("every instruction set rotates alike, and back", "[codec]") {
    for (std::size_t const dim : {1U, 5U, 16U, 31U, 100U, 384U}) {
        generator r(dim);
        auto const x = r.vector(dim);
        auto const factors = r.vector(4 * dim);
        auto want = x;
        using there = codec::detail::sq8_rotate<false>;
        using back = codec::detail::sq8_rotate<true>;
        there::for_set(simd::instruction_set::baseline)(want.data(), dim, factors.data());
        auto want_back = x;
        back::for_set(simd::instruction_set::baseline)(want_back.data(), dim, factors.data());
        for (auto const set : simd::all_instruction_sets) {
            if (set > simd::best_instruction_set()) continue;
            auto got = x;
            there::for_set(set)(got.data(), dim, factors.data());
            auto got_back = x;
            back::for_set(set)(got_back.data(), dim, factors.data());
            CAPTURE(dim, std::string(simd::name(set)));
            for (std::size_t i = 0; i < dim; ++i) {
                REQUIRE(got_back[i] == Approx(want_back[i]).epsilon(1e-5).margin(1e-6));
                REQUIRE(got[i] == Approx(want[i]).epsilon(1e-5).margin(1e-6));
            }
        }
    }
}

TEST_CASE("data that is spread around 0, and data of integers, get no frame", "[codec]") {
    CHECK(fitted<metric::squared_l2>(uniform_rows(2000, 48, 1)).empty());
    CHECK(fitted<metric::cosine>(uniform_rows(2000, 48, 1)).empty());
    CHECK(fitted<metric::inner_product>(clustered_rows(2000, 48, 40, 1)).empty());
    auto bytes = uniform_rows(2000, 48, 2);
    for (auto& x : bytes.data) x = std::floor((x + 1) * 127);
    CHECK(fitted<metric::squared_l2>(bytes).empty());
    rows const zeros{8, std::vector<float>(8 * 1000)};
    CHECK(fitted<metric::squared_l2>(zeros).empty());
    auto endless = uniform_rows(1000, 8, 3);
    endless.data[4] = std::numeric_limits<float>::infinity();
    CHECK(fitted<metric::squared_l2>(endless).empty());
}

TEST_CASE("data far from 0 is centred, and data with a few large elements rotated", "[codec]") {
    auto const far = fitted<metric::squared_l2>(far_rows(2000, 48, 1000, 5));
    REQUIRE_FALSE(far.empty());
    CHECK_FALSE(far.rotated());
    CHECK(far.mean()[0] == Approx(1000).epsilon(0.01));
    CHECK_FALSE(fitted<metric::cosine>(far_rows(2000, 48, 1000, 5)).empty());
    CHECK_FALSE(fitted<metric::inner_product>(far_rows(2000, 48, 1000, 5)).empty());
    auto const uneven = fitted<metric::squared_l2>(uneven_rows(2000, 128, 50, 6));
    REQUIRE_FALSE(uneven.empty());
    CHECK(uneven.rotated());
}

TEST_CASE("in any frame what codes say the distance is at least is never more than it is",
          "[codec]") {
    for (auto const& data : {far_rows(40, 33, 1000, 7), far_rows(40, 20, 1e6F, 8),
                             uneven_rows(40, 64, 100, 9), uniform_rows(40, 5, 10)}) {
        std::vector<float> mean(data.row(3), data.row(3) + data.dim);
        std::vector<float> directions(data.dim, 0.125F);
        if (auto const frame = fitted<metric::cosine>(data); !frame.empty())
            directions.assign(frame.mean().begin(), frame.mean().end());
        for (bool const rotated : {false, true}) {
            check_bounds<metric::squared_l2>(data, {mean, rotated});
            check_bounds<metric::inner_product>(data, {mean, rotated});
            check_bounds<metric::cosine>(data, {directions, rotated});
        }
    }
}

TEST_CASE("in the frame that suits it data far from 0 has distances that tell rows apart",
          "[codec]") {
    auto const data = far_rows(1000, 32, 1000, 11);
    codec::sq8::of<metric::squared_l2> plain(32);
    auto framed = plain;
    framed.put(fitted<metric::squared_l2>(data));
    auto const worst = [&](codec::sq8::of<metric::squared_l2> const& c) {
        auto const codes = encoded(c, data);
        double most = 0;
        for (std::size_t i = 0; i < 20; ++i) {
            auto const score = c.query(data.row(i));
            auto const between = c.between(codes[i].data());
            for (std::size_t j = 0; j < 1000; ++j) {
                auto const want = textbook<metric::squared_l2>(data.row(i), data.row(j), 32);
                REQUIRE(score(codes[j].data()) == between(codes[j].data()));
                most = std::max(most, std::abs(score(codes[j].data()) - want));
            }
        }
        return most;
    };
    CHECK(worst(framed) < 1);
    CHECK(worst(plain) > 20);
}

} // namespace sq8_frame_test

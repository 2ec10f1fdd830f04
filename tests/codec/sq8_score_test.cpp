// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/brute_force.hpp"
#include "support/random.hpp"

#include <vicinal/codec/sq8.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace sq8_score_test {

namespace {

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
namespace simd = vicinal::simd;
using vicinal_test::generator;
using vicinal_test::textbook;

template <class Metric>
std::vector<std::byte> row_of(codec::sq8::of<Metric> const& c, std::vector<float> const& x) {
    std::vector<std::byte> row(c.row_bytes());
    c.encode_row(x.data(), row.data());
    return row;
}

/// Pairs near and far, of every size, without and with loss.
std::vector<std::vector<float>> vectors(std::size_t dim, std::uint64_t seed) {
    generator r(seed);
    std::vector<std::vector<float>> all;
    for (float const size : {1e-12F, 1e-3F, 1.0F, 255.0F, 1e6F, 1e9F}) {
        all.push_back(r.vector(dim, -size, size));
        auto near = all.back();
        for (auto& x : near) x += r.real(-size, size) * 1e-3F;
        all.push_back(near);
        all.push_back(near);
        all.push_back(r.vector(dim, size * 0.99F, size));
    }
    std::vector<float> integers(dim);
    for (auto& x : integers) x = static_cast<float>(r.below(256));
    all.push_back(integers);
    return all;
}

template <class Metric>
void check_lower_bound() {
    for (std::size_t const dim : {1U, 3U, 16U, 65U, 300U}) {
        codec::sq8::of<Metric> const c(dim);
        auto const all = vectors(dim, dim);
        for (auto const& a : all)
            for (auto const& b : all) {
                auto const query = c.query(a.data());
                auto const row = row_of<Metric>(c, b);
                auto const least = query.at_least(row.data(), query(row.data()));
                float const exact = metric::exact<Metric>(a.data(), b.data(), dim);
                CAPTURE(dim, a[0], b[0], query(row.data()), least, exact);
                REQUIRE(least <= exact);
                // What ties with the farthest must be compared.
                REQUIRE_FALSE(query.rules_out(row.data(), query(row.data()), query.reach(exact)));
            }
    }
}

} // namespace

TEST_CASE("four rows at once get the distances that each gets alone, on every set", "[codec]") {
    using body = codec::sq8_score<metric::squared_l2>;
    using four_body = codec::sq8_score_four<metric::squared_l2>;
    generator r(3);
    for (std::size_t dim = 1; dim <= 200; dim += dim < 70 ? 1 : 13) {
        codec::sq8::of<metric::squared_l2> const c(dim);
        std::vector<std::vector<std::byte>> rows;
        for (int i = 0; i < 5; ++i) rows.push_back(row_of(c, r.vector(dim)));
        codec::sq8_side side;
        auto const f = codec::sq8_row::factors(rows[4].data());
        side.codes = codec::sq8_row::codes(rows[4].data());
        side.scale = 2 * f.scale;
        side.square = f.scale * f.scale * static_cast<float>(f.square_sum);
        side.of_sum = 128 - f.zero();
        side.of_zero = f.sum() - static_cast<std::uint32_t>(dim) * f.zero();
        std::byte const* const four[4] = {rows[0].data(), rows[1].data(), rows[2].data(),
                                          rows[3].data()};
        for (auto const set : simd::all_instruction_sets) {
            if (set > simd::best_instruction_set()) continue;
            float together[4];
            four_body::for_set(set)(&side, four, dim, together);
            for (int i = 0; i < 4; ++i) {
                auto const alone = body::for_set(set)(&side, four[i], dim);
                CAPTURE(dim, i, simd::name(set));
                REQUIRE(together[i] == Approx(alone).epsilon(1e-5).margin(1e-4));
            }
        }
    }
}

TEST_CASE("what codes say the distance is at least is never more than it is", "[codec]") {
    check_lower_bound<metric::squared_l2>();
    check_lower_bound<metric::inner_product>();
    check_lower_bound<metric::cosine>();
}

TEST_CASE("the bound is near the distance where codes lose little", "[codec]") {
    generator r(9);
    codec::sq8::of<metric::squared_l2> const c(64);
    auto const a = r.vector(64);
    auto const b = r.vector(64);
    auto const query = c.query(a.data());
    auto const row = row_of(c, b);
    auto const exact = metric::exact<metric::squared_l2>(a.data(), b.data(), 64);
    CHECK(query.at_least(row.data(), query(row.data())) >= 0.95F * exact);
    CHECK(query.rules_out(row.data(), query(row.data()), query.reach(0.95F * exact)));
}

TEST_CASE("rows far below and far above 1 are told apart by their codes", "[codec]") {
    for (float const size : {1e-15F, 1e-9F, 1e9F, 1e15F}) {
        generator r(4);
        codec::sq8::of<metric::squared_l2> const c(32);
        auto const a = r.vector(32, -size, size);
        auto const b = r.vector(32, -size, size);
        auto const want = textbook<metric::squared_l2>(a.data(), b.data(), 32);
        auto const row = row_of(c, b);
        CAPTURE(size);
        CHECK(static_cast<double>(c.query(a.data())(row.data())) == Approx(want).epsilon(0.05));
    }
}

} // namespace sq8_score_test

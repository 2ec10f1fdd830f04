// SPDX-License-Identifier: MIT
#include "contract/codec.hpp"

#include <vicinal/codec/sq8.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace sq8_test {

namespace {

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
namespace simd = vicinal::simd;
using vicinal_test::generator;

struct encoded {
    std::vector<std::uint8_t> codes;
    codec::sq8_factors factors;
};

encoded encode(std::vector<float> const& x, double multiplier = 1) {
    encoded e{std::vector<std::uint8_t>(x.size()), {}};
    e.factors = codec::sq8_encode(x.data(), x.size(), multiplier, e.codes.data());
    return e;
}

long double true_error(std::vector<float> const& x, encoded const& e, double multiplier = 1) {
    long double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        auto const decoded = static_cast<long double>(e.factors.scale) *
                             (static_cast<int>(e.codes[i]) - static_cast<int>(e.factors.zero()));
        auto const d =
            static_cast<long double>(x[i]) * static_cast<long double>(multiplier) - decoded;
        sum += d * d;
    }
    return std::sqrt(sum);
}

/// Vectors of every kind that a scale may meet.
std::vector<std::vector<float>> vectors_of_all_kinds(std::size_t dim, std::uint64_t seed) {
    generator r(seed);
    std::vector<std::vector<float>> all;
    for (float const size : {1e-38F, 1e-6F, 1.0F, 255.0F, 1e4F, 1.6e7F, 1e12F, 1e30F}) {
        all.push_back(r.vector(dim, -size, size));
        all.push_back(r.vector(dim, 0, size));
        all.push_back(r.vector(dim, -size, 0));
        all.push_back(r.vector(dim, size * 0.999F, size));
    }
    auto outlier = r.vector(dim);
    outlier[dim / 2] = 1e5F;
    all.push_back(outlier);
    std::vector<float> integers(dim);
    for (auto& x : integers) x = static_cast<float>(r.below(256));
    all.push_back(integers);
    for (auto& x : integers) x -= 128;
    all.push_back(integers);
    all.push_back(std::vector<float>(dim, 0.0F));
    all.push_back(std::vector<float>(dim, 7.25F));
    all.push_back(std::vector<float>(dim, std::numeric_limits<float>::denorm_min()));
    return all;
}

template <class Metric>
float limit_of(codec::sq8_query const& query, float distance, codec::sq8_factors const& row) {
    codec::sq8_block_terms terms{};
    codec::sq8_terms<codec::sq8_bound<Metric>>::get()(&row, 1, &terms);
    return query.limit<codec::sq8_bound<Metric>>(distance)(terms, 0);
}

/// Whether the bound lets a row pass that is exactly at `distance`, for all pairs of vectors.
template <class Metric>
void check_bound(std::size_t dim) {
    typename codec::sq8::of<Metric> const sq8(dim);
    auto const queries = vectors_of_all_kinds(dim, dim);
    auto rows = vectors_of_all_kinds(dim, dim + 1);
    // Near ones and the same, where the bound is closest.
    generator r(dim + 2);
    for (auto const& q : queries) {
        rows.push_back(q);
        auto near = q;
        for (auto& x : near) x *= 1 + 1e-6F * r.normal();
        rows.push_back(near);
        auto opposite = q;
        for (auto& x : opposite) x = -x;
        rows.push_back(opposite);
    }
    for (std::size_t i = 0; i < queries.size(); ++i) {
        codec::sq8_query query;
        query.encode(queries[i].data(), dim, sq8.multiplier(queries[i].data()));
        if (!query.factors().usable()) continue;
        for (std::size_t j = 0; j < rows.size(); ++j) {
            std::vector<std::uint8_t> codes(dim);
            auto const factors = sq8.encode(rows[j].data(), codes.data());
            std::int32_t product = 0;
            for (std::size_t n = 0; n < dim; ++n) product += codes[n] * query.shifted()[n];
            float const exact = metric::exact<Metric>(queries[i].data(), rows[j].data(), dim);
            CAPTURE(metric::name_of<Metric>(), dim, i, j, exact, factors.scale, factors.error);
            REQUIRE_FALSE(static_cast<float>(product) < limit_of<Metric>(query, exact, factors));
        }
    }
}

} // namespace

TEST_CASE("sq8 keeps the contract of codecs", "[codec]") {
    vicinal_test::check_codec_contract<codec::sq8, metric::squared_l2>(0.02);
    vicinal_test::check_codec_contract<codec::sq8, metric::inner_product>(0.02);
    vicinal_test::check_codec_contract<codec::sq8, metric::cosine>(0.02);
}

TEST_CASE("the error of sq8 is never less than what its codes lose", "[codec]") {
    for (std::size_t const dim : {1U, 3U, 15U, 16U, 17U, 63U, 64U, 65U, 128U, 784U})
        for (double const multiplier : {1.0, 0.001234, 77.7})
            for (auto const& x : vectors_of_all_kinds(dim, 5)) {
                auto const e = encode(x, multiplier);
                CAPTURE(dim, multiplier, x[0], e.factors.scale);
                if (!e.factors.usable()) continue;
                REQUIRE(true_error(x, e, multiplier) <= static_cast<long double>(e.factors.error));
                // and not much more: half a step an element
                REQUIRE(e.factors.error <=
                        0.51F * e.factors.scale * std::sqrt(static_cast<float>(dim)) * 1.01F);
                REQUIRE(codec::sq8_holds(x.data(), dim, multiplier, e.codes.data(), e.factors));
                std::uint32_t sum = 0;
                for (auto const c : e.codes) sum += c;
                REQUIRE(e.factors.sum() == sum);
            }
}

TEST_CASE("sq8 loses nothing of integers that span 255", "[codec]") {
    generator r(3);
    for (float const low : {-255.0F, -128.0F, -1.0F, 0.0F}) {
        std::vector<float> x(130);
        for (auto& v : x) v = low + static_cast<float>(r.below(256));
        x[0] = low;
        x[1] = low + 255;
        auto const e = encode(x);
        CAPTURE(low);
        CHECK(e.factors.scale == 1);
        CHECK(e.factors.error == 0);
        for (std::size_t i = 0; i < x.size(); ++i)
            REQUIRE(static_cast<float>(e.codes[i]) - static_cast<float>(e.factors.zero()) == x[i]);
    }
    auto const zeros = encode(std::vector<float>(20, 0.0F));
    CHECK(zeros.factors.usable());
    CHECK(zeros.factors.error == 0);
}

TEST_CASE("sq8 gives no codes to what it has no bound for", "[codec]") {
    std::vector<float> x(40, 1.0F);
    for (float const bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
          -std::numeric_limits<float>::infinity(), 3e7F, -1e38F}) {
        x[17] = bad;
        CAPTURE(bad);
        CHECK_FALSE(encode(x).factors.usable());
    }
    CHECK_FALSE(encode(std::vector<float>(40, 1e-9F)).factors.usable());
    // Of no direction, and of norms that only double holds.
    std::vector<std::uint8_t> codes(40);
    std::vector<float> const zeros(40, 0.0F);
    codec::sq8::of<metric::cosine> const directions(40);
    CHECK_FALSE(directions.encode(zeros.data(), codes.data()).usable());
    std::vector<float> const small(40, 1e-12F);
    CHECK(directions.encode(small.data(), codes.data()).usable());
}

TEST_CASE("codes that are not a vector's are told from those that are", "[codec]") {
    generator r(9);
    auto const x = r.vector(50);
    auto e = encode(x);
    CHECK(codec::sq8_holds(x.data(), 50, 1, e.codes.data(), e.factors));
    ++e.codes[20];
    CHECK_FALSE(codec::sq8_holds(x.data(), 50, 1, e.codes.data(), e.factors));
    --e.codes[20];
    e.factors.error *= 0.5F;
    CHECK_FALSE(codec::sq8_holds(x.data(), 50, 1, e.codes.data(), e.factors));
}

TEST_CASE("the bound of sq8 lets every row pass at its own exact distance", "[codec]") {
    for (std::size_t const dim : {1U, 2U, 16U, 33U, 128U, 384U, 1536U}) {
        check_bound<metric::squared_l2>(dim);
        check_bound<metric::inner_product>(dim);
        check_bound<metric::cosine>(dim);
    }
}

TEST_CASE("the bound of sq8 keeps out what is clearly farther", "[codec]") {
    // Without this a bound that lets everything pass would be as good.
    auto const data = vicinal_test::uniform_rows(2000, 96, 8);
    codec::sq8::of<metric::squared_l2> const sq8(96);
    codec::sq8_query query;
    query.encode(data.row(0), 96, 1);
    std::size_t passed = 0;
    for (std::size_t i = 1; i < 2000; ++i) {
        std::vector<std::uint8_t> codes(96);
        auto const factors = sq8.encode(data.row(i), codes.data());
        std::int32_t product = 0;
        for (std::size_t n = 0; n < 96; ++n) product += codes[n] * query.shifted()[n];
        float const exact = metric::exact<metric::squared_l2>(data.row(0), data.row(i), 96);
        auto const limit = limit_of<metric::squared_l2>(query, exact * 0.97F, factors);
        if (!(static_cast<float>(product) < limit)) ++passed;
    }
    CHECK(passed == 0);
}

TEST_CASE("the sieves of every instruction set keep the same rows", "[codec]") {
    generator r(12);
    alignas(64) codec::sq8_block_terms terms;
    std::vector<std::int32_t> products(codec::sq8_block * simd::panel_queries);
    for (auto* column : {terms.size, terms.inverse, terms.loss, terms.sum, terms.zero})
        for (std::size_t i = 0; i < codec::sq8_block; ++i) column[i] = r.real(0, 100);
    terms.size[5] = std::numeric_limits<float>::quiet_NaN();
    for (auto& p : products) p = static_cast<std::int32_t>(r.below(2000)) - 1000;
    codec::sq8_panel_limits panel;
    codec::sq8_limit const limit{1, 2, -3, 1, 0.5F};
    for (std::size_t j = 0; j < simd::panel_queries; ++j)
        panel.set(j, {1, 2, -3, static_cast<float>(j) / 16, 0.5F});
    for (std::size_t const count : {1U, 7U, 16U, 100U, 255U, 256U}) {
        std::vector<std::uint32_t> want;
        for (std::size_t i = 0; i < count; ++i)
            if (!(static_cast<float>(products[i]) < limit(terms, i)))
                want.push_back(static_cast<std::uint32_t>(i));
        for (auto const set : simd::all_instruction_sets) {
            if (set > simd::best_instruction_set()) continue;
            CAPTURE(count, std::string(simd::name(set)));
            std::vector<std::uint32_t> kept(codec::sq8_block);
            auto const n =
                codec::sq8_sieve::for_set(set)(&limit, &terms, products.data(), count, kept.data());
            REQUIRE(n == want.size());
            kept.resize(n);
            REQUIRE(kept == want);

            std::vector<codec::sq8_candidate> all(codec::sq8_block * simd::panel_queries);
            auto const m = codec::sq8_panel_sieve::for_set(set)(&panel, &terms, products.data(),
                                                                count, all.data());
            std::size_t expected = 0;
            for (std::size_t i = 0; i < count; ++i)
                for (std::size_t j = 0; j < simd::panel_queries; ++j) {
                    codec::sq8_limit const of_j{panel.size[j], panel.inverse[j], panel.loss[j],
                                                panel.sum[j], panel.zero[j]};
                    auto const product = products[i * simd::panel_queries + j];
                    expected += static_cast<float>(product) < of_j(terms, i) ? 0U : 1U;
                }
            REQUIRE(m == expected);
            for (std::size_t i = 0; i < m; ++i)
                REQUIRE(
                    all[i].product ==
                    static_cast<float>(products[all[i].row * simd::panel_queries + all[i].query]));
        }
    }
}

TEST_CASE("the codes of every instruction set are sound", "[codec]") {
    for (std::size_t const dim : {1U, 15U, 17U, 100U})
        for (auto const& x : vectors_of_all_kinds(dim, 44)) {
            codec::detail::sq8_range range;
            codec::detail::sq8_find_range::get()(x.data(), dim, &range);
            for (auto const set : simd::all_instruction_sets) {
                if (set > simd::best_instruction_set()) continue;
                CAPTURE(dim, x[0], std::string(simd::name(set)));
                codec::detail::sq8_range again;
                codec::detail::sq8_find_range::for_set(set)(x.data(), dim, &again);
                REQUIRE(again.low == range.low);
                REQUIRE(again.high == range.high);
                REQUIRE((again.fractions == 0) == (range.fractions == 0));
                std::vector<std::uint8_t> codes(dim + 64, 0xee);
                codec::detail::sq8_sums sums;
                float const step = std::max((range.high - range.low) / 255, 1e-6F);
                float const zero = std::min(255.0F, std::floor(-range.low / step + 0.5F));
                if (range.high > 1e10F || range.low < -1e10F) continue;
                codec::detail::sq8_fill_codes::for_set(set)(x.data(), dim, step, zero, codes.data(),
                                                            &sums);
                std::uint32_t sum = 0;
                for (std::size_t i = 0; i < dim; ++i) sum += codes[i];
                REQUIRE(sums.codes == sum);
                for (std::size_t i = dim; i < codes.size(); ++i) REQUIRE(codes[i] == 0xee);
            }
        }
}

} // namespace sq8_test

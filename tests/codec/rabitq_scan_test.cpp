// SPDX-License-Identifier: MIT
// What a scan asks of codes of one bit an element: blocks of 32 rows, and which rows an estimate
// rules out.
#include "catch.hpp"
#include "simd/variants.hpp"
#include "support/brute_force.hpp"
#include "support/learnt_codec.hpp"
#include "support/random.hpp"

#include <vicinal/codec/blocked.hpp>
#include <vicinal/codec/rabitq.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

namespace rabitq_scan_test {

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
namespace simd = vicinal::simd;
using namespace vicinal_test;

namespace {

constexpr std::size_t block_rows = 32;
constexpr float infinity = std::numeric_limits<float>::infinity();

template <class Metric>
using bits_of = codec::rabitq<1>::of<Metric>;
static_assert(codec::scan_blocks<bits_of<metric::cosine>>);
static_assert(!codec::scan_blocks<codec::rabitq<2>::of<metric::cosine>>);

template <class Codec>
std::vector<std::byte> block_of(Codec const& c, std::vector<std::vector<std::byte>> const& rows) {
    // What lay there before does not matter.
    std::vector<std::byte> block(c.block_bytes(), std::byte{0xA5});
    for (std::size_t i = 0; i < block_rows; ++i) c.put(rows[i].data(), i, block.data());
    return block;
}

/// A block of random bytes for codes and tables, with factors as rows of norms about 10 have them,
/// and what it says of its rows in double.
template <class Metric>
struct known_block {
    static constexpr double parts_of_distance = std::is_same_v<Metric, metric::squared_l2> ? 2 : 1;
    static constexpr double of_square = std::is_same_v<Metric, metric::inner_product> ? 0 : 0.5;

    explicit known_block(std::size_t parts_of_row)
        : parts(parts_of_row), tables(16 * parts), bytes(codec::rabitq_scan_bytes(4 * parts)) {
        generator random(parts + 7);
        for (auto& t : tables) t = static_cast<std::uint8_t>(random.below(256));
        for (auto& b : bytes) b = static_cast<std::byte>(random.below(256));
        auto const n = static_cast<float>(4 * parts);
        for (std::size_t i = 0; i < block_rows; ++i) {
            codec::rabitq_factors f;
            f.square = random.real(60, 140);
            f.rescale = 2.5F * std::sqrt(f.square / n);
            f.error = 0.75F * std::sqrt(f.square / n);
            float const numbers[3] = {f.square, f.rescale, f.error};
            for (std::size_t k = 0; k < 3; ++k)
                std::memcpy(bytes.data() + 4 * (k * block_rows + i), numbers + k, 4);
        }
        // Products with a code have |q| for their spread, as those of a query have.
        query.tables = {tables.data(), parts, 0.27F / std::sqrt(static_cast<float>(parts)),
                        -0.27F * 127.5F * std::sqrt(static_cast<float>(parts))};
        query.rule = {50, 10, 0.001F};
        query.off = 0.01F;
    }

    [[nodiscard]] double estimate(std::size_t row) const {
        std::uint64_t sum = 0;
        for (std::size_t p = 0; p < parts; ++p) {
            auto const byte = std::to_integer<unsigned>(
                bytes[codec::rabitq_scan_factors + 16 * p + row % 8 * 2 + row % 16 / 8]);
            sum += tables[16 * p + (byte >> row / 16 * 4 & 15)];
        }
        auto const f = codec::rabitq_scan_factors_of(bytes.data(), row);
        auto const product =
            static_cast<double>(sum) * double{query.tables.scale} + double{query.tables.offset};
        return parts_of_distance * (of_square * f.square - f.rescale * product) +
               double{query.rule.add};
    }
    /// How many errors the estimate is beyond the limit.
    [[nodiscard]] double errors_beyond(std::size_t row, double limit) const {
        auto const f = codec::rabitq_scan_factors_of(bytes.data(), row);
        auto const& q = query.rule;
        double const product = of_square * f.square + (double{q.add} - limit) / parts_of_distance;
        double const off = double{q.off} + double{q.off_square} * f.square + f.rescale * query.off;
        double const over = (estimate(row) - limit) / parts_of_distance - off;
        double const left = double{q.square} - product * std::max(product, 0.0) / f.square;
        return left > 0 ? over / (f.error * std::sqrt(left)) : over > 0 ? 1e9 : -1e9;
    }

    std::size_t parts;
    std::vector<std::uint8_t> tables;
    std::vector<std::byte> bytes;
    codec::rabitq_scan_query<Metric> query;
};

} // namespace

TEMPLATE_TEST_CASE("every instruction set rules out the rows of a block that the textbook does",
                   "[codec]", metric::squared_l2, metric::inner_product, metric::cosine) {
    for (std::size_t const parts : {16U, 32U, 208U, 256U, 272U}) {
        known_block<TestType> const b(parts);
        for (auto const& [name, scores] : variants_of<codec::rabitq_scan_scores<TestType>>()) {
            std::size_t out = 0, in = 0;
            for (float const limit : {-60.0F, -20.0F, 0.0F, 10.0F, 40.0F, 80.0F, 500.0F}) {
                CAPTURE(parts, name, limit);
                std::vector<float> found(block_rows);
                auto const near =
                    scores(&b.query, b.bytes.data(), b.query.rule.at(limit), found.data());
                for (std::size_t i = 0; i < block_rows; ++i) {
                    REQUIRE(found[i] == Approx(b.estimate(i)).epsilon(1e-4).margin(1e-3));
                    auto const errors = b.errors_beyond(i, double{limit});
                    if (std::fabs(errors - 3.3) < 0.01) continue;
                    REQUIRE((near >> i & 1) == (errors > 3.3 ? 0U : 1U));
                    ++(errors > 3.3 ? out : in);
                }
            }
            CHECK(out > 0);
            CHECK(in > 0);
            std::vector<float> found(block_rows);
            CHECK(scores(&b.query, b.bytes.data(), b.query.rule.at(infinity), found.data()) ==
                  0xffffffffU);
        }
    }
}

TEMPLATE_TEST_CASE("a block estimates and rules out as its rows do one by one", "[codec]",
                   metric::squared_l2, metric::inner_product, metric::cosine) {
    for (std::size_t const dim : {64U, 65U, 100U, 784U, 1100U}) {
        CAPTURE(dim);
        bits_of<TestType> c(dim);
        std::vector<std::vector<float>> data;
        std::vector<std::vector<std::byte>> rows;
        for (std::size_t i = 0; i < block_rows; ++i) data.push_back(normal_vector(dim, i));
        c.put(c.fitting_frame(block_rows, [&](std::size_t i) { return data[i].data(); }));
        for (auto const& v : data) rows.push_back(encode(c, v));
        auto const block = block_of(c, rows);
        auto const query = normal_vector(dim, 99);
        auto const score = c.block_query(query.data());
        auto const one = c.query(query.data());
        std::vector<float> found(block_rows);
        REQUIRE(score(block.data(), infinity, found.data()) == 0xffffffffU);
        std::vector<std::byte> row(c.row_bytes());
        for (std::size_t i = 0; i < block_rows; ++i) {
            c.take(block.data(), i, row.data());
            REQUIRE(row == rows[i]);
            // Both lose some of the query, and say so.
            auto const estimate = one(row.data());
            auto const sure = one.at_least(row.data(), estimate);
            auto const least = score.at_least(block.data(), i, found[i]);
            auto const off = std::fabs(estimate - sure);
            REQUIRE(found[i] == Approx(estimate).margin(0.1 * off));
            REQUIRE(least == Approx(sure).margin(0.1 * off));
            // The kernel rules out what is beyond at_least(), and that alone.
            std::vector<float> same(block_rows);
            REQUIRE((score(block.data(), least + 1e-3F * off, same.data()) >> i & 1) == 1);
            REQUIRE((score(block.data(), least - 1e-3F * off, same.data()) >> i & 1) == 0);
            REQUIRE(same == found);
        }
    }
}

TEMPLATE_TEST_CASE("one row in some two thousand is farther by its code than it may be, at any "
                   "distance",
                   "[codec]", metric::squared_l2, metric::inner_product, metric::cosine) {
    constexpr std::size_t dim = 128;
    bits_of<TestType> const c(dim);
    std::size_t missed = 0, pairs = 0;
    double taken = 0, whole = 0;
    for (float const apart : {0.02F, 0.2F, 0.5F, 1.0F, 3.0F})
        for (std::size_t i = 0; i < 800; ++i) {
            auto const query = normal_vector(dim, 3 * i);
            auto row = normal_vector(dim, 3 * i + 1);
            for (std::size_t j = 0; j < dim; ++j) row[j] = query[j] + apart * row[j];
            std::vector<std::vector<std::byte>> const rows(block_rows, encode(c, row));
            auto const block = block_of(c, rows);
            auto const score = c.block_query(query.data());
            std::vector<float> found(block_rows);
            auto const want = textbook<TestType>(query.data(), row.data(), dim);
            static_cast<void>(score(block.data(), infinity, found.data()));
            auto const i_of_row = i % block_rows;
            auto const least = score.at_least(block.data(), i_of_row, found[i_of_row]);
            auto const near = score(block.data(), static_cast<float>(want), found.data());
            missed += least > want || (near >> i_of_row & 1) == 0 ? 1U : 0U;
            ++pairs;
            if (apart > 0.5F) continue;
            // All of the query, not what lies at a right angle to the row.
            auto const f = codec::rabitq_factors::of(rows[0].data());
            double norm = 0;
            for (auto const x : query) norm += double{x} * x;
            if (std::is_same_v<TestType, metric::cosine>) norm = 1;
            taken += double{found[i_of_row]} - double{least};
            whole +=
                known_block<TestType>::parts_of_distance * 3.3 * double{f.error} * std::sqrt(norm);
        }
    CAPTURE(missed, pairs);
    CHECK(missed <= pairs / 500);
    CHECK(taken < 0.4 * whole);
}

TEMPLATE_TEST_CASE("rows and queries without codes rule nothing out", "[codec]", metric::squared_l2,
                   metric::inner_product, metric::cosine) {
    constexpr std::size_t dim = 70;
    auto const nan = std::numeric_limits<float>::quiet_NaN();
    bits_of<TestType> const c(dim);
    std::vector<std::vector<std::byte>> rows;
    for (std::size_t i = 0; i < block_rows; ++i) {
        auto v = normal_vector(dim, i);
        if (i == 3) v[5] = nan;
        if (i == 4) v[6] = infinity;
        if (i == 5 && !std::is_same_v<TestType, metric::cosine>)
            for (auto& x : v) x *= 1e30F;
        rows.push_back(encode(c, v));
    }
    auto const block = block_of(c, rows);
    std::vector<float> found(block_rows);
    auto query = normal_vector(dim, 77);
    for (float const limit : {-1e30F, -5.0F, 0.0F, 5.0F}) {
        auto const score = c.block_query(query.data());
        auto const near = score(block.data(), limit, found.data());
        CHECK((near >> 3 & 3) == 3);
        CHECK(score.at_least(block.data(), 3, found[3]) == -infinity);
        if (!std::is_same_v<TestType, metric::cosine>) {
            CHECK((near >> 5 & 1) == 1);
            CHECK(score.at_least(block.data(), 5, found[5]) == -infinity);
        }
        for (auto const d : found) CHECK(d == d);
    }
    for (float const bad : {nan, infinity, -3e38F}) {
        query[2] = bad;
        if (bad == -3e38F && std::is_same_v<TestType, metric::cosine>) continue;
        auto const score = c.block_query(query.data());
        CHECK(score(block.data(), -100, found.data()) == 0xffffffffU);
        for (std::size_t i = 0; i < block_rows; ++i) {
            CHECK(found[i] == found[i]);
            CHECK(score.at_least(block.data(), i, found[i]) == -infinity);
        }
    }
}

TEST_CASE("rows of no length are ruled out by what the query is long", "[codec]") {
    bits_of<metric::squared_l2> const c(64);
    std::vector<std::vector<std::byte>> const rows(block_rows, encode(c, std::vector<float>(64)));
    auto const block = block_of(c, rows);
    auto const query = normal_vector(64, 1);
    double norm = 0;
    for (auto const x : query) norm += double{x} * x;
    std::vector<float> found(block_rows);
    auto const score = c.block_query(query.data());
    CHECK(score(block.data(), static_cast<float>(norm) * 1.001F, found.data()) == 0xffffffffU);
    CHECK(score(block.data(), static_cast<float>(norm) * 0.999F, found.data()) == 0);
    CHECK(score.at_least(block.data(), 0, found[0]) == Approx(norm).epsilon(1e-4));
}

} // namespace rabitq_scan_test

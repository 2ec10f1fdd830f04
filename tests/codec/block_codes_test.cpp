// SPDX-License-Identifier: MIT
// Codes of inverted lists, 32 rows in a block.
#include "catch.hpp"
#include "simd/row_kernels.hpp"
#include "simd/variants.hpp"
#include "support/random.hpp"

#include <vicinal/codec/blocked.hpp>
#include <vicinal/codec/pq.hpp>
#include <vicinal/codec/rabitq.hpp>
#include <vicinal/codec/sq8/rotation.hpp>
#include <vicinal/codec/tabled_block.hpp>
#include <vicinal/core/bits.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
namespace simd = vicinal::simd;
using namespace vicinal_test;

namespace {

constexpr std::size_t block_rows = 32;
constexpr float infinity = std::numeric_limits<float>::infinity();

template <class Metric>
constexpr bool directions = std::is_same_v<Metric, metric::cosine>;
template <class Metric>
constexpr bool product = std::is_same_v<Metric, metric::inner_product>;

/// Rows of one list, as lists see them, and a query that may have any length.
template <class Metric>
struct list {
    list(std::size_t dim_of, std::uint64_t seed)
        : dim(dim_of), vectors(uniform_rows(1100, dim, seed)), centre(dim, 0.4F), mean(dim, 0.3F),
          query(uniform_rows(1, dim, seed + 1).data) {
        centre[0] = 0.1F;
        if (directions<Metric>) {
            for (std::size_t i = 0; i < vectors.count(); ++i) unit(vectors.data.data() + i * dim);
            for (auto& x : query) x *= 3;
        }
        seen = query;
        if (directions<Metric>) unit(seen.data());
    }

    void unit(float* x) const {
        double square = 0;
        for (std::size_t i = 0; i < dim; ++i) square += double{x[i]} * x[i];
        for (std::size_t i = 0; i < dim; ++i) x[i] = static_cast<float>(x[i] / std::sqrt(square));
    }
    [[nodiscard]] std::vector<float> residual(std::size_t i) const {
        std::vector<float> r(dim);
        for (std::size_t j = 0; j < dim; ++j) r[j] = vectors.row(i)[j] - centre[j];
        return r;
    }
    /// The distance by which lists are ranked.
    [[nodiscard]] double of_centre() const {
        double sum = 0;
        for (std::size_t i = 0; i < dim; ++i) {
            double const x = seen[i], c = centre[i];
            sum += product<Metric> ? -x * c : (x - c) * (x - c);
        }
        return sum;
    }
    /// That of the query from centre + r.
    [[nodiscard]] double from(float const* r) const {
        double sum = 0;
        for (std::size_t i = 0; i < dim; ++i) {
            double const x = seen[i], y = double{centre[i]} + r[i];
            sum += product<Metric> ? -x * y : (x - y) * (x - y);
        }
        return directions<Metric> ? sum / 2 : sum;
    }

    std::size_t dim;
    rows vectors;
    std::vector<float> centre, mean, query, seen;
};

template <class Codes, class Metric>
void learn(Codes& codes, list<Metric> const& l) {
    std::vector<float> held;
    auto const model = codes.fit(
        l.vectors.count(),
        [&](std::size_t i) {
            held = l.residual(i);
            return held.data();
        },
        l.mean);
    REQUIRE(codes.put_model(model.value()));
}

/// The codes of the first 32 rows, one behind the other.
template <class Codes, class Metric>
std::vector<std::byte> encoded(Codes const& codes, list<Metric> const& l) {
    std::vector<std::byte> out(block_rows * codes.row_bytes());
    std::vector<float> scratch(codes.scratch());
    for (std::size_t i = 0; i < block_rows; ++i)
        codes.encode_row(l.residual(i).data(), l.centre.data(), out.data() + i * codes.row_bytes(),
                         scratch.data());
    return out;
}

template <class Codes>
std::vector<std::byte> block_of(Codes const& codes, std::vector<std::byte> const& rows) {
    // What lay there before does not matter.
    std::vector<std::byte> block(codes.block_bytes(), std::byte{0xA5});
    for (std::size_t i = 0; i < block_rows; ++i)
        codes.put(rows.data() + i * codes.row_bytes(), i, block.data());
    return block;
}

template <class Codes, class Metric>
void check_round_trip_and_masks(Codes const& codes, list<Metric> const& l) {
    auto const rows = encoded(codes, l);
    auto const block = block_of(codes, rows);
    std::vector<std::byte> code(codes.row_bytes());
    for (std::size_t i = 0; i < block_rows; ++i) {
        codes.take(block.data(), i, code.data());
        REQUIRE(std::memcmp(code.data(), rows.data() + i * code.size(), code.size()) == 0);
    }
    auto const score = codes.query(l.query.data());
    auto const centre = static_cast<float>(l.of_centre());
    std::vector<float> all(block_rows), some(block_rows);
    CHECK(score(block.data(), centre, infinity, all.data()) == 0xffffffffU);
    for (std::size_t limiting = 0; limiting < block_rows; ++limiting) {
        auto const near = score(block.data(), centre, all[limiting], some.data());
        for (std::size_t i = 0; i < block_rows; ++i) {
            REQUIRE(some[i] == all[i]);
            bool const is_near = (near >> i & 1) != 0;
            if (all[i] <= all[limiting]) REQUIRE(is_near);
            if (all[i] > all[limiting] + std::fabs(all[limiting]) * 1e-5F + 1e-5F)
                REQUIRE_FALSE(is_near);
        }
    }
}

template <std::size_t Parts, class Metric>
void check_product_codes(std::size_t dim) {
    CAPTURE(Parts, dim);
    using whole = typename codec::pq<Parts, 4>::template of<metric::squared_l2>;
    using codes_type = typename codec::pq<Parts, 4>::template of<Metric>::blocks;
    static_assert(codec::block_codes<codes_type>);
    list<Metric> const l(dim, Parts);
    codes_type codes(dim);
    CHECK_FALSE(codes.has_model());
    learn(codes, l);
    check_round_trip_and_masks(codes, l);

    // The same in double: codes of directions that are rotated, products that are multiplied by
    // |r| / <u, d>.
    codec::sq8_rotation const rotation(dim);
    auto const turned = [&](std::size_t i, double& norm) {
        auto r = l.residual(i);
        norm = 0;
        for (auto const x : r) norm += double{x} * x;
        norm = std::sqrt(norm);
        for (auto& x : r) x = static_cast<float>(x / norm);
        rotation(r.data());
        return r;
    };
    whole reference(dim);
    double norm = 0;
    std::vector<float> held, d(dim), found(block_rows);
    REQUIRE(reference.put_model(reference
                                    .fit(l.vectors.count(),
                                         [&](std::size_t i) {
                                             held = turned(i, norm);
                                             return held.data();
                                         })
                                    .value()));
    auto const rows = encoded(codes, l);
    auto const block = block_of(codes, rows);
    static_cast<void>(codes.query(l.query.data())(block.data(), static_cast<float>(l.of_centre()),
                                                  infinity, found.data()));
    for (std::size_t i = 0; i < block_rows; ++i) {
        auto const u = turned(i, norm);
        reference.decode_row(rows.data() + i * codes.row_bytes(), d.data());
        double with_code = 0;
        for (std::size_t j = 0; j < dim; ++j) with_code += double{u[j]} * d[j];
        rotation.undo(d.data());
        double of_query = 0;
        for (std::size_t j = 0; j < dim; ++j)
            of_query += (double{l.seen[j]} - (product<Metric> ? 0 : l.centre[j])) * d[j];
        of_query *= norm / with_code;
        auto const want = product<Metric> ? l.of_centre() - of_query
                                          : (l.of_centre() + norm * norm - 2 * of_query) *
                                                (directions<Metric> ? 0.5 : 1);
        // Half a step of a table a part, of 255 that the widest has, and 2^-8 of what is added and
        // multiplied by.
        CAPTURE(i);
        CHECK(found[i] == Approx(want).margin(0.01 * static_cast<double>(dim) * norm));
    }
}

} // namespace

TEMPLATE_TEST_CASE("blocks of product codes have the distances that codes and multipliers give",
                   "[codec]", metric::squared_l2, metric::inner_product, metric::cosine) {
    check_product_codes<8, TestType>(16);
    check_product_codes<5, TestType>(13);
    check_product_codes<6, TestType>(4);
}

TEMPLATE_TEST_CASE("blocks of one bit an element estimate distances", "[codec]", metric::squared_l2,
                   metric::inner_product, metric::cosine) {
    using codes_type = typename codec::rabitq<1>::template of<TestType>::blocks;
    static_assert(codec::block_codes<codes_type>);
    constexpr std::size_t dim = 100;
    list<TestType> const l(dim, 3);
    codes_type codes(dim);
    learn(codes, l);
    check_round_trip_and_masks(codes, l);
    std::vector<float> found(block_rows);
    auto const block = block_of(codes, encoded(codes, l));
    static_cast<void>(codes.query(l.query.data())(block.data(), static_cast<float>(l.of_centre()),
                                                  infinity, found.data()));
    double off = 0, bias = 0, spread = 0, norm = 0, length = 0;
    for (std::size_t i = 0; i < dim; ++i)
        norm += std::pow(double{l.seen[i]} - (product<TestType> ? l.mean[i] : l.centre[i]), 2);
    for (std::size_t i = 0; i < block_rows; ++i) {
        auto const r = l.residual(i);
        auto const missed = found[i] - l.from(r.data());
        off += missed * missed / block_rows;
        bias += missed / block_rows;
        for (auto const x : r) length += double{x} * x / block_rows;
    }
    // 0.6 of the norms over the root of the dimension, twice under squared_l2.
    spread = 0.6 * std::sqrt(norm * length / dim) *
             (std::is_same_v<TestType, metric::squared_l2> ? 2 : 1);
    CHECK(std::sqrt(off) < 2 * spread);
    CHECK(std::fabs(bias) < spread);
}

TEST_CASE("scores of blocks are the same in every instruction set", "[codec]") {
    constexpr std::size_t parts = 12;
    auto const tables = random_bytes<std::uint8_t>(16 * parts, 1);
    auto const bytes = random_bytes<std::uint8_t>(codec::tabled_block_bytes(parts), 2);
    std::vector<std::byte> block(bytes.size());
    std::memcpy(block.data(), bytes.data(), bytes.size());
    for (std::size_t i = 0; i < block_rows; ++i) {
        auto const at = static_cast<float>(i);
        vicinal::detail::store_half(block.data() + 2 * i, at * 8 - 100);
        vicinal::detail::store_half(block.data() + 2 * (block_rows + i), 1 - at / 64);
    }
    codec::tabled_query const query{tables.data(), parts, 0.125F, -20.0F};
    std::vector<float> want(block_rows), got(block_rows);
    auto const mask = codec::tabled_scores::for_set(simd::all_instruction_sets[0])(
        &query, block.data(), 1.5F, 200.0F, want.data());
    CHECK(mask != 0);
    CHECK(mask != 0xffffffffU);
    for (auto const& [name, scores] : variants_of<codec::tabled_scores>()) {
        CAPTURE(name);
        CHECK(scores(&query, block.data(), 1.5F, 200.0F, got.data()) == mask);
        for (std::size_t i = 0; i < block_rows; ++i)
            CHECK(got[i] == Approx(want[i]).epsilon(1e-5).margin(1e-4));
    }
}

TEST_CASE("the least and the widest of each part's products are exact", "[codec]") {
    for (std::size_t const parts : {1U, 15U, 16U, 17U, 50U}) {
        auto const dim = parts * 3 - parts / 2;
        auto const room = (parts + 15) / 16 * 16;
        auto const turned = uniform_rows(1, 16 * dim, parts).data;
        auto const query = uniform_rows(1, dim, 9).data;
        for (auto const& [name, multiply] : variants_of<codec::pq_products>()) {
            CAPTURE(parts, name);
            std::vector<float> products(16 * room), least(room), span(room);
            multiply(turned.data(), query.data(), dim, parts, products.data(), least.data(),
                     span.data());
            for (std::size_t p = 0; p < parts; ++p) {
                auto low = infinity, high = -infinity;
                for (std::size_t c = 0; c < 16; ++c) {
                    double want = 0;
                    for (auto i = p * dim / parts; i < (p + 1) * dim / parts; ++i)
                        want += double{turned[16 * i + c]} * query[i];
                    auto const x = products[16 * p + c];
                    REQUIRE(x == Approx(want).margin(1e-5));
                    low = std::min(low, x);
                    high = std::max(high, x);
                }
                REQUIRE(least[p] == low);
                REQUIRE(span[p] == high - low);
            }
        }
    }
}

TEST_CASE("codes that tell less keep more candidates", "[codec]") {
    CHECK(codec::tabled_kept(256, 128) == 2);
    CHECK(codec::tabled_kept(784, 784) == 2);
    CHECK(codec::tabled_kept(384, 384) == 4);
    CHECK(codec::tabled_kept(256, 784) == 8);
    CHECK(codec::tabled_kept(128, 128) == 8);
    CHECK(codec::tabled_kept(4, 4096) == 8);
    CHECK(codec::pq<64, 4>::of<metric::squared_l2>::blocks(128).kept_each() == 2);
    CHECK(codec::rabitq<1>::of<metric::squared_l2>::blocks(100).kept_each() == 8);
}

TEST_CASE("block codes refuse a model that is not theirs", "[codec]") {
    codec::pq<2, 4>::of<metric::squared_l2>::blocks pq(4);
    CHECK(pq.put_model({}));
    CHECK_FALSE(pq.has_model());
    std::vector<float> numbers(16 * 4 + 4, 1.0F);
    CHECK(pq.put_model(numbers));
    CHECK(pq.has_model());
    CHECK_FALSE(pq.put_model(std::span<float const>(numbers).first(4)));
    CHECK_FALSE(pq.put_model(std::span<float const>(numbers).first(67)));
    numbers.back() = infinity;
    CHECK_FALSE(pq.put_model(numbers));

    codec::rabitq<1>::of<metric::squared_l2>::blocks bit(4);
    CHECK(bit.put_model({}));
    CHECK_FALSE(bit.has_model());
    CHECK_FALSE(bit.put_model(std::span<float const>(numbers).first(3)));
    CHECK_FALSE(bit.put_model(std::span<float const>(numbers).last(4)));
    CHECK(bit.put_model(std::span<float const>(numbers).first(4)));
    CHECK(bit.has_model());
}

TEMPLATE_TEST_CASE("a vector that has no code is infinitely far, and any query ranks", "[codec]",
                   (codec::pq<8, 4>), codec::rabitq<1>) {
    constexpr std::size_t dim = 16;
    list<metric::squared_l2> l(dim, 3);
    typename TestType::template of<metric::squared_l2>::blocks codes(dim);
    learn(codes, l);
    auto const nan = std::numeric_limits<float>::quiet_NaN();
    l.vectors.data[3] = nan;
    l.vectors.data[dim + 3] = 3e38F;
    auto const block = block_of(codes, encoded(codes, l));
    std::vector<float> found(block_rows);
    for (float const first : {0.5F, 1e30F, 3e38F, -3e38F, nan}) {
        l.query[0] = first;
        auto const near = codes.query(l.query.data())(block.data(), 1.0F, infinity, found.data());
        CHECK(near == 0xffffffffU);
        CHECK(found[0] == infinity);
        CHECK(found[1] == infinity);
        for (std::size_t i = 2; i < block_rows; ++i) CHECK(found[i] < infinity);
    }
    static_cast<void>(codes.query(l.query.data())(block.data(), nan, infinity, found.data()));
    for (auto const d : found) CHECK(d == infinity);
}

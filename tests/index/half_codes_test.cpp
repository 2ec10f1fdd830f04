// SPDX-License-Identifier: MIT
// Indexes over codes of two bytes an element.
#include "contract/index.hpp"
#include "support/stores.hpp"

#include <vicinal/vicinal.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace half_codes_test {

namespace metric = vicinal::metric;
namespace codec = vicinal::codec;
using namespace vicinal_test;
using vicinal::index::flat;
using vicinal::index::hnsw;

namespace {

vicinal::index::hnsw_options always() {
    vicinal::index::hnsw_options o;
    o.flat_below = 0;
    return o;
}

} // namespace

TEST_CASE("hnsw over halves keeps the contract of indexes", "[index]") {
    check_index_contract<hnsw<codec::f16>, metric::squared_l2, storage::memory>(always());
}

TEST_CASE("hnsw over bf16 keeps the contract of indexes over mapped files", "[index]") {
    check_index_contract<hnsw<codec::bf16>, metric::cosine, storage::mmap>(always(), 0.95);
}

TEST_CASE("flat with halves compares the vectors", "[index]") {
    check_index_contract<flat<codec::f16>, metric::inner_product, storage::memory>();
}

TEST_CASE("over halves a graph finds what it finds over the vectors", "[index]") {
    auto const data = clustered_rows(3000, 24, 60, 51);
    auto const queries = clustered_rows(50, 24, 60, 51);
    standing_index<hnsw<codec::f16>, metric::squared_l2, storage::memory> coded(24, always());
    standing_index<hnsw<codec::f32>, metric::squared_l2, storage::memory> plain(24, always());
    coded.add(data);
    plain.add(data);
    CHECK(recall_of<metric::squared_l2>(coded, data, queries, 10) >=
          recall_of<metric::squared_l2>(plain, data, queries, 10) - 0.01);
}

TEST_CASE("a store over halves answers the same when it is opened again", "[index]") {
    using docs = vicinal::store<metric::cosine, hnsw<codec::f16>, storage::mmap,
                                vicinal::payload::fields, std::uint64_t>;
    constexpr std::size_t dim = 16;
    auto const data = clustered_rows(1500, dim, 30, 52);
    std::vector<docs::record> records;
    for (std::uint64_t i = 0; i < data.count(); ++i)
        records.push_back(
            {i, {data.row(i), data.row(i) + dim}, {{"third", static_cast<std::int64_t>(i % 3)}}});
    test_store<docs> held({.dim = dim, .index = always()});
    held->upsert(records);
    held->checkpoint();
    auto const queries = clustered_rows(20, dim, 30, 53);
    auto const ask = [&] {
        std::vector<std::pair<std::uint64_t, float>> all;
        for (std::size_t q = 0; q < queries.count(); ++q)
            for (auto const* where : {"", "third = 0", "third = 0"}) {
                auto const hits = held->search({queries.row(q), dim}, {.where = where});
                REQUIRE(hits.size() == 10);
                for (auto const& h : hits) all.emplace_back(h.id, h.distance);
            }
        return all;
    };
    auto const before = ask();
    held.reopen();
    CHECK(held->stats().indexed_rows == 1500);
    CHECK(ask() == before);
}

} // namespace half_codes_test

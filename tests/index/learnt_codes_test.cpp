// SPDX-License-Identifier: MIT
// Graphs over codes that are learnt from rows.
#include "contract/index.hpp"
#include "support/stores.hpp"

#include <vicinal/vicinal.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace learnt_codes_test {

namespace metric = vicinal::metric;
namespace codec = vicinal::codec;
using namespace vicinal_test;
using vicinal::index::hnsw;

namespace {

vicinal::index::hnsw_options always() {
    vicinal::index::hnsw_options o;
    o.flat_below = 0;
    return o;
}

template <class Index>
double recall_over(rows const& data, rows const& queries,
                   typename Index::options const& options = {}) {
    standing_index<Index, metric::squared_l2, storage::memory> index(data.dim, options);
    index.add(data);
    REQUIRE(index.get().covered() == data.count());
    return recall_of<metric::squared_l2>(index, data, queries, 10);
}

template <class Codec>
double recall_of_graph(rows const& data, rows const& queries) {
    return recall_over<hnsw<Codec>>(data, queries, always());
}

} // namespace

TEST_CASE("over product codes and bits a graph finds most of the nearest", "[index]") {
    auto const data = clustered_rows(5000, 32, 60, 51);
    auto const queries = clustered_rows(50, 32, 60, 51);
    CHECK(recall_of_graph<codec::pq<16, 8>>(data, queries) >= 0.95);
    CHECK(recall_of_graph<codec::pq<16, 4>>(data, queries) >= 0.9);
    CHECK(recall_of_graph<codec::binary>(data, queries) >= 0.7);
}

TEST_CASE("over bytes of one scale, and over fewer elements, a graph finds most of the nearest",
          "[index]") {
    auto const data = clustered_rows(5000, 32, 60, 51);
    auto const queries = clustered_rows(50, 32, 60, 51);
    CHECK(recall_of_graph<codec::i8>(data, queries) >= 0.97);
    CHECK(recall_of_graph<codec::pca<24>>(data, queries) >= 0.9);
    CHECK(recall_of_graph<codec::pca<24, codec::rabitq<4>>>(data, queries) >= 0.8);
}

TEST_CASE("lists over bytes of one scale, and over fewer elements, hold most of the nearest",
          "[index]") {
    auto const data = clustered_rows(5000, 32, 60, 51);
    auto const queries = clustered_rows(50, 32, 60, 51);
    CHECK(recall_over<vicinal::index::ivf<codec::i8>>(data, queries) >= 0.9);
    CHECK(recall_over<vicinal::index::ivf<codec::pca<24>>>(data, queries) >= 0.8);
}

TEST_CASE("a graph waits until its codec has rows enough to learn from", "[index]") {
    using index_type = hnsw<codec::pq<8, 4>>;
    standing_index<index_type, metric::squared_l2, storage::memory> index(16, always());
    auto const data = clustered_rows(1200, 16, 30, 51);
    rows const first{16, {data.data.begin(), data.data.begin() + 999 * 16}};
    rows const rest{16, {data.data.begin() + 999 * 16, data.data.end()}};
    index.add(first);
    CHECK(index.get().covered() == 0);
    index.add(rest);
    CHECK(index.get().covered() == 1200);
    index.get().clear();
    CHECK(index.get().covered() == 0);
}

TEST_CASE("a store over product codes answers the same when it is opened again", "[index]") {
    using docs = vicinal::store<metric::cosine, hnsw<codec::pq<8, 4>>, storage::mmap,
                                vicinal::payload::none, std::uint64_t>;
    constexpr std::size_t dim = 16;
    auto const data = clustered_rows(1500, dim, 30, 52);
    std::vector<docs::record> records;
    for (std::uint64_t i = 0; i < data.count(); ++i)
        records.push_back({i, {data.row(i), data.row(i) + dim}, {}});
    test_store<docs> held({.dim = dim, .index = always()});
    held->upsert(records);
    held->checkpoint();
    auto const ask = [&] {
        std::vector<std::pair<std::uint64_t, float>> all;
        for (std::size_t q = 0; q < 30; ++q)
            for (auto const& h : held->search({data.row(q * 40), dim})) {
                CHECK_FALSE(h.estimated);
                all.emplace_back(h.id, h.distance);
            }
        return all;
    };
    auto const before = ask();
    CHECK(before.size() == 300);
    held.reopen();
    CHECK(held->stats().indexed_rows == 1500);
    CHECK(held->stats().bytes.codes == 1500 * 4);
    CHECK(ask() == before);
    for (std::uint64_t i = 0; i < 700; ++i) held->erase(i);
    held->compact();
    CHECK(held->stats().indexed_rows == 800);
    held.reopen();
    CHECK(held->verify().ok());
    CHECK(held->get(1000)->vector == records[1000].vector);
}

} // namespace learnt_codes_test

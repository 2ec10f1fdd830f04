// SPDX-License-Identifier: MIT
// Graphs over one to eight bits an element.
#include "contract/index.hpp"
#include "support/dataset.hpp"

#include <vicinal/codec/rabitq.hpp>
#include <vicinal/index/hnsw.hpp>

#include <algorithm>
#include <cstddef>

namespace rabitq_codes_test {

namespace metric = vicinal::metric;
namespace codec = vicinal::codec;
using namespace vicinal_test;
using vicinal::index::hnsw;

namespace {

vicinal::index::hnsw_options always() {
    vicinal::index::hnsw_options o;
    o.flat_below = 0;
    o.tune = false;
    return o;
}

template <class Codec>
double recall_on(rows const& data, rows const& queries, std::size_t effort) {
    standing_index<hnsw<Codec>, metric::squared_l2, storage::memory> s(data.dim, always());
    s.add(data);
    return recall_by_effort(s, data, queries, effort);
}

} // namespace

TEST_CASE("hnsw over one bit an element keeps the contract of indexes", "[index]") {
    check_index_contract<hnsw<codec::rabitq<1>>, metric::squared_l2, storage::memory>(always(),
                                                                                      0.6);
}

TEST_CASE("hnsw over five bits an element keeps the contract of indexes over mapped files",
          "[index]") {
    check_index_contract<hnsw<codec::rabitq<5>>, metric::cosine, storage::mmap>(always(), 0.9);
}

TEST_CASE("graphs over few bits find the nearest of real vectors", "[index]") {
    auto const sift = load_rows("sift.base.u8bin", 2500);
    auto const sift_queries = load_rows("sift.query.u8bin", 50);
    if (!sift || !sift_queries) return;
    CHECK(recall_on<codec::rabitq<1>>(*sift, *sift_queries, 100) >= 0.95);
    CHECK(recall_on<codec::rabitq<4>>(*sift, *sift_queries, 40) >= 0.97);
    auto const words = load_rows("minilm.base.fbin", 2000);
    auto const word_queries = load_rows("minilm.query.fbin", 50);
    if (!words || !word_queries) return;
    CHECK(recall_on<codec::rabitq<1>>(*words, *word_queries, 60) >= 0.95);
}

TEST_CASE("rows that come after the frame was chosen are found as the others are", "[index]") {
    auto const data = clustered_rows(3000, 64, 60, 51);
    auto const queries = clustered_rows(40, 64, 60, 51);
    standing_index<hnsw<codec::rabitq<2>>, metric::squared_l2, storage::memory> s(64, always());
    rows few{64, {data.data.begin(), data.data.begin() + 300 * 64}};
    rows many{64, {data.data.begin() + 300 * 64, data.data.end()}};
    s.add(few);
    s.add(many);
    CHECK(recall_by_effort(s, data, queries, 60) >= 0.95);
    CHECK(s.get().reachable() == 3000);
}

} // namespace rabitq_codes_test

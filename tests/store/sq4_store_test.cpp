// SPDX-License-Identifier: MIT
#include "contract/store.hpp"

#include <vicinal/codec/sq4.hpp>

#include <cstddef>

namespace sq4_store_test {

namespace {

using namespace vicinal;
using namespace vicinal_test;

using half_bytes = store<metric::squared_l2, index::hnsw<codec::sq4>, storage::file>;

index::hnsw_options small_graph() {
    index::hnsw_options o;
    o.flat_below = 100;
    return o;
}

} // namespace

TEST_CASE("a graph over half a byte an element, in paged files, keeps the contract of stores",
          "[store]") {
    check_store_contract<half_bytes>({.index = small_graph()});
}

TEST_CASE("a graph over half a byte an element finds most of the nearest", "[store]") {
    constexpr std::size_t dim = 16;
    constexpr std::size_t k = 10;
    temporary_directory const dir;
    half_bytes s{dir.path("s"), {.dim = dim, .durability = durability::off}};
    auto const data = uniform_rows(3000, dim, 7);
    auto all = records<half_bytes>(3000, dim, 7);
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i].vector.assign(data.row(i), data.row(i) + dim);
    s.upsert(all);
    s.checkpoint();
    std::size_t found = 0;
    for (std::size_t i = 0; i < 50; ++i) {
        vector_view<float> const query(all[60 * i].vector);
        auto const farthest = s.search(query, {.k = k, .exact = true}).back().distance;
        for (auto const& h : s.search(query, {.k = k, .recall = 0.95}))
            found += h.distance <= farthest ? 1U : 0U;
    }
    CHECK(found >= 50 * k * 8 / 10);
    CHECK(s.verify().ok());
}

} // namespace sq4_store_test

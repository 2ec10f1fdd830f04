// SPDX-License-Identifier: MIT
// flat under a store: ids decide ties, filters and dead rows are left out, many queries at once
// give what each alone gives.
#include "catch.hpp"
#include "support/random.hpp"
#include "support/stores.hpp"

#include <cstdio>
#include <limits>
#include <string>
#include <vector>

namespace flat_store_test {

namespace metric = vicinal::metric;
namespace storage = vicinal::storage;
using two_phase = vicinal::index::flat<vicinal::codec::sq8>;
using plain = vicinal::index::flat<vicinal::codec::f32>;
using vicinal_test::test_store;

namespace {

template <class Metric, class Index, class Storage = storage::memory>
using store_of = vicinal::store<Metric, Index, Storage>;

/// Ids whose order has nothing to do with the order of the slots.
std::string id_of(std::size_t i) {
    char text[32];
    std::snprintf(text, sizeof text, "%016llx",
                  static_cast<unsigned long long>(vicinal::detail::mix(i)));
    return text;
}

template <class Store>
void fill(Store& s, vicinal_test::rows const& data) {
    std::vector<typename Store::record> batch;
    for (std::size_t i = 0; i < data.count(); ++i)
        batch.push_back({id_of(i),
                         {data.row(i), data.row(i) + data.dim},
                         {{"n", static_cast<std::int64_t>(i % 10)}}});
    s.upsert(batch);
    for (std::size_t i = 0; i < data.count(); i += 5) s.erase(id_of(i));
}

template <class Hits, class Others>
void require_same(Hits const& got, Others const& want) {
    REQUIRE(got.size() == want.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        REQUIRE(got[i].id == want[i].id);
        REQUIRE(got[i].distance == want[i].distance);
    }
}

template <class Metric>
void compare_stores() {
    // Each vector many times: nearly every place is a tie.
    auto const data = vicinal_test::repeated_rows(3000, 12, 40, 3);
    auto const queries = vicinal_test::uniform_rows(50, 12, 4);
    store_of<Metric, two_phase> fast{{.dim = 12}};
    store_of<Metric, plain> slow{{.dim = 12}};
    fill(fast, data);
    fill(slow, data);
    REQUIRE(fast.stats().indexed_rows == 3000);
    vicinal::matrix_view<float> const all(queries.data, 12);
    for (auto const& options :
         {vicinal::search_options{.k = 25}, vicinal::search_options{.k = 25, .where = "n < 3"},
          vicinal::search_options{.k = 10000, .where = "n = 7"},
          vicinal::search_options{.k = 200, .max_distance = 2.5},
          vicinal::search_options{.k = 25, .where = "n >= 2", .threads = 3}}) {
        auto const together = fast.search(all, options);
        auto const of_plain = slow.search(all, options);
        REQUIRE(together.size() == 50);
        for (std::size_t q = 0; q < 50; ++q) {
            CAPTURE(metric::name_of<Metric>(), q, options.k, options.where);
            vicinal::vector_view<float> const query(queries.row(q), 12);
            auto const want = slow.search(query, options);
            require_same(fast.search(query, options), want);
            require_same(together[q], want);
            require_same(of_plain[q], want);
        }
    }
}

} // namespace

TEST_CASE("a two-phase store answers as one that compares every vector", "[index]") {
    compare_stores<metric::squared_l2>();
    compare_stores<metric::inner_product>();
    compare_stores<metric::cosine>();
}

TEST_CASE("a durable two-phase store finds its codes again and scans what came later", "[index]") {
    using durable = store_of<metric::squared_l2, two_phase, storage::mmap>;
    auto const data = vicinal_test::clustered_rows(900, 10, 6, 12);
    auto const queries = vicinal_test::clustered_rows(20, 10, 6, 13);
    test_store<durable> s({.dim = 10});
    store_of<metric::squared_l2, plain> slow{{.dim = 10}};
    fill(*s, data);
    fill(slow, data);
    auto const check = [&] {
        for (std::size_t q = 0; q < queries.count(); ++q) {
            vicinal::vector_view<float> const query(queries.row(q), 10);
            require_same(s->search(query), slow.search(query));
        }
        require_same(s->search(vicinal::matrix_view<float>(queries.data, 10))[3],
                     slow.search(vicinal::vector_view<float>(queries.row(3), 10)));
        CHECK(s->verify().ok());
    };
    check();
    s->checkpoint();
    s.reopen();
    CHECK(s->stats().indexed_rows == 900);
    check();
    for (std::size_t i = 0; i < 60; ++i) {
        vicinal::vector_view<float> const v(queries.row(i % 20), 10);
        s->upsert("new" + std::to_string(i), v);
        slow.upsert("new" + std::to_string(i), v);
    }
    s.reopen();
    check();
    s->clear();
    slow.clear();
    check();
}

TEST_CASE("a batch of queries is refused whole, by the place of the first bad one", "[index]") {
    store_of<metric::squared_l2, two_phase> s{{.dim = 2}};
    s.upsert("a", {1.0F, 2.0F});
    std::vector<float> queries{1, 2, std::numeric_limits<float>::quiet_NaN(), 0};
    auto const bad = s.try_search(vicinal::matrix_view<float>(queries, 2));
    REQUIRE_FALSE(bad);
    CHECK(bad.error().code() == vicinal::errc::not_finite);
    CHECK(std::string(bad.error().message()).find("query 1") != std::string::npos);
    CHECK(s.search(vicinal::matrix_view<float>(std::span<float const>(), 2)).empty());
}

} // namespace flat_store_test

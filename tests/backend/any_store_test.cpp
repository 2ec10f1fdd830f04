// SPDX-License-Identifier: MIT
#include "contract/source.hpp"
#include "support/stores.hpp"

#include <vicinal/backend/any_store.hpp>
#include <vicinal/migrate/migrate.hpp>

#include <cstdint>

namespace any_store_test {

using namespace vicinal;
using namespace vicinal_test;

TEST_CASE("a store whose type is forgotten answers as before", "[backend]") {
    using typed = store<metric::cosine, index::hnsw<>, storage::memory>;
    auto const list = make_records(300, 6);
    typed twin{{.dim = 6}};
    twin.upsert(list);
    typed given{{.dim = 6}};
    given.upsert(list);
    any_store const any(std::move(given));
    CHECK(any.size() == 300);
    CHECK(any.dim() == 6);
    CHECK(any.metric() == "cosine");
    CHECK(any.stats().records == 300);
    for (auto const& o :
         {search_options{}, search_options{.k = 3, .where = "n >= 100 and flag = true"},
          search_options{.k = 400, .exact = true}, search_options{.k = 0},
          search_options{.k = 50, .max_distance = 0.2}}) {
        auto const expected = twin.search(list[5].vector, o);
        auto const hits = any.search(list[5].vector, o);
        REQUIRE(hits.size() == expected.size());
        for (std::size_t i = 0; i < hits.size(); ++i) {
            CHECK(hits[i].id == expected[i].id);
            CHECK(hits[i].distance == expected[i].distance);
            CHECK(hits[i].similarity == expected[i].similarity());
        }
    }
    CHECK(same(*any.get("00007"), list[7]));
    CHECK_FALSE(any.get("none"));
    CHECK(any.try_search(std::vector<float>{1}).error().code() == errc::dimension_mismatch);
    CHECK(any.try_search(list[5].vector, {.where = "n >"}).error().code() == errc::invalid_filter);
    CHECK_THROWS_AS(any.search(std::vector<float>{1}), error);
    auto source = any.source();
    check_source_contract(source, list);
    CHECK(any.try_count().value() == 300);
    CHECK(any.try_count("n >= 100").value() == twin.count("n >= 100"));
    auto const page = any.try_select({.where = "n >= 100", .limit = 5}).value();
    REQUIRE(page.records.size() == 5);
    auto const typed_page = twin.select({.where = "n >= 100", .limit = 5});
    CHECK(page.next == typed_page.next);
    CHECK(page.records[4].id == typed_page.records[4].id);
    CHECK(page.records[4].payload == typed_page.records[4].payload);
    CHECK(any.try_facets("flag").value() == twin.facets("flag"));
}

TEST_CASE("ids of an integer store are its numbers as text", "[backend]") {
    store<metric::squared_l2, index::flat<>, storage::memory, payload::none, std::uint32_t> s{
        {.dim = 2}};
    s.upsert(7U, {1, 2});
    s.upsert(4'000'000'000U, {3, 4});
    any_store any(std::move(s));
    auto const hits = any.search(std::vector<float>{1, 2});
    REQUIRE(hits.size() == 2);
    CHECK(hits[0].id == "7");
    CHECK(hits[1].id == "4000000000");
    CHECK(same(*any.get("7"), {"7", {1, 2}, {}}));
    CHECK_FALSE(any.get("8"));
    CHECK(any.try_get("seven").error().code() == errc::invalid_id);
    CHECK(any.try_get("07").error().code() == errc::invalid_id);
    CHECK(any.try_select().value().records[1].id == "4000000000");
    CHECK(any.try_update_payload("7", {}).error().code() == errc::unsupported);
    CHECK(any.try_facets("n").error().code() == errc::unsupported);
    CHECK(any.try_search(std::vector<float>{1, 2}, {.where = "a = 1"}).error().code() ==
          errc::unsupported);
    auto source = any.source();
    check_source_contract(source, {{"7", {1, 2}, {}}, {"4000000000", {3, 4}, {}}});

    auto sink = any.sink();
    list_source from({{"9", {5, 6}, {{"x", 1}}}});
    auto const r = migrate(from, sink);
    CHECK(r.ok());
    CHECK(any.size() == 3);
    bool named = false;
    for (auto const& loss : r.losses) named |= loss == "the sink keeps no payload";
    CHECK(named);
}

TEST_CASE("verifying through a forgotten type is verifying", "[backend]") {
    store<metric::squared_l2, index::hnsw<>> s{{.dim = 3, .index = {.flat_below = 10}}};
    s.upsert(make_records(100, 3));
    any_store const any(std::move(s));
    auto const r = any.verify();
    CHECK(r.ok());
    CHECK(r.records == 100);
    CHECK(r.rows == 100);
    CHECK(r.indexed_rows == 100);
}

} // namespace any_store_test

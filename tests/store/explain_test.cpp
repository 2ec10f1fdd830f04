// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/index/flat.hpp>
#include <vicinal/payload/none.hpp>
#include <vicinal/store/store.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace explain_test {

namespace {

using namespace vicinal;
constexpr std::size_t dim = 8;

template <class Store>
void fill(Store& s, std::uint64_t count) {
    auto const rows = vicinal_test::uniform_rows(count, dim, 5);
    std::vector<typename Store::record> records;
    for (std::uint64_t i = 0; i < count; ++i)
        records.push_back({i,
                           {rows.row(i), rows.row(i) + dim},
                           {{"category", "c" + std::to_string(i % 500)},
                            {"tags", value::array{"a", "b" + std::to_string(i % 300)}},
                            {"year", static_cast<std::int64_t>(i % 1000)}}});
    s.upsert(records);
}
using plain =
    store<metric::squared_l2, index::flat<>, storage::memory, payload::fields, std::uint64_t>;
using graph =
    store<metric::squared_l2, index::hnsw<>, storage::memory, payload::fields, std::uint64_t>;
std::vector<float> const query(dim, 0.4F);

} // namespace

TEST_CASE("the counts of an explanation are those of a naive search", "[store]") {
    plain s{{.dim = dim}};
    fill(s, 300);
    auto const all = s.explain(query);
    CHECK(all.vector_distances == 300);
    CHECK(all.code_distances == 0);
    CHECK(all.payloads == 0);
    CHECK(all.bytes == 300 * dim * sizeof(float));
    CHECK(all.records == 300);
    CHECK(all.matching == 300);

    // Exact on a graph that is too small to be one: every payload, then the vectors that match.
    graph g{{.dim = dim}};
    fill(g, 300);
    auto const some = g.explain(query, {.where = "year < 40"});
    CHECK(some.plan == search_plan::scan_matches);
    CHECK(some.payloads == 300);
    CHECK(some.vector_distances == 40);
    CHECK(some.matching == 40);
    CHECK(some.hits.size() == 10);
    auto const again = g.explain(query, {.where = "year < 40"});
    CHECK(again.payloads == 0);
    CHECK(again.vector_distances == 40);
    CHECK(again.bytes == 40 * dim * sizeof(float));
}

TEST_CASE("an explained search gives the hits of the search", "[store]") {
    graph s{{.dim = dim}};
    fill(s, 5000);
    for (auto const* where : {"", "year < 700", "year < 3", "category = 'c7'"}) {
        CAPTURE(where);
        auto const e = s.explain(query, {.k = 7, .where = where});
        auto const hits = s.search(query, {.k = 7, .where = where});
        REQUIRE(e.hits.size() == hits.size());
        std::size_t steps = 0;
        for (auto const& p : e.phases) steps += p.nanoseconds;
        CHECK(steps == e.nanoseconds);
        CHECK(e.code_distances > 0);
        CHECK(e.vector_distances >= e.hits.size());
    }
    CHECK_FALSE(s.try_explain(query, {.where = "year <"}));
    CHECK_FALSE(s.try_explain({1.0F}));
    store<metric::squared_l2, index::hnsw<>, storage::memory, payload::none> none{{.dim = dim}};
    none.upsert("a", query);
    CHECK(none.explain(query).hits.size() == 1);
}

TEST_CASE("hints name the index that a search was in want of", "[store]") {
    graph s{{.dim = dim}};
    fill(s, 5000);
    auto const hints = [&](std::string const& where) {
        return s.explain(query, {.where = where}).hints;
    };
    CHECK(hints("category = 'c7'") ==
          std::vector<std::string>{
              "create a hash index on category: 5,000 rows looked at, 10 matched"});
    CHECK(hints("category = 'c7'").empty()); // known by now
    CHECK(hints("year between 3 and 4") ==
          std::vector<std::string>{
              "create an ordered index on year: 5,000 rows looked at, 10 matched"});
    CHECK(hints("tags contains 'b8'") ==
          std::vector<std::string>{
              "create an inverted index on tags: 5,000 rows looked at, 17 matched"});
    auto const both = hints("category = 'c9' and year < 500 and category in ('c9', 'c10')");
    REQUIRE(both.size() == 2);
    CHECK(both[0].starts_with("create a hash index on category: "));
    CHECK(both[1].starts_with("create an ordered index on year: "));
    CHECK(hints("year < 900").empty());
    s.create_index("category", field_index::ordered);
    CHECK(hints("category = 'c11'").empty());
    CHECK(hints("not category = 'c12' and year < 2").size() == 1);
}

TEST_CASE("an explanation is a page of text", "[store]") {
    explanation e;
    e.plan = search_plan::scan_matches;
    e.given_up = search_plan::walk_asking;
    e.records = 48000;
    e.matching = 210;
    e.estimated = 187;
    e.estimated_by = match_source::sample;
    e.found_by = match_source::payloads;
    e.payloads = 48000;
    e.bytes = 1234567;
    e.phases = {{"find", 1200000}, {"scan", 34000}};
    e.nanoseconds = 1234000;
    e.hints = {"create a hash index on category"};
    CHECK(to_string(e) ==
          "plan: exact scan of the matches, after a walk that asks payloads was given up\n"
          "matches: 210 of 48,000 records; estimated 187 by a sample; found by all payloads\n"
          "looked at: 0 codes, 0 vectors, 48,000 payloads: 1,234,567 bytes\n"
          "time: 1,234 us (find 1,200, scan 34)\n"
          "hint: create a hash index on category\n");
}

TEST_CASE("stats counts rows and bytes, and how often indexes and known matches were of use",
          "[store]") {
    graph s{{.dim = dim}};
    CHECK(s.stats().bytes.all() == 0);
    fill(s, 3000);
    s.erase(5);
    s.create_index("year", field_index::ordered);
    for (int i = 0; i < 3; ++i) static_cast<void>(s.search(query, {.where = "year < 2"}));
    auto const all = s.stats();
    CHECK(all.records == 2999);
    CHECK(all.rows == 3000);
    CHECK(all.dead == 1);
    CHECK(all.bytes.vectors == 3000 * dim * sizeof(float));
    CHECK(all.bytes.ids == 3000 * 8);
    CHECK(all.mean_id == 8);
    CHECK(all.mean_payload > 30);
    CHECK(all.mean_payload < 80);
    CHECK(all.bytes.links >= 3000 * 32 * 4);
    CHECK(all.bytes.codes >= 3000 * dim);
    REQUIRE(all.field_indexes.size() == 1);
    CHECK(all.field_indexes[0].uses == 1);
    CHECK(all.bytes.field_indexes == all.field_indexes[0].bytes);
    CHECK(all.filters.filters == 1);
    CHECK(all.filters.hits == 2);
    CHECK(all.filters.misses == 1);
}

} // namespace explain_test

// SPDX-License-Identifier: MIT
#include "contract/store.hpp"
#include "support/stores.hpp"

#include <string>
#include <vector>

namespace scope_test {

using namespace vicinal_test;
using namespace vicinal_test::names;
using vicinal::fields;

TEMPLATE_TEST_CASE("a scope sees its own records alone", "[store]",
                   (store<metric::squared_l2, hnsw>),
                   (store<metric::squared_l2, flat, storage::mmap>)) {
    test_store<TestType> held({.dim = 2});
    auto acme = held->scope("namespace", "acme");
    auto other = held->scope("namespace", "other");
    for (std::size_t i = 0; i < 40; ++i) {
        auto const v = std::vector<float>{static_cast<float>(i), 1};
        (i % 2 == 0 ? acme : other).upsert("r" + std::to_string(i), v, {{"n", i}});
    }
    held->upsert("free", {3, 1}, {{"n", 100}});
    CHECK(acme.size() == 20);
    CHECK(held->size() == 41);
    CHECK(held->get("r0")->payload == fields{{"n", 0}, {"namespace", "acme"}});
    CHECK(acme.get("r0"));
    CHECK_FALSE(acme.get("r1"));
    CHECK_FALSE(acme.contains("r1"));
    CHECK_FALSE(acme.contains("free"));
    CHECK(acme.contains("r2"));
    CHECK_FALSE(acme.erase("r1"));
    CHECK_FALSE(acme.update_payload("r1", {{"n", 5}}));
    CHECK_FALSE(acme.merge_payload("r1", {{"n", 5}}));
    CHECK(held->get("r1")->payload == fields{{"n", 1}, {"namespace", "other"}});
    CHECK(acme.update_payload("r2", {{"n", 200}}));
    CHECK(acme.merge_payload("r2", {{"m", 1}}));
    CHECK(held->get("r2")->payload == fields{{"n", 200}, {"m", 1}, {"namespace", "acme"}});
    std::vector<std::string> const both{"r1", "r2"};
    CHECK(acme.merge_payload(both, {{"m", 2}}) == 1);
    CHECK(held->get("r2")->payload == fields{{"n", 200}, {"m", 2}, {"namespace", "acme"}});
    CHECK_FALSE(held->get("r1")->payload.contains("m"));

    for (auto const& h : acme.search({1, 1}, {.k = 50})) CHECK(acme.contains(h.id));
    CHECK(acme.search({1, 1}, {.k = 50}).size() == 20);
    CHECK(acme.search({1, 1}, {.k = 50, .where = "n < 10 or n >= 20"}).size() == 15);
    std::vector<float> const queries{1, 1, 2, 2};
    CHECK(acme.search({queries, 2}, {.k = 50})[1].size() == 20);
    CHECK(acme.select({.order_by = "n", .descending = true, .limit = 1}).records[0].id == "r2");
    CHECK(acme.count("n >= 100") == 1);
    CHECK(acme.facets("namespace").size() == 1);
    std::vector<float> const q{1, 1};
    CHECK(acme.search_groups(q, {.by = "namespace"}).size() == 1);
    CHECK(acme.search_within(q, 1e9).size() == 20);
    CHECK(acme.search_like({.positive = {"r0"}}, {.k = 100}).size() == 19);

    // An id of another scope, or of none, is refused, alone and in a batch, which then is not
    // there.
    CHECK(refused(acme.try_upsert("r1", q)).code() == errc::duplicate_id);
    CHECK(refused(acme.try_upsert("free", q)).message().find("namespace") != std::string::npos);
    std::vector<typename TestType::record> batch{{"new", q, {}}, {"r3", q, {}}};
    CHECK(refused(acme.try_upsert(batch)).code() == errc::duplicate_id);
    CHECK_FALSE(held->contains("new"));
    CHECK(held->get("r3")->vector == std::vector<float>{3, 1});
    batch.pop_back();
    acme.upsert(batch);
    CHECK(acme.contains("new"));
    acme.upsert("new", {5, 5}, {{"namespace", "acme"}});
    CHECK(refused(acme.try_upsert("new", q, {{"namespace", "other"}})).code() ==
          errc::invalid_argument);
    CHECK(refused(acme.try_merge_payload("new", {{"namespace", 1}})).code() ==
          errc::invalid_argument);

    CHECK(acme.erase_where("n >= 30") == 6);
    CHECK(acme.erase("new"));
    acme.clear();
    CHECK(acme.empty());
    CHECK(held->size() == 21);
}

TEST_CASE("no name, text or filter leads out of a scope", "[store]") {
    store<metric::squared_l2, flat> s{{.dim = 1}};
    s.upsert("secret", {1}, {{"namespace", "b"}, {"x", 1}});
    std::vector<float> const q{1};
    for (std::string const name :
         {"x' or true", "x' or namespace = 'b", "'", "''", "\\' or 1 = 1 --", "b\" or \"x", ""}) {
        CAPTURE(name);
        auto view = s.scope("namespace", name);
        CHECK(view.count() == 0);
        CHECK(view.search(q).empty());
        view.upsert("mine", q, {{"x", 2}});
        CHECK(view.size() == 1);
        CHECK(view.count("x = 1 or x = 2") == 1);
        CHECK(view.erase("mine"));
        auto named = s.scope(name.empty() ? "a.b" : name, "b");
        CHECK(named.size() == 0);
        named.upsert("mine", q);
        CHECK(named.size() == 1);
        CHECK(named.search(q).size() == 1);
        CHECK(named.erase("mine"));
    }
    auto view = s.scope("namespace", "a");
    for (std::string const where :
         {"x = 1) or (x = 1", "x = 1 or x > 0", "x = 2) or true or (x = 1", "(x = 1", ")"}) {
        CAPTURE(where);
        auto const found = view.try_count(where);
        CHECK((!found || *found == 0));
        auto const erased = view.try_erase_where(where);
        CHECK((!erased || *erased == 0));
        auto const hits = view.try_search(q, {.where = where});
        CHECK((!hits || hits->empty()));
    }
    CHECK(s.size() == 1);
    // The name is one field's, whatever dots are in it.
    s.upsert("nested", {1}, {{"a", {{"b", "c"}}}});
    CHECK(s.scope("a.b", "c").empty());
}

} // namespace scope_test

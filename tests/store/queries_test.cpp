// SPDX-License-Identifier: MIT
// Searches that ask for something else than the k nearest to one vector, beside brute force.
#include "contract/store.hpp"
#include "support/stores.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace queries_test {

using namespace vicinal_test;
using namespace vicinal_test::names;
using vicinal::fields;
using vicinal::like_strategy;
using vicinal::value;

namespace {

constexpr std::size_t dim = 8;
constexpr std::size_t many = 1200;

template <class Store>
typename Store::options options() {
    typename Store::options o;
    o.dim = dim;
    if constexpr (requires { o.index.flat_below; }) {
        o.index.flat_below = 200;
        o.index.neighbours = 12;
        o.index.build_width = 60;
    }
    return o;
}

/// Values of every kind, some equal across kinds, some that have no order.
fields payload_of(std::size_t n) {
    fields f{{"n", n}, {"document", "d" + std::to_string(n % 37)}};
    switch (n % 11) {
        case 0: f.set("x", n % 2 == 0); break;
        case 1: f.set("x", static_cast<double>(n % 40) / 2); break;
        case 2:
        case 3: f.set("x", n % 20); break;
        case 4: f.set("x", "t" + std::to_string(n % 9)); break;
        case 5: f.set("x", nullptr); break;
        case 6: f.set("x", value::array{value(1), value(2.0), value(1.0), value("t1")}); break;
        case 7: f.set("x", std::nan("")); break;
        case 8: f.set("x", -static_cast<std::int64_t>(n)); break;
        default: break;
    }
    return f;
}

/// Where a value stands in the order, by hand: kind, number, text; none for what has no order.
using rank = std::tuple<int, double, std::string>;
std::optional<rank> rank_of(value const& v) {
    if (auto const* b = v.get_if<bool>()) return rank{0, *b ? 1.0 : 0.0, ""};
    if (auto const* i = v.get_if<std::int64_t>()) return rank{1, static_cast<double>(*i), ""};
    if (auto const* d = v.get_if<double>())
        return *d == *d ? std::optional<rank>(rank{1, *d, ""}) : std::nullopt;
    if (auto const* s = v.get_if<std::string>()) return rank{2, 0.0, *s};
    return {};
}
std::set<rank> ranks_of(value const& v) {
    std::set<rank> all;
    if (auto const* a = v.get_if<value::array>()) {
        for (auto const& e : *a)
            if (auto const r = rank_of(e)) all.insert(*r);
    } else if (auto const r = rank_of(v)) {
        all.insert(*r);
    }
    return all;
}

template <class Store>
std::vector<typename Store::record> sample() {
    auto list = records<Store>(many, dim, 21);
    for (std::size_t i = 0; i < many; ++i) list[i].payload = payload_of(i);
    return list;
}

/// All records by distance, ties by id.
template <class Store>
std::vector<std::pair<float, std::size_t>>
by_distance(std::vector<typename Store::record> const& list, std::vector<float> const& query) {
    std::vector<std::pair<float, std::size_t>> all;
    for (std::size_t i = 0; i < list.size(); ++i)
        all.emplace_back(vicinal::metric::exact<typename Store::metric_type>(
                             query.data(), list[i].vector.data(), dim),
                         i);
    std::sort(all.begin(), all.end(), [&](auto const& a, auto const& b) {
        return std::pair(a.first, list[a.second].id) < std::pair(b.first, list[b.second].id);
    });
    return all;
}

} // namespace

TEMPLATE_TEST_CASE("a selection is in order, page by page, whatever the field holds", "[store]",
                   (store<metric::squared_l2, hnsw>), (store<metric::cosine, flat, storage::mmap>),
                   (store<metric::cosine, flat, storage::file, payload::fields, std::uint32_t>)) {
    test_store<TestType> held(options<TestType>());
    auto list = sample<TestType>();
    bool const indexed = GENERATE(false, true);
    if (indexed)
        for (auto const* field : {"x", "n", "document"})
            held->create_index(field, vicinal::field_index::ordered);
    held->upsert(list);
    for (std::size_t i = 0; i < 60; ++i) {
        auto& r = list[many - 1 - i * 3];
        r.payload = payload_of(many - i * 5);
        held->update_payload(r.id, r.payload);
    }
    for (std::size_t i = 0; i < 40; ++i) held->erase(list[i * 7].id);
    list.erase(std::remove_if(list.begin(), list.end(),
                              [&](auto const& r) { return !held->contains(r.id); }),
               list.end());
    for (std::string const field : {"", "x", "n", "document", "nowhere"})
        for (bool const descending : {false, true})
            for (std::string const where : {"", "n >= 300"}) {
                CAPTURE(field, descending, where, indexed);
                auto want = list;
                if (!where.empty())
                    std::erase_if(want, [](auto const& r) {
                        return *r.payload["n"].template get_if<std::int64_t>() < 300;
                    });
                std::sort(want.begin(), want.end(), [&](auto const& a, auto const& b) {
                    auto const x = rank_of(a.payload[field]);
                    auto const y = rank_of(b.payload[field]);
                    if (x.has_value() != y.has_value()) return x.has_value();
                    if (x && *x != *y) return (*x < *y) != descending;
                    return field.empty() && descending ? b.id < a.id : a.id < b.id;
                });
                vicinal::select_options o;
                o.where = where;
                o.order_by = field;
                o.descending = descending;
                o.limit = indexed ? 29 : 171;
                o.with_vectors = descending;
                std::vector<typename TestType::record> got;
                for (std::size_t pages = 0; pages < 50; ++pages) {
                    auto const page = held->select(o);
                    REQUIRE(page.records.size() <= o.limit);
                    got.insert(got.end(), page.records.begin(), page.records.end());
                    o.after = page.next;
                    if (page.next.empty()) break;
                }
                REQUIRE(got.size() == want.size());
                for (std::size_t i = 0; i < got.size(); ++i) {
                    REQUIRE(got[i].id == want[i].id);
                    REQUIRE(got[i].payload.contains("n"));
                    REQUIRE(got[i].vector == (descending ? want[i].vector : std::vector<float>()));
                }
            }
    CHECK(refused(held->try_select({.limit = 0})).code() == errc::invalid_argument);
    CHECK(refused(held->try_select({.after = "nonsense"})).code() == errc::invalid_argument);
    auto const next = held->select({.order_by = "n", .limit = 5}).next;
    CHECK(refused(held->try_select({.order_by = "x", .after = next})).code() ==
          errc::invalid_argument);
    CHECK(refused(held->try_select({.order_by = "n", .descending = true, .after = next})).code() ==
          errc::invalid_argument);
    CHECK(refused(held->try_select({.where = "n ="})).code() == errc::invalid_filter);
}

TEST_CASE("pages show every record that does not change once, while others come and go",
          "[store]") {
    store<metric::squared_l2, flat> s{{.dim = 2}};
    generator r(8);
    for (std::size_t i = 0; i < 400; ++i)
        s.upsert("stays" + std::to_string(i), {1, 2}, {{"x", r.below(50)}});
    std::map<std::string, int> seen;
    std::string after;
    for (std::size_t n = 0;; ++n) {
        auto const page = s.select({.order_by = "x", .limit = 13, .after = after});
        for (auto const& record : page.records) ++seen[record.id];
        after = page.next;
        if (after.empty()) break;
        s.erase("comes" + std::to_string(n - 1));
        for (std::size_t i = 0; i < 20; ++i)
            s.upsert("comes" + std::to_string(n), {1, 2}, {{"x", r.below(50)}});
        // The record that the page ended with goes as well, once it was seen.
        if (page.records.back().id.starts_with("comes")) s.erase(page.records.back().id);
    }
    for (std::size_t i = 0; i < 400; ++i) CHECK(seen["stays" + std::to_string(i)] == 1);
}

TEMPLATE_TEST_CASE("facets count each value once a record, most frequent first", "[store]",
                   (store<metric::squared_l2, hnsw>),
                   (store<metric::cosine, flat, storage::file>)) {
    test_store<TestType> held(options<TestType>());
    auto list = sample<TestType>();
    held->upsert(list);
    auto const plain = held->facets("x", {.limit = 1000});
    held->create_index("x", vicinal::field_index::hash);
    held->create_index("document", vicinal::field_index::inverted);
    CHECK(held->facets("x", {.limit = 1000}) == plain);
    // Dead rows, and some that are too new for the index: a filter has each payload looked at.
    held->create_index("x", vicinal::field_index::inverted);
    for (std::size_t i = 0; i < 150; ++i) held->erase(list[many - 1 - i].id);
    for (std::size_t i = 0; i < 30; ++i)
        held->upsert(list[i].id, list[i].vector, payload_of(2 * i));
    for (std::string const field : {"x", "document"})
        CHECK(held->facets(field, {.limit = 1000}) ==
              held->facets(field, {.where = "n >= 0", .limit = 1000}));
    held->upsert(list);
    for (std::size_t i = 0; i < 300; ++i) {
        list[i].payload = payload_of(i + 6);
        if (i % 2 == 0)
            held->update_payload(list[i].id, list[i].payload);
        else
            held->upsert(list[i].id, list[i].vector, list[i].payload);
    }
    for (std::string const field : {"x", "document", "nowhere"})
        for (std::int64_t const from : {0, 900}) {
            std::map<rank, std::size_t> counts;
            for (auto const& r : list)
                if (*r.payload["n"].template get_if<std::int64_t>() >= from)
                    for (auto const& v : ranks_of(r.payload[field])) ++counts[v];
            std::vector<std::pair<rank, std::size_t>> want(counts.begin(), counts.end());
            std::stable_sort(want.begin(), want.end(),
                             [](auto const& a, auto const& b) { return a.second > b.second; });
            auto const where = from == 0 ? "" : "n >= " + std::to_string(from);
            auto const got = held->facets(field, {.where = where, .limit = 7});
            REQUIRE(got.size() == std::min<std::size_t>(7, want.size()));
            for (std::size_t i = 0; i < got.size(); ++i) {
                CHECK(got[i].count == want[i].second);
                CHECK(rank_of(got[i].value) == want[i].first);
            }
        }
}

TEMPLATE_TEST_CASE("groups are the nearest values, each with its nearest records", "[store]",
                   (store<metric::squared_l2, hnsw>), (store<metric::cosine, flat>),
                   (store<metric::squared_l2, hnsw, storage::mmap>)) {
    test_store<TestType> held(options<TestType>());
    auto const list = sample<TestType>();
    held->upsert(list);
    std::vector<float> const query(dim, 0.5F);
    for (std::string const field : {"document", "x"})
        for (bool const exact : {true, false})
            for (std::size_t const groups : {1U, 5U, 100U})
                for (std::size_t const size : {1U, 4U}) {
                    CAPTURE(field, exact, groups, size);
                    std::vector<std::pair<rank, std::vector<std::size_t>>> want;
                    for (auto const& [d, i] : by_distance<TestType>(list, query))
                        for (auto const& v : ranks_of(list[i].payload[field])) {
                            auto at = std::find_if(want.begin(), want.end(),
                                                   [&](auto const& g) { return g.first == v; });
                            if (at == want.end()) at = want.insert(at, {v, {}});
                            if (at->second.size() < size) at->second.push_back(i);
                        }
                    auto const all = want.size();
                    want.resize(std::min(want.size(), groups));
                    auto const got = held->search_groups(
                        query,
                        {.by = field, .groups = groups, .size = size, .recall = 1, .exact = exact});
                    REQUIRE(got.size() == std::min(all, groups));
                    if (!exact && field == "x")
                        continue; // equal distances, and recall is no promise
                    for (std::size_t g = 0; exact && g < got.size(); ++g) {
                        REQUIRE(rank_of(got[g].value) == want[g].first);
                        REQUIRE(got[g].hits.size() == want[g].second.size());
                        for (std::size_t i = 0; i < got[g].hits.size(); ++i)
                            REQUIRE(got[g].hits[i].id == list[want[g].second[i]].id);
                    }
                    for (std::size_t g = 1; g < got.size(); ++g)
                        CHECK(got[g - 1].hits[0].distance <= got[g].hits[0].distance);
                }
    auto const some =
        held->search_groups(query, {.by = "document", .groups = 50, .where = "n < 20"});
    CHECK(some.size() == 20);
    CHECK(refused(held->try_search_groups(query, {.by = ""})).code() == errc::invalid_argument);
    CHECK(refused(held->try_search_groups(query, {.by = "x", .groups = 0})).code() ==
          errc::invalid_argument);
}

TEMPLATE_TEST_CASE("a search within a distance finds all that is there", "[store]",
                   (store<metric::squared_l2, hnsw>),
                   (store<metric::squared_l2, flat, storage::file>)) {
    test_store<TestType> held(options<TestType>());
    auto const list = sample<TestType>();
    held->upsert(list);
    std::vector<float> const query(dim, 0.5F);
    auto const all = by_distance<TestType>(list, query);
    for (std::size_t const n : {0U, 1U, 63U, 64U, 65U, 300U, 1199U}) {
        auto const distance = static_cast<double>(all[n].first);
        auto const exact = held->search_within(query, distance, {.exact = true});
        REQUIRE(exact.size() >= n + 1);
        for (std::size_t i = 0; i < exact.size(); ++i) {
            REQUIRE(exact[i].id == list[all[i].second].id);
            REQUIRE(static_cast<double>(exact[i].distance) <= distance);
        }
        if (exact.size() < many) CHECK(static_cast<double>(all[exact.size()].first) > distance);
        auto const walked = held->search_within(query, distance);
        CHECK(static_cast<double>(walked.size()) >= 0.9 * static_cast<double>(exact.size()));
        CHECK(held->search_within(query, distance, {.limit = 10}).size() ==
              std::min<std::size_t>(10, exact.size()));
    }
    CHECK(held->search_within(query, -1).empty());
    CHECK(held->search_within(query, 1e30, {.where = "n < 7"}).size() == 7);
    CHECK(held->search_within(query, 1e30, {.limit = 0}).empty());
    CHECK(refused(held->try_search_within(query, std::nan(""))).code() == errc::invalid_argument);
}

TEMPLATE_TEST_CASE("hits are like the positive examples and unlike the negative ones", "[store]",
                   (store<metric::squared_l2, hnsw>), (store<metric::cosine, flat>)) {
    using test_metric = typename TestType::metric_type;
    test_store<TestType> held(options<TestType>());
    auto const list = sample<TestType>();
    held->upsert(list);
    using examples = typename TestType::examples;
    examples of;
    of.positive = {list[3].id, list[40].id};
    of.negative = {list[700].vector};
    SECTION("average: the search for the vector that it stands for, without the examples") {
        std::vector<double> sum(dim, 0);
        auto const add = [&](std::vector<float> const& v, double weight) {
            double norm = 0;
            for (auto const x : v) norm += static_cast<double>(x) * static_cast<double>(x);
            norm = vicinal::metric::needs_direction<test_metric> ? std::sqrt(norm) : 1;
            for (std::size_t i = 0; i < dim; ++i)
                sum[i] += weight * static_cast<double>(v[i]) / norm;
        };
        add(list[3].vector, 1);
        add(list[40].vector, 1);
        add(list[700].vector, -1);
        std::vector<float> query(sum.begin(), sum.end());
        auto const got = held->search_like(of, {.k = 20, .exact = true});
        REQUIRE(got.size() == 20);
        auto want = by_distance<TestType>(list, query);
        std::erase_if(want, [](auto const& w) { return w.second == 3 || w.second == 40; });
        for (std::size_t i = 0; i < got.size(); ++i)
            CHECK(got[i].distance == Approx(want[i].first).margin(1e-4));
        auto const walked = held->search_like(of, {.k = 20, .where = "n < 600"});
        CHECK(walked.size() == 20);
        for (auto const& h : walked) CHECK((h.id != list[3].id && h.id != list[40].id));
    }
    SECTION("best score: by the nearest example") {
        of.strategy = like_strategy::best_score;
        auto const distance = [&](std::size_t a, std::size_t b) {
            return vicinal::metric::exact<test_metric>(list[a].vector.data(), list[b].vector.data(),
                                                       dim);
        };
        struct scored {
            bool negative;
            float key;
            std::size_t n;
        };
        std::vector<scored> want;
        for (std::size_t i = 0; i < many; ++i) {
            if (i == 3 || i == 40) continue;
            auto const near = std::min(distance(3, i), distance(40, i));
            auto const far = distance(700, i);
            want.push_back({far <= near, far <= near ? -far : near, i});
        }
        std::sort(want.begin(), want.end(), [&](auto const& a, auto const& b) {
            return std::tuple(a.negative, a.key, list[a.n].id) <
                   std::tuple(b.negative, b.key, list[b.n].id);
        });
        auto const got = held->search_like(of, {.k = 1198, .exact = true});
        REQUIRE(got.size() == 1198);
        for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i].id == list[want[i].n].id);
        CHECK(got.back().id == list[700].id);
        auto const few = held->search_like(of, {.k = 10});
        REQUIRE(few.size() == 10);
        std::size_t same = 0;
        for (auto const& h : few)
            for (std::size_t i = 0; i < 10; ++i)
                if (h.id == list[want[i].n].id) ++same;
        CHECK(same >= 8);
        CHECK(held->search_like(of, {.k = 5, .max_distance = -1}).empty());
    }
    SECTION("what is no example is refused") {
        CHECK(refused(held->try_search_like({})).code() == errc::invalid_argument);
        CHECK(refused(held->try_search_like({.positive = {"nowhere"}})).code() == errc::not_found);
        CHECK(refused(held->try_search_like({.positive = {std::vector<float>(3, 1.0F)}})).code() ==
              errc::dimension_mismatch);
        if constexpr (vicinal::metric::needs_direction<test_metric>) {
            auto opposite = list[3].vector;
            for (auto& x : opposite) x = -x;
            CHECK(refused(held->try_search_like({.positive = {list[3].id, opposite}})).code() ==
                  errc::zero_vector);
        }
    }
}

TEST_CASE("a store without fields selects by id, and refuses to order by one", "[store]") {
    store<metric::squared_l2, flat, storage::memory, payload::none, std::uint64_t> s{{.dim = 2}};
    for (std::uint64_t i = 0; i < 20; ++i) s.upsert(i, {static_cast<float>(i), 1});
    auto const page = s.select({.limit = 7});
    REQUIRE(page.records.size() == 7);
    CHECK(page.records[6].id == 6);
    CHECK(s.select({.limit = 7, .after = page.next}).records[0].id == 7);
    CHECK(refused(s.try_select({.order_by = "n"})).code() == errc::unsupported);
    CHECK(refused(s.try_facets("n")).code() == errc::unsupported);
    CHECK(refused(s.try_count("n = 1")).code() == errc::unsupported);
    CHECK(s.count() == 20);
    CHECK(s.search_like({.positive = {3}}, {.k = 2}).size() == 2);
    CHECK(s.search_within({3, 1}, 1).size() == 3);
}

} // namespace queries_test

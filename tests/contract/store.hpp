// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_CONTRACT_STORE_HPP
#define VICINAL_TESTS_CONTRACT_STORE_HPP

#include "catch.hpp"
#include "support/brute_force.hpp"
#include "support/random.hpp"
#include "support/stores.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vicinal_test {

using vicinal::errc;
using vicinal::search_options;

/// The error of a call that must fail.
template <class Result>
[[nodiscard]] vicinal::error refused(Result const& r) {
    REQUIRE_FALSE(r);
    CHECK_FALSE(r.error().expected().empty());
    CHECK_FALSE(r.error().got().empty());
    return r.error();
}

template <class Id>
[[nodiscard]] Id make_id(std::size_t n) {
    if constexpr (std::is_same_v<Id, std::string>)
        return "r" + std::to_string(n);
    else
        return static_cast<Id>(n);
}

[[nodiscard]] inline vicinal::fields numbered(std::size_t n) {
    return {{"n", n}, {"even", n % 2 == 0}, {"tags", {"all", n % 3 == 0 ? "fizz" : "none"}}};
}

template <class Store>
[[nodiscard]] std::vector<typename Store::record> records(std::size_t n, std::size_t dim,
                                                          std::uint64_t seed) {
    auto const data = clustered_rows(n, dim, 5, seed);
    std::vector<typename Store::record> list;
    for (std::size_t i = 0; i < n; ++i)
        list.push_back(
            {make_id<typename Store::id_type>(i), {data.row(i), data.row(i) + dim}, numbered(i)});
    return list;
}

template <class Scan>
[[nodiscard]] auto collect(Scan scan) {
    std::vector<std::remove_cvref_t<decltype(*scan.begin())>> list;
    for (auto const& r : scan) list.push_back(r);
    return list;
}

template <class Store>
void check_same(Store& store, std::vector<typename Store::record> want) {
    std::sort(want.begin(), want.end(), [](auto const& a, auto const& b) { return a.id < b.id; });
    REQUIRE(store.size() == want.size());
    auto const got = collect(store.scan());
    REQUIRE(got.size() == want.size());
    for (std::size_t i = 0; i < want.size(); ++i) {
        REQUIRE(got[i].id == want[i].id);
        REQUIRE(got[i].vector == want[i].vector);
        REQUIRE(got[i].payload == want[i].payload);
        REQUIRE(store.contains(want[i].id));
        auto const one = store.get(want[i].id);
        REQUIRE(one);
        REQUIRE(std::memcmp(one->vector.data(), want[i].vector.data(),
                            want[i].vector.size() * sizeof(float)) == 0);
        REQUIRE(one->payload == want[i].payload);
    }
}

/// What every store of fields promises, whatever its metric, index, storage and id.
template <class Store>
void check_store_contract(typename Store::options options) {
    using metric = typename Store::metric_type;
    using id = typename Store::id_type;
    constexpr std::size_t dim = 6;
    options.dim = dim;
    test_store<Store> held(options);
    auto const name = [](std::size_t n) { return make_id<id>(n); };
    auto const nowhere = name(200);
    std::vector<float> const query(dim, 1.0F);

    SECTION("empty, it answers with nothing") {
        CHECK(held->size() == 0);
        CHECK(held->empty());
        CHECK(held->dim() == dim);
        CHECK(held->search(query).empty());
        CHECK(held->search(query, {.where = "n = 1", .exact = true}).empty());
        CHECK(collect(held->scan()).empty());
        CHECK_FALSE(held->get(nowhere));
        CHECK_FALSE(held->contains(nowhere));
        CHECK_FALSE(held->erase(nowhere));
        CHECK_NOTHROW(held->clear());
        held->upsert(std::vector<typename Store::record>{});
        CHECK(held->size() == 0);
    }
    SECTION("what was put in comes back, bit for bit, also after reopening") {
        auto list = records<Store>(150, dim, 71);
        list[3].vector[0] = -0.0F;
        list[4].vector[1] = std::numeric_limits<float>::denorm_min();
        list[5].vector[2] = 1e30F;
        held->upsert(list);
        check_same(*held, list);
        held.reopen();
        check_same(*held, list);
    }
    SECTION("an update moves vector and payload, an erase removes, both stay so") {
        auto list = records<Store>(60, dim, 72);
        held->upsert(list);
        for (std::size_t i = 0; i < 60; i += 4) {
            list[i].vector = std::vector<float>(dim, static_cast<float>(i + 1));
            list[i].payload = {{"new", i}};
            held->upsert(list[i].id, list[i].vector, list[i].payload);
        }
        for (std::size_t i = 50; i < 60; ++i) {
            CHECK(held->erase(list[i].id));
            CHECK_FALSE(held->erase(list[i].id));
            CHECK_FALSE(held->contains(list[i].id));
            CHECK_FALSE(held->get(list[i].id));
        }
        list.resize(50);
        check_same(*held, list);
        for (auto const& h : held->search(query, {.k = 1000})) CHECK(held->contains(h.id));
        held.reopen();
        check_same(*held, list);
        for (auto const& h : held->search(query, {.k = 1000, .where = "new >= 0"}))
            CHECK((*held->get(h.id)).payload.contains("new"));
    }
    SECTION("a payload changes, its vector does not, also after reopening") {
        auto list = records<Store>(150, dim, 87);
        held->upsert(list);
        CHECK(held->search(query, {.k = 200, .where = "new > 0"}).empty());
        CHECK(held->search(query, {.k = 200, .where = "new > 0"}).empty());
        auto const before = held->stats();
        for (std::size_t i = 0; i < 150; i += 3) {
            list[i].payload = {{"new", i + 1}, {"text", std::string(i, 'x')}};
            CHECK(held->update_payload(list[i].id, list[i].payload));
        }
        CHECK_FALSE(held->update_payload(nowhere, {{"new", 1}}));
        CHECK_FALSE(held->merge_payload(nowhere, {{"new", 1}}));
        list[4].payload.set("more", 1);
        CHECK(held->merge_payload(list[4].id, {{"more", 1}}));
        std::vector<id> some{list[7].id, nowhere, list[8].id, list[7].id};
        for (std::size_t i : {7U, 8U}) list[i].payload.set("even", "neither");
        CHECK(held->merge_payload(some, {{"even", "neither"}}) == 2);
        CHECK(held->stats().rows == before.rows);
        CHECK(held->stats().indexed_rows == before.indexed_rows);
        CHECK(held->search(query, {.k = 200, .where = "new > 0"}).size() == 50);
        CHECK(held->search(query, {.k = 200, .where = "n >= 0", .exact = true}).size() == 100);
        CHECK(held->count("new > 0") == 50);
        CHECK(held->count() == 150);
        check_same(*held, list);
        held.reopen();
        check_same(*held, list);
        held->compact();
        check_same(*held, list);
        CHECK(refused(held->try_merge_payload(list[4].id, {{"t", "\xff"}})).code() ==
              errc::invalid_payload);
        CHECK(held->erase_where("new > 100") == 16);
        CHECK(held->erase_where("new > 100") == 0);
        CHECK(refused(held->try_erase_where("new >")).code() == errc::invalid_filter);
        CHECK(refused(held->try_count("new >")).code() == errc::invalid_filter);
        list.erase(std::remove_if(list.begin(), list.end(),
                                  [](auto const& r) {
                                      auto const* n =
                                          r.payload["new"].template get_if<std::int64_t>();
                                      return n && *n > 100;
                                  }),
                   list.end());
        check_same(*held, list);
        held.reopen();
        check_same(*held, list);
        CHECK(held->verify().ok());
    }
    SECTION("always min(k, matching) hits, nearest first, ties by id, with the true distance") {
        auto list = records<Store>(150, dim, 73);
        for (std::size_t i = 0; i < 30; ++i) list[149 - i].vector = list[i].vector;
        held->upsert(list);
        for (std::size_t i = 0; i < 20; ++i) held->erase(name(5 * i));
        struct wanted {
            char const* where;
            bool (*keep)(std::size_t);
        };
        for (auto const& w :
             {wanted{"", [](std::size_t) { return true; }},
              wanted{"n = 7", [](std::size_t n) { return n == 7; }},
              wanted{"n < 0", [](std::size_t) { return false; }},
              wanted{"even = true and n >= 100",
                     [](std::size_t n) { return n % 2 == 0 && n >= 100; }},
              wanted{"tags contains 'fizz'", [](std::size_t n) { return n % 3 == 0; }}}) {
            for (std::size_t const k : {0U, 1U, 10U, 149U, 150U, 100000U})
                for (bool const exact : {true, false}) {
                    CAPTURE(w.where, k, exact);
                    std::vector<std::pair<float, id>> truth;
                    for (std::size_t i = 0; i < 150; ++i)
                        if ((i % 5 != 0 || i >= 100) && w.keep(i))
                            truth.emplace_back(vicinal::metric::exact<metric>(
                                                   query.data(), list[i].vector.data(), dim),
                                               list[i].id);
                    std::sort(truth.begin(), truth.end());
                    truth.resize(std::min(k, truth.size()));
                    auto const hits =
                        held->search(query, {.k = k, .where = w.where, .exact = exact});
                    // So few rows are scanned or walked whole: also the walk is exact.
                    REQUIRE(hits.size() == truth.size());
                    for (std::size_t i = 0; i < hits.size(); ++i) {
                        CAPTURE(i);
                        if (exact || k >= 149) {
                            REQUIRE(hits[i].id == truth[i].second);
                            REQUIRE(hits[i].distance == truth[i].first);
                        }
                        REQUIRE(hits[i].similarity() ==
                                vicinal::metric::similarity<metric>(hits[i].distance));
                    }
                }
        }
    }
    SECTION("max_distance keeps hits up to it, inclusive") {
        held->upsert(records<Store>(40, dim, 74));
        auto const all = held->search(query, {.k = 40, .exact = true});
        auto const limit = static_cast<double>(all[11].distance);
        auto const near = held->search(query, {.k = 40, .max_distance = limit});
        REQUIRE(near.size() >= 12);
        CHECK(near.size() < 40);
        for (auto const& h : near) CHECK(static_cast<double>(h.distance) <= limit);
        CHECK(held->search(query, {.k = 5, .max_distance = -1e30}).empty());
    }
    SECTION("a matrix of queries gives an answer for each") {
        held->upsert(records<Store>(40, dim, 75));
        auto const queries = uniform_rows(3, dim, 76);
        auto const many = held->search({queries.data, dim}, {.k = 4});
        REQUIRE(many.size() == 3);
        for (std::size_t i = 0; i < 3; ++i) {
            auto const one =
                held->search(std::vector<float>(queries.row(i), queries.row(i) + dim), {.k = 4});
            REQUIRE(many[i].size() == 4);
            for (std::size_t j = 0; j < 4; ++j) CHECK(many[i][j].id == one[j].id);
        }
        std::vector<float> const ragged(2 * dim + 1, 1.0F);
        CHECK(refused(held->try_search({ragged, dim})).code() == errc::dimension_mismatch);
        CHECK(refused(held->try_search({ragged, dim + 1})).code() == errc::dimension_mismatch);
        CHECK(refused(held->try_search({ragged, 0})).code() == errc::dimension_mismatch);
    }
    SECTION("a scan is in the order of ids and goes on behind any of them") {
        auto list = records<Store>(30, dim, 77);
        held->upsert(list);
        std::sort(list.begin(), list.end(),
                  [](auto const& a, auto const& b) { return a.id < b.id; });
        auto const behind = collect(held->scan(list[11].id));
        REQUIRE(behind.size() == 18);
        CHECK(behind.front().id == list[12].id);
        held->erase(list[11].id);
        CHECK(collect(held->scan(list[11].id)).size() == 18);
        CHECK(collect(held->scan(list.back().id)).empty());
        auto scan = held->try_scan().value();
        CHECK(scan.left() == 29);
    }
    SECTION("a scan does not see what a writer does meanwhile") {
        auto list = records<Store>(30, dim, 78);
        held->upsert(list);
        auto scan = held->scan();
        std::vector<typename Store::record> got;
        for (int i = 0; i < 5; ++i) got.push_back(*scan.try_next().value());
        for (std::size_t i = 0; i < 30; i += 2) held->erase(name(i));
        for (std::size_t i = 1; i < 30; i += 4) held->upsert(name(i), query, {{"changed", true}});
        for (std::size_t i = 3; i < 30; i += 4)
            CHECK(held->update_payload(name(i), {{"changed", true}}));
        CHECK(held->get(name(7))->vector == list[7].vector);
        CHECK(held->count("changed = true") == 15);
        held->upsert(name(100), query);
        held->clear();
        held->upsert(records<Store>(90, dim, 79));
        while (auto r = scan.try_next().value()) got.push_back(*r);
        std::sort(list.begin(), list.end(),
                  [](auto const& a, auto const& b) { return a.id < b.id; });
        REQUIRE(got.size() == 30);
        for (std::size_t i = 0; i < 30; ++i) {
            REQUIRE(got[i].id == list[i].id);
            REQUIRE(got[i].vector == list[i].vector);
            REQUIRE(got[i].payload == list[i].payload);
        }
    }
    SECTION("cleared, it is as new, also after reopening") {
        held->upsert(records<Store>(120, dim, 80));
        held->clear();
        CHECK(held->empty());
        CHECK(held->search(query).empty());
        auto const list = records<Store>(20, dim, 81);
        held->upsert(list);
        check_same(*held, list);
        held.reopen();
        check_same(*held, list);
        CHECK(held->search(query, {.k = 50}).size() == 20);
    }
    SECTION("a record that is refused changes nothing") {
        auto const list = records<Store>(10, dim, 82);
        held->upsert(list);
        auto const nan = std::numeric_limits<float>::quiet_NaN();
        auto const inf = std::numeric_limits<float>::infinity();
        struct bad {
            std::vector<float> vector;
            errc code;
        };
        std::vector<bad> wrong{
            {std::vector<float>(dim - 1, 1.0F), errc::dimension_mismatch},
            {std::vector<float>(dim + 1, 1.0F), errc::dimension_mismatch},
            {{}, errc::dimension_mismatch},
            {{1, 2, nan, 4, 5, 6}, errc::not_finite},
            {{1, 2, 3, 4, 5, inf}, errc::not_finite},
            {{-inf, 2, 3, 4, 5, 6}, errc::not_finite},
        };
        if constexpr (vicinal::metric::needs_direction<metric>)
            wrong.push_back({std::vector<float>(dim, 0.0F), errc::zero_vector});
        else
            CHECK(held->try_search(std::vector<float>(dim, 0.0F)));
        for (auto const& w : wrong) {
            CAPTURE(w.vector);
            auto const one = refused(held->try_upsert(name(3), w.vector, numbered(99)));
            CHECK(one.code() == w.code);
            CHECK(one.got().find(vicinal::detail::id_traits<id>::text(name(3))) !=
                  std::string::npos);
            CHECK(refused(held->try_search(w.vector)).code() == w.code);
            auto batch = records<Store>(30, dim, 83);
            batch[17].vector = w.vector;
            CHECK(refused(held->try_upsert(batch)).code() == w.code);
            CHECK_THROWS_AS(held->upsert(name(3), w.vector), vicinal::error);
        }
        auto twice = records<Store>(30, dim, 84);
        twice[20].id = twice[9].id;
        CHECK(refused(held->try_upsert(twice)).code() == errc::duplicate_id);
        CHECK(refused(held->try_upsert(name(3), query, {{"text", "\xff\xfe"}})).code() ==
              errc::invalid_payload);
        auto const filter = held->try_search(query, {.where = "n = = 1"});
        CHECK(refused(filter).code() == errc::invalid_filter);
        CHECK(refused(held->try_search(query, {.recall = 1.5})).code() == errc::invalid_argument);
        CHECK(refused(held->try_search(query, {.recall = std::numeric_limits<double>::quiet_NaN()}))
                  .code() == errc::invalid_argument);
        CHECK(refused(held->try_search(query,
                                       {.max_distance = std::numeric_limits<double>::quiet_NaN()}))
                  .code() == errc::invalid_argument);
        check_same(*held, list);
        held.reopen();
        check_same(*held, list);
    }
    SECTION("moved, it is the same store") {
        auto const list = records<Store>(25, dim, 85);
        held->upsert(list);
        Store moved = std::move(*held);
        check_same(moved, list);
        *held = std::move(moved);
        check_same(*held, list);
        held->upsert(name(99), query);
        CHECK(held->size() == 26);
    }
    SECTION("counts tell live records from rows") {
        held->upsert(records<Store>(10, dim, 86));
        held->upsert(name(3), query);
        held->erase(name(4));
        CHECK(held->stats().records == 9);
        CHECK(held->stats().rows == 11);
        CHECK(held->stats().indexed_rows <= 11);
    }
}

} // namespace vicinal_test

#endif

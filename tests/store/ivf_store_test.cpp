// SPDX-License-Identifier: MIT
// Inverted lists under a store: contracts, filters, logs, checkpoints, compaction.
#include "contract/store.hpp"
#include "store/model.hpp"

#include <vicinal/index/ivf.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace ivf_store_test {

namespace {

using namespace vicinal;
using namespace vicinal_test;

using in_memory = store<metric::squared_l2, index::ivf<>>;
using mapped = store<metric::cosine, index::ivf<>, storage::mmap>;

/// Lists from the hundredth row on, so that a contract of 150 rows meets both sides.
index::ivf_options small_lists(std::size_t flat_below = 100) {
    index::ivf_options o;
    o.flat_below = flat_below;
    o.num_partitions = 12;
    return o;
}

template <class Store>
std::vector<typename Store::record> some(std::size_t n, std::size_t dim, std::uint64_t seed) {
    auto const data = uniform_rows(n, dim, seed);
    auto all = records<Store>(n, dim, seed);
    for (std::size_t i = 0; i < n; ++i) all[i].vector.assign(data.row(i), data.row(i) + dim);
    return all;
}

/// The share of the true ten nearest that searches find, exact ones beside.
template <class Store>
double recall(Store& s, std::size_t dim, search_options o) {
    auto const queries = uniform_rows(40, dim, 99);
    std::size_t found = 0, wanted = 0;
    o.k = 10;
    for (std::size_t q = 0; q < queries.count(); ++q) {
        vector_view<float> const query(queries.row(q), dim);
        auto exactly = o;
        exactly.exact = true;
        auto const truth = s.search(query, exactly);
        auto const got = s.search(query, o);
        REQUIRE(got.size() == truth.size());
        wanted += truth.size();
        for (auto const& h : got) found += h.distance <= truth.back().distance ? 1U : 0U;
    }
    return wanted == 0 ? 1 : static_cast<double>(found) / static_cast<double>(wanted);
}

} // namespace

TEST_CASE("inverted lists in memory keep the contract of stores", "[store]") {
    check_store_contract<in_memory>({.index = small_lists()});
}

TEST_CASE("inverted lists in mapped files keep the contract of stores", "[store]") {
    check_store_contract<mapped>({.index = small_lists()});
}

TEST_CASE("random operations: inverted lists are a map with valid hits", "[store]") {
    CHECK(check_against_model<in_memory>(100, 300, 2, {.index = small_lists(8)}) == "");
    CHECK(check_against_model<mapped>(40, 300, 4, {.index = small_lists(8)}) == "");
}

TEST_CASE("inverted lists are answered exactly until there are enough rows", "[store]") {
    in_memory s{{.dim = 8}};
    s.upsert(some<in_memory>(1500, 8, 1));
    CHECK(s.stats().indexed_rows == 0);
    CHECK(recall(s, 8, {}) == 1);
    s.upsert(some<in_memory>(3000, 8, 1));
    CHECK(s.stats().indexed_rows >= 3000);
    CHECK(recall(s, 8, {}) > 0.93);
    CHECK(recall(s, 8, {.recall = 0.99}) > 0.975);
}

TEST_CASE("filters over inverted lists, from one match to nearly all", "[store]") {
    in_memory s{{.dim = 6, .index = small_lists()}};
    s.upsert(some<in_memory>(6000, 6, 3));
    for (std::string const where : {"n = 17", "n < 0", "n >= 5990", "even = true", "n >= 100",
                                    "n < 600", "tags contains 'fizz' and n > 2000"}) {
        CAPTURE(where);
        CHECK(recall(s, 6, {.where = where}) > 0.93);
        CHECK(recall(s, 6, {.where = where}) > 0.93); // the matches are known now
        CHECK(s.search(std::vector<float>(6), {.k = 6000, .where = where}).size() ==
              s.count(where));
    }
    CHECK(s.search(std::vector<float>(6), {.k = 3, .where = "n < 0"}).empty());
    CHECK(s.search(std::vector<float>(6), {.k = 3, .effort = 1000000}).size() == 3);
}

TEST_CASE("a matrix of queries to inverted lists is answered as its rows are", "[store]") {
    in_memory s{{.dim = 6, .index = small_lists()}};
    auto all = some<in_memory>(3000, 6, 4);
    s.upsert(std::span(all).first(2900));
    auto const queries = uniform_rows(70, 6, 99);
    auto const same = [&](search_options const& o) {
        auto const each = s.search(matrix_view<float>(queries.data, 6), o);
        REQUIRE(each.size() == queries.count());
        std::size_t count = 0, of = 0;
        for (std::size_t q = 0; q < each.size(); ++q) {
            auto const alone = s.search(vector_view<float>(queries.row(q), 6), o);
            REQUIRE(each[q].size() == alone.size());
            for (std::size_t i = 0; i < alone.size(); ++i) {
                CHECK(each[q][i].distance >= alone[0].distance);
                count += each[q][i].id == alone[i].id ? 1U : 0U;
            }
            of += alone.size();
        }
        // Distances from centres may round differently, and so a list be looked at or not.
        CHECK(count >= of * 99 / 100);
    };
    same({.k = 10});
    same({.k = 10, .threads = 2});
    same({.k = 5, .max_distance = 0.5});
    // More than a list has, and more than there are.
    same({.k = 500, .effort = 1});
    same({.k = 5000});
    same({.k = 10, .where = "n < 700"});
    same({.k = 10, .exact = true});
    for (std::size_t i = 0; i < 1500; ++i) s.erase(all[i].id);
    s.upsert(std::span(all).last(100));
    same({.k = 10});
    CHECK(s.search(matrix_view<float>(queries.data, 6), {.k = 0}).size() == queries.count());
}

TEST_CASE("inverted lists come back from a checkpoint and a log", "[store]") {
    test_store<mapped> held({.dim = 6, .index = small_lists()});
    auto const all = some<mapped>(900, 6, 3);
    held->upsert(std::span(all).first(700));
    held->checkpoint();
    auto const before = held->search(all[5].vector, {.k = 20});
    held.reopen();
    CHECK(held->stats().indexed_rows == 700);
    auto const after = held->search(all[5].vector, {.k = 20});
    REQUIRE(before.size() == after.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
        CHECK(before[i].id == after[i].id);
        CHECK(before[i].distance == after[i].distance);
    }
    held->upsert(std::span(all).subspan(700));
    held.reopen();
    check_same(*held, all);
    CHECK(recall(*held, 6, {}) > 0.9);
    CHECK(held->verify().ok());
}

TEST_CASE("inverted lists are compacted, and go on", "[store]") {
    test_store<mapped> held({.dim = 6, .index = small_lists()});
    auto all = some<mapped>(3000, 6, 3);
    held->upsert(all);
    std::vector<mapped::record> left;
    for (std::size_t i = 0; i < all.size(); ++i)
        if (i % 3 == 0)
            left.push_back(all[i]);
        else
            held->erase(all[i].id);
    CHECK(recall(*held, 6, {}) > 0.9);
    held->compact();
    check_same(*held, left);
    CHECK(held->verify().ok());
    CHECK(recall(*held, 6, {}) > 0.9);
    held.reopen();
    CHECK(held->stats().indexed_rows == 1000);
    CHECK(recall(*held, 6, {}) > 0.9);
    held->upsert(std::span(all).first(500));
    CHECK(recall(*held, 6, {}) > 0.9);
    CHECK(held->verify().ok());
    held->clear();
    CHECK(held->size() == 0);
    held->upsert(all);
    CHECK(recall(*held, 6, {}) > 0.9);
}

TEST_CASE("compact() gives lists new centres where rows have come to lie elsewhere", "[store]") {
    test_store<mapped> held({.dim = 6, .index = small_lists()});
    auto all = some<mapped>(3000, 6, 3);
    generator r(9);
    for (auto& one : all) one.vector = r.vector(6, 0.5, 1); // directions of a cone
    held->upsert(all);
    CHECK(held->stats().partitions == 12);
    CHECK(held->stats().drift == 1);
    held->compact(); // nothing to do
    auto const generation = storage::mmap::space::inspect(held.path())->generation;
    held->compact();
    CHECK(storage::mmap::space::inspect(held.path())->generation == generation);
    for (std::size_t i = 0; i < 2000; i += 100) {
        std::vector<mapped::record> more;
        for (std::size_t j = i; j < i + 100; ++j)
            more.push_back({"far" + std::to_string(j), r.vector(6), {}});
        held->upsert(more);
        all.insert(all.end(), more.begin(), more.end());
    }
    auto const drift = held->stats().drift;
    CHECK(drift > 1.5);
    held.reopen();
    CHECK(held->stats().drift == drift);
    held->compact();
    CHECK(held->stats().drift == 1);
    CHECK(held->stats().indexed_rows == all.size());
    CHECK(storage::mmap::space::inspect(held.path())->generation > generation);
    held.reopen();
    CHECK(held->stats().drift == 1);
    check_same(*held, all);
    CHECK(recall(*held, 6, {}) > 0.9);
    CHECK(held->verify().ok());
}

TEST_CASE("inverted lists in paged files are searched as in mapped ones", "[store]") {
    temporary_directory const dir;
    auto const all = some<mapped>(3000, 6, 3);
    {
        mapped s{dir.path("s"), {.dim = 6, .durability = durability::off}};
        s.upsert(all);
    }
    using paged = store<metric::cosine, index::ivf<>, storage::file>;
    mapped one{dir.path("s"), {.read_only = true}};
    paged other{dir.path("s"), {.read_only = true, .cache_bytes = 200000}};
    for (std::size_t i = 0; i < 40; ++i) {
        auto const a = one.search(all[i].vector, {.k = 10});
        auto const b = other.search(all[i].vector, {.k = 10});
        REQUIRE(a.size() == b.size());
        for (std::size_t j = 0; j < a.size(); ++j) REQUIRE(a[j].id == b[j].id);
    }
}

} // namespace ivf_store_test

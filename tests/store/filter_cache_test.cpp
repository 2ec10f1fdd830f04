// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/store/store.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace filter_cache_test {

namespace {

using namespace vicinal;
using docs =
    store<metric::squared_l2, index::hnsw<>, storage::memory, payload::fields, std::uint64_t>;
constexpr std::size_t dim = 12;

/// A store and, beside it, what is in it.
class checked_docs {
public:
    void put(std::uint64_t first, std::uint64_t count, std::uint64_t seed) {
        auto const rows = vicinal_test::clustered_rows(count, dim, 10, seed);
        std::vector<docs::record> records;
        for (std::uint64_t i = 0; i < count; ++i) {
            std::vector<float> v(rows.row(i), rows.row(i) + dim);
            auto const year = static_cast<std::int64_t>(detail::mix(seed + i) % 1000);
            records.push_back({first + i, v, {{"year", year}}});
            held_[first + i] = {v, year};
        }
        store_.upsert(records);
    }
    void erase(std::uint64_t id) {
        CHECK(store_.erase(id));
        held_.erase(id);
    }
    void clear() {
        store_.clear();
        held_.clear();
    }

    /// Answers of the store under year < limit, against a scan of what is in it: as many, all
    /// matching, and the share of the true ones among them.
    [[nodiscard]] double recall(std::int64_t limit, std::size_t k, int queries) {
        std::size_t found = 0;
        std::size_t wanted = 0;
        for (int q = 0; q < queries; ++q) {
            // Beside a record, as queries of real data are: between far clusters a graph promises
            // little.
            std::vector<float> vector(dim, 1);
            if (!held_.empty())
                vector = std::next(held_.begin(), q * 41 % std::ssize(held_))->second.vector;
            for (auto& x : vector) x += 0.1F;
            std::vector<float> truth;
            for (auto const& [id, r] : held_)
                if (r.year < limit)
                    truth.push_back(metric::squared_l2::exact(vector.data(), r.vector.data(), dim));
            std::sort(truth.begin(), truth.end());
            truth.resize(std::min(k, truth.size()));
            auto const hits = store_.search(
                vector, {.k = k, .where = "year < " + std::to_string(limit), .recall = 0.99});
            REQUIRE(hits.size() == truth.size());
            for (auto const& h : hits) {
                REQUIRE(held_.at(h.id).year < limit);
                found += h.distance <= truth.back() ? 1U : 0U;
            }
            wanted += truth.size();
        }
        return wanted == 0 ? 1 : static_cast<double>(found) / static_cast<double>(wanted);
    }

private:
    struct held {
        std::vector<float> vector;
        std::int64_t year;
    };
    docs store_{{.dim = dim, .index = {.flat_below = 500}}};
    std::map<std::uint64_t, held> held_;
};

} // namespace

TEST_CASE("a filter gives the same when it comes again, whatever share it keeps", "[store]") {
    checked_docs d;
    d.put(0, 6000, 1);
    for (std::int64_t const limit : {0, 1, 10, 100, 500, 1000}) {
        CAPTURE(limit);
        CHECK(d.recall(limit, 10, 12) >= 0.9);
    }
    CHECK(d.recall(3, 100, 3) == 1);
}

TEST_CASE(
    "a filter that keeps only what lies far from the query has the right answers, at once too",
    "[store]") {
    // The first coordinate decides: what matches is a half-space that the query is not in.
    docs s{{.dim = dim, .index = {.flat_below = 500}}};
    auto const rows = vicinal_test::uniform_rows(8000, dim, 11);
    std::vector<docs::record> records;
    for (std::uint64_t i = 0; i < 8000; ++i)
        records.push_back({i,
                           {rows.row(i), rows.row(i) + dim},
                           {{"x", static_cast<std::int64_t>(rows.row(i)[0] * 1000)}}});
    s.upsert(records);
    auto query = std::vector<float>(dim, 0.0F);
    query[0] = -3;
    for (std::int64_t const limit : {-900, -500, 0, 500, 900, 990}) {
        std::vector<float> truth;
        for (std::uint64_t i = 0; i < 8000; ++i)
            if (static_cast<std::int64_t>(rows.row(i)[0] * 1000) > limit)
                truth.push_back(metric::squared_l2::exact(query.data(), rows.row(i), dim));
        auto const k = std::min(std::size_t{10}, truth.size());
        std::partial_sort(truth.begin(), truth.begin() + static_cast<std::ptrdiff_t>(k),
                          truth.end());
        for (int time = 0; time < 3; ++time) {
            CAPTURE(limit, time);
            auto const hits = s.search(query, {.where = "x > " + std::to_string(limit)});
            REQUIRE(hits.size() == k);
            std::size_t found = 0;
            for (auto const& h : hits) found += h.distance <= truth[k - 1] ? 1U : 0U;
            CHECK(found * 10 >= k * 9);
        }
    }
}

TEST_CASE("a filter that is remembered sees what was written since", "[store]") {
    checked_docs d;
    d.put(0, 3000, 2);
    CHECK(d.recall(20, 5, 4) >= 0.95);
    SECTION("new records") {
        d.put(5000, 700, 3);
        CHECK(d.recall(20, 5, 4) >= 0.95);
    }
    SECTION("records that were replaced") {
        d.put(100, 400, 4);
        CHECK(d.recall(20, 5, 4) >= 0.95);
    }
    SECTION("records that are gone") {
        for (std::uint64_t id = 0; id < 600; id += 2) d.erase(id);
        CHECK(d.recall(20, 5, 4) >= 0.95);
    }
    SECTION("a store that was emptied, and filled with other records") {
        d.clear();
        CHECK(d.recall(20, 5, 1) == 1);
        d.put(0, 3000, 5);
        CHECK(d.recall(20, 5, 4) >= 0.95);
    }
    SECTION("so many replaced that the store was compacted") {
        for (std::uint64_t seed = 10; seed < 14; ++seed) d.put(0, 3000, seed);
        CHECK(d.recall(20, 5, 4) >= 0.95);
    }
}

TEST_CASE("more filters than are remembered take turns", "[store]") {
    checked_docs d;
    d.put(0, 1500, 6);
    for (int round = 0; round < 3; ++round)
        for (std::int64_t limit = 10; limit <= 300; limit += 20) {
            CAPTURE(round, limit);
            REQUIRE(d.recall(limit, 3, 1) >= 0.6);
        }
}

TEST_CASE("a matrix of queries is answered as its rows are, on any number of threads",
          "[store][threads]") {
    docs s{{.dim = dim, .index = {.flat_below = 500}}};
    auto const rows = vicinal_test::clustered_rows(3000, dim, 10, 7);
    std::vector<docs::record> records;
    for (std::uint64_t i = 0; i < 3000; ++i)
        records.push_back({i, {rows.row(i), rows.row(i) + dim}, {{"year", std::int64_t(i % 7)}}});
    s.upsert(records);
    auto const queries = vicinal_test::clustered_rows(40, dim, 10, 8);
    for (std::size_t const threads : {1U, 2U, 5U}) {
        auto const all = s.search(matrix_view<float>(queries.data, dim),
                                  {.k = 5, .where = "year < 3", .threads = threads});
        REQUIRE(all.size() == 40);
        for (std::size_t q = 0; q < 40; ++q) {
            auto const one = s.search({queries.row(q), dim}, {.k = 5, .where = "year < 3"});
            REQUIRE(one.size() == all[q].size());
            for (std::size_t i = 0; i < one.size(); ++i) REQUIRE(one[i].distance >= 0);
        }
    }
}

} // namespace filter_cache_test

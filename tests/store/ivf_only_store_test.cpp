// SPDX-License-Identifier: MIT
// Inverted lists over codes alone, under a store.
#include "contract/store.hpp"

#include <vicinal/codec/only.hpp>
#include <vicinal/codec/rabitq.hpp>
#include <vicinal/codec/rabitq_about.hpp>
#include <vicinal/index/budget.hpp>
#include <vicinal/index/ivf.hpp>
#include <vicinal/storage/check.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace ivf_only_store_test {

namespace {

using namespace vicinal;
using namespace vicinal_test;

constexpr std::size_t dim = 64;
using five_bits = codec::only<codec::rabitq<5>>;
using about = codec::only<codec::rabitq_about<5, 16>>;
template <class Codec, class Storage = storage::mmap, class Metric = metric::squared_l2>
using lists = store<Metric, index::ivf<Codec>, Storage>;

template <class Store>
typename Store::options options() {
    typename Store::options o;
    o.dim = dim;
    o.index.flat_below = 1500;
    o.durability = durability::off;
    return o;
}

template <class Store>
std::vector<typename Store::record> some(std::size_t from, std::size_t until) {
    auto const data = clustered_rows(until, dim, 40, 3);
    std::vector<typename Store::record> all;
    for (auto i = from; i < until; ++i) {
        typename Store::record r;
        r.id = "r" + std::to_string(i);
        r.vector.assign(data.row(i), data.row(i) + dim);
        r.payload = {{"tenth", i % 10}};
        all.push_back(std::move(r));
    }
    return all;
}

/// The share of the ten nearest in what codes stand for that searches find; each hit says that it
/// is estimated, and its distance is that to what reconstruct() gives.
template <class Store>
double recall(Store const& s, search_options o, bool estimated = true) {
    auto const queries = clustered_rows(30, dim, 40, 3);
    std::size_t found = 0, wanted = 0;
    auto exactly = o;
    exactly.exact = true;
    for (std::size_t q = 0; q < queries.count(); ++q) {
        vector_view<float> const query(queries.row(q), dim);
        auto const truth = s.search(query, exactly);
        auto const got = s.search(query, o);
        REQUIRE(got.size() == truth.size());
        wanted += truth.size();
        for (auto const& h : got) {
            REQUIRE(h.estimated == estimated);
            auto const v = s.reconstruct(h.id);
            REQUIRE(v);
            REQUIRE(h.distance ==
                    metric::exact<typename Store::metric_type>(query.data(), v->data(), dim));
            found += h.distance <= truth.back().distance ? 1U : 0U;
        }
    }
    return static_cast<double>(found) / static_cast<double>(wanted);
}

template <class Store>
std::vector<std::vector<float>> decoded(Store const& s) {
    std::vector<std::vector<float>> all;
    for (auto const& r : s.scan_reconstructed()) all.push_back(r.vector);
    return all;
}

} // namespace

TEMPLATE_TEST_CASE("lists over codes alone find the nearest of what these stand for", "[store]",
                   (lists<five_bits, storage::memory>), (lists<about, storage::memory>),
                   (lists<codec::only<codec::sq8>, storage::memory, metric::cosine>),
                   (lists<about, storage::memory, metric::inner_product>),
                   (lists<about, storage::file>)) {
    test_store<TestType> held{options<TestType>()};
    auto& s = *held;
    s.upsert(some<TestType>(0, 900));
    CHECK(s.stats().indexed_rows == 0);
    CHECK(recall(s, {}, false) == 1);
    CHECK(refused(s.try_get("r7")).code() == errc::vector_not_kept);
    s.upsert(some<TestType>(900, 4000));
    CHECK(s.stats().indexed_rows == 4000);
    CHECK(s.stats().bytes.vectors == 0);
    // A place, a slot, a chain, and what a list that has begun a block leaves open; centres apart.
    auto const bytes = s.stats().bytes;
    CHECK(bytes.codes == 4000 * (bytes.codes / 4000));
    CHECK(bytes.links < 4000 * 16 + 64 * (4 * dim + 16));
    CHECK(refused(s.try_get("r7")).code() == errc::vector_not_kept);
    CHECK(recall(s, {.k = 10}) > 0.9);
    CHECK(recall(s, {.k = 10, .effort = 1000}) > 0.99);
    CHECK(recall(s, {.k = 10, .where = "tenth = 3"}) > 0.9);
    CHECK(recall(s, {.k = 10, .where = "tenth < 8"}) > 0.9);
    CHECK(recall(s, {.k = 300}) > 0.9);
    CHECK(s.verify().ok());
}

TEST_CASE("a budget counts the bytes of lists over codes alone", "[store]") {
    using store_type = lists<codec::only<codec::rabitq_about<5>>, storage::memory>;
    auto o = options<store_type>();
    o.index.tune = false;
    store_type s{o};
    s.upsert(some<store_type>(0, 10000));
    auto const bytes = s.stats().bytes;
    auto const is = static_cast<double>(bytes.codes + bytes.links);
    std::size_t met = 0;
    for (auto const& p : budget_plans({.rows = 10000, .dim = dim, .bytes = 1, .codes_alone = true}))
        if (p.index == "index::ivf<codec::only<codec::rabitq_about<5>>>") {
            ++met;
            CHECK(static_cast<double>(p.memory) > 0.95 * is);
            CHECK(static_cast<double>(p.memory) < 1.05 * is);
        }
    CHECK(met == 1);
}

TEMPLATE_TEST_CASE("a batch over codes alone finds what each query alone does", "[store]",
                   (lists<five_bits, storage::memory>), (lists<about, storage::memory>)) {
    TestType s{options<TestType>()};
    s.upsert(some<TestType>(0, 4000));
    auto const queries = clustered_rows(60, dim, 40, 5);
    auto const together = s.search(matrix_view<float>(queries.data, dim), {.k = 10, .effort = 7});
    for (std::size_t q = 0; q < queries.count(); ++q) {
        auto const alone =
            s.search(vector_view<float>(queries.row(q), dim), {.k = 10, .effort = 7});
        REQUIRE(together[q].size() == alone.size());
        for (std::size_t i = 0; i < alone.size(); ++i) {
            CHECK(together[q][i].id == alone[i].id);
            CHECK(together[q][i].distance == alone[i].distance);
            CHECK(together[q][i].estimated);
        }
    }
}

TEMPLATE_TEST_CASE("lists over codes alone are the same after a log, a snapshot and a compaction",
                   "[store]", (lists<five_bits>), (lists<about>)) {
    temporary_directory const dir;
    auto const path = dir.path("s");
    std::vector<std::vector<float>> want;
    {
        TestType s{path, options<TestType>()};
        s.upsert(some<TestType>(0, 3000));
        s.upsert(some<TestType>(3000, 3100));
        s.erase("r0");
        want = decoded(s);
        CHECK(want.size() == 3099);
    }
    {
        TestType s{path, options<TestType>()}; // from the log, where vectors are
        CHECK(decoded(s) == want);
        CHECK(recall(s, {.k = 10}) > 0.9);
        s.checkpoint();
    }
    {
        TestType s{path, options<TestType>()}; // from the snapshot, where codes are
        CHECK(decoded(s) == want);
        CHECK(s.stats().indexed_rows == 3100);
        CHECK(recall(s, {.k = 10}) > 0.9);
        // A record that is replaced has a code of its new vector.
        auto r = some<TestType>(7, 8);
        for (auto& x : r[0].vector) x += 1;
        s.upsert(r);
        auto const v = s.reconstruct("r7");
        REQUIRE(v);
        CHECK(metric::exact<metric::squared_l2>(v->data(), r[0].vector.data(), dim) < 0.5F * dim);
        for (std::size_t i = 1; i < 3100; i += 3) s.erase("r" + std::to_string(i));
        s.compact();
        CHECK(s.stats().dead == 0);
        CHECK(s.stats().indexed_rows == s.size());
        CHECK(recall(s, {.k = 10}) > 0.9);
        CHECK(s.verify().ok());
        want = decoded(s);
    }
    {
        TestType const s{path, options<TestType>()};
        CHECK(decoded(s) == want);
        CHECK(recall(s, {.k = 10}) > 0.9);
    }
    CHECK(check(path).ok());
    TestType s{path, options<TestType>()};
    s.clear();
    CHECK(s.empty());
    s.upsert(some<TestType>(0, 100));
    CHECK(s.size() == 100);
    s.upsert(some<TestType>(100, 2000));
    CHECK(s.stats().indexed_rows == 2000);
    CHECK(recall(s, {.k = 10}) > 0.9);
}

TEST_CASE("lists over codes alone are split where rows crowd, and made anew after a drift",
          "[store]") {
    using crowded = lists<five_bits, storage::memory>;
    crowded s{options<crowded>()};
    s.upsert(some<crowded>(0, 2000));
    auto const lists_before = s.stats().partitions;
    // All of one place, in portions that no build answers.
    generator random(5);
    for (std::size_t part = 0; part < 8; ++part) {
        std::vector<crowded::record> more;
        for (std::size_t i = 0; i < 200; ++i) {
            crowded::record r;
            r.id = "n" + std::to_string(part * 200 + i);
            for (std::size_t j = 0; j < dim; ++j) r.vector.push_back(30 + 9 * random.normal());
            more.push_back(std::move(r));
        }
        s.upsert(more);
    }
    CHECK(s.stats().partitions > lists_before);
    CHECK(recall(s, {.k = 10}) > 0.9);
    CHECK(s.stats().drift > 1.3);
    for (std::size_t i = 0; i < 900; ++i) s.erase("r" + std::to_string(i));
    s.compact();
    CHECK(s.stats().drift < 1.1);
    CHECK(s.stats().indexed_rows == s.size());
    CHECK(recall(s, {.k = 10}) > 0.9);
    CHECK(s.verify().ok());
}

} // namespace ivf_only_store_test

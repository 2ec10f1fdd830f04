// SPDX-License-Identifier: MIT
// Erased and replaced records do not stay: rows are numbered anew, by themselves or when asked.
#include "contract/store.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace compaction_test {

using namespace vicinal_test;
using namespace vicinal_test::names;
using two_phase = vicinal::index::flat<vicinal::codec::sq8>;

namespace {

vicinal::index::hnsw_options small_graph() {
    vicinal::index::hnsw_options o;
    o.flat_below = 100;
    o.neighbours = 6;
    o.build_width = 24;
    return o;
}

/// Replaces and erases, compacts, and compares everything with what it should be; twice, so that
/// compacted rows are compacted again.
template <class Store>
void check_compaction(typename Store::options options) {
    options.dim = 6;
    test_store<Store> held(options);
    auto list = records<Store>(600, 6, 95);
    held->upsert(list);
    for (std::size_t round = 0; round < 2; ++round) {
        for (std::size_t i = round; i < list.size(); i += 3) {
            list[i].vector[0] += 1;
            held->upsert(list[i].id, list[i].vector, list[i].payload);
        }
        for (std::size_t i = 0; i < 100; ++i) {
            CHECK(held->erase(list.back().id));
            list.pop_back();
        }
        REQUIRE(held->stats().rows > list.size());
        held->compact();
        CHECK(held->stats().rows == list.size());
        CHECK(held->stats().indexed_rows == list.size());
        check_same(*held, list);
        auto const report = held->verify();
        CHECK(report.ok());
        CHECK(report.records == list.size());
        for (std::size_t i = 0; i < list.size(); i += 50) {
            auto const hits = held->search(list[i].vector, {.k = 1});
            REQUIRE(hits.size() == 1);
            CHECK(hits[0].id == list[i].id);
        }
        held.reopen();
        CHECK(held->stats().rows == list.size());
        check_same(*held, list);
        CHECK(held->verify().ok());
    }
    for (auto const& r : list) CHECK(held->erase(r.id));
    held->compact();
    CHECK(held->stats().rows == 0);
    CHECK(held->search(list[0].vector).empty());
    held->upsert(list);
    check_same(*held, list);
}

} // namespace

TEST_CASE("a compacted store has what it had, and no dead rows", "[store]") {
    SECTION("hnsw in memory") {
        check_compaction<store<metric::cosine, hnsw>>({.index = small_graph()});
    }
    SECTION("flat in memory, integer ids") {
        check_compaction<
            store<metric::squared_l2, flat, storage::memory, payload::fields, std::uint32_t>>({});
    }
    SECTION("two-phase flat in memory") {
        check_compaction<store<metric::squared_l2, two_phase>>({});
    }
    SECTION("hnsw in mapped files") {
        check_compaction<store<metric::squared_l2, hnsw, storage::mmap>>({.index = small_graph()});
    }
    SECTION("hnsw in paged files") {
        check_compaction<store<metric::squared_l2, hnsw, storage::file>>({.index = small_graph()});
    }
    SECTION("two-phase flat in mapped files, integer ids") {
        check_compaction<
            store<metric::cosine, two_phase, storage::mmap, payload::fields, std::uint64_t>>({});
    }
}

namespace {

/// Ten turnovers of 3,000 records, one at a time; the most rows that there were.
template <class Store>
std::size_t most_rows(typename Store::options options) {
    options.dim = 8;
    test_store<Store> held(options);
    generator r(96);
    std::vector<typename Store::record> first;
    for (std::uint64_t i = 0; i < 3000; ++i) first.push_back({i, r.vector(8), {}});
    held->upsert(first);
    std::size_t most = 0;
    std::uint64_t next = 3000;
    for (std::size_t turn = 0; turn < 10; ++turn) {
        // By replacing, and by erasing and inserting, a hundred at a time.
        for (std::size_t i = 0; i < 30; ++i) {
            std::vector<typename Store::record> batch;
            for (std::uint64_t j = 0; j < 100; ++j) {
                auto const old = next - 3000 + j;
                if (turn % 2 == 0) CHECK(held->erase(old));
                batch.push_back({turn % 2 == 0 ? next + j : old, r.vector(8), {}});
            }
            held->upsert(batch);
            if (turn % 2 == 0) next += 100;
            most = std::max(most, held->stats().rows);
        }
        CHECK(held->size() == 3000);
        CHECK(held->search(r.vector(8), {.k = 5}).size() == 5);
    }
    CHECK(held->verify().ok());
    return most;
}

} // namespace

TEST_CASE("ten turnovers leave no more than a third of dead rows beside the live", "[store]") {
    using in_memory =
        store<metric::squared_l2, hnsw, storage::memory, payload::none, std::uint64_t>;
    using mapped = store<metric::squared_l2, flat, storage::mmap, payload::none, std::uint64_t>;
    // A batch may go over the limit before it is tidied up.
    CHECK(most_rows<in_memory>({.index = small_graph()}) <= 4100);
    CHECK(most_rows<mapped>({}) <= 4100);
}

namespace {

/// A scan holds what it began with, also where compaction is asked for or due.
template <class Store>
void check_scan(typename Store::options options) {
    options.dim = 6;
    test_store<Store> held(options);
    auto const list = records<Store>(3000, 6, 97);
    held->upsert(list);
    {
        auto scan = held->scan();
        for (std::size_t i = 0; i < 3000; ++i) {
            if (i % 2 == 0)
                CHECK(held->erase(list[i].id));
            else
                held->upsert(list[i].id, list[i - 1].vector, {});
            if (i % 1000 == 999) held->compact();
        }
        CHECK(held->stats().rows == 4500);
        if constexpr (Store::storage_policy::durable) held->checkpoint();
        CHECK(held->stats().rows == 4500);
        auto sorted = list;
        std::sort(sorted.begin(), sorted.end(),
                  [](auto const& a, auto const& b) { return a.id < b.id; });
        for (auto const& want : sorted) {
            auto const got = scan.try_next().value();
            REQUIRE(got);
            REQUIRE(got->id == want.id);
            REQUIRE(got->vector == want.vector);
            REQUIRE(got->payload == want.payload);
        }
        CHECK_FALSE(scan.try_next().value());
    }
    // The scan has ended: what was put off comes with the next write.
    held->upsert(list[1].id, list[1].vector, {});
    CHECK(held->stats().rows == 1500);
    CHECK(held->stats().records == 1500);
    CHECK(held->verify().ok());
}

} // namespace

TEST_CASE("a scan sees its records through compaction that is put off", "[store]") {
    SECTION("in memory") { check_scan<store<metric::squared_l2, hnsw>>({.index = small_graph()}); }
    SECTION("in mapped files") {
        check_scan<store<metric::squared_l2, hnsw, storage::mmap>>({.index = small_graph()});
    }
    SECTION("in paged files") {
        check_scan<store<metric::squared_l2, hnsw, storage::file>>({.index = small_graph()});
    }
}

TEST_CASE("a search among dead rows finds k, and nearly the nearest", "[store]") {
    store<metric::squared_l2, hnsw, storage::memory, payload::none, std::uint64_t> s{{.dim = 16}};
    auto const data = clustered_rows(6000, 16, 20, 98);
    for (std::size_t i = 0; i < data.count(); i += 500) {
        std::vector<decltype(s)::record> batch;
        for (auto j = i; j < i + 500; ++j)
            batch.push_back({j, {data.row(j), data.row(j) + 16}, {}});
        s.upsert(batch);
    }
    // Whole clusters go, and parts of others, just not enough to be tidied up.
    generator r(99);
    std::size_t erased = 0;
    for (std::uint64_t i = 0; i < 6000 && erased < 1400; ++i)
        if (data.row(i)[0] > 0 && r.below(4) != 0) erased += s.erase(i) ? 1U : 0U;
    REQUIRE(s.stats().rows == 6000);
    auto const queries = clustered_rows(100, 16, 20, 98);
    std::size_t found = 0;
    for (std::size_t q = 0; q < queries.count(); ++q) {
        std::vector<float> const query(queries.row(q), queries.row(q) + 16);
        auto const truth = s.search(query, {.exact = true});
        auto const got = s.search(query);
        REQUIRE(got.size() == 10);
        for (auto const& h : got) found += h.distance <= truth.back().distance ? 1U : 0U;
    }
    CHECK(found >= 950);
}

namespace {

/// Called in the middle of a compaction: when the new columns are made, before they are in place.
struct meanwhile {
    static inline std::function<void()> run;
    static void happen() {
        if (run) std::exchange(run, nullptr)();
    }
};

struct watched_memory : storage::memory {
    struct space : storage::memory::space {
        vicinal::result<void> stage(std::span<storage::replacement const> rows) {
            auto done = storage::memory::space::stage(rows);
            meanwhile::happen();
            return done;
        }
    };
};

struct watched_system : storage::posix {
    static int rename_file(int directory, char const* from, char const* to) noexcept {
        meanwhile::happen();
        return storage::posix::rename_file(directory, from, to);
    }
};

/// A scan begins while rows are being numbered anew.
template <class Store>
void check_scan_meanwhile(typename Store::options options) {
    options.dim = 6;
    test_store<Store> held(options);
    auto list = records<Store>(900, 6, 100);
    held->upsert(list);
    for (std::size_t i = 0; i < 300; ++i) CHECK(held->erase(list[i].id));
    list.erase(list.begin(), list.begin() + 300);
    {
        std::optional<typename Store::scan_type> scan;
        meanwhile::run = [&] { scan.emplace(held->scan()); };
        held->compact();
        REQUIRE(scan);
        CHECK(held->stats().rows == 900);
        check_same(*held, list);
        // Written rows must not land where the scan still reads.
        held->upsert(records<Store>(100, 6, 101));
        std::sort(list.begin(), list.end(),
                  [](auto const& a, auto const& b) { return a.id < b.id; });
        for (auto const& want : list) {
            auto const got = scan->try_next().value();
            REQUIRE(got);
            REQUIRE(got->id == want.id);
            REQUIRE(got->vector == want.vector);
        }
    }
    auto const more = records<Store>(100, 6, 101);
    list.insert(list.end(), more.begin(), more.end());
    check_same(*held, list);
    held.reopen();
    check_same(*held, list);
    held->compact();
    CHECK(held->stats().rows == 700);
    check_same(*held, list);
    CHECK(held->verify().ok());
}

} // namespace

TEST_CASE("a scan that begins during compaction keeps the rows as they are", "[store]") {
    SECTION("in memory") {
        check_scan_meanwhile<store<metric::squared_l2, hnsw, watched_memory>>(
            {.index = small_graph()});
    }
    SECTION("in mapped files") {
        check_scan_meanwhile<store<metric::squared_l2, hnsw, storage::basic_mmap<watched_system>>>(
            {.index = small_graph()});
    }
    SECTION("in paged files") {
        check_scan_meanwhile<store<metric::squared_l2, hnsw, storage::basic_file<watched_system>>>(
            {.index = small_graph()});
    }
}

} // namespace compaction_test

// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/damaged_section.hpp"
#include "support/random.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/vicinal.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rabitq_store_test {

namespace {

using namespace vicinal;
using vicinal_test::temporary_directory;

template <class Index>
using docs = store<metric::squared_l2, Index, storage::mmap, payload::none, std::uint64_t>;
using fused = docs<index::hnsw<codec::rabitq<1>, layout::fused>>;
using coded = docs<index::hnsw<codec::rabitq<2>>>;

constexpr std::size_t dim = 32;
constexpr std::size_t k = 10;

template <class Store>
typename Store::options how(check_level level = check::full) {
    typename Store::options o;
    o.dim = dim;
    o.durability = durability::off;
    o.check = level;
    o.checked_at_open = 0;
    o.index.flat_below = 100;
    return o;
}

/// Records of ids from `first` on; what they are about changes with the seed.
template <class Store>
std::vector<typename Store::record> some(std::uint64_t first, std::size_t count,
                                         std::uint64_t seed) {
    auto const data = vicinal_test::clustered_rows(count, dim, 30, seed);
    std::vector<typename Store::record> out;
    for (std::size_t i = 0; i < count; ++i)
        out.push_back({first + i, {data.row(i), data.row(i) + dim}, {}});
    return out;
}

template <class Store>
double recall(Store const& s, std::uint64_t seed, std::size_t effort) {
    auto const queries = vicinal_test::clustered_rows(50, dim, 30, seed);
    std::size_t found = 0;
    for (std::size_t i = 0; i < queries.count(); ++i) {
        vector_view<float> const query(queries.row(i), dim);
        auto const farthest = s.search(query, {.k = k, .exact = true}).back().distance;
        for (auto const& h : s.search(query, {.k = k, .effort = effort}))
            found += h.distance <= farthest ? 1U : 0U;
    }
    return static_cast<double>(found) / static_cast<double>(k * queries.count());
}

/// A bit in each page of the section is changed: searches that touch it fail, and say where.
template <class Store>
void check_damage(std::string const& section) {
    temporary_directory const dir;
    auto const path = dir.path("s");
    {
        Store s{path, how<Store>()};
        s.upsert(some<Store>(0, 1500, 5));
        s.checkpoint();
    }
    vicinal_test::damage_section(path, section);
    auto read = how<Store>(check::lazy);
    read.read_only = true;
    auto const s = Store::try_open(path, read).value();
    auto const query = vicinal_test::clustered_rows(1, dim, 30, 5);
    auto const found = s.try_search(vector_view<float>(query.row(0), dim), {.k = 3});
    REQUIRE_FALSE(found);
    CHECK(found.error().code() == errc::corrupt_snapshot);
    CHECK(found.error().message().find("'" + section + "'") != std::string::npos);
    CHECK_FALSE(Store::try_open(path, how<Store>()));
}

} // namespace

TEST_CASE("a graph of records searches well after 10,000 updates, and when it is opened again",
          "[store]") {
    temporary_directory const dir;
    {
        fused s{dir.path("s"), how<fused>()};
        s.upsert(some<fused>(0, 2000, 1));
        CHECK(recall(s, 1, 60) >= 0.95);
        for (std::uint64_t round = 0; round < 50; ++round) {
            s.upsert(some<fused>(round % 10 * 200, 180, 1 + round / 10));
            for (std::uint64_t i = 180; i < 200; ++i) s.erase(round % 10 * 200 + i);
        }
        CHECK(s.size() == 1800);
        CHECK(recall(s, 5, 60) >= 0.95);
        CHECK(s.verify().ok());
        s.checkpoint();
        s.compact();
        CHECK(recall(s, 5, 60) >= 0.9);
    }
    fused const again{dir.path("s"), how<fused>()};
    CHECK(recall(again, 5, 60) >= 0.9);
    CHECK(again.verify().ok());
    // Another layout is another index.
    STATIC_REQUIRE(index::hnsw<codec::rabitq<1>>::name !=
                   index::hnsw<codec::rabitq<1>, layout::fused>::name);
}

TEST_CASE("a graph over two bits an element answers the same when it is opened again", "[store]") {
    temporary_directory const dir;
    auto const records = some<coded>(0, 3000, 2);
    auto const ask = [&](coded const& s) {
        std::vector<std::uint64_t> ids;
        for (std::size_t i = 0; i < 3000; i += 100)
            for (auto const& h : s.search(records[i].vector, {.k = k})) ids.push_back(h.id);
        return ids;
    };
    std::vector<std::uint64_t> before;
    {
        coded s{dir.path("s"), how<coded>()};
        s.upsert(records);
        CHECK(recall(s, 2, 200) >= 0.95);
        before = ask(s);
        s.checkpoint();
    }
    coded const s{dir.path("s"), how<coded>()};
    CHECK(ask(s) == before);
    CHECK(s.verify().ok());
}

TEST_CASE("damaged codes and records are refused when they are touched", "[store]") {
    check_damage<fused>("hnsw.records");
    check_damage<coded>("hnsw.codes");
}

} // namespace rabitq_store_test

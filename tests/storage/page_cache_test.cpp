// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/storage/file/page_cache.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace page_cache_test {

namespace {

using vicinal::storage::page_cache;
using vicinal::storage::page_table;
using vicinal::storage::snapshot_page_bytes;

std::vector<std::byte> page_of(std::uint64_t number) {
    return std::vector<std::byte>(snapshot_page_bytes, static_cast<std::byte>(number % 251));
}

void put(page_cache& cache, page_table& table, std::uint64_t number) {
    cache.put(table, number, page_of(number).data())->unpin();
}
bool has(page_cache& cache, page_table const& table, std::uint64_t number) {
    auto* const p = cache.pin(table, number);
    if (p == nullptr) return false;
    CHECK(p->bytes[100] == static_cast<std::byte>(number % 251));
    p->unpin();
    return true;
}

} // namespace

TEST_CASE("pages that come together stay together in a full cache", "[storage]") {
    page_cache cache(1 << 20);
    page_table table(10000, nullptr);
    for (std::uint64_t i = 0; i < 1000; ++i) put(cache, table, i);
    for (std::uint64_t first = 1000; first < 9000; first += 40) {
        for (auto i = first; i < first + 40; ++i) put(cache, table, i);
        for (auto i = first; i < first + 40; ++i) REQUIRE(has(cache, table, i));
    }
    CHECK(cache.page_bytes() + cache.charged() <= 1 << 20);
}

TEST_CASE("what is asked for again outlives what was asked for once", "[storage]") {
    page_cache cache(1 << 20);
    page_table table(10000, nullptr);
    for (std::uint64_t i = 0; i < 20; ++i) put(cache, table, i);
    for (std::uint64_t i = 100; i < 9000; ++i) {
        put(cache, table, i);
        if (i % 50 == 0)
            for (std::uint64_t j = 0; j < 20; ++j) REQUIRE(has(cache, table, j));
    }
}

TEST_CASE("a pinned page stays, and a charge puts out others", "[storage]") {
    page_cache cache(1 << 20);
    page_table table(1000, nullptr);
    auto* const pinned = cache.put(table, 0, page_of(0).data());
    for (std::uint64_t i = 1; i < 1000; ++i) put(cache, table, i);
    auto const before = cache.page_bytes();
    cache.charge(0, 1 << 20);
    CHECK(cache.page_bytes() < before);
    CHECK(cache.page_bytes() <= page_cache::least);
    CHECK(has(cache, table, 0));
    pinned->unpin();
    cache.charge(1 << 20, 0);
    page_table next(500, nullptr);
    cache.move(table, next, 1);
    CHECK(has(cache, next, 0));
    CHECK_FALSE(has(cache, table, 0));
}

} // namespace page_cache_test

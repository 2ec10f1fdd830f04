// SPDX-License-Identifier: MIT
// A store whose scan goes by estimates: filters, ids, files and what `.exact` asks for.
#include "catch.hpp"
#include "support/damaged_section.hpp"
#include "support/random.hpp"
#include "support/stores.hpp"

#include <vicinal/codec/rabitq.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace flat_estimates_store_test {

namespace {

using namespace vicinal;
using vicinal_test::test_store;
template <class Storage>
using docs_in = store<metric::squared_l2, index::flat<codec::rabitq<1>>, Storage, payload::fields,
                      std::uint64_t>;
using docs = docs_in<storage::mmap>;

constexpr std::size_t dim = 64;
constexpr std::size_t count = 2500;

vicinal_test::rows data() { return vicinal_test::clustered_rows(count, dim, 25, 6); }

template <class Store>
void fill(Store& s) {
    auto const all = data();
    std::vector<typename Store::record> batch;
    for (std::size_t i = 0; i < count; ++i)
        batch.push_back(
            {i, {all.row(i), all.row(i) + dim}, {{"n", static_cast<std::int64_t>(i % 10)}}});
    s.upsert(batch);
    for (std::uint64_t i = 0; i < count; i += 5) s.erase(i);
}

/// Neighbours of an exact search that one without does not find, with and without a filter.
template <class Store>
std::size_t missed(Store& s) {
    auto const all = data();
    std::size_t lost = 0;
    for (std::size_t q = 0; q < 40; ++q)
        for (std::string const where : {"", "n = 3", "n != 3 and n != 8"}) {
            vector_view<float> const query(all.row(q * 61), dim);
            auto const want = s.search(query, {.k = 10, .where = where, .exact = true});
            auto const got = s.search(query, {.k = 10, .where = where});
            REQUIRE(want.size() == 10);
            REQUIRE(got.size() == 10);
            for (std::size_t i = 0; i < 10; ++i) {
                REQUIRE_FALSE(got[i].estimated);
                lost += got[i].id == want[i].id ? 0U : 1U;
            }
        }
    return lost;
}

} // namespace

TEMPLATE_TEST_CASE("a store that scans by estimates finds what an exact search does, but for few",
                   "[store]", storage::memory, storage::mmap, storage::file) {
    test_store<docs_in<TestType>> held({.dim = dim});
    fill(*held);
    CHECK(missed(*held) <= 4);
    if constexpr (TestType::durable) held->checkpoint();
    held.reopen();
    CHECK(missed(*held) <= 4);
    if constexpr (TestType::durable) CHECK(held->verify().ok());
    held->compact();
    CHECK(held->stats().records == count - count / 5);
    CHECK(missed(*held) <= 4);
    held.reopen();
    CHECK(missed(*held) <= 4);
    CHECK(held->stats().bytes.codes == (count - count / 5) * (12 + 8));
    // Rows that come later are scanned beside those that have codes.
    std::vector<float> const far(dim, 100);
    held->upsert(7777, far, {{"n", std::int64_t{3}}});
    CHECK(held->search(far, {.k = 1})[0].id == 7777);
    CHECK(held->search(far, {.k = 1, .where = "n = 3"})[0].id == 7777);
    CHECK(held->search(far, {.k = 1, .exact = true})[0].id == 7777);
}

TEST_CASE("damaged codes are refused when a scan by estimates touches them", "[store]") {
    vicinal_test::temporary_directory const dir;
    auto const path = dir.path("s");
    docs::options o;
    o.dim = dim;
    o.durability = durability::off;
    {
        docs s{path, o};
        fill(s);
        s.checkpoint();
    }
    vicinal_test::damage_section(path, "flat.codes");
    CHECK_FALSE(docs::try_open(path, o));
    o.read_only = true;
    o.check = check::lazy;
    o.checked_at_open = 0;
    auto const s = docs::try_open(path, o).value();
    auto const all = data();
    vector_view<float> const query(all.row(1), dim);
    auto const found = s.try_search(query, {.k = 3});
    REQUIRE_FALSE(found);
    CHECK(found.error().code() == errc::corrupt_snapshot);
    CHECK(found.error().message().find("'flat.codes'") != std::string::npos);
    // The vectors are whole.
    CHECK(s.try_search(query, {.k = 1, .exact = true}).value()[0].id == 1);
}

} // namespace flat_estimates_store_test

// SPDX-License-Identifier: MIT
// A program may keep a store in memory for each of its users, and most of them stay empty: what one
// takes before its first use, and that the first use makes the rest or nothing.
#include "damage/allocations.hpp"

#include "catch.hpp"
#include "support/figures.hpp"

#include <vicinal/vicinal.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace empty_store_test {

namespace memory = damage::allocations;
using vicinal::errc;
using vicinal::store;
namespace metric = vicinal::metric;

namespace {

template <class Store>
void stays_small() {
    { Store const warm{{.dim = 384}}; }
    auto const before = memory::bytes();
    Store const s{{.dim = 384}};
    auto const takes = [&] { return sizeof s + memory::bytes() - before; };
    CHECK(takes() < 1024);
    CHECK(s.size() == 0);
    CHECK(s.empty());
    CHECK(s.stats().rows == 0);
    CHECK(s.stats().indexed_rows == 0);
    CHECK(takes() < 1024);
    // It is a store all the same.
    CHECK(s.search(std::vector<float>(384, 1)).empty());
}

} // namespace

TEST_CASE("an empty store in memory takes less than a kilobyte", "[damage]") {
    stays_small<store<metric::cosine>>();
    stays_small<store<metric::squared_l2, vicinal::index::flat<>>>();
    stays_small<store<metric::inner_product, vicinal::index::hnsw<vicinal::codec::f32>>>();
    stays_small<store<metric::cosine, vicinal::index::hnsw<>, vicinal::storage::memory,
                      vicinal::payload::fields, std::uint64_t>>();
}

TEST_CASE("any allocation of a store's first use may fail", "[damage][breaking]") {
    using docs = store<metric::squared_l2>;
    std::vector<float> const v{1, 2, 3, 4};
    auto const code_of = [](auto const& r) {
        return r ? std::optional<errc>() : std::optional<errc>(r.error().code());
    };
    using step = std::function<std::optional<errc>(docs&)>;
    std::vector<std::pair<std::string, step>> const steps{
        {"upsert", [&](docs& s) { return code_of(s.try_upsert("a", v)); }},
        {"erase", [&](docs& s) { return code_of(s.try_erase("a")); }},
        {"clear", [&](docs& s) { return code_of(s.try_clear()); }},
        {"get", [&](docs& s) { return code_of(s.try_get("a")); }},
        {"contains", [&](docs& s) { return code_of(s.try_contains("a")); }},
        {"search", [&](docs& s) { return code_of(s.try_search(v)); }},
        {"scan", [&](docs& s) { return code_of(s.try_scan()); }},
        {"compact", [&](docs& s) { return code_of(s.try_compact()); }},
        {"tune", [&](docs& s) { return code_of(s.try_tune()); }},
        {"verify", [&](docs& s) { return code_of(s.try_verify()); }}};
    std::uint64_t failed = 0;
    for (auto const& [name, run] : steps)
        for (bool const for_good : {false, true})
            for (long k = 1;; ++k) {
                CAPTURE(name, for_good, k);
                auto const blocks = memory::blocks();
                bool past = false;
                {
                    docs s{{.dim = 4}};
                    std::optional<errc> came;
                    {
                        memory::failing const armed(k, for_good);
                        came = run(s);
                        past = memory::failing::asked() < k;
                    }
                    if (came) CHECK(*came == errc::out_of_memory);
                    CHECK_FALSE(run(s));
                    CHECK(s.size() == (name == "upsert" ? 1 : 0));
                    s.upsert("b", v);
                    CHECK(s.contains("b"));
                    CHECK(s.verify().ok());
                }
                CHECK(memory::blocks() == blocks);
                if (past) break;
                ++failed;
            }
    vicinal_test::figure("allocations failed", failed);
}

} // namespace empty_store_test

// SPDX-License-Identifier: MIT
#include "contract/index.hpp"

#include <vicinal/codec/only.hpp>
#include <vicinal/codec/rabitq.hpp>
#include <vicinal/codec/sq4.hpp>
#include <vicinal/codec/sq8.hpp>
#include <vicinal/index/budget.hpp>
#include <vicinal/index/hnsw/records.hpp>
#include <vicinal/index/ivf.hpp>
#include <vicinal/metric/squared_l2.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace budget_test {

using vicinal::advise;
using vicinal::budget;
using vicinal::errc;

TEST_CASE("a budget buys the fastest index that fits and comes to the recall", "[index]") {
    budget b{.rows = 1'000'000, .dim = 384, .bytes = std::uint64_t{4} << 30};
    CHECK(advise(b)->index == "index::hnsw<codec::sq8>");
    CHECK(advise(b)->storage == "storage::memory");
    b.bytes = 1'800'000'000; // vectors and links, no codes
    CHECK(advise(b)->index == "index::hnsw<codec::f32>");
    b.bytes = 600'000'000;
    CHECK(advise(b)->storage == "storage::mmap");
    CHECK(advise(b)->disk == 1'000'000ULL * 384 * 4);
    b.codes_alone = true;
    CHECK(advise(b)->index == "index::hnsw<codec::only<codec::sq8>>");
    CHECK(advise(b)->disk == 0);
    b.bytes = 385'000'000; // a quarter of the vectors
    b.recall = 0.9;
    CHECK(advise(b)->index == "index::hnsw<codec::sq4>");
    b.recall = 0.95;
    CHECK(advise(b)->recall >= 0.95);
    b.bytes = 215'000'000;
    CHECK(advise(b)->index == "index::hnsw<codec::rabitq<1>>");
    b.bytes = 1000;
    auto const none = advise(b);
    REQUIRE_FALSE(none);
    CHECK(none.error().code() == errc::limit_exceeded);
    CHECK(none.error().expected().find("rabitq<1>") != std::string::npos);
}

TEST_CASE("a budget counts the bytes that codes take", "[index]") {
    namespace codec = vicinal::codec;
    using l2 = vicinal::metric::squared_l2;
    for (std::size_t const dim : {64U, 65U, 100U, 784U}) {
        budget const b{.rows = 1, .dim = dim, .bytes = 1, .codes_alone = true};
        auto const all = vicinal::budget_plans(b);
        auto const of = [&](std::string_view index) {
            return std::find_if(all.begin(), all.end(),
                                [&](vicinal::budget_plan const& p) { return p.index == index; });
        };
        auto const graph = of("index::hnsw<codec::f32>")->memory - 4 * dim;
        auto const codes = [&](std::string_view index) {
            for (auto const& p : all)
                if (p.index == index && p.disk == 0 && p.recall < 1) return p.memory - graph;
            for (auto const& p : all)
                if (p.index == index && p.disk != 0) return p.memory - graph;
            return std::uint64_t{0};
        };
        CHECK(codes("index::hnsw<codec::only<codec::sq8>>") == codec::sq8::of<l2>(dim).row_bytes());
        CHECK(codes("index::hnsw<codec::sq4>") == codec::sq4::of<l2>(dim).row_bytes());
        CHECK(codes("index::hnsw<codec::only<codec::rabitq<5>>>") ==
              codec::rabitq<5>::of<l2>(dim).row_bytes());
        CHECK(codes("index::hnsw<codec::rabitq<1>>") == codec::rabitq<1>::of<l2>(dim).row_bytes());
        CHECK(of("index::hnsw<codec::rabitq<1>, layout::fused>")->memory -
                  of("index::hnsw<codec::sq8>")->memory ==
              vicinal::index::hnsw_graph::record_shape(32, dim).extra());
    }
}

TEST_CASE("a budget counts the bytes of inverted lists", "[index]") {
    using vicinal_test::standing_index;
    vicinal::index::ivf_options o;
    o.tune = false;
    standing_index<vicinal::index::ivf<>, vicinal::metric::squared_l2, vicinal::storage::memory> s(
        16, o);
    s.add(vicinal_test::uniform_rows(10000, 16, 1));
    auto const all = vicinal::budget_plans({.rows = 10000, .dim = 16, .bytes = 1});
    std::size_t met = 0;
    for (auto const& p : all) {
        if (p.index != "index::ivf<codec::sq8>") continue;
        ++met;
        auto const vectors = p.disk == 0 ? 10000U * 64 : 0U;
        auto const is = static_cast<double>(s.get().link_bytes() + s.get().all_code_bytes());
        auto const told = static_cast<double>(p.memory - vectors);
        CHECK(told > 0.9 * is);
        CHECK(told < 1.1 * is);
    }
    CHECK(met == 2);
    // Less than any graph, and so what is advised where none fits.
    budget const b{.rows = 1'000'000, .dim = 384, .bytes = 100'000'000};
    CHECK(advise(b)->index == "index::ivf<codec::rabitq<1>>");
}

TEST_CASE("a budget of nothing is refused", "[index]") {
    CHECK(advise({}).error().code() == errc::invalid_argument);
    CHECK(advise({.rows = 1, .dim = 65537, .bytes = 1}).error().code() == errc::invalid_argument);
    CHECK(advise({.rows = 1, .dim = 3, .bytes = 1, .recall = 1.5}).error().code() ==
          errc::invalid_argument);
}

} // namespace budget_test

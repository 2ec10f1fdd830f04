// SPDX-License-Identifier: MIT
#include "contract/index.hpp"
#include "support/dataset.hpp"

#include <vicinal/index/hnsw.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

namespace hnsw_test {

namespace metric = vicinal::metric;
using namespace vicinal_test;
using hnsw = vicinal::index::hnsw<>;
using vicinal::errc;
using vicinal::index::hnsw_options;
using vicinal::storage::memory;
using standing = standing_index<hnsw, metric::squared_l2, memory>;

namespace {

hnsw_options always() {
    hnsw_options o;
    o.flat_below = 0;
    return o;
}

hnsw_options narrow(std::size_t neighbours, std::size_t build_width) {
    auto o = always();
    o.neighbours = neighbours;
    o.build_width = build_width;
    return o;
}

std::vector<std::byte> bytes_of(standing& s, std::string_view column, std::size_t width) {
    auto* c = s.space()->column(column, width).value();
    auto const* first = c->reader().row(0);
    return {first, first + c->rows() * c->row_bytes()};
}

} // namespace

TEST_CASE("hnsw keeps the contract of indexes in memory", "[index]") {
    check_index_contract<hnsw, metric::squared_l2, memory>(always());
}

TEST_CASE("hnsw over the vectors keeps the contract of indexes", "[index]") {
    check_index_contract<vicinal::index::hnsw<vicinal::codec::f32>, metric::inner_product, memory>(
        always());
}

TEST_CASE("hnsw with few links keeps the contract of indexes", "[index]") {
    check_index_contract<hnsw, metric::squared_l2, memory>(narrow(2, 2), 0.8);
}

TEST_CASE("hnsw keeps the contract of indexes over mapped files", "[index]") {
    check_index_contract<hnsw, metric::cosine, vicinal::storage::mmap>(always());
}

TEST_CASE("hnsw finds 95 of 100 true neighbours at the default effort", "[index]") {
    constexpr std::size_t dim = 24;
    auto const recall = [](rows const& data, rows const& queries) {
        standing s(dim, always());
        s.add(data);
        return recall_of<metric::squared_l2>(s, data, queries, 10);
    };
    SECTION("in clusters") {
        CHECK(recall(clustered_rows(4000, dim, 40, 41), clustered_rows(100, dim, 40, 41)) >= 0.95);
    }
    SECTION("in clusters of which there are two, far apart") {
        CHECK(recall(clustered_rows(4000, dim, 2, 42), clustered_rows(100, dim, 2, 42)) >= 0.95);
    }
    SECTION("spread evenly") {
        CHECK(recall(uniform_rows(4000, dim, 43), uniform_rows(100, dim, 44)) >= 0.95);
    }
    SECTION("with each vector some fifty times, near one of them") {
        auto const data = repeated_rows(4000, dim, 80, 45);
        auto queries = repeated_rows(100, dim, 80, 45);
        for (auto& x : queries.data) x += 0.05F;
        CHECK(recall(data, queries) >= 0.95);
    }
    SECTION("with each vector some ten times, anywhere") {
        // Copies fill the beam: 0.93 here, 0.7 with fifty of each, where 4,000 different vectors
        // come to 0.95 and more.
        CHECK(recall(repeated_rows(4000, dim, 400, 45), uniform_rows(100, dim, 46)) >= 0.9);
    }
    SECTION("along a curve") { CHECK(recall(curve_rows(4000, dim), curve_rows(100, dim)) >= 0.95); }
}

TEST_CASE("hnsw finds 95 of 100 true neighbours on descriptors of photographs", "[index]") {
    auto const data = load_rows("sift.base.u8bin", 20000);
    auto const queries = load_rows("sift.query.u8bin", 100);
    if (!data || !queries) return;
    standing s(data->dim);
    s.add(*data);
    CHECK(s.get().reachable() == data->count());
    CHECK(recall_of<metric::squared_l2>(s, *data, *queries, 10) >= 0.95);
}

TEST_CASE("every live node of a graph can be reached", "[index]") {
    auto const reached = [](rows const& data, hnsw_options const& o) {
        standing s(data.dim, o);
        s.add(data);
        return s.get().reachable();
    };
    SECTION("with 5,000 equal vectors") {
        auto const same = repeated_rows(5000, 8, 1, 51);
        CHECK(reached(same, always()) == 5000);
        CHECK(reached(same, narrow(2, 4)) == 5000);
    }
    SECTION("in clusters") {
        CHECK(reached(clustered_rows(5000, 8, 50, 52), narrow(4, 16)) == 5000);
    }
    SECTION("in two clusters far apart, one after the other") {
        auto data = clustered_rows(2000, 8, 1, 53);
        auto far = clustered_rows(2000, 8, 1, 54);
        for (auto& x : far.data) x += 1e6F;
        data.data.insert(data.data.end(), far.data.begin(), far.data.end());
        CHECK(reached(data, narrow(4, 16)) == 4000);
    }
    SECTION("along a curve, in order and backwards") {
        auto data = curve_rows(5000, 6);
        CHECK(reached(data, narrow(3, 6)) == 5000);
        std::reverse(data.data.begin(), data.data.end());
        CHECK(reached(data, narrow(3, 6)) == 5000);
    }
    SECTION("sorted by length") {
        rows data{2};
        for (int i = 0; i < 5000; ++i) data.add({static_cast<float>(i), 0});
        CHECK(reached(data, narrow(2, 2)) == 5000);
    }
    SECTION("where a third was dead on arrival") {
        standing s(8, narrow(4, 16));
        s.add(clustered_rows(3000, 8, 10, 55), [](slot n) { return n % 3 != 0; });
        CHECK(s.get().reachable() == 2000);
    }
    SECTION("where the first ones were dead on arrival") {
        standing s(8, always());
        s.add(clustered_rows(500, 8, 10, 56), [](slot n) { return n >= 100; });
        CHECK(s.get().reachable() == 400);
    }
}

TEST_CASE("the same rows give the same graph on any number of threads", "[index]") {
    auto const build = [](std::size_t threads, std::uint64_t seed, std::size_t parts) {
        auto const data = clustered_rows(3000, 24, 10, 61);
        auto o = always();
        o.threads = threads;
        o.seed = seed;
        standing s(24, o);
        for (std::size_t i = 0; i < parts; ++i) {
            auto const first = data.data.begin() + static_cast<std::ptrdiff_t>(i * 72000 / parts);
            auto const last =
                data.data.begin() + static_cast<std::ptrdiff_t>((i + 1) * 72000 / parts);
            s.add({24, {first, last}});
        }
        auto all = bytes_of(s, "hnsw.links", 32 * 4);
        for (auto const& more : {bytes_of(s, "hnsw.parents", 4), bytes_of(s, "hnsw.codes", 24 + 16),
                                 bytes_of(s, "hnsw.upper", (3 + hnsw_options{}.neighbours) * 4),
                                 bytes_of(s, "hnsw.state", 40)})
            all.insert(all.end(), more.begin(), more.end());
        return all;
    };
    // A difference is told as such, not as a page of bytes.
    auto const same = [](auto const& a, auto const& b) { return a == b; };
    auto const one = build(1, 5, 1);
    CHECK(same(one, build(2, 5, 1)));
    CHECK(same(one, build(8, 5, 1)));
    CHECK_FALSE(same(one, build(1, 6, 1)));
    CHECK(same(build(1, 5, 3), build(8, 5, 3)));
}

TEST_CASE("there is no graph below the rows that want one", "[index]") {
    hnsw_options o;
    o.flat_below = 100;
    standing s(4, o);
    s.add(uniform_rows(99, 4, 62));
    CHECK(s.get().covered() == 0);
    s.add(uniform_rows(1, 4, 63));
    CHECK(s.get().covered() == 100);
    s.add(uniform_rows(1, 4, 64));
    CHECK(s.get().covered() == 101);
}

TEST_CASE("more elements than codes can sum are left to the scan, or walked over as they are",
          "[index]") {
    std::size_t const dim = 32769;
    standing coded(dim, always());
    coded.add(uniform_rows(5, dim, 1));
    CHECK(coded.get().covered() == 0);
    standing_index<vicinal::index::hnsw<vicinal::codec::f32>, metric::squared_l2, memory> plain(
        dim, always());
    plain.add(uniform_rows(5, dim, 1));
    CHECK(plain.get().covered() == 5);
}

TEST_CASE("options of a graph outside their range are refused by name", "[index]") {
    auto const refused = [](std::size_t neighbours, std::size_t build_width) {
        memory::space space;
        auto* rows = space.column("vectors", 8).value();
        auto const made = hnsw::of<metric::squared_l2, memory>::open(
            space, *rows, 2, narrow(neighbours, build_width));
        REQUIRE_FALSE(made);
        CHECK(made.error().code() == errc::invalid_argument);
        return made.error().expected();
    };
    CHECK(refused(0, 200) == "index.neighbours from 2 to 512");
    CHECK(refused(1, 200) == "index.neighbours from 2 to 512");
    CHECK(refused(513, 1000) == "index.neighbours from 2 to 512");
    CHECK(refused(16, 15) == "index.build_width from neighbours to 65536");
    CHECK(refused(16, 65537) == "index.build_width from neighbours to 65536");
}

TEST_CASE("effort grows with the hits and the recall that are wanted", "[index]") {
    standing s(4, always());
    auto const& h = s.get();
    CHECK(h.effort_for(10, 0.95) == 64);
    CHECK(h.effort_for(10, 0.99) > h.effort_for(10, 0.95));
    CHECK(h.effort_for(100, 0.95) > h.effort_for(10, 0.95));
    CHECK(h.effort_for(10, 1.0) < 1000);
    CHECK(h.effort_for(10, 0.0) >= 10);
}

} // namespace hnsw_test

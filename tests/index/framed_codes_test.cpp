// SPDX-License-Identifier: MIT
// Codes of a byte on data that one scale a vector does not suit: far from 0, or with a few large
// elements.
#include "contract/index.hpp"
#include "support/lopsided.hpp"
#include "support/stores.hpp"

#include <vicinal/index/flat.hpp>
#include <vicinal/index/hnsw.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace framed_codes_test {

namespace metric = vicinal::metric;
namespace codec = vicinal::codec;
using namespace vicinal_test;
using vicinal::errc;
using vicinal::index::hnsw_options;
using vicinal::storage::memory;
using hnsw = vicinal::index::hnsw<>;
using flat = vicinal::index::flat<codec::sq8>;

namespace {

hnsw_options narrow(std::size_t threads = 1) {
    hnsw_options o;
    o.flat_below = 0;
    o.neighbours = 8;
    o.build_width = 40;
    o.threads = threads;
    o.tune = false;
    return o;
}

template <class Standing>
std::vector<std::byte> bytes_of(Standing& s, std::string_view column, std::size_t width) {
    auto* c = s.space()->column(column, width).value();
    if (c->rows() == 0) return {};
    auto const* first = c->reader().row(0);
    return {first, first + c->rows() * c->row_bytes()};
}

/// The rows from `first` on, so many.
rows part(rows const& data, std::size_t first, std::size_t count) {
    return {data.dim, {data.row(first), data.row(first) + count * data.dim}};
}

/// By how much the graph over codes finds fewer of the 10 nearest than that over the vectors.
template <class Metric>
double behind(rows const& data) {
    auto const base = part(data, 0, data.count() - 50);
    auto const queries = part(data, data.count() - 50, 50);
    standing_index<hnsw, Metric, memory> coded(data.dim, narrow());
    standing_index<vicinal::index::hnsw<codec::f32>, Metric, memory> plain(data.dim, narrow());
    coded.add(base);
    plain.add(base);
    return recall_of<Metric>(plain, base, queries, 10) -
           recall_of<Metric>(coded, base, queries, 10);
}

/// The flat index's answer is brute force's, for rows that come in several parts.
template <class Metric>
void check_exact(rows const& data) {
    standing_index<flat, Metric, memory> s(data.dim);
    for (std::size_t at = 0, step = 300; at < data.count(); at += step)
        s.add(part(data, at, std::min(step, data.count() - at)));
    CHECK(bytes_of(s, "flat.frame", 4).size() == 4 * (data.dim + 1));
    CHECK(s.get().unreachable(vicinal::index::keep_all{}).empty());
    for (std::size_t q = 0; q < 20; ++q) {
        vicinal::index::nearest best(10);
        vicinal::storage::contiguous_reader const reader(
            reinterpret_cast<std::byte const*>(data.data.data()), data.dim * sizeof(float));
        vicinal::index::scan_exactly<Metric>(reader, 0, static_cast<slot>(data.count()),
                                             data.row(q * 7), data.dim, vicinal::index::keep_all{},
                                             best);
        auto const want = best.take();
        CAPTURE(metric::name_of<Metric>(), q);
        REQUIRE(s.search(data.row(q * 7), 10) == want);
        auto const together =
            s.get().search(data.row(q * 7), 8, 10, vicinal::index::keep_all{}, 1).value();
        REQUIRE(together[0] == want);
    }
}

} // namespace

TEST_CASE("over codes of data far from 0 a graph finds what it finds over the vectors", "[index]") {
    auto const data = far_rows(2100, 24, 1000, 31);
    CHECK(behind<metric::squared_l2>(data) <= 0.02);
    CHECK(behind<metric::cosine>(data) <= 0.02);
    CHECK(behind<metric::inner_product>(data) <= 0.02);
}

TEST_CASE("over codes of data with large elements a graph finds what it finds over the vectors",
          "[index]") {
    // Of 96 elements three are twice as wide, about a point a thousand times as far.
    auto data = uneven_rows(2100, 96, 2, 32);
    for (std::size_t i = 0; i < data.count(); ++i)
        for (auto const j : {1U, 33U, 65U}) data.data[i * 96 + j] += 1000;
    CHECK(behind<metric::squared_l2>(data) <= 0.02);
    CHECK(behind<metric::cosine>(data) <= 0.02);
    CHECK(behind<metric::inner_product>(data) <= 0.02);
}

TEST_CASE("the scan of codes in a frame is exact", "[index]") {
    for (auto const& data : {far_rows(1500, 24, 1000, 33), uneven_rows(1500, 96, 100, 34)}) {
        check_exact<metric::squared_l2>(data);
        check_exact<metric::cosine>(data);
        check_exact<metric::inner_product>(data);
    }
}

TEST_CASE("a frame is chosen once there are a thousand rows, and the same on any threads",
          "[index]") {
    auto const data = far_rows(2500, 16, 500, 35);
    auto const build = [&](std::size_t threads, std::size_t step) {
        standing_index<hnsw, metric::squared_l2, memory> s(16, narrow(threads));
        for (std::size_t at = 0; at < data.count(); at += step) {
            s.add(part(data, at, std::min(step, data.count() - at)));
            auto const chosen = bytes_of(s, "hnsw.frame", 4).size();
            CHECK(chosen == (at + step >= 1000 ? 17 * 4 : 0));
        }
        auto all = bytes_of(s, "hnsw.frame", 4);
        auto const codes = bytes_of(s, "hnsw.codes", 32);
        auto const links = bytes_of(s, "hnsw.links", 64);
        all.insert(all.end(), codes.begin(), codes.end());
        all.insert(all.end(), links.begin(), links.end());
        return all;
    };
    auto const same = [](auto const& a, auto const& b) { return a == b; };
    auto const one = build(1, 300);
    CHECK(same(one, build(2, 300)));
    CHECK(same(one, build(8, 300)));
    CHECK(same(build(1, 2500), build(8, 2500)));

    // Codes that were made before it are made again: the graph finds what came first as well.
    standing_index<hnsw, metric::squared_l2, memory> s(16, narrow());
    for (std::size_t at = 0; at < data.count(); at += 500) s.add(part(data, at, 500));
    CHECK(recall_of<metric::squared_l2>(s, data, part(data, 0, 100), 10) >= 0.95);
}

TEST_CASE("data that needs no frame has none", "[index]") {
    standing_index<hnsw, metric::squared_l2, memory> graph(16, narrow());
    graph.add(uniform_rows(1500, 16, 36));
    CHECK(bytes_of(graph, "hnsw.frame", 4).empty());
    standing_index<flat, metric::cosine, memory> scan(16);
    scan.add(uniform_rows(1500, 16, 36));
    CHECK(bytes_of(scan, "flat.frame", 4).empty());
}

TEST_CASE("a cleared index forgets its frame", "[index]") {
    standing_index<hnsw, metric::squared_l2, memory> graph(16, narrow());
    standing_index<flat, metric::squared_l2, memory> scan(16);
    auto const forget = [](auto& s, std::string const& column) {
        s.add(far_rows(1500, 16, 500, 37));
        CHECK_FALSE(bytes_of(s, column, 4).empty());
        s.get().clear();
        s.vectors().resize(0);
        auto const near = uniform_rows(1500, 16, 38);
        s.add(near);
        CHECK(bytes_of(s, column, 4).empty());
        CHECK(recall_of<metric::squared_l2>(s, near, part(near, 0, 30), 10) >= 0.95);
    };
    forget(graph, "hnsw.frame");
    forget(scan, "flat.frame");
}

TEST_CASE("a column that is no frame is refused", "[index]") {
    auto const refused = [](std::uint64_t rows, std::uint32_t kind, float number) {
        memory::space space;
        auto* vectors = space.column("vectors", 16).value();
        auto* frame = space.column("hnsw.frame", 4).value();
        vicinal::storage::grow(*frame, rows).value();
        std::memcpy(frame->edit(0), &kind, 4);
        for (std::uint64_t i = 1; i < rows; ++i) std::memcpy(frame->edit(i), &number, 4);
        auto const made = hnsw::of<metric::squared_l2, memory>::open(space, *vectors, 4, {});
        return !made && made.error().code() == errc::corrupt_snapshot;
    };
    CHECK_FALSE(refused(5, 1, 0.5F));
    CHECK_FALSE(refused(5, 2, 0.5F));
    CHECK(refused(4, 1, 0.5F));
    CHECK(refused(6, 1, 0.5F));
    CHECK(refused(1, 1, 0.5F));
    CHECK(refused(5, 0, 0.5F));
    CHECK(refused(5, 3, 0.5F));
    CHECK(refused(5, 1, std::numeric_limits<float>::infinity()));
}

TEST_CASE("a store that is opened again goes on in its frame", "[index]") {
    using docs = vicinal::store<metric::squared_l2, hnsw, vicinal::storage::mmap,
                                vicinal::payload::none, std::uint32_t>;
    auto const data = far_rows(2600, 16, 500, 39);
    test_store<docs> held({.dim = 16, .index = narrow()});
    auto const add = [&](std::size_t first, std::size_t last) {
        std::vector<docs::record> list;
        for (auto i = first; i < last; ++i)
            list.push_back({static_cast<std::uint32_t>(i), {data.row(i), data.row(i) + 16}, {}});
        held->upsert(list);
    };
    auto const recall = [&](std::size_t upto) {
        std::size_t found = 0;
        for (std::size_t q = 0; q < 100; ++q) {
            std::vector<float> const query(data.row(2500 + q), data.row(2500 + q) + 16);
            auto const want = held->search(query, {.k = 10, .exact = true});
            for (auto const& hit : held->search(query, {.k = 10, .effort = 80}))
                found += hit.distance <= want.back().distance ? 1U : 0U;
        }
        CHECK(held->size() == upto);
        return static_cast<double>(found) / 1000;
    };
    add(0, 2000);
    auto const before = recall(2000);
    CHECK(before >= 0.9);
    held->checkpoint();
    held.reopen();
    CHECK(recall(2000) == before);
    add(2000, 2500);
    CHECK(recall(2500) >= 0.9);
    CHECK(held->verify().ok());
    for (std::uint32_t id = 0; id < 1000; ++id) held->erase(id);
    held->compact();
    held->checkpoint();
    held.reopen();
    CHECK(recall(1500) >= 0.9);
    CHECK(held->verify().ok());
}

} // namespace framed_codes_test

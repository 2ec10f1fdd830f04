// SPDX-License-Identifier: MIT
// Graphs whose records hold the codes of the neighbours.
#include "contract/index.hpp"
#include "support/dataset.hpp"

#include <vicinal/index/hnsw.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace hnsw_fused_test {

namespace metric = vicinal::metric;
namespace codec = vicinal::codec;
namespace graph = vicinal::index::hnsw_graph;
using namespace vicinal_test;
using fused = vicinal::index::hnsw<codec::rabitq<1>, vicinal::layout::fused>;
using standing = standing_index<fused, metric::squared_l2, storage::memory>;

namespace {

vicinal::index::hnsw_options always() {
    vicinal::index::hnsw_options o;
    o.flat_below = 0;
    o.tune = false;
    return o;
}

/// Records that have no codes.
std::size_t bare(standing& s, std::size_t dim) {
    graph::record_shape const shape(32, dim);
    auto* const column = s.space()->column("hnsw.records", shape.row_bytes()).value();
    std::size_t count = 0;
    for (std::uint64_t i = 0; i < column->rows(); ++i)
        count += shape.coded(column->reader().row(i)) ? 0U : 1U;
    return count;
}

/// The estimates of a record are right to what its bits allow.
template <class Metric>
void check_record(std::size_t dim) {
    CAPTURE(dim, Metric::name);
    auto const data = clustered_rows(60, dim, 1, 91);
    graph::record_shape const shape(32, dim);
    graph::record_codec<Metric> c(dim);
    c.put(c.fitting_frame(60, [&](std::size_t i) { return data.row(i); }));
    typename graph::record_codec<Metric>::hands h(c);
    std::vector<std::byte> record(shape.row_bytes());
    double off = 0, bias = 0, size = 0;
    std::size_t count = 0;
    for (std::size_t node = 0; node < 20; ++node) {
        // The last place has no neighbour.
        c.encode(
            shape, data.row(node),
            [&](std::size_t i) { return i == 31 ? nullptr : data.row(25 + i); }, record.data(), h);
        REQUIRE(shape.coded(record.data()));
        auto const query = data.row(59);
        auto const tables = c.query(query);
        auto const centre = textbook<Metric>(query, data.row(node), dim);
        float out[32];
        auto const below =
            codec::tabled_scores::get()(&tables.query(), record.data() + shape.block_at(0),
                                        static_cast<float>(centre), 1e30F, out);
        CHECK(below == 0xffffffffU);
        for (std::size_t i = 0; i < 31; ++i) {
            auto const want = textbook<Metric>(query, data.row(25 + i), dim);
            off += (out[i] - want) * (out[i] - want);
            bias += out[i] - want;
            size += std::abs(want - centre) + std::abs(want);
            ++count;
        }
        auto const some =
            codec::tabled_scores::get()(&tables.query(), record.data() + shape.block_at(0),
                                        static_cast<float>(centre), out[3], out);
        for (std::size_t i = 0; i < 32; ++i) REQUIRE((some >> i & 1) == (out[i] < out[3] ? 1 : 0));
    }
    auto const n = static_cast<double>(count);
    auto const bits = static_cast<double>(std::min(graph::sketched_elements(dim), dim));
    CHECK(std::sqrt(off / n) <= 2.3 / std::sqrt(bits) * size / n);
    CHECK(std::abs(bias / n) <= 0.5 * std::sqrt(off / n));
}

/// A level that has one record.
struct level_of_one {
    static constexpr std::size_t header = 0;
    std::uint32_t const* links;
    std::uint32_t nodes;
    std::size_t width = 32;

    [[nodiscard]] std::uint32_t const* list(std::uint32_t) const { return links; }
    [[nodiscard]] std::uint32_t row(std::uint32_t node) const { return node; }
};

} // namespace

TEST_CASE("a graph of records keeps the contract of indexes", "[index]") {
    check_index_contract<fused, metric::squared_l2, storage::memory>(always(), 0.9);
}

TEST_CASE("a graph of records keeps the contract of indexes over mapped files", "[index]") {
    check_index_contract<fused, metric::cosine, storage::mmap>(always(), 0.9);
}

TEST_CASE("a record's estimates are those of its neighbours", "[index]") {
    for (std::size_t const dim : {64U, 65U, 128U, 1536U, 4096U})
        check_record<metric::squared_l2>(dim);
    check_record<metric::cosine>(128);
    check_record<metric::inner_product>(128);
}

TEST_CASE("a graph of records finds the nearest of real vectors", "[index]") {
    auto const sift = load_rows("sift.base.u8bin", 2500);
    auto const sift_queries = load_rows("sift.query.u8bin", 50);
    if (!sift || !sift_queries) return;
    standing s(sift->dim, always());
    s.add(*sift);
    CHECK(bare(s, sift->dim) == 0);
    CHECK(recall_by_effort(s, *sift, *sift_queries, 60) >= 0.97);
}

TEST_CASE("a record leaves out most of what is far and little of what is near", "[index]") {
    for (std::size_t const dim : {64U, 128U, 700U}) {
        CAPTURE(dim);
        auto const data = clustered_rows(2000, dim, 1, 93);
        graph::record_shape const shape(32, dim);
        graph::record_codec<metric::squared_l2> c(dim);
        c.put(c.fitting_frame(2000, [&](std::size_t i) { return data.row(i); }));
        graph::record_codec<metric::squared_l2>::hands h(c);
        std::size_t near = 0, near_kept = 0, far = 0, far_kept = 0;
        for (std::uint32_t node = 0; node + 33 < 2000; node += 40) {
            std::vector<std::byte> record(shape.row_bytes());
            for (std::uint32_t i = 0; i < 32; ++i) {
                auto const link = node + 1 + i;
                std::memcpy(record.data() + 4 * i, &link, 4);
            }
            c.encode(
                shape, data.row(node), [&](std::size_t i) { return data.row(node + 1 + i); },
                record.data(), h);
            auto const* const query = data.row(1999 - node);
            graph::near_links<metric::squared_l2> const links(shape, c, query);
            auto const distance = [&](std::size_t i) {
                return static_cast<float>(textbook<metric::squared_l2>(query, data.row(i), dim));
            };
            // As many as a walk near its end takes in: the nearest quarter.
            std::vector<float> all;
            for (std::uint32_t i = 0; i < 32; ++i) all.push_back(distance(node + 1 + i));
            auto sorted = all;
            std::sort(sorted.begin(), sorted.end());
            auto const limit = sorted[8];
            vicinal::index::scratch s;
            s.fresh.resize(64);
            s.visited.reset(2000);
            level_of_one const level{reinterpret_cast<std::uint32_t const*>(record.data()), 2000};
            auto const count = links(level, {distance(node), node}, limit, 0, 2000, s);
            for (std::size_t i = 0; i < 32; ++i) {
                bool const kept = std::find(s.fresh.data(), s.fresh.data() + count, node + 1 + i) !=
                                  s.fresh.data() + count;
                bool const is_near = all[i] < limit;
                (is_near ? near : far) += 1;
                if (kept) (is_near ? near_kept : far_kept) += 1;
            }
            // What was met is not given again.
            CHECK(links(level, {distance(node), node}, limit, 0, 2000, s) == 0);
        }
        CHECK(double(near_kept) >= 0.85 * double(near));
        CHECK(double(far_kept) <= 0.75 * double(far));
    }
}

TEST_CASE("records are made anew when their links change", "[index]") {
    constexpr std::size_t dim = 24;
    auto const data = clustered_rows(1600, dim, 40, 61);
    auto const queries = clustered_rows(40, dim, 40, 61);
    standing s(dim, always());
    rows so_far{dim};
    // 600 at once, before there is a frame; single ones; and what brings the frame.
    for (auto const& [first, last, step] :
         {std::array<std::size_t, 3>{0, 600, 600}, {600, 700, 1}, {700, 1600, 300}})
        for (auto i = first; i < last; i += step) {
            rows const some{dim, {data.row(i), data.row(i) + step * dim}};
            s.add(some);
            CHECK(bare(s, dim) == 0);
        }
    CHECK(recall_by_effort(s, data, queries, 80) >= 0.95);
    CHECK(s.get().reachable() == 1600);
}

TEST_CASE("all links of a record without codes are followed", "[index]") {
    auto const data = clustered_rows(800, 24, 20, 62);
    auto const queries = clustered_rows(40, 24, 20, 62);
    standing s(24, always());
    s.add(data);
    graph::record_shape const shape(32, 24);
    auto* const column = s.space()->column("hnsw.records", shape.row_bytes()).value();
    for (std::uint64_t i = 0; i < column->rows(); i += 2)
        std::memset(column->edit(i) + shape.block_at(0), 0xff, 2);
    CHECK(recall_by_effort(s, data, queries, 60) >= 0.95);
}

TEST_CASE("vectors that have no codes leave their records without", "[index]") {
    auto data = clustered_rows(300, 16, 5, 63);
    for (std::size_t j = 0; j < 16; ++j) data.data[7 * 16 + j] = 1e30F;
    standing s(16, always());
    s.add(data);
    CHECK(bare(s, 16) > 0);
    auto const query = clustered_rows(1, 16, 5, 63);
    CHECK(s.search(query.row(0), 299).size() >= 299);
}

} // namespace hnsw_fused_test

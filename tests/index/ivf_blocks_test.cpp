// SPDX-License-Identifier: MIT
// Lists whose codes lie in blocks of 32 rows.
#include "contract/index.hpp"
#include "index/always_lists.hpp"

#include <vicinal/codec/rabitq.hpp>
#include <vicinal/index/ivf_pq.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ivf_blocks_test {

namespace metric = vicinal::metric;
namespace codec = vicinal::codec;
using namespace vicinal_test;
using vicinal::index::ivf;
using vicinal::index::ivf_pq;
using vicinal::storage::memory;
template <class Index, class Metric = metric::squared_l2>
using standing_of = standing_index<Index, Metric, memory>;

namespace {

/// By how much the distances of codes miss those of the vectors, as a share of their mean: root of
/// the mean square. Every row of `data` is to be found.
template <class Metric, class Standing>
double missed(Standing& s, rows const& data, rows const& queries) {
    double off = 0, mean = 0;
    std::size_t count = 0;
    for (std::size_t q = 0; q < queries.count(); ++q) {
        auto const found =
            s.get().search(queries.row(q), data.count(), s.get().partitions(), index::keep_all{});
        REQUIRE(found.value().size() == data.count());
        for (auto const& n : *found) {
            auto const exact = textbook<Metric>(queries.row(q), data.row(n.row), data.dim);
            off += (n.distance - exact) * (n.distance - exact);
            mean += std::fabs(exact);
            ++count;
        }
    }
    auto const all = static_cast<double>(count);
    return std::sqrt(off / all) / (mean / all);
}

} // namespace

TEST_CASE("lists of blocks keep the contract of indexes", "[index]") {
    check_index_contract<ivf<codec::rabitq<1>>, metric::squared_l2, memory>(always(0), 0.9);
}

TEST_CASE("lists of blocks keep the contract of indexes over mapped files", "[index]") {
    check_index_contract<ivf<codec::rabitq<1>>, metric::inner_product, vicinal::storage::mmap>(
        always(0), 0.8);
}

TEMPLATE_TEST_CASE("codes in blocks tell the distances of rows, whichever way these came",
                   "[index]", (standing_of<ivf_pq<8, 4>>),
                   (standing_of<ivf_pq<8, 4>, metric::inner_product>),
                   (standing_of<ivf_pq<7, 4>, metric::cosine>)) {
    using M = typename TestType::metric_type;
    constexpr std::size_t dim = 16;
    TestType s(dim, always(30));
    // Far from the origin: the mean of the centres is taken from rows and queries first.
    auto const moved = [](rows r) {
        for (auto& x : r.data) x += std::is_same_v<M, metric::squared_l2> ? 50.0F : 0.5F;
        return r;
    };
    auto all = moved(clustered_rows(2500, dim, 30, 5));
    auto const queries = moved(clustered_rows(4, dim, 30, 5));
    s.add(all);
    CHECK(missed<M>(s, all, queries) < 0.1);
    // Rows that come later, of which some make their list split.
    auto const before = s.get().partitions();
    for (int i = 0; i < 6; ++i) {
        rows more{dim};
        generator r(static_cast<std::uint64_t>(i));
        for (int j = 0; j < 150; ++j) {
            std::vector<float> x(all.row(0), all.row(0) + dim);
            for (auto& v : x) v += 0.2F * r.normal();
            more.add(x);
        }
        s.add(more);
        all.add(more.data);
    }
    CHECK(s.get().partitions() > before);
    CHECK(missed<M>(s, all, queries) < 0.1);
    // Compacted, so that rows of small lists go to others.
    std::vector<slot> kept;
    rows left{dim};
    for (slot n = 0; n < all.count(); ++n) {
        // Of some clusters, all of whose rows are nearer to one another than to others, next to
        // nothing is left.
        bool dissolved = false;
        for (std::size_t of = 1; of < 9; ++of)
            dissolved |= textbook<metric::squared_l2>(all.row(n), all.row(of), dim) <
                         0.1 * textbook<metric::squared_l2>(all.row(of), all.row(of + 20), dim);
        if (dissolved ? n % 25 == 0 : n % 3 != 0) {
            kept.push_back(n);
            left.add({all.row(n), all.row(n) + dim});
        }
    }
    auto const held = s.get().partitions();
    s.compact(kept);
    CHECK(s.get().partitions() < held);
    // Rows of those clusters are farther from their centres now than what codes were learnt from.
    REQUIRE(s.get().covered() == left.count());
    CHECK(s.get().unreachable(index::keep_all{}).empty());
    CHECK(missed<M>(s, left, queries) < (std::is_same_v<M, metric::inner_product> ? 0.25 : 0.1));
    auto const more = moved(clustered_rows(100, dim, 30, 5));
    s.add(more);
    left.add(more.data);
    CHECK(missed<M>(s, left, queries) < (std::is_same_v<M, metric::inner_product> ? 0.25 : 0.1));
}

TEST_CASE("a search of blocks finds what matches, as many as are wanted", "[index]") {
    constexpr std::size_t dim = 16;
    standing_of<ivf_pq<8, 4>> s(dim, always(30));
    auto const data = clustered_rows(3000, dim, 20, 1);
    auto const queries = clustered_rows(10, dim, 20, 1);
    s.add(data);
    for (slot const one_in : {1U, 7U, 300U}) {
        CAPTURE(one_in);
        auto const keep = [&](slot n) { return n % one_in == 0; };
        std::size_t hits = 0;
        for (std::size_t q = 0; q < queries.count(); ++q) {
            auto const truth = true_distances<metric::squared_l2>(data, queries.row(q), 10, keep);
            index::nearest best(10);
            REQUIRE(s.get().search_into(queries.row(q), 12, keep, best).value());
            auto const found = best.take();
            REQUIRE(found.size() == 10);
            for (auto const& n : found) {
                REQUIRE(keep(n.row));
                hits += static_cast<double>(n.distance) <= truth.back() * (1 + 1e-6) ? 1U : 0U;
            }
        }
        CHECK(hits > 80);
    }
}

TEMPLATE_TEST_CASE("a batch of queries finds what each alone does", "[index]",
                   (standing_of<ivf_pq<8, 4>>), (standing_of<ivf<>, metric::cosine>),
                   (standing_of<ivf<codec::rabitq<1>>, metric::inner_product>)) {
    constexpr std::size_t dim = 16;
    TestType s(dim, always(40));
    auto const data = clustered_rows(3000, dim, 25, 1);
    s.add(data);
    // More than a panel, and some queries for which one list has too few.
    auto const queries = clustered_rows(70, dim, 25, 1);
    auto const even = [](slot n) { return n % 2 == 0; };
    for (std::size_t const k : {10U, 200U}) {
        std::vector<index::nearest<>> together(queries.count(), index::nearest<>(k));
        REQUIRE(
            s.get().search_batch(queries.row(0), k == 10 ? 6 : 1, even, std::span(together), 2));
        std::size_t same = 0;
        for (std::size_t q = 0; q < queries.count(); ++q) {
            index::nearest<> alone(k);
            REQUIRE(s.get().search_into(queries.row(q), k == 10 ? 6 : 1, even, alone).value());
            auto const want = alone.take();
            auto const got = together[q].take();
            REQUIRE(got.size() == k);
            for (auto const& n : got) {
                REQUIRE(even(n.row));
                same += std::find(want.begin(), want.end(), n) != want.end() ? 1U : 0U;
            }
        }
        // Distances from centres may round differently.
        CHECK(same >= queries.count() * k * 99 / 100);
    }
    std::vector<index::nearest<>> none;
    CHECK(s.get().search_batch(queries.row(0), 6, even, std::span(none)));
    std::vector<index::nearest<>> of_none(2, index::nearest<>(0));
    CHECK(s.get().search_batch(queries.row(0), 6, even, std::span(of_none)));
}

TEST_CASE("blocks that a file has made up break nothing", "[index]") {
    using index_type = ivf_pq<4, 4>;
    using bound = index_type::of<metric::squared_l2, memory>;
    constexpr std::size_t dim = 8;
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        CAPTURE(seed);
        generator r(seed);
        standing_of<index_type> s(dim, always(40));
        s.add(clustered_rows(1100, dim, 40, 4));
        for (std::string_view const name :
             {"ivf.codes", "ivf.places", "ivf.slots", "ivf.next", "ivf.lists", "ivf.centroids"}) {
            auto* c = s.space()->find(name);
            if (name != "ivf.codes" && r.below(2) == 0) continue;
            for (std::uint64_t row = 0; row < c->rows(); ++row)
                for (std::size_t at = 0; at + 4 <= c->row_bytes(); at += 4)
                    if (r.below(9) == 0) {
                        auto const n =
                            static_cast<std::uint32_t>(r.below(3) == 0 ? r.next() : r.below(1200));
                        std::memcpy(c->edit(row) + at, &n, 4);
                    }
        }
        auto opened = bound::open(*s.space(), s.vectors(), dim, {});
        if (!opened) {
            CHECK(opened.error().code() == vicinal::errc::corrupt_snapshot);
            continue;
        }
        auto const more = uniform_rows(200, dim, seed);
        for (std::size_t q = 0; q < 4; ++q) {
            index::nearest best(10);
            REQUIRE(opened->search_into(more.row(q), 8, index::keep_all{}, best));
            for (auto const& n : best.take()) REQUIRE(n.row < s.vectors().rows());
        }
        std::vector<slot> kept;
        for (slot n = 0; n < opened->covered(); n += 2) kept.push_back(n);
        std::vector<storage::replacement> out;
        REQUIRE(opened->compact(kept, out));
        for (auto const& part : out) {
            std::vector<std::byte> bytes(static_cast<std::size_t>(part.bytes()));
            part.next(0, bytes);
        }
        auto const before = s.vectors().rows();
        storage::grow(s.vectors(), before + more.count()).value();
        std::memcpy(s.vectors().edit(before), more.data.data(), more.data.size() * sizeof(float));
        REQUIRE(opened->take_in(static_cast<slot>(s.vectors().rows()), index::keep_all{},
                                index::no_section{}));
        index::nearest best(10);
        REQUIRE(opened->search_into(more.row(0), 100, index::keep_all{}, best));
    }
}

TEST_CASE("lists without the blocks, or with another model, are refused", "[index]") {
    using bound = ivf_pq<4, 4>::of<metric::squared_l2, memory>;
    for (std::string_view const name : {"ivf.codes", "ivf.model"}) {
        CAPTURE(name);
        standing_of<ivf_pq<4, 4>> s(8, always(10));
        s.add(uniform_rows(1100, 8, 1));
        auto* c = s.space()->find(name);
        c->resize(c->rows() / 2);
        CHECK(bound::open(*s.space(), s.vectors(), 8, {}).error().code() ==
              vicinal::errc::corrupt_snapshot);
    }
}

} // namespace ivf_blocks_test

// SPDX-License-Identifier: MIT
#include "contract/index.hpp"
#include "support/dataset.hpp"

#include <vicinal/index/ivf.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace ivf_test {

namespace metric = vicinal::metric;
namespace codec = vicinal::codec;
using namespace vicinal_test;
using lists = vicinal::index::ivf<>;
using flat_lists = vicinal::index::ivf_flat;
using vicinal::errc;
using vicinal::index::ivf_options;
using vicinal::storage::memory;
template <class Index, class Metric = metric::squared_l2>
using standing_of = standing_index<Index, Metric, memory>;
using standing = standing_of<lists>;

namespace {

ivf_options always(std::size_t partitions = 0) {
    ivf_options o;
    o.flat_below = 0;
    o.num_partitions = partitions;
    return o;
}

std::vector<std::byte> bytes_of(standing& s, std::string_view column, std::size_t width) {
    auto* c = s.space()->column(column, width).value();
    if (c->rows() == 0) return {};
    auto const* first = c->reader().row(0);
    return {first, first + c->rows() * c->row_bytes()};
}

/// Every list to be looked at: what is missed is missed by the lists.
template <class Standing>
void require_all_found(Standing& s, rows const& data, rows const& queries) {
    auto const every = s.get().partitions();
    for (std::size_t q = 0; q < queries.count(); ++q) {
        auto const got = s.get().search(queries.row(q), data.count(), every, index::keep_all{});
        REQUIRE(got.value().size() == data.count());
    }
    REQUIRE(s.get().unreachable(index::keep_all{}).empty());
}

} // namespace

TEST_CASE("ivf keeps the contract of indexes in memory", "[index]") {
    check_index_contract<lists, metric::squared_l2, memory>(always());
}

TEST_CASE("ivf over the vectors keeps the contract of indexes", "[index]") {
    check_index_contract<flat_lists, metric::inner_product, memory>(always(), 0.9);
}

TEST_CASE("ivf of many lists keeps the contract of indexes over mapped files", "[index]") {
    check_index_contract<lists, metric::cosine, vicinal::storage::mmap>(always(60), 0.9);
}

TEST_CASE("below flat_below rows there are no lists", "[index]") {
    standing s(4);
    auto const data = uniform_rows(2500, 4, 3);
    s.add({4, {data.data.begin(), data.data.begin() + 1999 * 4}});
    CHECK(s.get().covered() == 0);
    CHECK(s.get().partitions() == 0);
    s.add({4, {data.data.begin() + 1999 * 4, data.data.end()}});
    CHECK(s.get().covered() == 2500);
    CHECK(s.get().partitions() > 30);
}

TEST_CASE("more lists than rows are as many as there are rows", "[index]") {
    standing s(3, always(1000));
    auto const data = uniform_rows(20, 3, 4);
    s.add(data);
    CHECK(s.get().partitions() <= 20);
    require_all_found(s, data, uniform_rows(5, 3, 5));
}

TEST_CASE("equal rows are one list, however many come", "[index]") {
    standing s(3, always(10));
    auto const data = repeated_rows(3000, 3, 1, 4);
    s.add({3, {data.data.begin(), data.data.begin() + 100 * 3}});
    for (std::size_t i = 100; i < 3000; i += 50)
        s.add({3, {data.row(i), data.row(i) + std::size_t{50} * 3}});
    CHECK(s.get().partitions() == 1);
    require_all_found(s, data, uniform_rows(3, 3, 5));
}

TEST_CASE("a giant cluster is split as it grows", "[index]") {
    auto o = always(40);
    o.tune = false;
    standing s(6, o);
    auto const first = clustered_rows(2000, 6, 40, 1);
    s.add(first);
    auto const before = s.get().partitions();
    rows all = first;
    generator r(7);
    for (int batch = 0; batch < 60; ++batch) {
        rows more{6};
        for (int i = 0; i < 50; ++i) {
            std::vector<float> x(first.row(0), first.row(0) + 6);
            for (auto& v : x) v += 0.3F * r.normal();
            more.add(x);
        }
        s.add(more);
        all.add(more.data);
    }
    CHECK(s.get().partitions() > before + 5);
    require_all_found(s, all, uniform_rows(3, 6, 5));
    rows queries{6};
    for (std::size_t i = 0; i < 30; ++i) queries.add({all.row(2000 + i), all.row(2000 + i) + 6});
    CHECK(recall_of<metric::squared_l2>(s, all, queries, 10) > 0.9);
}

TEST_CASE("a load of many more rows gives new centres", "[index]") {
    auto o = always();
    o.tune = false;
    standing s(5, o);
    auto const data = uniform_rows(9000, 5, 1);
    s.add({5, {data.data.begin(), data.data.begin() + 1000 * 5}});
    auto const few = s.get().partitions();
    s.add({5, {data.data.begin() + 1000 * 5, data.data.end()}});
    CHECK(few == 15);
    CHECK(s.get().partitions() > 100);
    require_all_found(s, data, uniform_rows(3, 5, 5));
}

TEST_CASE("lists depend on rows and seed, not on threads", "[index]") {
    auto const data = clustered_rows(3000, 9, 30, 2);
    auto o = always();
    standing one(9, o);
    one.add(data);
    o.threads = 4;
    standing four(9, o);
    four.add(data);
    for (auto const& [name, width] : {std::pair{"ivf.centroids", 36},
                                      {"ivf.lists", 16},
                                      {"ivf.slots", 128},
                                      {"ivf.codes", 25},
                                      {"ivf.next", 4},
                                      {"ivf.places", 4},
                                      {"ivf.tuning", 16}}) {
        CAPTURE(name);
        CHECK(bytes_of(one, name, static_cast<std::size_t>(width)) ==
              bytes_of(four, name, static_cast<std::size_t>(width)));
    }
}

TEST_CASE("more effort finds more, and all lists find all but what codes can't tell", "[index]") {
    auto const data = uniform_rows(4000, 8, 2);
    auto const queries = uniform_rows(20, 8, 3);
    standing_of<flat_lists> s(8, always());
    s.add(data);
    auto const found = [&](std::size_t effort) {
        std::size_t hits = 0;
        for (std::size_t q = 0; q < queries.count(); ++q) {
            auto const truth = true_distances<metric::squared_l2>(data, queries.row(q), 10);
            index::nearest best(10);
            CHECK(s.get().search_into(queries.row(q), effort, index::keep_all{}, best).value());
            for (auto const& n : best.take())
                hits += static_cast<double>(n.distance) <= truth.back() * (1 + 1e-6) ? 1U : 0U;
        }
        return hits;
    };
    auto const one = found(1);
    auto const ten = found(10);
    CHECK(one < ten);
    CHECK(ten < 200);
    CHECK(found(s.get().partitions()) == 200);
    CHECK(found(1000000) == 200);
}

TEST_CASE("the effort for a recall reaches it", "[index]") {
    auto const data = clustered_rows(6000, 10, 60, 2);
    auto const queries = clustered_rows(60, 10, 60, 2);
    auto check = [&](auto& s, auto metric_of) {
        using M = decltype(metric_of);
        s.add(data);
        REQUIRE_FALSE(s.get().tuned().table.empty());
        CHECK(recall_of<M>(s, data, queries, 10) > 0.92);
        CHECK(s.get().effort_for(10, 0.8) <= s.get().effort_for(10, 0.99));
        CHECK(s.get().effort_for(10, 0.95) <= s.get().effort_for(1000, 0.95));
        CHECK(s.get().effort_for(10, 0.95) < s.get().partitions());
        CHECK(s.get().effort_for(10, 1.0) <= s.get().partitions());
        CHECK(s.get().effort_for(6000, 0.95) <= s.get().partitions());
    };
    standing l2(10, always());
    check(l2, metric::squared_l2{});
    standing_of<lists, metric::cosine> cosine(10, always());
    check(cosine, metric::cosine{});
    standing_of<flat_lists, metric::inner_product> product(10, always());
    check(product, metric::inner_product{});
}

TEST_CASE("rows that are not finite break nothing: the others are found", "[index]") {
    auto data = uniform_rows(1000, 4, 2);
    for (std::size_t i = 0; i < 1000; i += 10)
        data.data[i * 4 + 1] = i % 20 == 0 ? std::numeric_limits<float>::quiet_NaN() : 3e38F;
    standing s(4, always());
    s.add(data);
    CHECK(s.get().covered() == 1000);
    CHECK(s.get().unreachable(index::keep_all{}).empty());
    auto const sound = [](slot n) { return n % 10 != 0; };
    auto const queries = uniform_rows(10, 4, 9);
    CHECK(recall_of<metric::squared_l2>(s, data, queries, 10, sound) > 0.9);

    rows none{2};
    for (int i = 0; i < 50; ++i) none.add({std::numeric_limits<float>::quiet_NaN(), 1});
    standing declines(2, always());
    declines.add(none);
    CHECK(declines.get().covered() == 0);
}

TEST_CASE("lists know how much farther off later rows lie, and are made anew for them", "[index]") {
    auto o = always(40);
    o.tune = false;
    standing s(6, o);
    CHECK(s.get().drift() == 1);
    auto const near = uniform_rows(4000, 6, 1);
    s.add({6, {near.data.begin(), near.data.begin() + 3000 * 6}});
    CHECK(s.get().drift() == 1);
    s.add({6, {near.data.begin() + 3000 * 6, near.data.end()}});
    CHECK(s.get().drift() > 1);
    CHECK(s.get().drift() < 1.1);
    CHECK_FALSE(s.get().drifted());

    // Beside the others, wider, and in the order of a stream: no load that brings new centres.
    rows all = near;
    generator r(3);
    for (int batch = 0; batch < 10; ++batch) {
        rows more{6};
        for (int i = 0; i < 200; ++i) more.add(r.vector(6, 2, 8));
        s.add(more);
        all.add(more.data);
    }
    auto const before = s.get().drift();
    CHECK(before > 2);
    CHECK(s.get().drifted());
    auto again = lists::of<metric::squared_l2, memory>::open(*s.space(), s.vectors(), 6, {});
    CHECK(again->drift() == before);
    s.get().renew(index::keep_all{}, index::no_section{}).value();
    CHECK(s.get().drift() == 1);
    CHECK(s.get().covered() == all.count());
    require_all_found(s, all, uniform_rows(3, 6, 5));
    rows queries{6};
    for (int i = 0; i < 20; ++i) queries.add(r.vector(6, 2, 8));
    CHECK(recall_of<metric::squared_l2>(s, all, queries, 10) > 0.9);
}

TEST_CASE("a list that is split counts its rows once, from their new centres", "[index]") {
    auto o = always(16);
    o.tune = false;
    standing s(2, o);
    s.add(uniform_rows(400, 2, 1));
    // All into one list, which is split again and again: from then on they are near their centres.
    rows crowd{2};
    generator r(3);
    for (int i = 0; i < 4000; ++i) crowd.add(r.vector(2, 1, 3));
    for (std::size_t i = 0; i < 4000; i += 40)
        s.add({2, {crowd.row(i), crowd.row(i) + std::size_t{40} * 2}});
    CHECK(s.get().partitions() > 18);
    auto const told = s.get().drift();
    auto const state = s.get().deviation();
    CHECK(state.rows == 4400);
    // As if every row were measured now.
    double squares = 0;
    auto const* centres = s.space()->find("ivf.centroids");
    auto const reader = centres->reader();
    rows all = uniform_rows(400, 2, 1);
    all.add(crowd.data);
    for (std::size_t i = 0; i < all.count(); ++i) {
        double least = 1e9;
        for (std::uint32_t l = 0; l < s.get().partitions(); ++l)
            least = (std::min)(least, textbook<metric::squared_l2>(
                                          all.row(i), reader.template row_as<float>(l), 2));
        squares += least;
    }
    CHECK(told < 5);
    CHECK(state.squares > squares);
    CHECK(state.squares < 1.4 * squares);
}

TEST_CASE("compacted lists name the rows that are left, and small ones are dissolved", "[index]") {
    for (slot const keeps : {2U, 10U}) {
        CAPTURE(keeps);
        auto const data = clustered_rows(3000, 7, 25, 3);
        standing s(7, always(25));
        s.add(data);
        // All but a few rows of whole lists go.
        auto const live = [&](slot n) { return n % keeps == 0 || n < 900; };
        std::vector<slot> kept;
        rows left{7};
        for (slot n = 0; n < 3000; ++n)
            if (live(n)) {
                kept.push_back(n);
                left.add({data.row(n), data.row(n) + 7});
            }
        s.compact(kept);
        REQUIRE(s.get().covered() == left.count());
        require_all_found(s, left, uniform_rows(2, 7, 5));
        CHECK(recall_of<metric::squared_l2>(s, left, clustered_rows(20, 7, 25, 3), 10) > 0.9);
        // It goes on from there.
        auto const more = uniform_rows(100, 7, 8);
        s.add(more);
        left.add(more.data);
        require_all_found(s, left, uniform_rows(2, 7, 5));
    }
}

TEST_CASE("ivf refuses options that make no lists", "[index]") {
    ivf_options o;
    o.num_partitions = std::size_t{1} << 40;
    CHECK(lists::check(o).error().code() == errc::invalid_argument);
    o = {};
    o.threads = 0;
    CHECK(lists::check(o).error().code() == errc::invalid_argument);
}

TEST_CASE("ivf on real vectors reaches the recall that it was asked for", "[index]") {
    auto const data = load_rows("sift.base.u8bin", 10000);
    auto const queries = load_rows("sift.query.u8bin", 30);
    if (!data || !queries) return;
    standing s(data->dim);
    s.add(*data);
    CHECK(recall_of<metric::squared_l2>(s, *data, *queries, 10) > 0.93);
}

} // namespace ivf_test

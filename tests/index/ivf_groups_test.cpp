// SPDX-License-Identifier: MIT
// Centres in groups: many lists are ranked without comparing all of them.
#include "contract/index.hpp"

#include <vicinal/index/ivf.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <set>
#include <vector>

namespace ivf_groups_test {

namespace metric = vicinal::metric;
namespace inverted = vicinal::index::inverted;
using namespace vicinal_test;
using inverted::centre_groups;
using vicinal::storage::memory;

namespace {

/// Runs parts one behind the other, cut as several threads would.
struct in_pieces {
    template <class Body>
    vicinal::result<void> operator()(std::size_t count, std::size_t grain, Body const& body) const {
        for (std::size_t i = 0; i < count; i += 7 * grain)
            VICINAL_CHECK(body(i, (std::min)(count, i + 7 * grain)));
        return {};
    }
};

centre_groups grouped(rows const& centres) {
    return centre_groups::of(centres.data.data(), centres.count(), centres.dim, 1,
                             vicinal::cluster::on_this_thread{})
        .value();
}

template <class Order>
std::vector<slot> ranked(rows const& centres, centre_groups const& groups, float const* query,
                         std::size_t wanted) {
    inverted::ranked_lists<Order> lists({query, query + centres.dim}, centres.data.data(),
                                        centres.count(), centres.dim, groups);
    std::vector<slot> out;
    while (!lists.empty() && out.size() < wanted) out.push_back(lists.next().row);
    return out;
}

template <class Order>
double agreement(rows const& centres, rows const& queries, std::size_t wanted) {
    auto const groups = grouped(centres);
    centre_groups const none;
    std::size_t same = 0;
    for (std::size_t q = 0; q < queries.count(); ++q) {
        auto const truth = ranked<Order>(centres, none, queries.row(q), wanted);
        auto const found = ranked<Order>(centres, groups, queries.row(q), wanted);
        REQUIRE(found.size() == wanted);
        std::set<slot> const known(truth.begin(), truth.end());
        for (auto const l : found) same += known.count(l);
    }
    return static_cast<double>(same) / static_cast<double>(wanted * queries.count());
}

vicinal::index::ivf_options many(std::size_t lists) {
    vicinal::index::ivf_options o;
    o.flat_below = 0;
    o.num_partitions = lists;
    o.tune = false;
    return o;
}

} // namespace

TEST_CASE("lists in groups are ranked nearly as if all had been compared", "[index]") {
    auto const centres = clustered_rows(12000, 16, 300, 1);
    auto const queries = clustered_rows(30, 16, 300, 1);
    for (std::size_t const wanted : {1U, 20U, 200U}) {
        CAPTURE(wanted);
        CHECK(agreement<metric::squared_l2>(centres, queries, wanted) > 0.98);
        CHECK(agreement<metric::inner_product>(centres, queries, wanted) > 0.95);
    }
}

TEST_CASE("every list comes once, in groups too, and those that came later", "[index]") {
    auto const centres = uniform_rows(3000, 5, 2);
    rows all = centres;
    auto groups = grouped(centres);
    groups.reserve(3400, [](auto const& change) { change(); }).value();
    auto const more = uniform_rows(400, 5, 3);
    for (std::size_t i = 0; i < 400; ++i) groups.add(more.row(i));
    all.add(more.data);
    auto const found = ranked<metric::squared_l2>(all, groups, more.row(7), 4000);
    CHECK(found.size() == 3400);
    CHECK(std::set<slot>(found.begin(), found.end()).size() == 3400);
    CHECK(found.front() == 3007);
}

TEST_CASE("groups depend on centres and seed, not on how the work is cut", "[index]") {
    auto const centres = uniform_rows(3000, 5, 2);
    auto const one = grouped(centres);
    auto const other = centre_groups::of(centres.data.data(), 3000, 5, 1, in_pieces{}).value();
    REQUIRE(one.count() == other.count());
    CHECK(one.count() > 90);
    for (std::size_t g = 0; g < one.count(); ++g) {
        std::vector<slot> a, b;
        one.each(g, [&](slot l) { a.push_back(l); });
        other.each(g, [&](slot l) { b.push_back(l); });
        REQUIRE(a == b);
    }
}

TEST_CASE("centres that are not finite are in a group like others, or there is none", "[index]") {
    auto centres = uniform_rows(2000, 3, 2);
    auto const nan = std::numeric_limits<float>::quiet_NaN();
    for (std::size_t i = 0; i < 2000; i += 9) centres.data[i * 3] = nan;
    auto const query = uniform_rows(1, 3, 9);
    CHECK(ranked<metric::squared_l2>(centres, grouped(centres), query.row(0), 3000).size() == 2000);
    for (auto& x : centres.data) x = nan;
    CHECK(grouped(centres).empty());
}

TEST_CASE("an index of more than 20,000 lists finds, splits, compacts and comes back", "[index]") {
    using lists = vicinal::index::ivf_flat;
    auto const data = uniform_rows(24000, 4, 1);
    standing_index<lists, metric::squared_l2, memory> s(4, many(22000));
    s.add(data);
    REQUIRE(s.get().partitions() >= inverted::grouped_from);
    CHECK(s.get().unreachable(index::keep_all{}).empty());
    auto const recall = [&](auto& built, rows const& of) {
        std::size_t found = 0;
        for (std::size_t q = 0; q < 40; ++q) {
            index::nearest best(1);
            CHECK(built.search_into(of.row(q * (of.count() / 40)), 8, index::keep_all{}, best)
                      .value());
            auto const all = best.take();
            found += !all.empty() && all[0].distance == 0 ? 1U : 0U;
        }
        return found;
    };
    CHECK(recall(s.get(), data) >= 38);

    // A crowd at one place: its list is split, and the new ones are found.
    rows crowd{4};
    generator r(5);
    for (int i = 0; i < 600; ++i) {
        std::vector<float> x(data.row(3), data.row(3) + 4);
        for (auto& v : x) v += 0.001F * r.normal();
        crowd.add(x);
    }
    auto const before = s.get().partitions();
    for (std::size_t i = 0; i < 600; i += 100)
        s.add({4, {crowd.row(i), crowd.row(i) + std::size_t{100} * 4}});
    CHECK(s.get().partitions() > before);
    rows all = data;
    all.add(crowd.data);
    CHECK(recall(s.get(), crowd) >= 38);
    auto again =
        lists::of<metric::squared_l2, memory>::open(*s.space(), s.vectors(), 4, {}).value();
    CHECK(recall(again, all) >= 38);

    std::vector<slot> kept;
    rows left{4};
    for (slot n = 0; n < all.count(); ++n)
        if (n % 50 != 0) {
            kept.push_back(n);
            left.add({all.row(n), all.row(n) + 4});
        }
    s.compact(kept);
    REQUIRE(s.get().covered() == left.count());
    CHECK(s.get().unreachable(index::keep_all{}).empty());
    CHECK(recall(s.get(), left) >= 38);
    s.add(uniform_rows(10, 4, 77));
    CHECK(s.get().unreachable(index::keep_all{}).empty());
}

} // namespace ivf_groups_test

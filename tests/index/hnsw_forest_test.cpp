// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/index/hnsw/forest.hpp>

#include <cstddef>
#include <vector>

namespace hnsw_forest_test {

using vicinal::no_slot;
using vicinal::slot;
using vicinal::index::hnsw_graph::forest;
using vicinal_test::generator;

namespace {

/// Whether each node leads to `root`, and no node has more than `most` children.
bool one_tree(forest const& f, std::size_t nodes, slot root, std::size_t most) {
    std::vector<std::size_t> children(nodes, 0);
    for (slot n = 0; n < nodes; ++n) {
        if (f.top(n) != root) return false;
        if (n != root && ++children[f.parent(n)] > most) return false;
        bool mine = true;
        f.each_child(n, [&](slot c) { mine = mine && f.parent(c) == n; });
        if (!mine) return false;
    }
    return true;
}

} // namespace

TEST_CASE("trees are joined to one, whatever neighbours are offered", "[index]") {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        CAPTURE(seed);
        generator r(seed);
        auto const nodes = 1 + r.below(60);
        auto const most = 1 + r.below(4);
        std::vector<slot> parents(nodes, no_slot);
        std::vector<std::size_t> children(nodes, 0);
        // Each below one before it, so that there is no circle.
        for (std::size_t n = 1; n < nodes; ++n)
            if (auto const p = r.below(n); r.below(3) != 0 && children[p] < most) {
                parents[n] = static_cast<slot>(p);
                ++children[p];
            }
        forest f(parents, most);
        auto const root = f.top(static_cast<slot>(r.below(nodes)));
        for (slot n = 0; n < nodes; ++n) {
            if (n == root || f.parent(n) != no_slot) continue;
            std::vector<slot> near(r.below(6));
            for (auto& one : near) one = static_cast<slot>(r.below(nodes));
            f.attach(n, near, root);
        }
        REQUIRE(one_tree(f, nodes, root, most));
    }
}

TEST_CASE("an orphan goes to the first neighbour with room in another tree", "[index]") {
    // 0 with child 1; 2 with children 3 and 4; 5.
    std::vector<slot> const parents{no_slot, 0, no_slot, 2, 2, no_slot};
    SECTION("not to one below itself") {
        forest f(parents, 2);
        CHECK(f.attach(2, std::vector<slot>{3, 4, 1, 0}, 0) == 1);
    }
    SECTION("not to one that is full, but below it where nothing else is near") {
        forest f(parents, 2);
        CHECK(f.attach(5, std::vector<slot>{2, 1}, 0) == 1);
        forest g(parents, 2);
        auto const parent = g.attach(5, std::vector<slot>{2}, 0);
        CHECK((parent == 3 || parent == 4));
    }
    SECTION("to the root where nothing is near") {
        forest f(parents, 2);
        CHECK(f.attach(2, {}, 0) == 0);
    }
}

TEST_CASE("circles and parents that are none are cut from a damaged tree", "[index]") {
    forest f({1, 2, 0, 3, 77, 2}, 4);
    CHECK(f.parent(3) == no_slot);
    CHECK(f.parent(4) == no_slot);
    CHECK(f.parent(5) == 2);
    std::size_t tops = 0;
    for (slot n = 0; n < 3; ++n) tops += f.parent(n) == no_slot ? 1U : 0U;
    CHECK(tops == 1);
    CHECK(f.top(0) == f.top(5));
    forest const g({no_slot, 0, 0, 0}, 2);
    CHECK(g.parent(2) == 0);
    CHECK(g.parent(3) == no_slot);
}

} // namespace hnsw_forest_test

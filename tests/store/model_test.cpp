// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "store/model.hpp"

#include <cstdint>
#include <string>

namespace model_test {

using namespace vicinal_test;
using namespace vicinal_test::names;

namespace {

/// So small that a sequence builds the graph, and so narrow that the walk is a walk.
vicinal::index::hnsw_options tiny_graph() {
    vicinal::index::hnsw_options o;
    o.flat_below = 8;
    o.neighbours = 2;
    o.build_width = 4;
    return o;
}

} // namespace

TEST_CASE("random operations: flat in memory is a map with brute force", "[store]") {
    CHECK(check_against_model<store<metric::squared_l2, flat>>(100, 300, 1, {}) == "");
}

TEST_CASE("random operations: hnsw in memory is a map with valid hits", "[store]") {
    CHECK(check_against_model<store<metric::cosine, hnsw>>(100, 300, 2, {.index = tiny_graph()}) ==
          "");
}

TEST_CASE("random operations: flat in mapped files, integer ids", "[store]") {
    using mapped =
        store<metric::inner_product, flat, storage::mmap, payload::fields, std::uint16_t>;
    CHECK(check_against_model<mapped>(40, 300, 3, {}) == "");
}

TEST_CASE("random operations: hnsw in mapped files", "[store]") {
    using mapped = store<metric::squared_l2, hnsw, storage::mmap>;
    CHECK(check_against_model<mapped>(40, 300, 4, {.index = tiny_graph()}) == "");
}

TEST_CASE("random operations: hnsw in paged files", "[store]") {
    using paged = store<metric::cosine, hnsw, storage::file>;
    CHECK(check_against_model<paged>(40, 300, 6, {.index = tiny_graph()}) == "");
}

TEST_CASE("a sequence of steps is shortened to those that it takes to fail", "[store]") {
    auto const steps = random_steps(300, 5);
    // Fails where a clear comes anywhere before a scan.
    auto const fails = [](std::vector<step> const& s) {
        bool cleared = false;
        for (auto const& one : s) {
            cleared |= one.what == action::clear;
            if (cleared && one.what == action::scan) return true;
        }
        return false;
    };
    REQUIRE(fails(steps));
    auto const least = shortened(steps, fails);
    REQUIRE(least.size() == 2);
    CHECK(least[0].what == action::clear);
    CHECK(least[1].what == action::scan);
    CHECK(show(least).find("action::clear") != std::string::npos);
}

} // namespace model_test

// SPDX-License-Identifier: MIT
// Which way a filtered search of lists goes: as it was measured (index/ivf/filter_costs.hpp).
#include "catch.hpp"

#include <vicinal/index/ivf/filter_costs.hpp>

#include <cstddef>

namespace ivf_costs_test {

using namespace vicinal::index::inverted;

TEST_CASE("a search among matches takes the way that was measured to be the shorter", "[index]") {
    state s;
    s.lists = 894;
    s.rows = 200000;
    struct measured {
        std::size_t matching;
        std::size_t lists;
        bool scan;
    };
    for (auto const& m : {measured{99880, 29, false},
                          {19775, 43, false},
                          {9901, 60, false},
                          {4011, 95, true},
                          {2048, 135, true},
                          {202, 425, true}}) {
        CAPTURE(m.matching);
        CHECK(scan_is_shorter(m.matching, s, m.lists) == m.scan);
    }
}

TEST_CASE("of many lists a search ranks some, and pays for these", "[index]") {
    CHECK(known_of(20000, 0) < 2100);
    CHECK(known_of(20000, 100) > known_of(20000, 10));
    CHECK(known_of(20000, 100000) == 20000);
    state s;
    s.rows = 10000000;
    s.lists = 65536;
    // 30,000 matches scanned take less than ranking all lists would, and more than some.
    CHECK_FALSE(scan_is_shorter(30000, s, 20));
}

} // namespace ivf_costs_test

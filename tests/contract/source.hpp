// SPDX-License-Identifier: MIT
// What every source keeps: see vicinal/migrate/concept.hpp.
#ifndef VICINAL_TESTS_CONTRACT_SOURCE_HPP
#define VICINAL_TESTS_CONTRACT_SOURCE_HPP

#include "catch.hpp"
#include "support/records.hpp"

namespace vicinal_test {

/// `expected`: the records that it must give, in any order.
template <vicinal::basic_source Source>
void check_source_contract(Source& source, std::vector<vicinal::record> const& expected) {
    auto const about = source.describe().value();
    CHECK_FALSE(about.description.empty());
    if (!expected.empty()) CHECK(about.dim == expected[0].vector.size());
    if (about.records) CHECK(*about.records == expected.size());

    auto const all = read_all(source, 1'000'000);
    CHECK(same(by_id(all), by_id(expected)));

    for (std::size_t const most : {std::size_t{1}, std::size_t{7}, expected.size()}) {
        if (most == 0) continue;
        CAPTURE(most);
        source.rewind().value();
        std::vector<vicinal::record> again;
        // What is in the batch before is no matter.
        std::vector<vicinal::record> batch(3, {"left over", {1}, {{"left", "over"}}});
        for (;;) {
            source.read(batch, most).value();
            if (batch.empty()) break;
            REQUIRE(batch.size() <= most);
            again.insert(again.end(), batch.begin(), batch.end());
            REQUIRE(again.size() <= all.size());
        }
        CHECK(same(again, all));
        source.read(batch, most).value();
        CHECK(batch.empty());
    }

    // In the middle, rewound, and described while it reads.
    std::vector<vicinal::record> batch;
    source.rewind().value();
    source.read(batch, 2).value();
    CHECK(source.describe().value().dim == about.dim);
    if (all.size() > 2) {
        source.read(batch, 1).value();
        REQUIRE(batch.size() == 1);
        CHECK(same(batch[0], all[2]));
    }
    CHECK(same(read_all(source, 5), all));
}

} // namespace vicinal_test

#endif

// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/index/workers.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace workers_test {

using vicinal::errc;
using vicinal::error;
using vicinal::result;
using vicinal::index::run_parts;

TEST_CASE("parts cover a range once, whatever the threads and the parts of each", "[index]") {
    for (std::size_t const count : {0U, 1U, 15U, 16U, 17U, 1000U})
        for (std::size_t const threads : {1U, 2U, 5U})
            for (std::size_t const parts_each : {1U, 8U}) {
                std::vector<int> met(count);
                bool whole_grains = true;
                run_parts(
                    count, 16, threads,
                    [&](std::size_t first, std::size_t last) -> result<void> {
                        if (first % 16 != 0) whole_grains = false;
                        for (auto i = first; i < last; ++i) ++met[i];
                        return {};
                    },
                    parts_each)
                    .value();
                CAPTURE(count, threads, parts_each);
                CHECK(std::all_of(met.begin(), met.end(), [](int n) { return n == 1; }));
                CHECK(whole_grains);
            }
}

TEST_CASE("of parts that fail the first one's error is given", "[index]") {
    for (std::size_t const parts_each : {1U, 8U}) {
        auto const done = run_parts(
            100, 1, 4,
            [](std::size_t first, std::size_t last) -> result<void> {
                if (last <= 20) return {};
                return error{errc::invalid_argument, "none", std::to_string(first)};
            },
            parts_each);
        REQUIRE_FALSE(done);
        CHECK(done.error().got() == (parts_each == 1 ? "0" : "18"));
    }
}

} // namespace workers_test

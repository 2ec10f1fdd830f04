// SPDX-License-Identifier: MIT
// Structs as payloads and typed filters without exceptions and run-time type information.
#include "check.hpp"

#include <vicinal/vicinal.hpp>

#include <limits>
#include <string>
#include <vector>

namespace {

struct note {
    int year = 0;
    std::vector<std::string> tags;
    using members = vicinal::members<&note::year, &note::tags>;
};

} // namespace

int main() {
    using namespace vicinal;
    using notes = store<metric::squared_l2, index::flat<>, storage::memory, payload::record<note>>;
    auto s = notes::try_open({.dim = 1});
    VICINAL_EXPECT(s);
    VICINAL_EXPECT(s->try_upsert("a", {1.0F}, {2024, {"ml"}}));
    VICINAL_EXPECT(s->try_upsert("b", {2.0F}, {2020, {"c++"}}));
    auto const hits = [&](std::string const& where) {
        auto const found = s->try_search({1.0F}, {.k = 5, .where = where});
        return found ? found->size() : std::size_t{99};
    };
    VICINAL_EXPECT(hits(where<&note::year>() >= 2023) == 1);
    VICINAL_EXPECT(hits(where<"tags contains 'ml'">) == 1);
    VICINAL_EXPECT(hits(where_of<note, "year < 2030">) == 2);
    VICINAL_EXPECT(hits(field("year") == 2020 || field("tags").contains("ml")) == 2);
    VICINAL_EXPECT(hits(field("year") < std::numeric_limits<double>::quiet_NaN()) == 99);
    auto const back = s->try_get("b");
    VICINAL_EXPECT(back && *back && (**back).payload.year == 2020);
    VICINAL_EXPECT(!payload::record<note>::decode({}));
}

// SPDX-License-Identifier: MIT
// Compiled with VICINAL_NO_FILES, as for a system without POSIX files: a store in memory is there,
// is filled from another one and searched.
#include "noexcept/check.hpp"

#include <vicinal/vicinal.hpp>

#include <string>

using namespace vicinal;

int main() {
    static_assert(VICINAL_HAS_FILES == 0);
    using table = store<metric::squared_l2, index::flat<>>;
    table from({.dim = 2});
    table to({.dim = 2});
    for (int i = 0; i < 10; ++i)
        VICINAL_EXPECT(from.try_upsert(std::to_string(i), {static_cast<float>(i), 1.0F}));
    auto const report = try_migrate(from, to, {.verify = verify::every_record});
    VICINAL_EXPECT(report);
    VICINAL_EXPECT(report->ok());
    VICINAL_EXPECT(report->written == 10);
    auto const found = to.try_search({7.2F, 1.0F}, {.k = 1});
    VICINAL_EXPECT(found);
    VICINAL_EXPECT(found->at(0).id == "7");
}

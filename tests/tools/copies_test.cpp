// SPDX-License-Identifier: MIT
#include "tools/tool.hpp"

#include <algorithm>
#include <cstddef>

using namespace vicinal_test;

namespace {

std::string snapshot_in(std::string const& store) {
    for (auto const& e : std::filesystem::directory_iterator(store))
        if (e.path().extension() == ".vic") return e.path().string();
    return {};
}

} // namespace

TEST_CASE("backup, restore and salvage run from the command line", "[tools]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    auto const store = vicinal.path("s");
    auto const backup = vicinal.path("b");
    auto const from = vicinal.file("a.jsonl", lines_of(300, 200));
    REQUIRE(vicinal({"migrate", from, store + "?metric=cosine&index=flat"}).status == 0);
    auto r = vicinal({"backup", store, backup});
    CHECK(r.status == 0);
    CHECK(r.says("every checksum right"));
    CHECK(vicinal({"check", backup}).says("sound: 300 records"));
    r = vicinal({"backup", store, backup});
    CHECK(r.status == 1);
    CHECK(r.complains("a path at which nothing is"));

    // A block in the middle of the vectors.
    auto const file = snapshot_in(store);
    auto content = bytes_of(file);
    auto const middle = content.size() / 65536 * 65536 - 65536;
    content[middle + 5] = static_cast<char>(content[middle + 5] ^ 1);
    content[4096] = static_cast<char>(content[4096] ^ 1);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
    r = vicinal({"check", store});
    CHECK(r.status == 2);
    CHECK(r.says("damaged: corrupt_snapshot"));
    auto const rest = vicinal.path("rest");
    r = vicinal({"salvage", store, rest});
    CHECK(r.status == 2);
    CHECK(r.says("lost: "));
    CHECK(r.says(" records and 0 later writes; lost: "));
    CHECK(vicinal({"check", rest}).status == 0);

    r = vicinal({"restore", backup, store});
    CHECK(r.status == 0);
    CHECK(vicinal({"check", store}).says("sound: 300 records"));
    // Of a damaged backup nothing is taken.
    std::ofstream(snapshot_in(backup), std::ios::binary | std::ios::trunc) << content;
    r = vicinal({"restore", backup, store});
    CHECK(r.status == 1);
    CHECK(r.complains("corrupt_snapshot"));
    CHECK(vicinal({"check", store}).says("sound: 300 records"));
}

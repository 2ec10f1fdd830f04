// SPDX-License-Identifier: MIT
// payload::none costs no byte a record, in memory and in files.
#include "catch.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/index/flat.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/payload/none.hpp>
#include <vicinal/storage/mmap.hpp>
#include <vicinal/store/salvage.hpp>
#include <vicinal/store/store.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace no_payload_test {

using namespace vicinal;

namespace {

template <class Storage, class Payload>
using numbers = store<metric::squared_l2, index::flat<>, Storage, Payload, std::uint32_t>;

constexpr std::uint32_t count = 100000;

template <class Store>
void fill(Store& s) {
    std::vector<typename Store::record> records;
    for (std::uint32_t i = 0; i < count; ++i)
        records.push_back({i, {static_cast<float>(i), 1}, {}});
    s.upsert(records);
}

template <class Store>
std::string saved() {
    Store s{{.dim = 2}};
    fill(s);
    std::string all;
    s.try_save_to([&](std::uint64_t at, std::span<std::byte const> piece) -> result<void> {
         all.resize((std::max)(all.size(), static_cast<std::size_t>(at) + piece.size()));
         std::memcpy(all.data() + at, piece.data(), piece.size());
         return {};
     }).value();
    return all;
}

} // namespace

TEST_CASE("a record without payload takes no byte for it", "[store]") {
    auto const none = saved<numbers<storage::memory, payload::none>>();
    auto const fields = saved<numbers<storage::memory, payload::fields>>();
    // Where an empty payload would lie: 8 bytes a record, in whole blocks of 64 KiB.
    CHECK(fields.size() - none.size() >= std::size_t{8} * count);
    CHECK(fields.find("payloads.") != std::string::npos);
    CHECK(none.find("payloads.") == std::string::npos);

    numbers<storage::memory, payload::none> s{{.dim = 2}};
    fill(s);
    CHECK(s.size() == count);
    CHECK(s.update_payload(7, {}));
    CHECK(s.stats().bytes.payloads == 0);
    s.erase(7);
    s.compact();
    CHECK(s.get(8)->vector[0] == 8);
    CHECK(s.verify().ok());
}

TEST_CASE("a durable store without payloads has no columns for them", "[store]") {
    vicinal_test::temporary_directory const where;
    using mapped = numbers<storage::mmap, payload::none>;
    {
        mapped s{where.path("a"), {.dim = 2}};
        for (std::uint32_t i = 0; i < 300; ++i) s.upsert(i, {static_cast<float>(i), 1});
        s.checkpoint();
        s.erase(5);
        s.compact();
        s.upsert(1000, {0, 0});
    }
    {
        mapped s{where.path("a")};
        CHECK(s.size() == 300);
        CHECK(s.get(299)->vector[0] == 299);
        CHECK(s.verify().ok());
    }
    std::string all;
    for (auto const& e : std::filesystem::recursive_directory_iterator(where.path("a"))) {
        if (!e.is_regular_file()) continue;
        std::ifstream in(e.path(), std::ios::binary);
        all.append(std::istreambuf_iterator<char>(in), {});
    }
    CHECK(all.find("vectors") != std::string::npos);
    CHECK(all.find("payloads.") == std::string::npos);

    auto const rescued = salvage(where.path("a"), where.path("b"));
    CHECK(rescued.records + rescued.writes == 300);
    CHECK(rescued.lost_rows == 0);
    mapped s{where.path("b")};
    CHECK(s.size() == 300);
    CHECK(s.get(298)->vector[0] == 298);
}

} // namespace no_payload_test

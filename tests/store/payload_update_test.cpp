// SPDX-License-Identifier: MIT
#include "contract/store.hpp"
#include "support/shared_fixture.hpp"
#include "support/stores.hpp"

#include <vicinal/storage/check.hpp>
#include <vicinal/storage/log_format.hpp>
#include <vicinal/store/salvage.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace payload_update_test {

using namespace vicinal_test;
using namespace vicinal_test::names;

namespace {

using docs = store<metric::squared_l2, hnsw, storage::mmap>;

docs::options options() {
    docs::options o;
    o.dim = 6;
    o.durability = vicinal::durability::off;
    o.index.flat_below = 50;
    o.index.neighbours = 4;
    o.index.build_width = 16;
    return o;
}

std::uint64_t size_of(std::string const& path, std::string const& extension) {
    std::uint64_t bytes = 0;
    for (auto const& e : std::filesystem::directory_iterator(path))
        if (e.path().extension() == extension) bytes += e.file_size();
    return bytes;
}
std::uint64_t snapshot_bytes(std::string const& path) { return size_of(path, ".vic"); }
std::uint64_t log_bytes(std::string const& path) { return size_of(path, ".vlog"); }

} // namespace

TEST_CASE("an update is a record of a kind that the first format refuses as newer", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    docs s{path, options()};
    std::vector<float> const v(6, 1.0F);
    s.upsert("a", v, {{"n", 1}});
    auto const second = bytes_of(path + "/log-00000001.vlog").size();
    s.update_payload("a", {{"n", 2}});
    auto const third = bytes_of(path + "/log-00000001.vlog").size();
    s.upsert("b", v);
    auto const log = bytes_of(path + "/log-00000001.vlog");
    auto const kind = [&](std::size_t at) { return static_cast<int>(log[at + 24]); };
    CHECK(kind(vicinal::detail::log_header_bytes) == 1);
    CHECK(kind(second) == 3);
    CHECK(kind(third) == 1);
    // Nothing is logged for an id that is not there.
    s.update_payload("nowhere", {{"n", 2}});
    CHECK(bytes_of(path + "/log-00000001.vlog").size() == log.size());
}

TEST_CASE("updates go through backup and salvage", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    auto list = records<docs>(60, 6, 11);
    {
        docs s{path, options()};
        s.upsert(list);
        s.checkpoint();
        for (std::size_t i = 0; i < 60; i += 2) {
            list[i].payload = {{"new", i}};
            s.update_payload(list[i].id, list[i].payload);
        }
        s.backup(dir.path("copy"));
    }
    docs copy{dir.path("copy"), options()};
    check_same(copy, list);
    CHECK(vicinal::check(path).ok());
    auto const report = vicinal::salvage(path, dir.path("salvaged"));
    CHECK(report.ok());
    CHECK(report.writes == 30);
    docs salvaged{dir.path("salvaged"), options()};
    check_same(salvaged, list);
}

TEST_CASE("a reader moves to updated payloads, and its open scan does not", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    docs writer{path, options()};
    auto list = records<docs>(80, 6, 12);
    writer.upsert(list);
    writer.checkpoint();
    docs reader{path, {.read_only = true}};
    CHECK(reader.count("new >= 0") == 0);
    auto const old = list;
    for (std::size_t i = 0; i < 80; i += 2) {
        list[i].payload = {{"new", i}};
        writer.update_payload(list[i].id, list[i].payload);
    }
    auto scan = reader.scan();
    CHECK(reader.refresh());
    CHECK(reader.count("new >= 0") == 40);
    check_same(reader, list);
    std::size_t seen = 0;
    while (auto r = scan.try_next().value()) {
        for (auto const& o : old)
            if (o.id == r->id) CHECK(o.payload == r->payload);
        ++seen;
    }
    CHECK(seen == 80);
}

TEST_CASE("bytes that updates have left are given back", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    std::string const text(100'000, 'x');
    std::vector<float> const v(6, 1.0F);
    {
        docs s{path, options()};
        s.upsert("a", v, {{"t", text}});
        for (int i = 0; i < 20; ++i) s.update_payload("a", {{"t", text}, {"i", i}});
        s.checkpoint();
    }
    auto const loose = snapshot_bytes(path);
    CHECK(loose > 20 * text.size());
    {
        // What an earlier process has left is found as well.
        docs s{path, options()};
        s.compact();
        CHECK(s.get("a")->payload == vicinal::fields{{"t", text}, {"i", 19}});
    }
    CHECK(snapshot_bytes(path) < loose - 18 * text.size());
    docs s{path, options()};
    auto const least = snapshot_bytes(path);
    // By itself once they are a quarter and 4 MiB: 41 of these are.
    for (int i = 0; i < 60; ++i) s.update_payload("a", {{"t", text}, {"i", i}});
    CHECK(snapshot_bytes(path) < least + 42 * text.size());
    CHECK(log_bytes(path) < 30 * text.size());
    CHECK(s.verify().ok());
}

TEST_CASE("bytes that updates have left in memory are given back", "[store]") {
    store<metric::squared_l2, flat> s{{.dim = 2}};
    std::string const text(100'000, 'x');
    s.upsert("a", {1, 2}, {{"t", text}});
    s.upsert("b", {3, 4}, {{"n", 1}});
    for (int i = 0; i < 500; ++i) s.update_payload("a", {{"t", text}, {"i", i}});
    s.compact();
    std::uint64_t end = 0;
    s.try_save_to([&](std::uint64_t offset, std::span<std::byte const> bytes) {
         end = std::max(end, offset + bytes.size());
         return vicinal::result<void>();
     }).value();
    CHECK(end < 3'000'000);
    CHECK(s.get("a")->payload == vicinal::fields{{"t", text}, {"i", 499}});
    CHECK(s.get("b")->payload == vicinal::fields{{"n", 1}});
}

TEST_CASE("a filter that is remembered sees every update, however many there are", "[store]") {
    store<metric::squared_l2, hnsw> s{{.dim = 2}};
    std::vector<decltype(s)::record> list;
    for (std::size_t i = 0; i < 2000; ++i)
        list.push_back({"r" + std::to_string(i), {static_cast<float>(i), 1}, {{"n", 0}}});
    s.upsert(list);
    generator r(3);
    std::vector<int> truth(2000, 0);
    CHECK(s.count("n = 1") == 0);
    for (int round = 0; round < 30; ++round) {
        auto const updates = round % 7 == 6 ? 1500U : 60U;
        for (std::size_t u = 0; u < updates; ++u) {
            auto const i = r.below(2000);
            truth[i] = static_cast<int>(r.below(3));
            REQUIRE(s.update_payload(list[i].id, {{"n", truth[i]}}));
        }
        auto const ones = static_cast<std::size_t>(std::count(truth.begin(), truth.end(), 1));
        REQUIRE(s.count("n = 1") == ones);
        auto const hits = s.search({500, 1}, {.k = 2000, .where = "n = 1"});
        REQUIRE(hits.size() == ones);
        for (auto const& h : hits) REQUIRE(truth[std::stoul(h.id.substr(1))] == 1);
    }
    CHECK(s.stats().rows == 2000);
}

} // namespace payload_update_test

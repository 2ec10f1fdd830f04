// SPDX-License-Identifier: MIT
// What is left of a damaged store: nothing that was not in it, and all that can be proven.
#include "contract/store.hpp"
#include "storage/faulty.hpp"

#include <vicinal/storage/check.hpp>
#include <vicinal/store/salvage.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace salvage_test {

using namespace vicinal_test;
using vicinal::store;
namespace metric = vicinal::metric;
namespace storage = vicinal::storage;
using scratch::faulty;

namespace {

using docs = store<metric::squared_l2, vicinal::index::flat<>, storage::mmap>;
using by_number = store<metric::squared_l2, vicinal::index::flat<>, storage::mmap,
                        vicinal::payload::fields, std::uint64_t>;

constexpr char const* snapshot = "/snap-00000002.vic";
constexpr char const* log_file = "/log-00000002.closed.vlog";

/// 300 records in the snapshot, of which some are replaced and erased; 20 more in the log.
std::vector<docs::record> make(std::string const& path, std::size_t dim = 300) {
    auto list = records<docs>(300, dim, 5);
    docs s{path, {.dim = dim, .durability = vicinal::durability::off}};
    s.upsert(list);
    for (std::size_t i = 0; i < 40; ++i) {
        list[i].vector[0] += 1;
        s.upsert(list[i].id, list[i].vector, list[i].payload);
    }
    for (int i = 0; i < 10; ++i) {
        s.erase(list.back().id);
        list.pop_back();
    }
    s.checkpoint();
    for (auto const& r : records<docs>(20, dim, 6)) {
        list.push_back({"late-" + r.id, r.vector, r.payload});
        s.upsert(list.back().id, r.vector, r.payload);
    }
    return list;
}

/// Every record of the salvaged store is one of the list; gives how many there are.
std::size_t check_part(std::string const& path, std::vector<docs::record> const& list) {
    std::map<std::string, docs::record> known;
    for (auto const& r : list) known[r.id] = r;
    docs const s{path};
    for (auto const& r : s.scan()) {
        auto const at = known.find(r.id);
        REQUIRE(at != known.end());
        REQUIRE(at->second.vector == r.vector);
        REQUIRE(at->second.payload == r.payload);
    }
    return s.size();
}

void flip(std::string const& path, std::uint64_t at) {
    auto content = scratch::read(path);
    content.at(static_cast<std::size_t>(at)) ^= std::byte{8};
    scratch::write(path, content);
}

storage::section section_of(std::string const& path, std::string const& name) {
    auto const about = storage::mmap::space::inspect(path).value();
    for (auto const& s : about.sections)
        if (s.name == name) return s;
    FAIL("no section " << name);
    return {};
}

} // namespace

TEST_CASE("all of a sound store is salvaged", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    auto const list = make(path, 6);
    CHECK(vicinal::check(path).ok());
    auto const report = vicinal::salvage(path, dir.path("out"));
    CHECK(report.ok());
    CHECK(report.records == 290);
    CHECK(report.writes == 20);
    CHECK(report.lost_rows + report.lost_writes + report.lost_log_bytes == 0);
    docs s{dir.path("out")};
    check_same(s, list);
    s.checkpoint();
    CHECK(s.verify().ok());
    CHECK(refused(vicinal::try_salvage(path, dir.path("out"))).code() == errc::invalid_argument);
    CHECK(refused(vicinal::try_salvage(path, path)).code() == errc::invalid_argument);
    CHECK(vicinal::try_salvage(dir.path("none"), dir.path("x")).error().code() == errc::not_found);
    // Integer ids, and a store that is all log.
    {
        by_number n{dir.path("n"), {.dim = 2}};
        n.upsert(7, {1, 2});
        n.upsert(8, {3, 4});
    }
    CHECK(vicinal::salvage(dir.path("n"), dir.path("m")).writes == 2);
    CHECK(by_number{dir.path("m")}.get(8)->vector == std::vector<float>{3, 4});
}

TEST_CASE("a damaged block costs the records in it, and both reports name it", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    auto const list = make(path);
    auto const good = scratch::read(path + snapshot);
    std::size_t round = 0;
    for (std::string const name :
         {"vectors", "payloads.heap", "ids.heap", "ids.places", "live", "ids.map"}) {
        CAPTURE(name);
        auto const s = section_of(path, name);
        flip(path + snapshot, s.offset + (s.blocks() > 1 ? storage::snapshot_block_bytes : 0) + 9);
        auto const checked = vicinal::check(path);
        CHECK(checked.damaged_blocks == 1);
        CHECK(checked.problem_count == 1);
        CHECK(checked.log_records == 20);
        CHECK(checked.problems[0].find("'" + name + "'") != std::string::npos);
        auto const out = dir.path("out" + std::to_string(round++));
        auto const report = vicinal::salvage(path, out);
        CHECK(report.writes == 20);
        // The flags have a second witness in the id map, and the map in the flags.
        if (name == "live" || name == "ids.map") CHECK(report.records == 290);
        if (name == "vectors") CHECK(report.lost_rows < 70);
        if (name == "vectors") CHECK(report.lost_rows > 40);
        if (name != "ids.map")
            CHECK(report.problems[0].find("'" + name + "'") != std::string::npos);
        CHECK(report.records + report.lost_rows >= 290);
        CHECK(check_part(out, list) == report.records + 20);
        scratch::write(path + snapshot, good);
    }
}

TEST_CASE("one flipped bit anywhere in a snapshot's front or a log leaves nearly all", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    auto const list = make(path, 6);
    auto const front = static_cast<std::size_t>(section_of(path, "ids.heap").offset);
    for (std::string const name : {snapshot, log_file}) {
        auto const good = scratch::read(path + name);
        auto const end = name == log_file ? good.size() : front;
        for (std::size_t i = 0; i < end; i += i < 160 ? 13 : end / 20) {
            CAPTURE(name, i);
            flip(path + name, i);
            CHECK_FALSE(vicinal::check(path).ok());
            auto const out = dir.path("out");
            auto const r = vicinal::try_salvage(path, out);
            // A format of the future is nobody's to guess.
            if (!r) CHECK(r.error().code() == errc::newer_format);
            if (r) {
                CHECK_FALSE(r->ok());
                CHECK(r->records + r->writes >= (name == log_file ? 309U : 20U));
                check_part(out, list);
                std::filesystem::remove_all(out);
            }
            scratch::write(path + name, good);
        }
    }
}

TEST_CASE("writes behind damage in the log are salvaged, and missing ones counted", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    auto const list = make(path, 6);
    auto log = scratch::read(path + log_file);
    std::vector<std::size_t> at;
    for (std::size_t p = 64; p < log.size();
         p += static_cast<std::size_t>(vicinal::detail::load_record(log.data() + p).bytes()))
        at.push_back(p);
    REQUIRE(at.size() == 21); // and the mark
    std::fill(log.begin() + static_cast<std::ptrdiff_t>(at[4] + 10),
              log.begin() + static_cast<std::ptrdiff_t>(at[6] + 10), std::byte{0});
    scratch::write(path + log_file, log);
    CHECK_FALSE(docs::try_open(path));
    auto const report = vicinal::salvage(path, dir.path("out"));
    CHECK(report.records == 290);
    CHECK(report.writes == 17);
    CHECK(report.lost_writes == 3);
    CHECK(report.lost_log_bytes == at[7] - at[4]);
    CHECK(check_part(dir.path("out"), list) == 307);
    // The file cut off in the middle of its snapshot.
    auto const whole = scratch::read(path + snapshot);
    scratch::write(path + snapshot, std::span(whole).first(whole.size() - 65536));
    auto const less = vicinal::salvage(path, dir.path("less"));
    CHECK_FALSE(less.ok());
    CHECK(less.writes == 17);
}

TEST_CASE("salvage in which a call fails, or that is cut off, leaves all or nothing", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    auto const list = make(path, 6);
    auto const before = scratch::read(path + snapshot);
    for (bool const cut : {false, true}) {
        long most = 1;
        for (long n = 1; n <= most + 1; ++n) {
            faulty::reset();
            scratch::directory own;
            faulty::world.fail_at = n - 1;
            faulty::world.for_good = cut;
            auto const report = vicinal::detail::salvage_store<faulty>(path, own / "out");
            if (n == 1) most = faulty::world.calls;
            CAPTURE(cut, n, faulty::world.trace.back());
            if (report && report->ok()) {
                REQUIRE(check_part(own / "out", list) == 310);
                continue;
            }
            // A block that can't be read is a damaged one; else nothing is there, or all of it.
            if (report) REQUIRE(report->problem_count > 0);
            if (scratch::exists(own / "out")) check_part(own / "out", list);
            if (!cut) continue;
            auto const whole = std::filesystem::path(own / "out").parent_path().string();
            for (auto const kind : scratch::images) {
                auto const image = own / ("image" + std::to_string(static_cast<int>(kind)));
                scratch::restore(kind, image, whole);
                if (scratch::exists(image + "/out")) check_part(image + "/out", list);
            }
        }
    }
    CHECK(scratch::read(path + snapshot) == before);
}

TEST_CASE("check reports and never throws", "[store]") {
    temporary_directory const dir;
    CHECK(vicinal::check(dir.path("none")).problem_count == 1);
    CHECK(vicinal::check("").problem_count == 1);
    CHECK(vicinal::check(dir.file("file", "x")).problem_count == 1);
    std::filesystem::create_directory(dir.path("empty"));
    CHECK(vicinal::check(dir.path("empty")).problem_count == 1);
    auto const path = dir.path("docs");
    make(path, 6);
    std::filesystem::remove(path + snapshot);
    CHECK(vicinal::check(path).problem_count == 1);
}

} // namespace salvage_test

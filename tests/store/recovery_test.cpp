// SPDX-License-Identifier: MIT
// What a store does after a crash, and beside other processes.
#include "contract/store.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace recovery_test {

using namespace vicinal_test;
using namespace vicinal_test::names;

namespace {

using docs = store<metric::squared_l2, vicinal::index::hnsw<>, storage::mmap>;

docs::options small_graph() {
    docs::options o;
    o.dim = 6;
    o.durability = vicinal::durability::off;
    o.index.flat_below = 100;
    o.index.neighbours = 6;
    o.index.build_width = 20;
    return o;
}

/// Runs `body` in a child of its own; gives what it returns as its status.
int in_child(std::function<int()> const& body) {
    auto const child = ::fork();
    if (child == 0) {
        try {
            ::_exit(body());
        } catch (...) {
            ::_exit(99);
        }
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// The store as a killed writer leaves it: the first `folded` records in snapshot and graph, the
/// others in the log, one at a time.
void leave_behind(std::string const& path, std::vector<docs::record> const& list,
                  std::size_t folded) {
    auto const status = in_child([&] {
        auto* const s = new docs(path, small_graph()); // never closed
        s->upsert(std::vector(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(folded)));
        s->checkpoint();
        for (auto i = folded; i < list.size(); ++i)
            s->upsert(list[i].id, list[i].vector, list[i].payload);
        return 0;
    });
    REQUIRE(status == 0);
}

} // namespace

TEST_CASE("what a killed writer left in the log is found at once, and folded in by pieces",
          "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    auto const list = records<docs>(1300, 6, 7);
    leave_behind(path, list, 300);
    auto const known = [&](docs const& s) {
        for (std::size_t i = 0; i < list.size(); i += 29) {
            auto const found = s.search(list[i].vector, {.k = 1});
            REQUIRE(found.size() == 1);
            CHECK(found[0].distance == 0);
        }
    };
    {
        docs s{path, small_graph()};
        CHECK(s.stats().records == 1300);
        CHECK(s.stats().indexed_rows == 300);
        known(s);
        // No write pays for all of it; each for a part.
        auto before = s.stats().indexed_rows;
        for (int i = 0; i < 10; ++i) {
            s.upsert("new" + std::to_string(i), list[0].vector);
            auto const now = s.stats().indexed_rows;
            CHECK(now > before);
            CHECK(now < before + 50);
            before = now;
        }
        s.erase("new0");
        CHECK(s.stats().indexed_rows > before);
        for (int i = 1; i < 10; ++i) s.erase("new" + std::to_string(i));
        known(s);
        // It closes with a checkpoint, which does not pay for it either.
    }
    {
        docs s{path, small_graph()};
        CHECK(s.stats().indexed_rows < 1000);
        CHECK(storage::mmap::space::inspect(path)->log_bytes < 100); // the mark of a close
        known(s);
        CHECK(s.verify().ok());
        s.checkpoint();
        CHECK(s.stats().indexed_rows == s.stats().rows);
        known(s);
        check_same(s, list);
    }
}

TEST_CASE("threads given to open fold the log into the index beside searches and writes",
          "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    auto const list = records<docs>(1500, 6, 8);
    leave_behind(path, list, 200);
    auto o = small_graph();
    o.threads = 2;
    {
        docs s{path, o};
        for (int i = 0; i < 20; ++i) s.upsert("new" + std::to_string(i), list[0].vector);
        for (int wait = 0; wait < 6000 && s.stats().indexed_rows != s.stats().rows; ++wait) {
            CHECK(s.search(list[700].vector, {.k = 1}).at(0).distance == 0);
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        CHECK(s.stats().indexed_rows == 1520);
        CHECK(s.verify().ok());
    }
    // Closed while the thread is at work.
    auto const again = dir.path("again");
    leave_behind(again, list, 200);
    { docs const s{again, o}; }
    docs s{again, small_graph()};
    check_same(s, list);
    CHECK(s.verify().ok());
}

TEST_CASE("a reader stays where it is until it is refreshed, then is where the writer is",
          "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    auto list = records<docs>(200, 6, 9);
    docs writer{path, small_graph()};
    writer.upsert(list);
    writer.checkpoint();
    CHECK_FALSE(writer.refresh());
    auto how = small_graph();
    how.read_only = true;
    docs reader{path, how};
    check_same(reader, list);
    CHECK_FALSE(reader.refresh());
    auto const count = [](docs const& s, char const* where) {
        return s.search({0, 0, 0, 0, 0, 0}, {.k = 1000, .where = where}).size();
    };
    writer.upsert("x", {1, 2, 3, 4, 5, 6}, {{"new", 1}});
    writer.erase(list.back().id);
    CHECK(reader.size() == 200);
    CHECK(count(reader, "new = 1") == 0);
    CHECK(reader.refresh());
    CHECK_FALSE(reader.refresh());
    CHECK(reader.contains("x"));
    CHECK_FALSE(reader.contains(list.back().id));
    CHECK(count(reader, "new = 1") == 1);
    // Over generations, and with other numbers of slots: cached filters don't outlive them.
    for (int i = 0; i < 3; ++i) CHECK(count(reader, "new = 1") == 1);
    for (std::size_t i = 0; i < 100; ++i) writer.erase(list[i].id);
    writer.upsert("y", {1, 2, 3, 4, 5, 6}, {{"new", 1}});
    writer.compact();
    writer.upsert("z", {1, 2, 3, 4, 5, 6}, {{"new", 1}});
    {
        auto scan = reader.scan();
        CHECK_FALSE(reader.refresh());
        std::size_t seen = 0;
        while (scan.try_next().value()) ++seen;
        CHECK(seen == 200);
    }
    CHECK(reader.refresh());
    CHECK(reader.size() == 102);
    for (int i = 0; i < 3; ++i) CHECK(count(reader, "new = 1") == 3);
    CHECK(reader.verify().ok());
    writer.clear();
    CHECK(reader.refresh());
    CHECK(reader.empty());
}

TEST_CASE("a reader beside a busy writer in another process refreshes to whole batches",
          "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    auto const o = small_graph();
    { docs const made{path, o}; }
    auto const child = ::fork();
    if (child == 0) {
        try {
            docs s{path, o};
            for (std::size_t round = 0; round < 60; ++round) {
                auto list = records<docs>(10, 6, round);
                for (auto& r : list) r.id += "-" + std::to_string(round);
                s.upsert(list);
                if (round % 7 == 6) s.checkpoint();
            }
            s.upsert("end", {0, 0, 0, 0, 0, 0});
        } catch (...) {
            ::_exit(1);
        }
        ::_exit(0);
    }
    auto how = o;
    how.read_only = true;
    docs reader{path, how};
    std::size_t before = 0;
    for (int i = 0; i < 20000 && !reader.contains("end"); ++i) {
        reader.refresh();
        auto const n = reader.size();
        CHECK((n % 10 == 0 || reader.contains("end")));
        CHECK(n >= before);
        before = n;
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    reader.refresh();
    CHECK(reader.size() == 601);
    CHECK(reader.verify().ok());
}

TEST_CASE("a second writer is told who the first one is, at once or after its time", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    docs const first{path, small_graph()};
    auto o = small_graph();
    auto const start = std::chrono::steady_clock::now();
    auto const e = docs::try_open(path, o).error();
    CHECK(e.code() == errc::locked);
    CHECK(e.message().find("pid " + std::to_string(::getpid()) + " on host ") != std::string::npos);
    CHECK(e.message().find(" since 20") != std::string::npos);
    o.lock_timeout_ms = 60;
    CHECK(docs::try_open(path, o).error().code() == errc::locked);
    CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(60));
    // One that waits long enough gets in.
    auto const other = dir.path("other");
    auto held = std::make_unique<docs>(other, small_graph());
    std::thread closing([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        held.reset();
    });
    o.lock_timeout_ms = 60'000;
    CHECK(docs::try_open(other, o));
    closing.join();
}

TEST_CASE("a child of fork reads what it was given, and writes nothing", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    auto const list = records<docs>(150, 6, 11);
    auto s = std::make_unique<docs>(path, small_graph());
    s->upsert(list);
    auto const status = in_child([&] {
        if (s->size() != 150 || s->search(list[3].vector, {.k = 1}).at(0).id != list[3].id)
            return 1;
        std::vector<float> const v(6, 1.0F);
        if (s->try_upsert("child", v).error().code() != errc::read_only) return 2;
        if (s->try_erase(list[0].id).error().code() != errc::read_only) return 3;
        if (s->try_checkpoint().error().code() != errc::read_only) return 4;
        s.reset(); // neither a mark in the log nor a checkpoint
        return 0;
    });
    CHECK(status == 0);
    s->upsert("parent", {1, 2, 3, 4, 5, 6});
    s.reset();
    docs const again{path};
    CHECK(again.size() == 151);
    CHECK_FALSE(again.contains("child"));
}

TEST_CASE("a directory that can't be written opens read-only, and says so otherwise", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    { docs{path, small_graph()}.upsert("a", {1, 2, 3, 4, 5, 6}); }
    for (auto const& e : std::filesystem::directory_iterator(path))
        REQUIRE(::chmod(e.path().c_str(), 0444) == 0);
    REQUIRE(::chmod(path.c_str(), 0555) == 0);
    REQUIRE(::chmod(std::filesystem::path(path).parent_path().c_str(), 0755) == 0);
    auto const status = in_child([&] {
        // Root may write anything: somebody else looks.
        if (::geteuid() == 0 && ::setuid(65534) != 0) return 0;
        auto const refused = docs::try_open(path);
        if (refused || refused.error().code() != errc::read_only) return 1;
        if (refused.error().message().find(".read_only = true") == std::string::npos) return 2;
        docs const s{path, {.read_only = true}};
        return s.contains("a") ? 0 : 3;
    });
    CHECK(status == 0);
    REQUIRE(::chmod(path.c_str(), 0755) == 0);
}

TEST_CASE("a store is backed up while it is written", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    docs s{path, small_graph()};
    auto const list = records<docs>(400, 6, 12);
    s.upsert(list);
    std::thread writing([&] {
        for (int i = 0; i < 300; ++i) {
            s.upsert("n" + std::to_string(i), {1, 2, 3, 4, 5, static_cast<float>(i)});
            if (i % 50 == 49) s.checkpoint();
        }
    });
    for (int i = 0; i < 5; ++i) {
        auto const to = dir.path("b" + std::to_string(i));
        s.backup(to);
        docs copy{to};
        auto const extra = copy.size() - 400;
        // All of the script up to a point.
        for (std::size_t n = 0; n < 300; ++n)
            if (copy.contains("n" + std::to_string(n)) != (n < extra)) FAIL(n << " of " << extra);
        CHECK(copy.verify().ok());
    }
    writing.join();
    CHECK(s.size() == 700);
    CHECK(refused(s.try_backup(path)).code() == errc::invalid_argument);
}

} // namespace recovery_test

// SPDX-License-Identifier: MIT
#include "storage/scratch.hpp"

#include <vicinal/storage/mmap.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace mmap_test {

namespace storage = vicinal::storage;
using scratch::numbers;
using scratch::range;
using vicinal::durability;
using vicinal::errc;
using space = storage::mmap::space;

namespace {

vicinal::result<void> nothing(std::span<std::byte const>) { return {}; }

} // namespace

TEST_CASE("a checkpoint and its adoption keep every row, and the log begins anew", "[storage]") {
    for (auto const d : {durability::full, durability::normal, durability::off}) {
        scratch::directory dir;
        std::uint64_t n = 0;
        for (int round = 0; round < 3; ++round) {
            auto s = numbers<>::open(dir / "s", {.durability = d});
            REQUIRE(s);
            REQUIRE(s->all() == range(1, n));
            for (int i = 0; i < 1000; ++i) {
                REQUIRE(s->add(++n));
                if (i % 300 != 299) continue;
                REQUIRE(s->files.log_bytes() > 0);
                auto const g = s->files.generation();
                REQUIRE(s->checkpoint());
                REQUIRE(s->files.generation() == g + 1);
                REQUIRE(s->files.log_bytes() == 0);
                REQUIRE(s->all() == range(1, n));
            }
        }
        auto const list = scratch::names(dir / "s");
        REQUIRE(list ==
                std::vector<std::string>{"LOCK", "log-00000010.closed.vlog", "snap-00000010.vic"});
    }
}

TEST_CASE("a reader of a column goes on while a checkpoint is written", "[storage]") {
    scratch::directory dir;
    auto s = numbers<>::open(dir / "s");
    REQUIRE(s);
    for (auto const i : range(1, 5000)) REQUIRE(s->put(i));
    auto const reader = s->rows->reader();
    REQUIRE(s->files.checkpoint({}, s->files.properties()));
    REQUIRE(s->rows->reader().row(0) == reader.row(0));
    REQUIRE(s->all() == range(1, 5000));
    // What is written now would be lost by the adoption.
    REQUIRE(scratch::code_of(s->add(5001)) == errc::invalid_argument);
    REQUIRE(scratch::code_of(s->files.checkpoint({}, {})) == errc::invalid_argument);
    s->files.adopt();
    REQUIRE(s->rows->reader().row(0) != reader.row(0));
    REQUIRE(s->all() == range(1, 5000));
    REQUIRE(s->add(5001));
}

TEST_CASE("a replacement is what the next generation holds, and what the column then is",
          "[storage]") {
    scratch::directory dir;
    auto const fresh = scratch::bytes(12 * 3, std::byte{7});
    {
        auto s = numbers<>::open(dir / "s");
        REQUIRE(s);
        for (auto const i : range(1, 10)) REQUIRE(s->add(i));
        storage::replacement const list[] = {
            {"numbers", 8, std::as_bytes(std::span("16 bytes of rows")).first(16)},
            {"codebook", 12, fresh},
        };
        REQUIRE(s->files.checkpoint(list, {{"kind", "numbers"}, {"trained", "yes"}}));
        REQUIRE(s->all() == range(1, 10));
        s->files.adopt();
        REQUIRE(s->rows->rows() == 2);
        REQUIRE(std::memcmp(s->rows->reader().row(0), "16 bytes of rows", 16) == 0);
        auto const c = s->files.column("codebook", 12, storage::heat::hot);
        REQUIRE(c);
        REQUIRE((*c)->rows() == 3);

        storage::replacement const broken[] = {{"codebook", 5, fresh}};
        REQUIRE(scratch::code_of(s->files.checkpoint(broken, {})) == errc::invalid_argument);
        storage::replacement const twice[] = {{"codebook", 12, fresh}, {"codebook", 12, fresh}};
        REQUIRE(scratch::code_of(s->files.checkpoint(twice, {})) == errc::invalid_argument);
    }
    auto const seen = space::inspect(dir / "s");
    REQUIRE(seen);
    REQUIRE(*seen->properties.find("trained") == "yes");
    REQUIRE(seen->sections.size() == 2);
    REQUIRE(seen->sections[0].name == "codebook");
    REQUIRE(seen->last_lsn == 10);
}

TEST_CASE("columns may keep their rows where a checkpoint wrote others", "[storage]") {
    scratch::directory dir;
    auto s = numbers<>::open(dir / "s");
    REQUIRE(s);
    for (auto const i : range(1, 50000)) REQUIRE(s->put(i));
    // The odd ones, made while they are written: in blocks that end within a row of the source.
    std::vector<std::uint32_t> odd;
    for (std::uint32_t i = 0; i < 50000; i += 2) odd.push_back(i);
    storage::replacement const list[] = {storage::chosen_rows("numbers", *s->rows, odd)};
    REQUIRE(s->files.checkpoint(list, s->files.properties()));
    s->files.discard();
    REQUIRE(s->all() == range(1, 50000));
    REQUIRE(s->add(50001));
    {
        // Whoever opens the files sees what was written, and what was logged since.
        auto const other = numbers<>::open(dir / "s", {.read_only = true});
        REQUIRE(other);
        auto const all = other->all();
        REQUIRE(all.size() == 25001);
        for (std::size_t i = 0; i < 25000; ++i) REQUIRE(all[i] == 2 * i + 1);
        REQUIRE(all.back() == 50001);
    }
    // And the next checkpoint has what the columns have.
    REQUIRE(s->checkpoint());
    REQUIRE(s->all() == range(1, 50001));
}

TEST_CASE("a column that nobody asked for is carried into the next generation", "[storage]") {
    scratch::directory dir;
    {
        auto s = numbers<>::open(dir / "s");
        REQUIRE(s);
        for (auto const i : range(1, 10)) REQUIRE(s->put(i));
        REQUIRE(s->checkpoint());
    }
    {
        auto s = space::open(dir / "s", {}, {});
        REQUIRE(s);
        REQUIRE(s->replay(nothing));
        REQUIRE(s->checkpoint({}, s->properties()));
    }
    auto const s = numbers<>::open(dir / "s");
    REQUIRE(s);
    REQUIRE(s->files.generation() == 3);
    REQUIRE(s->all() == range(1, 10));
}

TEST_CASE("a second writer is refused and told who the first one is", "[storage]") {
    scratch::directory dir;
    auto first = numbers<>::open(dir / "s");
    REQUIRE(first);
    REQUIRE(first->add(1));
    auto const second = space::open(dir / "s", {}, {});
    REQUIRE(scratch::code_of(second) == errc::locked);
    auto const& text = second.error().message();
    CAPTURE(text);
    REQUIRE(text.find("already open for writing by pid " + std::to_string(::getpid()) +
                      " on host ") != std::string::npos);
    REQUIRE(text.find(" since 20") != std::string::npos);
    REQUIRE(text.find("Z;") != std::string::npos);

    // Nor does it help to remove the file, or to wait less than the first one takes.
    std::filesystem::remove(dir / "s/LOCK");
    auto const start = std::chrono::steady_clock::now();
    REQUIRE(scratch::code_of(space::open(dir / "s", {}, {.lock_timeout_ms = 50})) == errc::locked);
    REQUIRE(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(50));

    { auto const gone = *std::move(first); }
    REQUIRE(space::open(dir / "s", {}, {}));
}

TEST_CASE("a writer in another process is refused until this one closes", "[storage]") {
    scratch::directory dir;
    int ready[2];
    int done[2];
    REQUIRE(::pipe(ready) == 0);
    REQUIRE(::pipe(done) == 0);
    auto const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        auto s = numbers<>::open(dir / "s");
        bool const fine = s && s->add(1) && s->add(2);
        char byte = fine ? 'y' : 'n';
        static_cast<void>(::write(ready[1], &byte, 1));
        static_cast<void>(::read(done[0], &byte, 1));
        // Killed: no destructor, no mark.
        ::_exit(0);
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    REQUIRE(byte == 'y');
    auto const refused = space::open(dir / "s", {}, {});
    REQUIRE(scratch::code_of(refused) == errc::locked);
    REQUIRE(refused.error().message().find("pid " + std::to_string(child)) != std::string::npos);
    REQUIRE(::write(done[1], "x", 1) == 1);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    auto const s = numbers<>::open(dir / "s", {.lock_timeout_ms = 1000});
    REQUIRE(s);
    REQUIRE(s->all() == range(1, 2));
    REQUIRE_FALSE(s->report.clean);
    for (auto const end : {ready[0], ready[1], done[0], done[1]}) ::close(end);
}

TEST_CASE("a reader opens beside a writer and sees what was acknowledged", "[storage]") {
    scratch::directory dir;
    auto writer = numbers<>::open(dir / "s");
    REQUIRE(writer);
    for (auto const i : range(1, 5)) REQUIRE(writer->add(i));
    auto const names = scratch::names(dir / "s");
    auto const early = numbers<>::open(dir / "s", {.read_only = true});
    REQUIRE(early);
    REQUIRE(early->files.read_only());
    REQUIRE(early->all() == range(1, 5));
    REQUIRE(scratch::names(dir / "s") == names);

    // It keeps its generation, whatever the writer does.
    REQUIRE(writer->add(6));
    REQUIRE(writer->checkpoint());
    REQUIRE(writer->add(7));
    REQUIRE(early->all() == range(1, 5));
    auto late = numbers<>::open(dir / "s", {.read_only = true});
    REQUIRE(late);
    REQUIRE(late->all() == range(1, 7));
    REQUIRE(scratch::code_of(late->files.log({})) == errc::read_only);
    REQUIRE(scratch::code_of(late->files.checkpoint({}, {})) == errc::read_only);
    REQUIRE(late->files.sync());
}

TEST_CASE("what is no store is refused by its own name, and left alone", "[storage]") {
    scratch::directory dir;
    auto const open = [&](char const* name, bool read_only = false) {
        return scratch::code_of(space::open(dir / name, {}, {.read_only = read_only}));
    };
    scratch::write(dir / "file", scratch::bytes(10));
    REQUIRE(open("file") == errc::not_a_directory);
    REQUIRE(open("file/below") == errc::not_a_directory);
    REQUIRE(open("missing", true) == errc::not_found);
    REQUIRE(open("missing/below") == errc::not_found);
    REQUIRE(scratch::code_of(space::open("", {}, {})) == errc::invalid_argument);
    REQUIRE(scratch::code_of(space::open(std::string_view("a\0b", 3), {}, {})) ==
            errc::invalid_argument);
    REQUIRE_FALSE(scratch::exists(dir / "missing"));

    std::filesystem::create_directory(dir / "home");
    scratch::write(dir / "home/letter.txt", scratch::bytes(3));
    REQUIRE(open("home") == errc::foreign_file);
    REQUIRE(open("home", true) == errc::foreign_file);
    REQUIRE(scratch::code_of(space::inspect(dir / "home")) == errc::foreign_file);
    REQUIRE(scratch::names(dir / "home") == std::vector<std::string>{"letter.txt"});

    std::filesystem::create_directory(dir / "empty");
    REQUIRE(open("empty", true) == errc::not_found);
    REQUIRE(scratch::code_of(space::inspect(dir / "empty")) == errc::not_found);
    REQUIRE(scratch::names(dir / "empty").empty());
    REQUIRE(space::open(dir / "empty", {}, {}));
    REQUIRE(space::open(dir / "empty/", {}, {}));
}

TEST_CASE("a writer removes what a broken checkpoint left, a reader does not", "[storage]") {
    scratch::directory dir;
    {
        auto s = numbers<>::open(dir / "s");
        REQUIRE(s);
        for (auto const i : range(1, 3)) REQUIRE(s->add(i));
        REQUIRE(s->checkpoint());
        REQUIRE(s->add(4));
    }
    auto const names = scratch::names(dir / "s");
    scratch::write(dir / "s/snap-00000003.vic.tmp", scratch::bytes(100));
    scratch::write(dir / "s/log-00000003.vlog", scratch::bytes(64));
    scratch::write(dir / "s/snap-00000001.vic", scratch::bytes(5));
    scratch::write(dir / "s/log-00000001.vlog", scratch::bytes(5));
    auto const littered = scratch::names(dir / "s");
    {
        auto const reader = numbers<>::open(dir / "s", {.read_only = true});
        REQUIRE(reader);
        REQUIRE(reader->all() == range(1, 4));
    }
    REQUIRE(scratch::names(dir / "s") == littered);
    auto const writer = numbers<>::open(dir / "s");
    REQUIRE(writer);
    REQUIRE(writer->all() == range(1, 4));
    REQUIRE(scratch::names(dir / "s") == names);
}

TEST_CASE("a damaged newest snapshot is refused although an older one is there", "[storage]") {
    scratch::directory dir;
    {
        auto s = numbers<>::open(dir / "s");
        REQUIRE(s);
        std::filesystem::copy_file(dir / "s/snap-00000001.vic", dir / "old");
        REQUIRE(s->add(1));
        REQUIRE(s->checkpoint());
    }
    std::filesystem::copy_file(dir / "old", dir / "s/snap-00000001.vic");
    std::filesystem::resize_file(dir / "s/snap-00000002.vic", 4096);
    REQUIRE(scratch::code_of(space::open(dir / "s", {}, {.read_only = true})) ==
            errc::corrupt_snapshot);
    REQUIRE(scratch::code_of(space::open(dir / "s", {}, {})) == errc::corrupt_snapshot);
}

TEST_CASE("a snapshot alone is a store", "[storage]") {
    scratch::directory dir;
    {
        auto s = numbers<>::open(dir / "s");
        REQUIRE(s);
        for (auto const i : range(1, 3)) REQUIRE(s->add(i));
        REQUIRE(s->checkpoint());
    }
    std::filesystem::create_directory(dir / "shipped");
    std::filesystem::copy_file(dir / "s/snap-00000002.vic", dir / "shipped/snap-00000002.vic");
    {
        auto const s = numbers<>::open(dir / "shipped", {.read_only = true});
        REQUIRE(s);
        REQUIRE(s->all() == range(1, 3));
        REQUIRE(s->report.last_lsn == 3);
        REQUIRE(scratch::names(dir / "shipped").size() == 1);
    }
    {
        auto s = numbers<>::open(dir / "shipped");
        REQUIRE(s);
        REQUIRE(s->add(4));
    }
    auto const s = numbers<>::open(dir / "shipped");
    REQUIRE(s);
    REQUIRE(s->all() == range(1, 4));
    REQUIRE(s->report.last_lsn == 4 + 1);
}

TEST_CASE("a write before the replay is refused", "[storage]") {
    scratch::directory dir;
    { REQUIRE(space::open(dir / "s", {}, {})); }
    auto s = space::open(dir / "s", {}, {});
    REQUIRE(s);
    REQUIRE(scratch::code_of(s->log({})) == errc::invalid_argument);
    REQUIRE(scratch::code_of(s->checkpoint({}, {})) == errc::invalid_argument);
    REQUIRE(s->replay(nothing));
    REQUIRE(s->log({}));
}

TEST_CASE("an error of the replaying side ends the replay and the writing", "[storage]") {
    scratch::directory dir;
    {
        auto s = numbers<>::open(dir / "s");
        REQUIRE(s);
        for (auto const i : range(1, 3)) REQUIRE(s->add(i));
    }
    auto s = space::open(dir / "s", {}, {});
    REQUIRE(s);
    int seen = 0;
    auto const report = s->replay([&](std::span<std::byte const>) -> vicinal::result<void> {
        if (++seen == 2) return vicinal::error{errc::out_of_memory};
        return {};
    });
    REQUIRE(scratch::code_of(report) == errc::out_of_memory);
    REQUIRE(seen == 2);
    REQUIRE(scratch::code_of(s->log({})) == errc::invalid_argument);
}

TEST_CASE("a space can be moved, and closes once", "[storage]") {
    scratch::directory dir;
    {
        auto s = numbers<>::open(dir / "s");
        REQUIRE(s);
        auto moved = std::move(s->files);
        REQUIRE(moved.log(scratch::batch(1)));
        s->files = std::move(moved);
        REQUIRE(s->files.log(scratch::batch(2)));
    }
    auto const s = numbers<>::open(dir / "s");
    REQUIRE(s);
    REQUIRE(s->report.clean);
    REQUIRE(s->all() == range(1, 2));
}

TEST_CASE("batches may be empty or large", "[storage]") {
    scratch::directory dir;
    std::vector<std::size_t> const sizes{0, 1, 7, 8, 9, std::size_t{5} << 20, 3};
    {
        auto s = space::open(dir / "s", {}, {.durability = durability::off});
        REQUIRE(s);
        for (auto const n : sizes) REQUIRE(s->log(scratch::bytes(n, std::byte{9})));
    }
    auto s = space::open(dir / "s", {}, {});
    REQUIRE(s);
    std::vector<std::size_t> seen;
    auto const report = s->replay([&](std::span<std::byte const> b) -> vicinal::result<void> {
        seen.push_back(b.size());
        return {};
    });
    REQUIRE(report);
    REQUIRE(seen == sizes);
}

} // namespace mmap_test

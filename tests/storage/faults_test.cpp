// SPDX-License-Identifier: MIT
// Every call to the operating system fails once, and the power is cut after every one.
#include "storage/faulty.hpp"
#include "support/figures.hpp"

#include <vicinal/storage/file.hpp>
#include <vicinal/storage/mmap.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

namespace faults_test {

using scratch::faulty;
using scratch::numbers;
using scratch::range;
using vicinal::durability;
using vicinal::errc;

namespace {

/// What the script has been told, and how much of it must be on the disk.
struct outcome {
    std::vector<std::uint64_t> acknowledged;
    std::uint64_t attempted = 0;
    std::uint64_t synced = 0;
    bool opened = false;
};

template <class Numbers>
void add(Numbers& s, outcome& o, durability d) {
    o.attempted = o.acknowledged.size() + 1;
    if (!s.add(o.attempted)) return;
    o.acknowledged.push_back(o.attempted);
    if (d == durability::full) o.synced = o.attempted;
}
template <class Numbers>
void checkpoint(Numbers& s, outcome& o) {
    auto const n = o.acknowledged.size();
    if (s.checkpoint()) o.synced = n;
}

/// Make, write, checkpoint, write, close, open, write, checkpoint, write, and then nothing: as a
/// process that is killed. A call that fails does not stop the rest. A number that failed is tried
/// again by the next add.
template <template <class> class Storage>
outcome script(std::string const& path, durability d) {
    outcome o;
    {
        auto s = numbers<faulty, Storage>::open(path, {.durability = d});
        if (s) {
            o.opened = true;
            for (int i = 0; i < 3; ++i) add(*s, o, d);
            checkpoint(*s, o);
            for (int i = 0; i < 2; ++i) add(*s, o, d);
        }
    }
    auto s = numbers<faulty, Storage>::open(path, {.durability = d});
    if (s) {
        o.opened = true;
        // The batch that was in flight may be there or not.
        auto const all = s->all();
        REQUIRE(all == range(1, all.size()));
        REQUIRE(all.size() >= o.acknowledged.size());
        REQUIRE(all.size() <= (std::max)(o.acknowledged.size(), std::size_t{o.attempted}));
        o.acknowledged = all;
        if (d == durability::full) o.synced = all.size();
        for (int i = 0; i < 2; ++i) add(*s, o, d);
        checkpoint(*s, o);
        for (int i = 0; i < 2; ++i) add(*s, o, d);
        if (d == durability::normal && s->files.sync()) o.synced = o.acknowledged.size();
        // Kept from closing in order: its process is gone.
        faulty::world.fail_at = 1;
        faulty::world.for_good = true;
    }
    return o;
}

template <template <class> class Storage>
long calls_of_script(durability d) {
    faulty::reset();
    scratch::directory dir;
    auto const o = script<Storage>(dir / "s", d);
    REQUIRE(o.acknowledged.size() == 9);
    return faulty::world.calls;
}

template <template <class> class Storage>
void fail_each_call() {
    for (auto const d : {durability::full, durability::normal, durability::off}) {
        auto const most = calls_of_script<Storage>(d);
        REQUIRE(most > 50);
        vicinal_test::figure("calls failed", static_cast<std::uint64_t>(most));
        for (long n = 1; n <= most; ++n) {
            faulty::reset();
            faulty::world.fail_at = n;
            scratch::directory dir;
            auto const o = script<Storage>(dir / "s", d);
            CAPTURE(static_cast<int>(d), n, faulty::world.trace[static_cast<std::size_t>(n - 1)]);
            auto const s = numbers<>::open(dir / "s");
            if (!s && !o.opened) continue;
            REQUIRE(s);
            auto const all = s->all();
            REQUIRE(all == range(1, all.size()));
            REQUIRE(all.size() >= o.acknowledged.size());
            REQUIRE(all.size() <= (std::max)(o.acknowledged.size(), std::size_t{o.attempted}));
        }
    }
}

template <template <class> class Storage>
void cut_power_after_each_call() {
    for (auto const d : {durability::full, durability::normal}) {
        auto const most = calls_of_script<Storage>(d);
        vicinal_test::figure("power cuts",
                             static_cast<std::uint64_t>(most + 1) * std::size(scratch::images));
        for (long n = 1; n <= most + 1; ++n) {
            faulty::reset();
            faulty::world.fail_at = n;
            faulty::world.for_good = true;
            scratch::directory dir;
            auto const o = script<Storage>(dir / "s", d);
            for (auto const kind : scratch::images) {
                CAPTURE(static_cast<int>(d), n, static_cast<int>(kind), o.synced);
                auto const path = dir / ("image" + std::to_string(static_cast<int>(kind)));
                scratch::restore(kind, path, dir / "s");
                for (bool const read_only : {true, false}) {
                    auto const s = numbers<>::open(path, {.read_only = read_only});
                    // Before the first store was complete there is nothing to read.
                    if (!s && read_only && !o.opened) continue;
                    if (!s) FAIL(s.error().message());
                    auto const all = s->all();
                    REQUIRE(all == range(1, all.size()));
                    REQUIRE(all.size() >= o.synced);
                    REQUIRE(all.size() <=
                            (std::max)(o.acknowledged.size(), std::size_t{o.attempted}));
                }
            }
        }
    }
}

template <template <class> class Storage>
void interrupt_and_shorten() {
    faulty::reset();
    faulty::world.most = 1000;
    faulty::world.interrupt = true;
    scratch::directory dir;
    auto const o = script<Storage>(dir / "s", durability::full);
    REQUIRE(o.acknowledged == range(1, 9));
    auto const s = numbers<>::open(dir / "s");
    REQUIRE(s);
    REQUIRE(s->all() == range(1, 9));
}

} // namespace

TEST_CASE("a call that fails once, at any place, loses nothing", "[storage][breaking]") {
    SECTION("mapped") { fail_each_call<vicinal::storage::basic_mmap>(); }
    SECTION("paged") { fail_each_call<vicinal::storage::basic_file>(); }
}

TEST_CASE("a power cut after any call leaves a state that was promised", "[storage][breaking]") {
    SECTION("mapped") { cut_power_after_each_call<vicinal::storage::basic_mmap>(); }
    SECTION("paged") { cut_power_after_each_call<vicinal::storage::basic_file>(); }
}

TEST_CASE("interrupted and short calls are repeated", "[storage]") {
    SECTION("mapped") { interrupt_and_shorten<vicinal::storage::basic_mmap>(); }
    SECTION("paged") { interrupt_and_shorten<vicinal::storage::basic_file>(); }
}

TEST_CASE("a snapshot is published in the order that a power cut needs", "[storage]") {
    faulty::reset();
    scratch::directory dir;
    auto s = numbers<faulty>::open(dir / "s");
    REQUIRE(s);
    REQUIRE(s->add(1));
    faulty::world.trace.clear();
    REQUIRE(s->checkpoint());
    auto const& trace = faulty::world.trace;
    auto const first = [&](std::string const& what) {
        auto const at = std::find(trace.begin(), trace.end(), what);
        CAPTURE(what);
        REQUIRE(at != trace.end());
        return at - trace.begin();
    };
    auto const last = [&](std::string const& what) {
        auto const at = std::find(trace.rbegin(), trace.rend(), what);
        CAPTURE(what);
        REQUIRE(at != trace.rend());
        return trace.rend() - at - 1;
    };
    auto const renamed = first("rename snap-00000002.vic.tmp to snap-00000002.vic");
    REQUIRE(last("write snap-00000002.vic.tmp") < first("sync snap-00000002.vic.tmp"));
    REQUIRE(first("sync snap-00000002.vic.tmp") < renamed);
    REQUIRE(last("write log-00000002.vlog") < first("sync log-00000002.vlog"));
    REQUIRE(first("sync log-00000002.vlog") < renamed);
    REQUIRE(first("sync directory") == renamed + 1);
    REQUIRE(first("remove snap-00000001.vic") > first("sync directory"));
    REQUIRE(first("remove log-00000001.vlog") > first("remove snap-00000001.vic"));
}

TEST_CASE("a sync that fails poisons the writer, although a second would succeed", "[storage]") {
    faulty::reset();
    scratch::directory dir;
    auto s = numbers<faulty>::open(dir / "s");
    REQUIRE(s);
    REQUIRE(s->add(1));
    faulty::world.fail_at = faulty::world.calls + 2;
    REQUIRE(scratch::code_of(s->add(2)) == errc::writer_poisoned);
    REQUIRE(faulty::world.trace.back() == "FAILED sync log-00000001.vlog");
    auto const again = s->add(2);
    REQUIRE(scratch::code_of(again) == errc::writer_poisoned);
    REQUIRE(again.error().message().find("log-00000001.vlog") != std::string::npos);
    REQUIRE(scratch::code_of(s->checkpoint()) == errc::writer_poisoned);
    REQUIRE(scratch::code_of(s->files.sync()) == errc::writer_poisoned);
    REQUIRE(s->all() == range(1, 1));
}

TEST_CASE("a full disk refuses the batch and takes it when there is room", "[storage]") {
    faulty::reset();
    faulty::world.reason = ENOSPC;
    scratch::directory dir;
    auto s = numbers<faulty>::open(dir / "s");
    REQUIRE(s);
    REQUIRE(s->add(1));
    auto const before = s->files.log_bytes();
    faulty::world.fail_at = faulty::world.calls + 1;
    REQUIRE(scratch::code_of(s->add(2)) == errc::io_failure);
    REQUIRE(s->files.log_bytes() == before);
    REQUIRE(std::filesystem::file_size(dir / "s/log-00000001.vlog") == before + 64);
    REQUIRE(s->add(2));

    // A checkpoint that fails leaves no file behind and is made later.
    auto const names = scratch::names(dir / "s");
    faulty::world.fail_at = faulty::world.calls + 3;
    REQUIRE(scratch::code_of(s->checkpoint()) == errc::io_failure);
    REQUIRE(scratch::names(dir / "s") == names);
    REQUIRE(s->files.generation() == 1);
    REQUIRE(s->add(3));
    REQUIRE(s->checkpoint());
    REQUIRE(s->files.generation() == 2);
    REQUIRE(s->all() == range(1, 3));
}

TEST_CASE("a write that fails and can't be undone poisons the writer", "[storage]") {
    faulty::reset();
    scratch::directory dir;
    {
        auto s = numbers<faulty>::open(dir / "s");
        REQUIRE(s);
        REQUIRE(s->add(1));
        faulty::world.fail_at = faulty::world.calls + 1;
        faulty::world.for_good = true;
        REQUIRE(scratch::code_of(s->add(2)) == errc::writer_poisoned);
        faulty::world.fail_at = 0;
        REQUIRE(scratch::code_of(s->add(2)) == errc::writer_poisoned);
    }
    auto const s = numbers<>::open(dir / "s");
    REQUIRE(s);
    REQUIRE(s->all() == range(1, 1));
    REQUIRE(s->report.bytes_dropped > 0);
}

} // namespace faults_test

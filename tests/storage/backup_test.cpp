// SPDX-License-Identifier: MIT
// Backups and restored stores: whole or not there, whatever fails.
#include "storage/faulty.hpp"

#include <vicinal/storage/backup.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace backup_test {

namespace storage = vicinal::storage;
using scratch::faulty;
using scratch::names;
using scratch::numbers;
using scratch::range;
using vicinal::errc;

namespace {

/// What a directory opens as, or nothing.
std::vector<std::uint64_t> contents(std::string const& path) {
    auto const s = numbers<>::open(path, {.read_only = true});
    if (!s) FAIL(s.error().message());
    return s->all();
}

/// A store of 1 to `n`, of which the first half is in the snapshot.
template <class Os = storage::posix>
void make(std::string const& path, std::uint64_t n) {
    auto s = numbers<Os>::open(path);
    REQUIRE(s);
    for (auto const i : range(1, n / 2)) REQUIRE(s->add(i));
    REQUIRE(s->checkpoint());
    for (auto const i : range(n / 2 + 1, n)) REQUIRE(s->add(i));
}

template <class Os>
vicinal::result<storage::copy_report> back_up(numbers<Os> const& s, std::string const& to) {
    return vicinal::detail::guarded([&]() -> vicinal::result<storage::copy_report> {
        auto const held = s.files.hold();
        VICINAL_CHECK(held);
        return storage::copy_to(*held, to, false);
    });
}

} // namespace

TEST_CASE("a backup of an open store is the store as of the call", "[storage]") {
    scratch::directory dir;
    auto s = numbers<>::open(dir / "s");
    REQUIRE(s);
    for (auto const i : range(1, 5)) REQUIRE(s->add(i));
    REQUIRE(s->checkpoint());
    for (auto const i : range(6, 9)) REQUIRE(s->add(i));
    // Taken now, copied after the writer has gone on: its files are gone by then.
    auto const held = s->files.hold();
    REQUIRE(held);
    REQUIRE(s->add(10));
    REQUIRE(s->checkpoint());
    REQUIRE(s->add(11));
    auto const report = storage::copy_to(*held, dir / "b", false);
    REQUIRE(report);
    REQUIRE(report->generation == 2);
    REQUIRE(report->log_records == 4);
    REQUIRE(report->bytes_dropped == 0);
    REQUIRE(names(dir / "b") ==
            std::vector<std::string>{"log-00000002.closed.vlog", "snap-00000002.vic"});
    REQUIRE(contents(dir / "b") == range(1, 9));
    REQUIRE(contents(dir / "s") == range(1, 11));

    // From outside, beside the writer; and from a reader, whose state is its own.
    REQUIRE(vicinal::try_backup(dir / "s", dir / "c"));
    REQUIRE(contents(dir / "c") == range(1, 11));
    auto const reader = numbers<>::open(dir / "s", {.read_only = true});
    REQUIRE(reader);
    REQUIRE(s->add(12));
    REQUIRE(s->checkpoint());
    REQUIRE(back_up(*reader, dir / "d"));
    REQUIRE(contents(dir / "d") == range(1, 11));
    // A copy is a store that can be written.
    auto d = numbers<>::open(dir / "d");
    REQUIRE(d);
    REQUIRE(d->add(12));
}

TEST_CASE("a backup begins where nothing is, and says what is in its way", "[storage]") {
    scratch::directory dir;
    make(dir / "s", 6);
    std::filesystem::create_directory(dir / "b");
    REQUIRE(vicinal::try_backup(dir / "s", dir / "b/"));
    REQUIRE(contents(dir / "b") == range(1, 6));
    auto const code = [&](std::string const& to) {
        return scratch::code_of(vicinal::try_backup(dir / "s", to));
    };
    REQUIRE(code(dir / "b") == errc::invalid_argument);
    REQUIRE(code(dir / "s") == errc::invalid_argument);
    scratch::write(dir / "file", {});
    REQUIRE(code(dir / "file") == errc::not_a_directory);
    REQUIRE(code(dir / "none/b") == errc::not_found);
    for (auto const* path : {"", "/", ".", "x/.."}) REQUIRE(code(path) == errc::invalid_argument);
    REQUIRE(scratch::code_of(vicinal::try_backup(dir / "none", dir / "c")) == errc::not_found);
    REQUIRE(names(dir / "") == std::vector<std::string>{"b", "file", "s"});
    // What a broken run has left is taken over, what is somebody's is not, and a run that is at
    // work is left alone.
    std::filesystem::create_directory(dir / "c.partial");
    scratch::write(dir / "c.partial/snap-00000009.vic", {});
    {
        auto const other = storage::new_directory<storage::posix>::make(dir / "c", false);
        REQUIRE(other);
        REQUIRE(code(dir / "c") == errc::locked);
    }
    REQUIRE(vicinal::try_backup(dir / "s", dir / "c"));
    REQUIRE(contents(dir / "c") == range(1, 6));
    std::filesystem::create_directory(dir / "d.partial");
    scratch::write(dir / "d.partial/mine", {});
    REQUIRE(code(dir / "d") == errc::foreign_file);
    REQUIRE(scratch::exists(dir / "d.partial/mine"));
}

TEST_CASE("damage is not copied", "[storage]") {
    scratch::directory dir;
    make(dir / "s", 40);
    for (std::string const name : {"snap-00000002.vic", "log-00000002.closed.vlog"}) {
        auto const good = scratch::read(dir / "s/" + name);
        for (std::size_t i = 0; i < good.size(); i += good.size() / 40) {
            CAPTURE(name, i);
            auto bad = good;
            bad[i] ^= std::byte{1};
            scratch::write(dir / "s/" + name, bad);
            REQUIRE_FALSE(vicinal::try_backup(dir / "s", dir / "b"));
            REQUIRE_FALSE(vicinal::try_restore(dir / "s", dir / "b"));
            REQUIRE(names(dir / "") == std::vector<std::string>{"s"});
        }
        scratch::write(dir / "s/" + name, good);
    }
    REQUIRE(vicinal::try_backup(dir / "s", dir / "b"));
    // In the copy a flipped bit of the last record is damage too, as the log is closed.
    auto log = scratch::read(dir / "b/log-00000002.closed.vlog");
    log[log.size() - 60] ^= std::byte{1};
    scratch::write(dir / "b/log-00000002.closed.vlog", log);
    REQUIRE(scratch::code_of(vicinal::try_restore(dir / "b", dir / "c")) == errc::corrupt_log);
}

TEST_CASE("restoring replaces a store, damaged or not, by a whole backup", "[storage]") {
    for (int const reason : {0, ENOSYS}) {
        faulty::no_exchange = reason;
        scratch::directory dir;
        make(dir / "s", 8);
        REQUIRE(vicinal::try_backup(dir / "s", dir / "b"));
        {
            auto s = numbers<>::open(dir / "s");
            REQUIRE(s);
            REQUIRE(s->add(9));
            REQUIRE(s->checkpoint());
            auto const held = storage::copy_store<faulty>(dir / "b", dir / "s", true);
            REQUIRE(scratch::code_of(held) == errc::locked);
        }
        auto const reader = numbers<>::open(dir / "s", {.read_only = true});
        REQUIRE(reader);
        // Another file of that name: the reader has the old one mapped.
        std::filesystem::remove(dir / "s/snap-00000003.vic");
        scratch::write(dir / "s/snap-00000003.vic", {});
        REQUIRE_FALSE(numbers<>::open(dir / "s"));
        REQUIRE(storage::copy_store<faulty>(dir / "b", dir / "s", true));
        REQUIRE(contents(dir / "s") == range(1, 8));
        REQUIRE(reader->all() == range(1, 9));
        REQUIRE(names(dir / "") == std::vector<std::string>{"b", "s"});
        // Somebody's files are not removed, and a path without a store gets one.
        scratch::write(dir / "s/mine", {});
        REQUIRE(scratch::code_of(storage::copy_store<faulty>(dir / "b", dir / "s", true)) ==
                errc::foreign_file);
        REQUIRE(storage::copy_store<faulty>(dir / "b", dir / "t", true));
        REQUIRE(contents(dir / "t") == range(1, 8));
    }
    faulty::no_exchange = 0;
}

TEST_CASE("a backup in which any call fails is not there, and the store goes on", "[storage]") {
    long most = 0;
    for (long n = 0; n == 0 || n <= most; ++n) {
        faulty::reset();
        scratch::directory dir;
        auto s = numbers<faulty>::open(dir / "s");
        REQUIRE(s);
        for (auto const i : range(1, 4)) REQUIRE(s->add(i));
        REQUIRE(s->checkpoint());
        for (auto const i : range(5, 6)) REQUIRE(s->add(i));
        auto const before = faulty::world.calls;
        if (n != 0) faulty::world.fail_at = before + n;
        auto const report = back_up(*s, dir / "b");
        faulty::world.fail_at = 0;
        if (n == 0) {
            REQUIRE(report);
            most = faulty::world.calls - before;
            REQUIRE(most > 20);
            continue;
        }
        CAPTURE(n, faulty::world.trace[static_cast<std::size_t>(before + n - 1)]);
        // Published or not: all of it, or nothing under that name.
        if (report || scratch::exists(dir / "b")) REQUIRE(contents(dir / "b") == range(1, 6));
        if (!report) REQUIRE(report.error().code() != errc::writer_poisoned);
        REQUIRE(s->add(7));
        REQUIRE(s->all() == range(1, 7));
        // What is left is in nobody's way.
        if (!scratch::exists(dir / "b")) REQUIRE(back_up(*s, dir / "b"));
    }
}

TEST_CASE("a power cut in a backup leaves all of it or nothing of that name", "[storage]") {
    long most = 1;
    for (long n = 1; n <= most + 1; ++n) {
        faulty::reset();
        scratch::directory dir;
        make<faulty>(dir / "s", 6);
        auto const before = faulty::world.calls;
        faulty::world.fail_at = n == 1 ? 0 : before + n - 1;
        faulty::world.for_good = true;
        auto const report = storage::copy_store<faulty>(dir / "s", dir / "b", false);
        if (n == 1) most = faulty::world.calls - before;
        auto const whole = std::filesystem::path(dir / "s").parent_path().string();
        for (auto const kind : scratch::images) {
            CAPTURE(n, static_cast<int>(kind));
            auto const image = dir / ("image" + std::to_string(static_cast<int>(kind)));
            scratch::restore(kind, image, whole);
            if (report) REQUIRE(scratch::exists(image + "/b"));
            if (scratch::exists(image + "/b")) REQUIRE(contents(image + "/b") == range(1, 6));
        }
    }
}

TEST_CASE("restoring, whatever fails or is cut, leaves the old store or the backup", "[storage]") {
    for (bool const cut : {false, true}) {
        for (int const reason : {0, ENOSYS}) {
            long most = 1;
            for (long n = 1; n <= most + 1; ++n) {
                faulty::reset();
                faulty::no_exchange = reason;
                scratch::directory dir;
                make<faulty>(dir / "b", 6);
                make<faulty>(dir / "s", 2);
                auto const before = faulty::world.calls;
                faulty::world.fail_at = n == 1 ? 0 : before + n - 1;
                faulty::world.for_good = cut;
                auto const report = storage::copy_store<faulty>(dir / "b", dir / "s", true);
                if (n == 1) most = faulty::world.calls - before;
                CAPTURE(cut, reason, n, faulty::world.trace.back());
                auto const whole = std::filesystem::path(dir / "s").parent_path().string();
                auto const check = [&](std::string const& at) {
                    // In two steps there is a moment with the old store beside its place.
                    if (reason != 0 && !scratch::exists(at + "/s")) {
                        REQUIRE(contents(at + "/s.replaced") == range(1, 2));
                        REQUIRE(contents(at + "/s.partial") == range(1, 6));
                        return;
                    }
                    auto const all = contents(at + "/s");
                    REQUIRE((all == range(1, 6) || (all == range(1, 2) && !report)));
                };
                faulty::world.fail_at = 0;
                check(whole);
                if (!cut) continue;
                for (auto const kind : scratch::images) {
                    CAPTURE(static_cast<int>(kind));
                    auto const image = dir / ("image" + std::to_string(static_cast<int>(kind)));
                    scratch::restore(kind, image, whole);
                    check(image);
                }
            }
        }
    }
    faulty::no_exchange = 0;
}

} // namespace backup_test

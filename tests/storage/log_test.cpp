// SPDX-License-Identifier: MIT
#include "storage/scratch.hpp"

#include <vicinal/storage/log_format.hpp>
#include <vicinal/storage/mmap.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace log_test {

namespace detail = vicinal::detail;
namespace storage = vicinal::storage;
using scratch::numbers;
using scratch::range;
using vicinal::durability;
using vicinal::errc;

namespace {

constexpr char const* open_log = "/log-00000001.vlog";
constexpr char const* closed_log = "/log-00000001.closed.vlog";

/// A store of the numbers 1 to `n` in its log, as a killed writer leaves it: a copy taken while the
/// writer was open.
void make_killed(std::string const& path, std::uint64_t n, durability d = durability::full) {
    auto const work = path + ".work";
    auto s = numbers<>::open(work, {.durability = d});
    REQUIRE(s);
    for (auto const i : range(1, n)) REQUIRE(s->add(i));
    std::filesystem::copy(work, path);
    REQUIRE(scratch::exists(path + open_log));
}

struct place {
    std::uint64_t offset;
    detail::log_record record;
};
std::vector<place> records(scratch::bytes const& log) {
    std::vector<place> list;
    for (std::uint64_t at = detail::log_header_bytes; at < log.size();) {
        auto const r = detail::load_record(log.data() + at);
        list.push_back({at, r});
        at += r.bytes();
    }
    return list;
}
std::uint64_t salt_of(scratch::bytes const& log) {
    return detail::load_le<std::uint64_t>(log.data() + 48);
}
/// Writes a record's checksum anew, as an attacker can.
void seal(scratch::bytes& log, place const& p) {
    auto const whole = std::span(log).subspan(static_cast<std::size_t>(p.offset),
                                              static_cast<std::size_t>(p.record.bytes()));
    detail::store_le(whole.data(), detail::record_crc(salt_of(log), p.offset, whole));
}

} // namespace

TEST_CASE("a killed writer's batches are all there", "[storage]") {
    for (auto const d : {durability::full, durability::normal, durability::off}) {
        scratch::directory dir;
        make_killed(dir / "s", 20, d);
        auto const s = numbers<>::open(dir / "s");
        REQUIRE(s);
        REQUIRE(s->all() == range(1, 20));
        REQUIRE(s->report.records == 20);
        REQUIRE(s->report.bytes_dropped == 0);
        REQUIRE(s->report.last_lsn == 20);
        REQUIRE_FALSE(s->report.clean);
    }
}

TEST_CASE("a close in order is marked, and the log goes on behind the mark", "[storage]") {
    scratch::directory dir;
    for (std::uint64_t n = 1; n <= 5; ++n) {
        auto s = numbers<>::open(dir / "s");
        REQUIRE(s);
        REQUIRE(s->report.clean);
        REQUIRE(s->all() == range(1, n - 1));
        REQUIRE(s->add(n));
        REQUIRE(scratch::exists(dir / "s" + open_log));
        REQUIRE_FALSE(scratch::exists(dir / "s" + closed_log));
    }
    REQUIRE(scratch::exists(dir / "s" + closed_log));
    auto const before = scratch::read(dir / "s" + closed_log);
    // Opening and closing without a write leaves no trace.
    REQUIRE(numbers<>::open(dir / "s"));
    REQUIRE(scratch::read(dir / "s" + closed_log) == before);
}

TEST_CASE("a log cut off at any byte gives the batches before the cut", "[storage]") {
    scratch::directory dir;
    make_killed(dir / "s", 12);
    auto const log = scratch::read(dir / "s" + open_log);
    auto const list = records(log);
    for (std::size_t n = 0; n <= log.size(); ++n) {
        CAPTURE(n);
        scratch::write(dir / "s" + open_log, std::span(log).first(n));
        if (n < detail::log_header_bytes) {
            // The header was synced before the log got a snapshot: this is no broken write.
            auto const s = numbers<>::open(dir / "s", {.read_only = true});
            REQUIRE(scratch::code_of(s) == errc::corrupt_log);
            continue;
        }
        std::uint64_t whole = 0;
        std::uint64_t end = detail::log_header_bytes;
        for (auto const& p : list)
            if (p.offset + p.record.bytes() <= n) {
                ++whole;
                end = p.offset + p.record.bytes();
            }
        {
            auto const reader = numbers<>::open(dir / "s", {.read_only = true});
            REQUIRE(reader);
            REQUIRE(reader->all() == range(1, whole));
            REQUIRE(reader->report.bytes_dropped == n - end);
            // A reader leaves the tail to the writer.
            REQUIRE(std::filesystem::file_size(dir / "s" + open_log) == n);
        }
        {
            auto writer = numbers<>::open(dir / "s");
            REQUIRE(writer);
            REQUIRE(writer->all() == range(1, whole));
            REQUIRE(writer->report.bytes_dropped == n - end);
            REQUIRE(std::filesystem::file_size(dir / "s" + open_log) == end);
            REQUIRE(writer->add(whole + 1));
        }
        auto const again = numbers<>::open(dir / "s", {.read_only = true});
        REQUIRE(again);
        REQUIRE(again->all() == range(1, whole + 1));
        std::filesystem::remove(dir / "s" + closed_log);
    }
}

TEST_CASE("one flipped bit in any byte of a log closed in order is refused", "[storage]") {
    scratch::directory dir;
    {
        auto s = numbers<>::open(dir / "s");
        REQUIRE(s);
        for (auto const i : range(1, 12)) REQUIRE(s->add(i));
    }
    auto const good = scratch::read(dir / "s" + closed_log);
    auto log = good;
    for (std::size_t i = 0; i < log.size(); ++i) {
        log[i] ^= std::byte{1} << (i % 8);
        scratch::write(dir / "s" + closed_log, log);
        CAPTURE(i);
        REQUIRE_FALSE(numbers<>::open(dir / "s", {.read_only = true}));
        log[i] = good[i];
    }
    // So is every other length, and it is refused to a writer as well.
    for (std::size_t n = 0; n < good.size(); ++n) {
        scratch::write(dir / "s" + closed_log, std::span(good).first(n));
        CAPTURE(n);
        REQUIRE(scratch::code_of(numbers<>::open(dir / "s")) == errc::corrupt_log);
    }
    auto longer = good;
    longer.resize(good.size() + 8);
    scratch::write(dir / "s" + closed_log, longer);
    REQUIRE(scratch::code_of(numbers<>::open(dir / "s")) == errc::corrupt_log);
    scratch::write(dir / "s" + closed_log, good);
    REQUIRE(numbers<>::open(dir / "s"));
}

TEST_CASE("one flipped bit in a killed writer's log is refused or reported", "[storage]") {
    scratch::directory dir;
    make_killed(dir / "s", 12);
    auto const good = scratch::read(dir / "s" + open_log);
    auto const last = records(good).back().offset;
    auto log = good;
    for (std::size_t i = 0; i < log.size(); ++i) {
        CAPTURE(i, last);
        log[i] ^= std::byte{1} << (i % 8);
        scratch::write(dir / "s" + open_log, log);
        auto const s = numbers<>::open(dir / "s", {.read_only = true});
        if (i < last) {
            REQUIRE_FALSE(s);
        } else {
            REQUIRE(s);
            REQUIRE(s->all() == range(1, 11));
            REQUIRE(s->report.bytes_dropped == good.size() - last);
        }
        log[i] = good[i];
    }
}

TEST_CASE("damage before a record that was written later is refused by file and offset",
          "[storage]") {
    scratch::directory dir;
    make_killed(dir / "s", 6);
    auto log = scratch::read(dir / "s" + open_log);
    auto const third = records(log)[2];
    log[static_cast<std::size_t>(third.offset) + 40] ^= std::byte{4};
    scratch::write(dir / "s" + open_log, log);
    auto const s = numbers<>::open(dir / "s");
    REQUIRE(scratch::code_of(s) == errc::corrupt_log);
    auto const& text = s.error().message();
    CAPTURE(text);
    REQUIRE(text.find("record 3 at offset " + std::to_string(third.offset)) != std::string::npos);
    REQUIRE(text.find("log-00000001.vlog") != std::string::npos);
    REQUIRE(scratch::read(dir / "s" + open_log) == log);
}

TEST_CASE("unsynced batches that reached the disk out of order are dropped and reported",
          "[storage]") {
    scratch::directory dir;
    make_killed(dir / "s", 6, durability::normal);
    auto log = scratch::read(dir / "s" + open_log);
    auto const list = records(log);
    auto const at = static_cast<std::size_t>(list[3].offset);
    std::fill_n(log.begin() + static_cast<std::ptrdiff_t>(at), list[3].record.bytes(),
                std::byte{0});
    scratch::write(dir / "s" + open_log, log);
    auto const s = numbers<>::open(dir / "s");
    REQUIRE(s);
    REQUIRE(s->all() == range(1, 3));
    REQUIRE(s->report.bytes_dropped == log.size() - at);
}

TEST_CASE("a batch that a later record calls synced may not be missing", "[storage]") {
    scratch::directory dir;
    {
        auto s = numbers<>::open(dir / "w", {.durability = durability::normal});
        REQUIRE(s);
        for (auto const i : range(1, 3)) REQUIRE(s->add(i));
        REQUIRE(s->files.sync());
        for (auto const i : range(4, 5)) REQUIRE(s->add(i));
        std::filesystem::copy(dir / "w", dir / "s");
    }
    auto const good = scratch::read(dir / "s" + open_log);
    auto const list = records(good);
    for (std::size_t i = 0; i < list.size(); ++i) {
        CAPTURE(i);
        auto log = good;
        log[static_cast<std::size_t>(list[i].offset) + 33] ^= std::byte{1};
        scratch::write(dir / "s" + open_log, log);
        auto const s = numbers<>::open(dir / "s", {.read_only = true});
        REQUIRE(static_cast<bool>(s) == (i >= 3));
    }
}

TEST_CASE("a mark of a close in order vouches for all before it", "[storage]") {
    scratch::directory dir;
    {
        auto s = numbers<>::open(dir / "s", {.durability = durability::off});
        REQUIRE(s);
        for (auto const i : range(1, 4)) REQUIRE(s->add(i));
    }
    // As if the writer had been killed between the mark and the rename.
    std::filesystem::rename(dir / "s" + closed_log, dir / "s" + open_log);
    auto log = scratch::read(dir / "s" + open_log);
    auto const good = log;
    log[static_cast<std::size_t>(records(log)[1].offset) + 35] ^= std::byte{1};
    scratch::write(dir / "s" + open_log, log);
    REQUIRE(scratch::code_of(numbers<>::open(dir / "s")) == errc::corrupt_log);
    scratch::write(dir / "s" + open_log, good);
    auto const s = numbers<>::open(dir / "s");
    REQUIRE(s);
    REQUIRE(s->report.clean);
    REQUIRE(s->all() == range(1, 4));
}

TEST_CASE("records with right checksums that contradict each other are refused", "[storage]") {
    scratch::directory dir;
    make_killed(dir / "s", 4);
    auto const good = scratch::read(dir / "s" + open_log);
    auto const p = records(good)[1];
    auto const at = static_cast<std::size_t>(p.offset);
    auto const refused = [&](std::size_t byte, std::uint8_t value) {
        auto log = good;
        log[at + byte] = std::byte{value};
        seal(log, p);
        scratch::write(dir / "s" + open_log, log);
        return scratch::code_of(numbers<>::open(dir / "s"));
    };
    REQUIRE(refused(8, 9) == errc::corrupt_log);   // its number
    REQUIRE(refused(16, 9) == errc::corrupt_log);  // synced later than itself
    REQUIRE(refused(24, 2) == errc::corrupt_log);  // a mark that counts nothing
    REQUIRE(refused(24, 4) == errc::newer_format); // a kind of the future
    REQUIRE(refused(25, 1) == errc::newer_format);
    REQUIRE(refused(28, 1) == errc::newer_format);
    REQUIRE(refused(32 + 10 + 1, 1) == errc::corrupt_log); // padding
}

TEST_CASE("a log of another store or generation is refused", "[storage]") {
    scratch::directory dir;
    make_killed(dir / "a", 3);
    make_killed(dir / "b", 3);
    std::filesystem::copy_file(dir / "b" + open_log, dir / "a" + open_log,
                               std::filesystem::copy_options::overwrite_existing);
    REQUIRE(scratch::code_of(numbers<>::open(dir / "a")) == errc::corrupt_log);

    {
        auto s = numbers<>::open(dir / "b");
        REQUIRE(s);
        REQUIRE(s->checkpoint());
        REQUIRE(s->add(4));
    }
    // Its snapshot is gone: an older state, or none, must not be taken for the newest.
    std::filesystem::remove(dir / "b/snap-00000002.vic");
    REQUIRE(scratch::code_of(numbers<>::open(dir / "b")) == errc::corrupt_snapshot);
    std::filesystem::rename(dir / "b/log-00000002.closed.vlog", dir / "b/log-00000002.vlog");
    REQUIRE(scratch::code_of(numbers<>::open(dir / "b")) == errc::corrupt_snapshot);
    REQUIRE(scratch::code_of(numbers<>::open(dir / "b", {.read_only = true})) ==
            errc::corrupt_snapshot);
}

TEST_CASE("bytes made to look like many records take bounded work", "[storage]") {
    scratch::directory dir;
    make_killed(dir / "s", 1);
    auto log = scratch::read(dir / "s" + open_log);
    auto const end = log.size();
    log.resize(end + (std::size_t{4} << 20));
    for (auto at = end + 8; at + 32 <= log.size(); at += 32) {
        detail::store_le(log.data() + at + 4,
                         static_cast<std::uint32_t>((log.size() - at - 32) / 8 * 8));
        detail::store_le<std::uint64_t>(log.data() + at + 8, 3);
        log[at + 24] = std::byte{1};
    }
    // The first possible place of record 3 is 32 bytes on.
    scratch::write(dir / "s" + open_log, log);
    REQUIRE(scratch::code_of(numbers<>::open(dir / "s")) == errc::corrupt_log);
}

} // namespace log_test

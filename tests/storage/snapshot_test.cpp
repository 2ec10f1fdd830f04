// SPDX-License-Identifier: MIT
#include "storage/scratch.hpp"

#include <vicinal/storage/crc32c.hpp>
#include <vicinal/storage/mmap.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace snapshot_test {

namespace storage = vicinal::storage;
using vicinal::errc;
using space = storage::mmap::space;

namespace {

vicinal::result<void> nothing(std::span<std::byte const>) { return {}; }

/// A closed store with three columns, one of them empty; gives the path of its snapshot.
std::string make(std::string const& path) {
    auto s = space::open(path, {{"dim", "3"}, {"metric", "cosine"}}, {});
    REQUIRE(s);
    REQUIRE(s->replay(nothing));
    for (auto const& [name, width, rows] :
         {std::tuple{"codes", 5U, 100U}, std::tuple{"empty", 4U, 0U},
          std::tuple{"heap", 1U, 65536U}}) {
        auto c = s->column(name, width, storage::heat::cold);
        REQUIRE(c);
        REQUIRE(storage::grow(**c, rows));
        for (std::uint64_t i = 0; i < std::uint64_t{rows} * width; ++i)
            (*c)->edit(0)[i] = static_cast<std::byte>(vicinal::detail::mix(i) & 0xff);
    }
    REQUIRE(s->checkpoint({}, s->properties()));
    return path + "/snap-00000002.vic";
}

/// Opens read-only and writable; both must be refused with the same code.
errc refusal(std::string const& path) {
    auto const reader = space::open(path, {}, {.read_only = true});
    auto const writer = space::open(path, {}, {});
    REQUIRE_FALSE(reader);
    REQUIRE_FALSE(writer);
    REQUIRE(reader.error().code() == writer.error().code());
    return writer.error().code();
}

/// A header as an attacker writes it: with the right checksum.
void seal_header(scratch::bytes& file) {
    vicinal::detail::store_le(file.data() + 4092,
                              storage::crc32c(std::span<std::byte const>(file).first(4092)));
}
void seal_table(scratch::bytes& file) {
    auto const n = vicinal::detail::load_le<std::uint64_t>(file.data() + 96);
    vicinal::detail::store_le(file.data() + 120,
                              storage::crc32c(std::span<std::byte const>(file).subspan(
                                  4096, static_cast<std::size_t>(n))));
    seal_header(file);
}

} // namespace

TEST_CASE("a snapshot gives back columns and properties", "[storage]") {
    scratch::directory d;
    make(d / "s");
    auto s = space::open(d / "s", {{"dim", "ignored where there is a store"}}, {});
    REQUIRE(s);
    REQUIRE(s->properties() == storage::properties{{"dim", "3"}, {"metric", "cosine"}});
    REQUIRE(s->generation() == 2);
    auto codes = s->column("codes", 5, storage::heat::hot);
    REQUIRE(codes);
    REQUIRE((*codes)->rows() == 100);
    for (std::uint64_t i = 0; i < 500; ++i)
        REQUIRE((*codes)->reader().row(0)[i] ==
                static_cast<std::byte>(vicinal::detail::mix(i) & 0xff));
    auto const empty = s->column("empty", 4, storage::heat::hot);
    REQUIRE(empty);
    REQUIRE((*empty)->rows() == 0);
    REQUIRE((*empty)->capacity() == 0);

    auto const wrong = s->column("heap", 2, storage::heat::cold);
    REQUIRE(scratch::code_of(wrong) == errc::corrupt_snapshot);
    REQUIRE(wrong.error().message().find("'heap'") != std::string::npos);

    auto const seen = space::inspect(d / "s");
    REQUIRE(seen);
    REQUIRE(seen->generation == 2);
    REQUIRE(seen->properties == s->properties());
    REQUIRE(seen->snapshot_bytes == s->snapshot_bytes());
    REQUIRE(seen->sections.size() == 3);
    REQUIRE(seen->sections[2].name == "heap");
    REQUIRE(seen->sections[2].rows == 65536);
}

TEST_CASE("one flipped bit in any byte of a snapshot is refused", "[storage]") {
    scratch::directory d;
    auto const file = make(d / "s");
    auto const good = scratch::read(file);
    auto bytes = good;
    std::size_t accepted = 0;
    // Every byte of the header's fields, the tables and the ends of sections; of the long runs of
    // zeros and rows every 211th, which is coprime to all the sizes.
    for (std::size_t i = 0; i < good.size(); ++i) {
        bool const dense = i < 256 || (i >= 4080 && i < 4800) || good.size() - i < 64;
        if (!dense && i % 211 != 0) continue;
        bytes[i] ^= std::byte{1} << (i % 8);
        scratch::write(file, bytes);
        auto const s = space::open(d / "s", {}, {.read_only = true});
        if (s) {
            CAPTURE(i);
            CHECK_FALSE(s);
            ++accepted;
        }
        bytes[i] = good[i];
    }
    REQUIRE(accepted == 0);
    scratch::write(file, good);
    REQUIRE(space::open(d / "s", {}, {.read_only = true}));
}

TEST_CASE("a snapshot of any other length is refused", "[storage]") {
    scratch::directory d;
    auto const file = make(d / "s");
    auto bytes = scratch::read(file);
    for (auto const more : {1U, 4096U, 65536U}) {
        auto longer = bytes;
        longer.resize(bytes.size() + more);
        scratch::write(file, longer);
        REQUIRE(refusal(d / "s") == errc::corrupt_snapshot);
    }
    scratch::write(file, bytes);
    // Without the lists of the directory around it: 200,000 lengths.
    auto const directory = storage::store_directory<storage::posix>::open(d / "s");
    REQUIRE(directory);
    std::size_t accepted = 0;
    for (auto n = bytes.size(); n-- > 0;) {
        std::filesystem::resize_file(file, n);
        if (storage::snapshot_file<storage::posix>::open(directory->number(), "snap-00000002.vic",
                                                         file, false))
            ++accepted;
    }
    REQUIRE(accepted == 0);
}

TEST_CASE("damage is named by file, section, block and offset", "[storage]") {
    scratch::directory d;
    auto const file = make(d / "s");
    auto bytes = scratch::read(file);
    bytes[65536 * 2 + 70] ^= std::byte{1};
    scratch::write(file, bytes);
    auto const s = space::open(d / "s", {}, {});
    REQUIRE(scratch::code_of(s) == errc::corrupt_snapshot);
    auto const& text = s.error().message();
    CAPTURE(text);
    REQUIRE(text.find("snap-00000002.vic") != std::string::npos);
    REQUIRE(text.find("'heap'") != std::string::npos);
    REQUIRE(text.find("block 0 (offset 131072)") != std::string::npos);
    // Refused is not touched.
    REQUIRE(scratch::read(file) == bytes);
}

TEST_CASE("a snapshot of a newer format is told from a damaged one", "[storage]") {
    scratch::directory d;
    auto const file = make(d / "s");
    auto const good = scratch::read(file);
    auto bytes = good;
    bytes[8] = std::byte{2};
    scratch::write(file, bytes);
    REQUIRE(refusal(d / "s") == errc::newer_format);

    bytes = good;
    bytes[16] = std::byte{1};
    seal_header(bytes);
    scratch::write(file, bytes);
    REQUIRE(refusal(d / "s") == errc::newer_format);

    // A feature that only writers must know leaves readers in.
    bytes = good;
    bytes[24] = std::byte{1};
    seal_header(bytes);
    scratch::write(file, bytes);
    REQUIRE(space::open(d / "s", {}, {.read_only = true}));
    REQUIRE(scratch::code_of(space::open(d / "s", {}, {})) == errc::newer_format);

    // A minor version and a feature that nobody needs to know change nothing.
    bytes = good;
    bytes[10] = std::byte{9};
    bytes[32] = std::byte{1};
    seal_header(bytes);
    scratch::write(file, bytes);
    REQUIRE(space::open(d / "s", {}, {}));
}

TEST_CASE("fields that contradict each other are refused although the checksums are right",
          "[storage]") {
    scratch::directory d;
    auto const file = make(d / "s");
    auto const good = scratch::read(file);
    // Every byte of the header's fields and of the table's entries, to three values each.
    std::vector<std::size_t> places;
    for (std::size_t i = 56; i < 160; ++i) places.push_back(i);
    for (std::size_t i = 4096; i < 4096 + 3 * 128; ++i) places.push_back(i);
    for (auto const i : places)
        for (auto const value : {std::byte{0xff}, std::byte{0x01}, std::byte{0x80}}) {
            auto bytes = good;
            if (bytes[i] == value) continue;
            bytes[i] = value;
            if (i >= 4096)
                seal_table(bytes);
            else
                seal_header(bytes);
            scratch::write(file, bytes);
            auto const s = space::open(d / "s", {}, {.read_only = true});
            // Free are the names, counts and widths that need the same blocks, and the width of no
            // rows.
            if (!s) continue;
            CAPTURE(i, std::to_integer<int>(value));
            auto const entry = (i - 4096) % 128;
            bool const empty = i >= 4096 + 128 && i < 4096 + 2 * 128;
            bool const size = entry == 72 || entry == 73 || entry == 80 || entry == 81;
            CHECK((i >= 4096 && (entry < 64 || size || (empty && entry >= 80))));
        }
}

TEST_CASE("bytes behind the last row of a section are zero or refused", "[storage]") {
    scratch::directory d;
    auto const file = make(d / "s");
    auto bytes = scratch::read(file);
    // One row less in the table: what was row 99 is then padding, under a right checksum.
    REQUIRE(bytes[4096 + 72] == std::byte{100});
    bytes[4096 + 72] = std::byte{99};
    seal_table(bytes);
    scratch::write(file, bytes);
    auto const s = space::open(d / "s", {}, {});
    REQUIRE(scratch::code_of(s) == errc::corrupt_snapshot);
    REQUIRE(s.error().message().find("'codes'") != std::string::npos);
}

TEST_CASE("a snapshot above 64 MiB is checked before it is copied, not when it is opened",
          "[storage]") {
    scratch::directory d;
    {
        auto s = space::open(d / "s", {}, {.durability = vicinal::durability::off});
        REQUIRE(s);
        REQUIRE(s->replay(nothing));
        auto c = s->column("big", 4096, storage::heat::cold);
        REQUIRE(c);
        REQUIRE(storage::grow(**c, 17000));
        REQUIRE(s->checkpoint({}, {}));
    }
    auto const file = d / "s/snap-00000002.vic";
    {
        std::fstream f(file, std::ios::binary | std::ios::in | std::ios::out);
        f.seekp(40 << 20);
        f.put('x');
    }
    auto s = space::open(d / "s", {}, {.durability = vicinal::durability::off});
    REQUIRE(s);
    REQUIRE(s->replay(nothing));
    REQUIRE(scratch::code_of(s->verify()) == errc::corrupt_snapshot);
    REQUIRE(scratch::code_of(s->checkpoint({}, {})) == errc::corrupt_snapshot);
    REQUIRE(s->generation() == 2);
}

} // namespace snapshot_test

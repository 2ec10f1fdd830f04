// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/binary.hpp"
#include "support/source_records.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/migrate/graphs/usearch.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace usearch_test {

using namespace vicinal;
using backend::usearch_source;
using vicinal_test::bytes;
using vicinal_test::records_of;
using vicinal_test::same_bits;
using vicinal_test::temporary_directory;
using vicinal_test::unhex;

static_assert(basic_source<usearch_source>);

namespace {

// What usearch 2.26 saved of four vectors of three floats, squared L2, two links a node, keys
// 10,000,000,000 and up, the third removed.
constexpr std::string_view saved =
    "040000000c0000000000803f0000004000004040000000bf00000000cdcccc3d0000e0400000004100001041"
    "6f12833a000080400000a0407573656172636802001a000600650b0e0f030000000000000001000000000000"
    "0003000000000000000000000000000000000000000000000000000000000000040000000000000002000000"
    "00000000040000000000000004000000000000000300000000000000010000000000040000e40b5402000000"
    "0100030000000100000002000000030000000000000001000000030000000000000001e40b54020000000000"
    "0100000000000000000000000000000000000000ffffffffffffffff00000200000000000000030000000000"
    "00000000000003e40b5402000000040002000000000000000200000000000000000000000100000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000";

/// A file of rows that have one node each, all at level 0, with two links of four bytes.
struct file {
    std::string vectors;
    std::vector<std::uint64_t> keys = {1, 2};
    std::uint64_t dim = 2;
    char metric = 'c';
    int scalar = 11;
    int minor = 20;
    int key = 14;
    int slot = 15;
    bool multi = false;
    bool wide = false;

    [[nodiscard]] std::string text() const {
        auto const rows = keys.size();
        auto const row = rows == 0 ? 0 : vectors.size() / rows;
        std::string out =
            wide ? bytes(std::uint64_t{rows}) + bytes(std::uint64_t{row})
                 : bytes(static_cast<std::uint32_t>(rows)) + bytes(static_cast<std::uint32_t>(row));
        out += vectors + "usearch" + bytes<std::uint16_t>(2) +
               bytes(static_cast<std::uint16_t>(minor)) + bytes<std::uint16_t>(0);
        for (int const kind : {int{metric}, scalar, key, slot})
            out.push_back(static_cast<char>(kind));
        out += bytes(std::uint64_t{rows}) + bytes(std::uint64_t{0}) + bytes(dim);
        out.push_back(multi ? '\1' : '\0');
        out.append(64 - 13 - 4 - 24 - 1, '\0');
        for (std::uint64_t const n : {std::uint64_t{rows}, std::uint64_t{2}, std::uint64_t{2},
                                      std::uint64_t{0}, std::uint64_t{0}})
            out += bytes(n);
        out.append(2 * rows, '\0');
        for (auto const k : keys) {
            out += key == 15 ? bytes(static_cast<std::uint32_t>(k)) : bytes(k);
            out.append(2 + 4 + 2 * (slot == 2 ? 5 : 4), '\0');
        }
        return out;
    }
};

result<std::vector<record>> read(temporary_directory const& dir, std::string const& text) {
    return records_of(usearch_source::try_open(dir.file("x.usearch", text)));
}

} // namespace

TEST_CASE("a file that usearch saved gives keys and vectors bit for bit, without the removed") {
    temporary_directory const dir;
    auto source = usearch_source::try_open(dir.file("x.usearch", unhex(saved)));
    REQUIRE(source);
    auto const said = source->describe();
    CHECK(said->dim == 3);
    CHECK(said->records == 3);
    CHECK(said->metric == "squared_l2");
    CHECK(said->losses.empty());
    for (int time = 0; time < 2; ++time) {
        auto const all = records_of(*source, 2);
        REQUIRE(all);
        REQUIRE(all->size() == 3);
        CHECK(all->at(0).id == "10000000000");
        CHECK(same_bits(all->at(0).vector, {1, 2, 3}));
        CHECK(all->at(1).id == "10000000001");
        CHECK(same_bits(all->at(1).vector, {-0.5F, 0, 0.1F}));
        CHECK(all->at(2).id == "10000000003");
        CHECK(same_bits(all->at(2).vector, {1e-3F, 4, 5}));
        REQUIRE(source->rewind());
    }
}

TEST_CASE("every element type of usearch becomes floats, and what it had rounded is said") {
    temporary_directory const dir;
    auto const opened = [&dir](file const& f) {
        auto source = usearch_source::try_open(dir.file("x.usearch", f.text()));
        REQUIRE(source);
        return *std::move(source);
    };
    auto f64 = opened({.vectors = bytes(0.1) + bytes(2.0) + bytes(3.0) + bytes(4.0), .scalar = 10});
    auto all = records_of(f64);
    REQUIRE(all);
    CHECK(same_bits(all->at(0).vector, {0.1F, 2}));
    CHECK(f64.describe()->losses.at(0).starts_with("1 numbers"));

    auto i8 = opened({.vectors = "\x7f\x81\x01\x40", .scalar = 23, .wide = true});
    CHECK(i8.describe()->losses.size() == 1);
    all = records_of(i8);
    REQUIRE(all);
    CHECK(same_bits(all->at(0).vector, {1, -1}));
    CHECK(same_bits(all->at(1).vector, {1 / 127.F, 64 / 127.F}));

    auto bits = opened({.vectors = "\xa0\x80\x01\x7f", .dim = 9, .metric = 'b', .scalar = 1});
    CHECK(bits.describe()->metric == "hamming");
    all = records_of(bits);
    REQUIRE(all);
    CHECK(same_bits(all->at(0).vector, {1, 0, 1, 0, 0, 0, 0, 0, 1}));
    CHECK(same_bits(all->at(1).vector, {0, 0, 0, 0, 0, 0, 0, 1, 0}));

    auto bf16 = opened(
        {.vectors = bytes<std::uint32_t>(0x40003f80) + bytes<std::uint32_t>(0), .scalar = 4});
    all = records_of(bf16);
    REQUIRE(all);
    CHECK(same_bits(all->at(0).vector, {1, 2}));

    // Before 2.10 the types had other numbers: 5 was f32, 8 and 9 keys and links.
    auto old = opened({.vectors = bytes(1.F) + bytes(2.F) + bytes(3.F) + bytes(4.F),
                       .scalar = 5,
                       .minor = 8,
                       .key = 8,
                       .slot = 9});
    all = records_of(old);
    REQUIRE(all);
    CHECK(same_bits(all->at(1).vector, {3, 4}));
}

TEST_CASE("vectors that share a key keep ids of their own") {
    temporary_directory const dir;
    file const f{.vectors = std::string(24, '\0'), .keys = {5, 6, 5}, .multi = true};
    auto source = usearch_source::try_open(dir.file("x.usearch", f.text()));
    REQUIRE(source);
    auto const all = records_of(*source);
    REQUIRE(all);
    CHECK(all->at(0).id == "5");
    CHECK(all->at(1).id == "6");
    CHECK(all->at(2).id == "5#1");
    CHECK(source->describe()->losses.size() == 1);
}

TEST_CASE("keys and links of other widths are read, other kinds refused") {
    temporary_directory const dir;
    std::string const rows(16, '\0');
    auto all =
        read(dir, file{.vectors = rows, .keys = {7, 0xffffffff}, .key = 15, .slot = 2}.text());
    REQUIRE(all);
    REQUIRE(all->size() == 1);
    CHECK(all->at(0).id == "7");
    all = read(dir, file{.vectors = rows, .keys = {~std::uint64_t{0} - 1, 3}, .key = 20}.text());
    REQUIRE(all);
    CHECK(all->at(0).id == "-2");
    CHECK(read(dir, file{.vectors = "", .keys = {}}.text())->empty());

    auto const code = [&dir](std::string const& text) {
        auto const got = read(dir, text);
        REQUIRE(!got);
        CHECK(got.error().message().find("x.usearch") != std::string::npos);
        return got.error().code();
    };
    CHECK(code(file{.vectors = rows, .key = 3}.text()) == errc::unsupported);
    CHECK(code(file{.vectors = rows, .scalar = 13}.text()) == errc::unsupported);
    CHECK(code("usearch" + rows) == errc::unsupported);
    CHECK(code("") == errc::foreign_file);
    CHECK(code(std::string(300, 'x')) == errc::foreign_file);
    auto const whole = file{.vectors = rows}.text();
    CHECK(code(whole + "x") == errc::corrupt_source);
    CHECK(code(whole.substr(0, whole.size() - 1)) == errc::corrupt_source);
    CHECK(code(file{.vectors = rows, .dim = 3}.text()) == errc::corrupt_source);
    CHECK(code(file{.vectors = rows, .dim = std::uint64_t{1} << 60}.text()) ==
          errc::limit_exceeded);
}

TEST_CASE("damaged files of usearch are read or refused, never more") {
    temporary_directory const dir;
    vicinal_test::damaged(unhex(saved), 1000, 17, [&dir](std::string const& bad) {
        auto const got = read(dir, bad);
        if (got) CHECK(got->size() <= 4);
    });
}

} // namespace usearch_test

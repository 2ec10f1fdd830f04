// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/core/bits.hpp>
#include <vicinal/migrate/columnar/file_set.hpp>
#include <vicinal/migrate/columnar/json_columns.hpp>
#include <vicinal/migrate/columnar/moments.hpp>
#include <vicinal/migrate/columnar/parquet/delta.hpp>
#include <vicinal/migrate/columnar/parquet/levels.hpp>
#include <vicinal/migrate/columnar/parquet/thrift_writer.hpp>
#include <vicinal/migrate/columnar/parquet/tree.hpp>
#include <vicinal/migrate/columnar/unpack.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace columnar_parts_test {

using namespace vicinal;
using namespace vicinal::detail::columnar;
namespace parquet = vicinal::detail::columnar::parquet;

namespace {

std::string packed_bits(std::vector<std::uint64_t> const& numbers, unsigned width) {
    std::string out((numbers.size() * width + 7) / 8, '\0');
    for (std::size_t i = 0; i < numbers.size(); ++i)
        for (unsigned b = 0; b < width; ++b) {
            auto const at = i * width + b;
            if ((numbers[i] >> b & 1) != 0)
                out[at / 8] =
                    static_cast<char>(static_cast<unsigned char>(out[at / 8]) | 1U << (at % 8));
        }
    return out;
}

std::vector<std::uint64_t> some_numbers(std::size_t n, unsigned width) {
    std::vector<std::uint64_t> out;
    for (std::size_t i = 0; i < n; ++i)
        out.push_back(width == 0 ? 0 : detail::mix(i * 64 + width) >> (64 - width));
    return out;
}

std::string moment(std::int64_t count, int unit, bool utc) {
    std::string out;
    append_moment(count, unit, utc, out);
    return out;
}

std::string decimal(std::string const& bytes, std::int32_t scale) {
    std::string out;
    return append_decimal(bytes, scale, out) ? out : "none";
}

parquet::schema_element group(std::string name, std::int32_t repetition, std::int32_t children,
                              parquet::meaning what = parquet::meaning::none) {
    parquet::schema_element e;
    e.name = std::move(name);
    e.repetition = repetition;
    e.children = children;
    e.what = what;
    return e;
}
parquet::schema_element leaf(std::string name, std::int32_t repetition) {
    auto e = group(std::move(name), repetition, 0);
    e.type = static_cast<std::int32_t>(parquet::physical::float32);
    return e;
}

} // namespace

TEST_CASE("numbers of every width come out of packed bits", "[migrate]") {
    for (unsigned width = 0; width <= 64; ++width) {
        CAPTURE(width);
        auto const numbers = some_numbers(100, width);
        auto const bytes = packed_bits(numbers, width);
        parquet::bit_reader in(bytes, width);
        bool same = true;
        for (auto const n : numbers) same = same && in.next() == n;
        CHECK(same);
    }
}

TEST_CASE("runs and groups are taken apart, in whatever pieces they are asked for", "[migrate]") {
    for (unsigned const width : {1U, 3U, 8U, 13U, 32U}) {
        auto const numbers = some_numbers(24, width);
        auto const bytes = (width + 7) / 8;
        std::string text;
        text.push_back('\0'); // a run of nothing
        text.append(bytes, '\0');
        parquet::append_varint(3 << 1 | 1, text);
        text.append(packed_bits(numbers, width));
        parquet::append_varint(1'000 << 1, text);
        text.append(bytes, '\1');
        for (std::size_t const piece : {1U, 7U, 2'000U}) {
            CAPTURE(width, piece);
            parquet::run_reader in(text, width);
            std::vector<std::uint32_t> out(2'000);
            std::size_t n = 0;
            while (auto const got = in.take(out.data() + n, (std::min)(piece, out.size() - n)))
                n += got;
            REQUIRE(n == 1'024);
            for (std::size_t i = 0; i < 24; ++i) CHECK(out[i] == numbers[i]);
            CHECK(out[24] == out[1'023]);
        }
    }
    // A run claims what it likes; only what is asked for is made of it.
    std::uint32_t one = 0;
    parquet::run_reader in("\xfe\xff\xff\xff\x0f\x07", 3);
    CHECK(in.take(&one, 1) == 1);
    CHECK(one == 7);
    CHECK(parquet::run_reader("\xff\xff\xff\xff\xff\xff", 3).take(&one, 1) == 0);
    CHECK(parquet::run_reader("\x10", 3).take(&one, 1) == 0);
}

TEST_CASE("steps between integers add up, over the whole range of 64 bits", "[migrate]") {
    // One block of 128 in four parts: first value 5, least step -3, widths 64, 0, 1 and 2.
    std::string text;
    for (std::uint64_t const v : {128U, 4U, 129U, 10U, 5U}) parquet::append_varint(v, text);
    text.append("\x40\x00\x01\x02", 4);
    auto const wide = some_numbers(32, 64);
    auto const bits = some_numbers(32, 1);
    auto const pairs = some_numbers(32, 2);
    text.append(packed_bits(wide, 64)).append(packed_bits(bits, 1)).append(packed_bits(pairs, 2));
    parquet::delta_reader in(text);
    CHECK(in.left() == 129);
    std::uint64_t wanted = 5;
    std::int64_t got = 0;
    REQUIRE(in.next(got));
    CHECK(got == 5);
    for (std::size_t i = 0; i < 128; ++i) {
        auto const step = i < 32 ? wide[i] : i < 64 ? 0 : i < 96 ? bits[i - 64] : pairs[i - 96];
        wanted += step - 3;
        REQUIRE(in.next(got));
        CHECK(static_cast<std::uint64_t>(got) == wanted);
    }
    CHECK(!in.next(got));
    CHECK(parquet::delta_reader(text + "behind").end() == text.size());
    CHECK(parquet::delta_reader(text.substr(0, 40)).end() == std::string::npos);
}

TEST_CASE("moments and decimals are written as people write them", "[migrate]") {
    CHECK(moment(0, 0, true) == "1970-01-01T00:00:00Z");
    CHECK(moment(-1, 3, false) == "1969-12-31T23:59:59.999");
    CHECK(moment(951'782'400'000'000, 6, false) == "2000-02-29T00:00:00");
    CHECK(moment(1'709'164'800'250'000'000, 9, true) == "2024-02-29T00:00:00.25Z");
    CHECK(moment(-62'135'596'800, 0, false) == "0001-01-01T00:00:00");
    CHECK(moment(-62'167'219'201, 0, false) == "-0001-12-31T23:59:59");
    CHECK(moment(253'402'300'800, 0, false) == "+10000-01-01T00:00:00");
    CHECK(moment(INT64_MIN, 9, false) == "1677-09-21T00:12:43.145224192");
    CHECK(moment(INT64_MIN, 0, false).size() > 10);
    // Every day of 800 years follows the one before.
    std::string before;
    append_date(-146'097, before);
    CHECK(before == "1570-01-01");
    bool rising = true;
    for (std::int64_t day = -146'096; day < 146'097; ++day) {
        std::string date;
        append_date(day, date);
        rising = rising && before < date;
        before = date;
    }
    CHECK(rising);
    CHECK(before == "2369-12-31");

    CHECK(decimal({"\x00", 1}, 0) == "0");
    CHECK(decimal({"\x00", 1}, 2) == "0.00");
    CHECK(decimal("\xff", 3) == "-0.001");
    CHECK(decimal({"\x80\x00", 2}, 1) == "-3276.8");
    CHECK(decimal(std::string(1, '\x7f') + std::string(15, '\xff'), 0) ==
          "170141183460469231731687303715884105727");
    CHECK(decimal(std::string(33, '\1'), 0) == "none");
    CHECK(decimal("", 0) == "none");
}

TEST_CASE("bytes become base64 and names are ordered by their numbers", "[migrate]") {
    // RFC 4648, section 10.
    CHECK(base64("") == "");
    CHECK(base64("f") == "Zg==");
    CHECK(base64("fo") == "Zm8=");
    CHECK(base64("foobar") == "Zm9vYmFy");
    std::vector<std::string> names = {"10.parquet", "2.parquet", "a",        "part-1-b",
                                      "part-01-a",  "1.parquet", "part-1-a", ""};
    std::sort(names.begin(), names.end(), numbered_before);
    CHECK(names == std::vector<std::string>{"", "1.parquet", "2.parquet", "10.parquet", "a",
                                            "part-01-a", "part-1-a", "part-1-b"});
}

TEST_CASE("lists of two and of three levels have the same shape", "[migrate]") {
    using parquet::meaning;
    auto const build = [](std::vector<parquet::schema_element> const& schema) {
        std::vector<parquet::leaf_place> leaves;
        std::vector<parquet::node> columns;
        bool const good = parquet::tree_builder(schema, leaves).build(columns);
        return good ? std::pair(columns, leaves) : std::pair<decltype(columns), decltype(leaves)>();
    };
    // Three levels, nullable everywhere, as pyarrow and DuckDB write it.
    auto const [three, a] = build({group("root", 0, 1), group("v", 1, 1, meaning::list),
                                   group("list", 2, 1), leaf("element", 1)});
    REQUIRE(three.size() == 1);
    CHECK(three[0].form == parquet::node::shape::list);
    CHECK(three[0].parts[0].form == parquet::node::shape::leaf);
    CHECK(three[0].defined == 1);
    CHECK(three[0].filled == 2);
    CHECK(a[0].defined == 3);
    CHECK(a[0].repeated == 1);
    CHECK(a[0].path == "v.list.element");
    // Two levels: the repeated element itself.
    auto const [two, b] =
        build({group("root", 0, 1), group("v", 1, 1, meaning::list), leaf("array", 2)});
    REQUIRE(two.size() == 1);
    CHECK(two[0].form == parquet::node::shape::list);
    CHECK(two[0].parts[0].form == parquet::node::shape::leaf);
    CHECK(two[0].filled == 2);
    CHECK(b[0].defined == 2);
    // A struct of one field in two levels, told by its name.
    auto const [named, c] = build({group("root", 0, 1), group("v", 1, 1, meaning::list),
                                   group("v_tuple", 2, 1), leaf("x", 1)});
    REQUIRE(named.size() == 1);
    CHECK(named[0].parts[0].form == parquet::node::shape::structure);
    // Repeated, and nobody says LIST.
    auto const [bare, d] = build({group("root", 0, 1), leaf("v", 2)});
    REQUIRE(bare.size() == 1);
    CHECK(bare[0].form == parquet::node::shape::list);
    CHECK(bare[0].name == "v");
    CHECK(d[0].defined == 1);

    CHECK(build({group("root", 0, 2), leaf("v", 0)}).first.empty());
    CHECK(build({group("root", 0, 1), leaf("v", 0), leaf("w", 0)}).first.empty());
    CHECK(build({group("root", 0, 1), group("v", 0, 0)}).first.empty());
    std::vector<parquet::schema_element> deep(40, group("g", 1, 1));
    deep.push_back(leaf("v", 0));
    CHECK(build(deep).first.empty());
}

TEST_CASE("what a packed piece claims to hold costs nothing until it is there", "[migrate]") {
    unpacker u;
    std::string out;
    auto const wrong = [&](packing how, std::string const& packed, std::size_t claimed) {
        out = {};
        auto const done = u.unpack(how, packed, claimed, out);
        CHECK(out.capacity() <= (std::size_t{1} << 20));
        return !done && done.error().code() == errc::corrupt_source;
    };
    std::size_t const huge = std::size_t{1} << 40;
    std::string const text = "abcabcabcabcabcabc";
    std::string gzip(100, '\0');
    auto length = static_cast<uLongf>(gzip.size());
    REQUIRE(::compress(reinterpret_cast<Bytef*>(gzip.data()), &length,
                       reinterpret_cast<Bytef const*>(text.data()), text.size()) == Z_OK);
    gzip.resize(length);
    std::string zstd(100, '\0');
    zstd.resize(ZSTD_compress(zstd.data(), zstd.size(), text.data(), text.size(), 3));
    std::string snap;
    snappy::Compress(text.data(), text.size(), &snap);
    // Three literals, a match of 10 that runs into itself, then five literals.
    std::string const block = std::string("\x36"
                                          "abc\x03\x00\x50"
                                          "bcabc",
                                          12);
    std::string frame("\x04\x22\x4d\x18\x60\x40\x82\x0c\x00\x00\x00", 11);
    frame.append(block).append(4, '\0');
    for (auto const& [how, packed] :
         {std::pair(packing::gzip, gzip), std::pair(packing::zstd, zstd),
          std::pair(packing::snappy, snap), std::pair(packing::lz4_block, block),
          std::pair(packing::lz4_frames, frame), std::pair(packing::none, text)}) {
        CAPTURE(static_cast<int>(how));
        REQUIRE(u.unpack(how, packed, text.size(), out));
        CHECK(out == text);
        CHECK(wrong(how, packed, text.size() + 1));
        CHECK(wrong(how, packed, text.size() - 1));
        CHECK(wrong(how, packed, huge));
        for (std::size_t cut = 0; cut < packed.size(); ++cut)
            CHECK(wrong(how, packed.substr(0, cut), text.size()));
    }
}

TEST_CASE("Thrift is read with bounds whatever it claims", "[migrate]") {
    auto const skipped = [](std::string const& bytes) {
        parquet::thrift_reader in(bytes);
        in.skip(parquet::thrift_kind::structure);
        return in.good();
    };
    CHECK(skipped({"\x00", 1}));
    CHECK(skipped({"\x15\x02\x00", 3}));
    CHECK(!skipped({"\x15\x02", 2})); // no end
    CHECK(!skipped({"\x18\x05"
                    "ab\x00",
                    5}));                                     // a text beyond the end
    CHECK(!skipped({"\x19\xf5\xff\xff\xff\xff\x0f\x00", 8})); // a list of four billion
    CHECK(!skipped({"\x1b\x01\x00", 3}));                     // a map
    CHECK(!skipped(std::string(100, '\x1c')));                // structs without a bottom
    CHECK(!skipped("\x15" + std::string(11, '\xff')));        // a number of over 64 bits
    parquet::thrift_writer out;
    out.begin();
    out.i64(1, INT64_MIN);
    out.text(3, "three");
    out.end();
    parquet::thrift_reader in(out.bytes());
    parquet::thrift_struct f(in);
    REQUIRE(f.next());
    CHECK(f.i64() == INT64_MIN);
    REQUIRE(f.next());
    CHECK(f.id() == 3);
    CHECK(f.binary() == "three");
    CHECK(!f.next());
    CHECK(in.good());
    CHECK(in.left() == 0);
}

} // namespace columnar_parts_test

// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/binary.hpp"
#include "support/shared_fixture.hpp"
#include "support/source_records.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/migrate/arrays/array_source.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace array_source_test {

using namespace vicinal;
using backend::array_format;
using backend::array_source;
using vicinal_test::bytes;
using vicinal_test::records_of;
using vicinal_test::same_bits;
using vicinal_test::temporary_directory;

static_assert(basic_source<array_source>);

namespace {

std::string npy(std::string const& descr, bool fortran, std::string const& shape,
                std::string const& items, int version = 1) {
    std::string header = "{'descr': " + descr +
                         ", 'fortran_order': " + (fortran ? "True" : "False") +
                         ", 'shape': " + shape + ", }";
    header.append(64 - (header.size() + 11 + (version > 1 ? 2 : 0)) % 64, ' ');
    header.push_back('\n');
    std::string out = "\x93NUMPY";
    out.push_back(static_cast<char>(version));
    out.push_back('\0');
    out += version > 1 ? bytes(static_cast<std::uint32_t>(header.size()))
                       : bytes(static_cast<std::uint16_t>(header.size()));
    return out + header + items;
}

/// 2 x 3 numbers 1..6 of a type, as NumPy writes them.
template <class T>
std::string six(std::string const& type, bool fortran, bool swapped) {
    std::string items;
    for (int const i : fortran ? std::vector{1, 4, 2, 5, 3, 6} : std::vector{1, 2, 3, 4, 5, 6})
        items += bytes(static_cast<T>(i), swapped);
    return npy("'" +
                   std::string(swapped          ? ">"
                               : sizeof(T) == 1 ? "|"
                                                : "<") +
                   type + "'",
               fortran, "(2, 3)", items);
}

result<std::vector<record>> read(temporary_directory const& dir, std::string const& content,
                                 array_format format = array_format::npy) {
    return records_of(array_source::try_open(dir.file("x.bin", content), format));
}

template <class T>
void expect_six(temporary_directory const& dir, std::string const& type) {
    for (bool const fortran : {false, true})
        for (bool const swapped : {false, true}) {
            if (swapped && sizeof(T) == 1) continue;
            CAPTURE(type, fortran, swapped);
            auto const all = read(dir, six<T>(type, fortran, swapped));
            REQUIRE(all);
            REQUIRE(all->size() == 2);
            CHECK(all->at(0).id == "0");
            CHECK(same_bits(all->at(0).vector, {1, 2, 3}));
            CHECK(all->at(1).id == "1");
            CHECK(same_bits(all->at(1).vector, {4, 5, 6}));
        }
}

} // namespace

TEST_CASE("an .npy of any kind of number, order and byte order gives its rows") {
    temporary_directory const dir;
    expect_six<float>(dir, "f4");
    expect_six<double>(dir, "f8");
    expect_six<std::int8_t>(dir, "i1");
    expect_six<std::uint8_t>(dir, "u1");
    expect_six<std::int16_t>(dir, "i2");
    expect_six<std::uint16_t>(dir, "u2");
    expect_six<std::int32_t>(dir, "i4");
    expect_six<std::uint32_t>(dir, "u4");
    expect_six<std::int64_t>(dir, "i8");
    expect_six<std::uint64_t>(dir, "u8");
}

TEST_CASE("halves and bools of an .npy are exact") {
    temporary_directory const dir;
    std::string halves;
    for (std::uint16_t const h : {std::uint16_t{0x3c00}, std::uint16_t{0xc100}, std::uint16_t{1}})
        halves += bytes<std::uint16_t>(h);
    auto all = read(dir, npy("'<f2'", false, "(1, 3)", halves));
    REQUIRE(all);
    CHECK(same_bits(all->at(0).vector, {1.0F, -2.5F, std::ldexp(1.0F, -24)}));

    all = read(dir, npy("'|b1'", false, "(1, 3)", std::string("\1\0\1", 3)));
    REQUIRE(all);
    CHECK(same_bits(all->at(0).vector, {1, 0, 1}));
}

TEST_CASE("numbers that a float can't hold are rounded to the nearest and counted") {
    temporary_directory const dir;
    auto const path = dir.file("x.npy", npy("'<f8'", false, "(2, 3)",
                                            bytes(0.1) + bytes(0.5) + bytes(-1e300) + bytes(1.0) +
                                                bytes(std::nan("")) + bytes(16777217.0)));
    auto source = array_source::try_open(path, array_format::npy);
    REQUIRE(source);
    CHECK(source->describe()->losses.empty());
    auto const all = records_of(*source);
    REQUIRE(all);
    CHECK(same_bits(all->at(0).vector, {0.1F, 0.5F, -std::numeric_limits<float>::infinity()}));
    CHECK(all->at(1).vector[2] == 16777216.0F);
    auto const said = source->describe();
    REQUIRE(said->losses.size() == 1);
    CHECK(said->losses[0].starts_with("3 numbers"));

    auto const integers =
        dir.file("i.npy", npy("'<i8'", false, "(1, 3)",
                              bytes<std::int64_t>(std::int64_t{1} << 62) +
                                  bytes<std::int64_t>((std::int64_t{1} << 53) + 1) +
                                  bytes<std::int64_t>((std::numeric_limits<std::int64_t>::min)())));
    auto again = array_source::try_open(integers, array_format::npy);
    REQUIRE(again);
    REQUIRE(records_of(*again));
    CHECK(again->describe()->losses.at(0).starts_with("1 numbers"));
}

TEST_CASE("headers of .npy versions 2 and 3, Python 2 lengths and empty arrays are read") {
    temporary_directory const dir;
    CHECK(read(dir, npy("'<f4'", false, "(1L, 1L)", bytes(2.0F), 2))->size() == 1);
    CHECK(read(dir, npy("\"<f4\"", false, "(1,1)", bytes(2.0F), 3))->size() == 1);
    CHECK(read(dir, npy("'<f4'", false, "(0, 5)", ""))->empty());
    CHECK(read(dir, npy("'<f4'", true, "(0, 5)", ""))->empty());
}

TEST_CASE("an .npy that is no matrix of numbers is refused and says what it is") {
    temporary_directory const dir;
    auto const refused = [&dir](std::string const& content, errc code, std::string const& said) {
        auto const got = read(dir, content);
        REQUIRE(!got);
        CAPTURE(got.error().message());
        CHECK(got.error().code() == code);
        CHECK(got.error().message().find(said) != std::string::npos);
        CHECK(got.error().message().find("x.bin") != std::string::npos);
    };
    refused(npy("'|O'", false, "(2,)", "pickle"), errc::unsupported, "Python objects");
    refused(npy("'<f4'", false, "(2,)", bytes(1.0)), errc::unsupported, "two dimensions");
    refused(npy("'<f4'", false, "()", bytes(1.0F)), errc::unsupported, "two dimensions");
    refused(npy("'<f4'", false, "(1, 2, 1)", bytes(1.0)), errc::unsupported, "two dimensions");
    refused(npy("'<c8'", false, "(1, 1)", bytes(1.0)), errc::unsupported, "complex64");
    refused(npy("[('a', '<f4')]", false, "(1,)", bytes(1.0F)), errc::unsupported, "records");
    refused(npy("'<f4'", false, "(2, 70000)", ""), errc::limit_exceeded, "65536");
    refused(npy("'<f4'", false, "(2, 2)", bytes(1.0)), errc::corrupt_source, "2 rows");
    refused(npy("'<f4'", false, "(1, 1)", bytes(1.0)), errc::corrupt_source, "1 rows");
    refused(npy("'<f4'", false, "(18446744073709551615, 60000)", ""), errc::corrupt_source, "rows");
    refused(npy("'<f4'", false, "(184467440737095516150, 1)", ""), errc::corrupt_source, "header");
    refused(npy("'<f4'", true, "(3, 0)", ""), errc::corrupt_source, "element");
    refused(npy("'<'", false, "(1, 1)", ""), errc::corrupt_source, "header");
    refused(npy("''", false, "(1, 1)", ""), errc::corrupt_source, "header");
    refused("\x93NUMP", errc::foreign_file, "signature");
    refused(std::string("\x93NUMPY\1\0", 8), errc::corrupt_source, "header");
    refused(std::string("\x93NUMPY\x9\0\0\0", 10), errc::unsupported, "version");
}

TEST_CASE("TEXMEX files give their rows and refuse rows of another length") {
    temporary_directory const dir;
    auto const d = [](std::int32_t n) { return bytes(n); };
    auto all = read(dir, d(2) + bytes(1.5F) + bytes(-2.F) + d(2) + bytes(0.F) + bytes(3.F),
                    array_format::fvecs);
    REQUIRE(all);
    REQUIRE(all->size() == 2);
    CHECK(same_bits(all->at(0).vector, {1.5F, -2.F}));
    CHECK(same_bits(all->at(1).vector, {0.F, 3.F}));
    all = read(dir, d(3) + "\x01\x80\xff", array_format::bvecs);
    REQUIRE(all);
    CHECK(same_bits(all->at(0).vector, {1, 128, 255}));
    all = read(dir, d(2) + d(-7) + d(8), array_format::ivecs);
    REQUIRE(all);
    CHECK(same_bits(all->at(0).vector, {-7, 8}));
    CHECK(read(dir, "", array_format::fvecs)->empty());

    auto const other = read(dir, d(1) + bytes(1.F) + d(2) + bytes(1.F), array_format::fvecs);
    REQUIRE(!other);
    CHECK(other.error().code() == errc::corrupt_source);
    CHECK(other.error().message().find("row 1") != std::string::npos);
    CHECK(read(dir, d(1) + bytes(1.F) + d(1), array_format::fvecs).error().code() ==
          errc::corrupt_source);
    CHECK(read(dir, d(-1), array_format::fvecs).error().code() == errc::foreign_file);
    CHECK(read(dir, "abc", array_format::fvecs).error().code() == errc::foreign_file);
}

TEST_CASE("files of the Big-ANN benchmarks give their rows and check their size") {
    temporary_directory const dir;
    auto const head = bytes<std::uint32_t>(2) + bytes<std::uint32_t>(2);
    auto all = read(dir, head + "\x01\x80\xff\x02", array_format::i8bin);
    REQUIRE(all);
    CHECK(same_bits(all->at(0).vector, {1, -128}));
    CHECK(same_bits(all->at(1).vector, {-1, 2}));
    all = read(dir, head + "\x01\x80\xff\x02", array_format::u8bin);
    REQUIRE(all);
    CHECK(same_bits(all->at(0).vector, {1, 128}));
    CHECK(read(dir, head + "\x01\x80\xff", array_format::u8bin).error().code() ==
          errc::corrupt_source);
    CHECK(read(dir, head + "12345", array_format::u8bin).error().code() == errc::corrupt_source);
    CHECK(read(dir, head.substr(0, 7), array_format::fbin).error().code() == errc::foreign_file);
}

TEST_CASE("ids of rows come from a text file or an .npy array, one a row") {
    temporary_directory const dir;
    auto const path = dir.file("x.npy", six<float>("f4", false, false));
    auto const with = [&path](std::string const& ids) {
        return records_of(array_source::try_open(path, array_format::npy, {.ids = ids}));
    };
    auto all = with(dir.file("ids.txt", "first id\r\nzweite Nächte"));
    REQUIRE(all);
    CHECK(all->at(0).id == "first id");
    CHECK(all->at(1).id == "zweite Nächte");
    all = with(
        dir.file("ids.npy", npy("'>u8'", false, "(2,)",
                                bytes(~std::uint64_t{0}, true) + bytes(std::uint64_t{7}, true))));
    REQUIRE(all);
    CHECK(all->at(0).id == "18446744073709551615");
    CHECK(all->at(1).id == "7");
    std::string text;
    for (std::uint32_t const c : {0x61U, 0U, 0x1f600U, 0xe9U}) text += bytes(c);
    all = with(dir.file("text.npy", npy("'<U2'", false, "(2,)", text)));
    REQUIRE(all);
    CHECK(all->at(0).id == "a");
    CHECK(all->at(1).id == "\xf0\x9f\x98\x80\xc3\xa9");

    CHECK(with(dir.file("few.txt", "one\n")).error().code() == errc::corrupt_source);
    CHECK(with(dir.file("many.txt", "1\n2\n3\n")).error().code() == errc::corrupt_source);
    CHECK(with(dir.path("absent")).error().code() == errc::not_found);
    CHECK(with(dir.file("f.npy", npy("'<f4'", false, "(2,)", bytes(1.0)))).error().code() ==
          errc::invalid_id);
}

TEST_CASE("an array can be read again from its first row") {
    temporary_directory const dir;
    for (bool const fortran : {false, true}) {
        auto source = array_source::try_open(dir.file("x.npy", six<float>("f4", fortran, false)),
                                             array_format::npy, {.metric = "cosine"});
        REQUIRE(source);
        auto const said = source->describe();
        CHECK(said->dim == 3);
        CHECK(said->records == 2);
        CHECK(said->metric == "cosine");
        CHECK(said->description.starts_with("npy:"));
        std::vector<record> batch;
        REQUIRE(source->read(batch, 1));
        REQUIRE(batch.size() == 1);
        REQUIRE(source->rewind());
        CHECK(records_of(*source)->size() == 2);
    }
}

TEST_CASE("a matrix in Fortran order that needs several blocks comes out as in C order") {
    temporary_directory const dir;
    constexpr std::size_t rows = 700;
    constexpr std::size_t dim = 6000; // 174 rows a block
    std::string across;
    std::string down;
    for (std::size_t i = 0; i < rows * dim; ++i) across += bytes(static_cast<std::uint16_t>(i * 7));
    for (std::size_t c = 0; c < dim; ++c)
        for (std::size_t r = 0; r < rows; ++r)
            down += bytes(static_cast<std::uint16_t>((r * dim + c) * 7));
    auto const a = read(dir, npy("'<u2'", false, "(700, 6000)", across));
    auto const b = read(dir, npy("'<u2'", true, "(700, 6000)", down));
    REQUIRE(a);
    REQUIRE(b);
    REQUIRE(b->size() == rows);
    bool same = true;
    for (std::size_t i = 0; i < rows; ++i)
        same = same && same_bits(a->at(i).vector, b->at(i).vector);
    CHECK(same);
}

TEST_CASE("an array that is unpacked on the way is read to the end that its header gives") {
    temporary_directory const dir;
    // Stands for any packing: every bit turned over.
    struct turned final : backend::input {
        explicit turned(std::unique_ptr<backend::input> from) : in(std::move(from)) {}
        result<std::size_t> read(void* to, std::size_t most) override {
            auto const got = in->read(to, most);
            for (std::size_t i = 0; got && i < *got; ++i)
                static_cast<unsigned char*>(to)[i] ^= 0xffU;
            return got;
        }
        std::string const& path() const noexcept override { return in->path(); }
        std::unique_ptr<backend::input> in;
    };
    backend::input_opener const open =
        [](std::string const& path) -> result<std::unique_ptr<backend::input>> {
        auto in = backend::open_file(path);
        if (!in) return in.error();
        return std::unique_ptr<backend::input>(std::make_unique<turned>(*std::move(in)));
    };
    auto const with = [&](std::string content, array_format format) {
        for (auto& c : content) c = static_cast<char>(~c);
        return array_source::try_open(dir.file("x.packed", content), format, {.open = open});
    };
    auto npy = with(six<float>("f4", false, false), array_format::npy);
    REQUIRE(npy);
    CHECK(npy->describe()->records == 2);
    CHECK(records_of(*npy)->size() == 2);
    auto fvecs = with(bytes(1) + bytes(1.F) + bytes(1) + bytes(2.F), array_format::fvecs);
    REQUIRE(fvecs);
    CHECK_FALSE(fvecs->describe()->records);
    CHECK(same_bits(records_of(*fvecs)->at(1).vector, {2}));
    // What is missing only reading tells.
    auto cut = with(bytes(3) + bytes(1) + bytes(1.0), array_format::fbin);
    REQUIRE(cut);
    auto const got = records_of(*cut);
    REQUIRE(!got);
    CHECK(got.error().code() == errc::corrupt_source);
    CHECK(got.error().message().find("row 2") != std::string::npos);
    CHECK(with(six<float>("f4", true, false), array_format::npy).error().code() ==
          errc::unsupported);
}

TEST_CASE("damaged arrays are read or refused, never more") {
    temporary_directory const dir;
    for (auto const& [content, format] :
         {std::pair{six<double>("f8", false, false), array_format::npy},
          std::pair{six<float>("f4", true, true), array_format::npy},
          std::pair{bytes(1) + bytes(1.F) + bytes(1) + bytes(2.F), array_format::fvecs},
          std::pair{bytes(1) + bytes(2) + bytes(1.0), array_format::fbin}})
        vicinal_test::damaged(content, 400, 5, [&, format = format](std::string const& bad) {
            auto const got = read(dir, bad, format);
            if (got) CHECK(got->size() <= bad.size());
        });
}

TEST_CASE("the shared measuring data are read as they lie") {
    auto const fixtures = vicinal_test::shared_fixture("README.md");
    if (fixtures.empty()) return;
    auto const path = fixtures.substr(0, fixtures.rfind("/fixtures/")) + "/data/minilm.query.fbin";
    auto source = array_source::try_open(path, array_format::fbin);
    REQUIRE(source);
    CHECK(source->describe()->records == 300);
    CHECK(source->describe()->dim == 384);
    auto const all = records_of(*source);
    REQUIRE(all);
    auto const raw = vicinal_test::bytes_of(path);
    REQUIRE(all->size() == 300);
    std::string vectors;
    for (auto const& r : *all)
        vectors.append(reinterpret_cast<char const*>(r.vector.data()), 4 * r.vector.size());
    CHECK(vectors == raw.substr(8));
}

} // namespace array_source_test

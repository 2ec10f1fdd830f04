// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/shared_fixture.hpp"
#include "support/source_records.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/migrate/arrays/numpy_folder.hpp>

#include <filesystem>
#include <fstream>
#include <string>

namespace numpy_folder_test {

using namespace vicinal;
using backend::numpy_folder;
using vicinal_test::records_of;
using vicinal_test::same_bits;

static_assert(basic_source<numpy_folder>);

namespace {

/// An .npy array of one dimension or two.
std::string npy(std::string const& descr, std::string const& shape, std::string const& items) {
    std::string header =
        "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
    std::string out("\x93NUMPY\1\0", 8);
    out.push_back(static_cast<char>(header.size()));
    out.push_back('\0');
    return out + header + items;
}

std::string floats(std::initializer_list<float> list) {
    std::string s;
    for (float const f : list) s.append(reinterpret_cast<char const*>(&f), sizeof f);
    return s;
}

} // namespace

TEST_CASE("a folder of NumPy files as Milvus takes them gives ids, vectors and fields") {
    auto const path = vicinal_test::shared_fixture("exports/milvus/numpy");
    if (path.empty()) return;
    auto source = numpy_folder::try_open(path, {.vector = "vector"});
    REQUIRE(source);
    auto const said = source->describe();
    CHECK(said->dim == 4);
    CHECK(said->records == 3);
    REQUIRE(said->losses.size() == 1);
    CHECK(said->losses[0].find("vector_f64") != std::string::npos);
    auto const all = records_of(*source);
    REQUIRE(all);
    REQUIRE(all->size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
        auto const& r = all->at(i);
        auto const first = static_cast<float>(4 * i);
        CHECK(r.id == std::to_string(i + 1));
        CHECK(same_bits(r.vector, {first, first + 1, first + 2, first + 3}));
        CHECK(r.payload.size() == 1);
    }
    CHECK(all->at(0).payload == fields{{"title", "abc"}});
    CHECK(all->at(1).payload == fields{{"title", "ünï日本"}});
    CHECK(all->at(2).payload == fields{{"title", ""}});

    auto const doubles = records_of(numpy_folder::try_open(path, {.vector = "vector_f64"}));
    REQUIRE(doubles);
    CHECK(same_bits(doubles->at(2).vector, all->at(2).vector));

    auto const unsure = numpy_folder::try_open(path);
    REQUIRE(!unsure);
    CHECK(unsure.error().code() == errc::invalid_argument);
    CHECK(unsure.error().message().find("vector, vector_f64") != std::string::npos);
    CHECK(numpy_folder::try_open(path, {.vector = "title"}).error().code() == errc::not_found);
}

TEST_CASE("fields of a NumPy folder keep their kinds, and what can't be read is named") {
    vicinal_test::temporary_directory const dir;
    (void)dir.file("v.npy", npy("<f4", "(2, 1)", floats({1, 2})));
    (void)dir.file("real.npy", npy("<f4", "(2,)", floats({0.5F, -1})));
    (void)dir.file("yes.npy", npy("|b1", "(2,)", std::string("\1\0", 2)));
    (void)dir.file("big.npy", npy("<u8", "(2,)", std::string(8, '\xff') + std::string(8, '\0')));
    (void)dir.file("name.npy", npy("|S3", "(2,)", std::string("ab\0xyz", 6)));
    (void)dir.file("tags.npy", npy("|O", "(2,)", "pickle"));
    (void)dir.file("other.txt", "not read");
    auto source = numpy_folder::try_open(dir.path(""), {.id = "name"});
    REQUIRE(source);
    auto const said = source->describe();
    REQUIRE(said->losses.size() == 1);
    CHECK(said->losses[0].find("tags") != std::string::npos);
    CHECK(said->losses[0].find("Python objects") != std::string::npos);
    auto const all = records_of(*source);
    REQUIRE(all);
    CHECK(all->at(0).id == "ab");
    CHECK(all->at(1).id == "xyz");
    CHECK(all->at(0).payload ==
          fields{{"real", 0.5}, {"yes", true}, {"big", 18446744073709551615.0}});
    CHECK(all->at(1).payload == fields{{"real", -1.0}, {"yes", false}, {"big", 0}});

    // Without "id" or "pk", rows are numbered.
    auto const numbered = records_of(numpy_folder::try_open(dir.path("")));
    REQUIRE(numbered);
    CHECK(numbered->at(1).id == "1");
    CHECK(numbered->at(1).payload.contains("name"));

    (void)dir.file("short.npy", npy("<f4", "(1,)", floats({1})));
    auto const uneven = numpy_folder::try_open(dir.path(""));
    REQUIRE(!uneven);
    CHECK(uneven.error().code() == errc::corrupt_source);
    CHECK(uneven.error().message().find("short") != std::string::npos);
}

TEST_CASE("a folder without vectors is no source") {
    vicinal_test::temporary_directory const dir;
    CHECK(numpy_folder::try_open(dir.path("")).error().code() == errc::foreign_file);
    CHECK(numpy_folder::try_open(dir.path("absent")).error().code() == errc::not_found);
}

} // namespace numpy_folder_test

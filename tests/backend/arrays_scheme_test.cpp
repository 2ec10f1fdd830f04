// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/binary.hpp"
#include "support/shared_fixture.hpp"
#include "support/source_records.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/backend/arrays_scheme.hpp>
#include <vicinal/backend/look_at.hpp>

#include <cstdint>
#include <string>

namespace arrays_scheme_test {

using namespace vicinal;
using vicinal_test::bytes;
using vicinal_test::records_of;
using vicinal_test::temporary_directory;

namespace {

backend::registry arrays() {
    backend::registry r;
    backend::add_arrays(r);
    return r;
}

std::string npy(std::string const& descr, std::string const& shape, std::string const& items) {
    std::string header =
        "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
    std::string out("\x93NUMPY\1\0", 8);
    out.push_back(static_cast<char>(header.size()));
    out.push_back('\0');
    return out + header + items;
}

} // namespace

TEST_CASE("a file of arrays is recognised, and what the guess names opens it") {
    temporary_directory const dir;
    auto const r = arrays();
    auto const opened = [&](std::string const& path, int certainty) {
        auto const guess = backend::try_recognise(r, path);
        REQUIRE(guess);
        REQUIRE(*guess);
        CAPTURE(path, (*guess)->what);
        CHECK((*guess)->certainty == certainty);
        auto source = r.try_open_source((*guess)->uri);
        REQUIRE(source);
        return records_of(*source)->size();
    };
    CHECK(opened(dir.file("a?b%.npy", npy("<f4", "(1, 2)", bytes(1.0))), 100) == 1);
    CHECK(opened(dir.file("x.fvecs", bytes(1) + bytes(1.F)), 50) == 1);
    CHECK(opened(dir.file("x.BVECS", bytes(2) + "ab" + bytes(2) + "cd"), 50) == 2);
    CHECK(opened(dir.file("x.fbin", bytes(2) + bytes(1) + bytes(1.0)), 50) == 2);
    CHECK(opened(dir.file("x.i8bin", bytes(1) + bytes(3) + "abc"), 50) == 1);
    CHECK(opened(dir.file("empty.ivecs", ""), 10) == 0);

    auto const folder = vicinal_test::shared_fixture("exports/milvus/numpy");
    if (folder.empty()) return;
    auto const guess = backend::try_recognise(r, folder);
    REQUIRE(*guess);
    CHECK((*guess)->what == "a folder of 4 NumPy fields");
    auto source = r.try_open_source((*guess)->uri + "?vector=vector");
    REQUIRE(source);
    CHECK(records_of(*source)->size() == 3);
}

TEST_CASE("other files are not taken for arrays, and arrays that can't be read get advice") {
    temporary_directory const dir;
    auto const r = arrays();
    CHECK(!*backend::try_recognise(r, dir.file("x.bin", "text")));
    CHECK(!*backend::try_recognise(r, dir.file("x.fbin", std::string(100, '\xff'))));
    CHECK(!*backend::try_recognise(r, dir.path("")));
    CHECK((*backend::try_recognise(r, dir.file("y.fbin", bytes(9) + bytes(1))))->certainty == 10);
    auto const objects = *backend::try_recognise(r, dir.file("it's.npy", npy("|O", "(3,)", "")));
    REQUIRE(objects);
    CHECK(objects->uri.empty());
    CHECK(objects->what == "a NumPy array of Python objects, 3");
    CHECK(objects->advice.find("allow_pickle=True") != std::string::npos);
    CHECK(objects->advice.find("it'\\''s.npy'") != std::string::npos);
    auto const archive = *backend::try_recognise(r, dir.file("x.npz", "PK\3\4 and so on"));
    REQUIRE(archive);
    CHECK(archive->uri.empty());
    CHECK(archive->advice.find("n.load(p).items()") != std::string::npos);
}

TEST_CASE("parameters of an array's URI are its ids and its metric, and no others") {
    temporary_directory const dir;
    auto const r = arrays();
    auto const path = dir.file("x.npy", npy("<f4", "(1, 1)", bytes(1.F)));
    auto const ids = dir.file("ids", "name\n");
    auto source = r.try_open_source("npy:" + path + "?metric=cosine&ids=" + ids);
    REQUIRE(source);
    CHECK(source->describe()->metric == "cosine");
    CHECK(records_of(*source)->at(0).id == "name");
    CHECK(r.try_open_source("npy:" + path + "?id=x").error().code() == errc::invalid_uri);
    CHECK(r.try_open_source("npy:" + dir.path("") + "?ids=x").error().code() == errc::invalid_uri);
    CHECK(r.try_open_source("fbin:" + path + "?x=1").error().code() == errc::invalid_uri);
}

} // namespace arrays_scheme_test

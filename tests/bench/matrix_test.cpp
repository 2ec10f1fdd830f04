// SPDX-License-Identifier: MIT
#include "../../bench/matrix.hpp"
#include "catch.hpp"
#include "support/temporary_directory.hpp"

using namespace std::string_literals;
using vicinal_test::temporary_directory;

namespace {

/// Two rows of three.
std::string const head = "\2\0\0\0\3\0\0\0"s;

std::string refusal_of(std::string const& path) {
    try {
        static_cast<void>(bench::read_matrix(path));
    } catch (std::runtime_error const& e) {
        return e.what();
    }
    return "none";
}

} // namespace

TEST_CASE("bytes of a u8bin file become floats, row by row", "[bench]") {
    temporary_directory dir;
    auto const m = bench::read_matrix(dir.file("a.u8bin", head + "\1\2\3\4\5\377"s));
    CHECK(m.rows == 2);
    CHECK(m.columns == 3);
    CHECK(m.row(0)[2] == 3.0F);
    CHECK(m.row(1)[2] == 255.0F);
}

TEST_CASE("floats of an fbin file are taken as they are", "[bench]") {
    temporary_directory dir;
    float const values[] = {1.5F, -2, 3, 4, 5, 1e30F};
    std::string const bytes(reinterpret_cast<char const*>(values), sizeof values);
    CHECK(bench::read_matrix(dir.file("a.fbin", head + bytes)).data ==
          std::vector<float>(values, values + 6));
}

TEST_CASE("no more rows are read than are wanted", "[bench]") {
    temporary_directory dir;
    auto const path = dir.file("a.u8bin", head + "\1\2\3\4\5\6"s);
    CHECK(bench::read_matrix(path, 1).data == std::vector<float>{1, 2, 3});
    CHECK(bench::read_matrix(path, 9).rows == 2);
}

TEST_CASE("a file that is shorter than its head says is refused by name", "[bench]") {
    temporary_directory dir;
    for (auto const& content :
         {"\2\0"s, head, head + "\1\2\3\4\5"s, "\377\377\377\377\377\377\377\377"s}) {
        CAPTURE(content.size());
        CHECK(refusal_of(dir.file("a.u8bin", content)).find("a.u8bin") != std::string::npos);
    }
    CHECK(refusal_of(dir.path("none.fbin")).find("none.fbin") != std::string::npos);
}

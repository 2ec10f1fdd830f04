// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/shared_fixture.hpp"
#include "support/source_records.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/migrate/graphs/hnswlib.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace hnswlib_test {

using namespace vicinal;
using backend::hnswlib_source;
using vicinal_test::bytes_of;
using vicinal_test::records_of;
using vicinal_test::same_bits;
using vicinal_test::shared_fixture;

static_assert(basic_source<hnswlib_source>);

namespace {

constexpr std::size_t dim = 16;

std::vector<float> vector_of(std::string const& vectors, std::size_t row) {
    std::vector<float> v(dim);
    std::memcpy(v.data(), vectors.data() + row * dim * sizeof(float), dim * sizeof(float));
    return v;
}

} // namespace

TEST_CASE("graphs and rows of hnswlib give labels and vectors bit for bit") {
    auto const folder = shared_fixture("faiss-hnswlib");
    if (folder.empty()) return;
    auto const vectors = bytes_of(folder + "/vectors.f32");
    for (std::string const name : {"hnswlib_l2", "hnswlib_ip", "hnswlib_bruteforce"}) {
        CAPTURE(name);
        auto source = hnswlib_source::try_open(folder + "/" + name + ".bin",
                                               {.metric = "squared_l2", .dim = dim});
        REQUIRE(source);
        auto const said = source->describe();
        CHECK(said->dim == dim);
        CHECK(said->records == 1000);
        CHECK(said->metric == "squared_l2");
        CHECK(said->losses.empty());
        auto const all = records_of(*source, 300);
        REQUIRE(all);
        REQUIRE(all->size() == 1000);
        std::size_t const step = name == "hnswlib_bruteforce" ? 2 : 1;
        for (std::size_t i = 0; i < 1000; ++i) {
            REQUIRE(all->at(i).id == std::to_string(step * i));
            REQUIRE(same_bits(all->at(i).vector, vector_of(vectors, i)));
        }
        REQUIRE(source->rewind());
        CHECK(records_of(*source)->size() == 1000);
    }
}

TEST_CASE("rows that hnswlib has marked as deleted are passed over") {
    auto const folder = shared_fixture("faiss-hnswlib");
    if (folder.empty()) return;
    auto const vectors = bytes_of(folder + "/vectors.f32");
    auto source = hnswlib_source::try_open(folder + "/hnswlib_deleted.bin");
    REQUIRE(source);
    CHECK(source->describe()->records == 900);
    CHECK(source->describe()->metric.empty());
    auto const all = records_of(*source);
    REQUIRE(all);
    REQUIRE(all->size() == 900);
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        if (i % 10 == 0) continue;
        REQUIRE(all->at(at).id == std::to_string(i * 7919 + (std::uint64_t{1} << 40)));
        REQUIRE(same_bits(all->at(at).vector, vector_of(vectors, i)));
        ++at;
    }
}

TEST_CASE("what is no index of hnswlib, or no whole one, is refused") {
    auto const folder = shared_fixture("faiss-hnswlib");
    if (folder.empty()) return;
    vicinal_test::temporary_directory const dir;
    auto const code = [](std::string const& path) {
        auto const source = hnswlib_source::try_open(path);
        REQUIRE(!source);
        CHECK(source.error().message().find(path) != std::string::npos);
        return source.error().code();
    };
    CHECK(code(folder + "/flat_l2.faiss") == errc::foreign_file);
    CHECK(code(folder + "/vectors.f32") == errc::foreign_file);
    CHECK(code(dir.file("empty", "")) == errc::foreign_file);
    CHECK(code(dir.file("short", std::string(95, '\0'))) == errc::foreign_file);
    auto const whole = bytes_of(folder + "/hnswlib_l2.bin");
    CHECK(code(dir.file("links", whole.substr(0, whole.size() - 1))) == errc::corrupt_source);
    CHECK(code(dir.file("more", whole + "x")) == errc::corrupt_source);
    CHECK(code(dir.file("rows", whole.substr(0, 100'000))) == errc::foreign_file);
    auto const other = hnswlib_source::try_open(folder + "/hnswlib_l2.bin", {.dim = 64});
    CHECK(other.error().code() == errc::dimension_mismatch);
}

TEST_CASE("damaged files of hnswlib are read or refused, never more") {
    auto const folder = shared_fixture("faiss-hnswlib");
    if (folder.empty()) return;
    vicinal_test::temporary_directory const dir;
    for (std::string const name : {"hnswlib_deleted", "hnswlib_bruteforce"})
        vicinal_test::damaged(bytes_of(folder + "/" + name + ".bin"), 200, 11,
                              [&dir](std::string const& bad) {
                                  auto const path = dir.file("x.bin", bad);
                                  auto const got = records_of(hnswlib_source::try_open(path));
                                  if (got) CHECK(got->size() <= 1500);
                              });
}

} // namespace hnswlib_test

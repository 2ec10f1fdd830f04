// SPDX-License-Identifier: MIT
#include "contract/sink.hpp"
#include "support/shared_fixture.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/backend/json_arrays_scheme.hpp>
#include <vicinal/migrate/json/array_sink.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace array_sink_test {

using namespace vicinal;
using namespace vicinal_test;
using backend::array_format;
using backend::array_records;
using backend::array_sink;

static_assert(basic_sink<array_sink>);
static_assert(basic_source<array_records>);

namespace {

template <class T>
errc code_of(result<T> const& r) {
    REQUIRE_FALSE(r);
    return r.error().code();
}

} // namespace

TEST_CASE("arrays with a side file keep everything that a sink must keep") {
    temporary_directory const dir;
    for (auto const format : {array_format::npy, array_format::fbin}) {
        auto const path = dir.path("x." + std::string(backend::name_of(format)));
        auto sink = array_sink::try_open(path, format);
        REQUIRE(sink);
        CHECK(sink->side() == dir.path("x.jsonl"));
        check_sink_contract(*sink);
        CHECK(std::filesystem::exists(path));
        CHECK_FALSE(std::filesystem::exists(path + ".tmp"));
        CHECK_FALSE(std::filesystem::exists(sink->side() + ".tmp"));
        // The array alone is a file as any other.
        auto alone = backend::array_source::try_open(path, format);
        REQUIRE(alone);
        CHECK(alone->describe()->records == 50);
        std::filesystem::remove(path);
        std::filesystem::remove(sink->side());
    }
}

TEST_CASE("a written .npy has the bytes that NumPy writes for it") {
    temporary_directory const dir;
    auto sink = array_sink::try_open(dir.path("x.npy"));
    REQUIRE(sink);
    REQUIRE(sink->begin({}));
    REQUIRE(sink->write(std::vector<record>{{"a", {1, 2}, {}}, {"b", {-0.F, 3}, {{"k", 1}}}}));
    REQUIRE(sink->finish());
    std::string head = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }";
    head.resize(117, ' ');
    auto const bytes = bytes_of(dir.path("x.npy"));
    CHECK(bytes.substr(0, 128) == std::string("\x93NUMPY\1\0\x76\0", 10) + head + "\n");
    CHECK(bytes.size() == 128 + 16);
    CHECK(bytes_of(dir.path("x.jsonl")) == "{\"id\":\"a\",\"payload\":{}}\n"
                                           "{\"id\":\"b\",\"payload\":{\"k\":1}}\n");
}

TEST_CASE("records written again, also within a batch, leave neither row nor line") {
    temporary_directory const dir;
    auto sink = array_sink::try_open(dir.path("x.fbin"), array_format::fbin);
    REQUIRE(sink);
    REQUIRE(sink->begin({}));
    REQUIRE(sink->write(std::vector<record>{{"a", {1}, {}}, {"a", {2}, {}}, {"b", {3}, {}}}));
    REQUIRE(sink->write(std::vector<record>{{"b", {4}, {}}, {"c", {5}, {}}, {"a", {6}, {}}}));
    REQUIRE(sink->finish());
    auto back = sink->reopen();
    REQUIRE(back);
    check_source_contract(*back, {{"b", {4}, {}}, {"c", {5}, {}}, {"a", {6}, {}}});
    CHECK(back->describe()->records == 3);
}

TEST_CASE("no records make an empty array that is read back") {
    temporary_directory const dir;
    for (auto const format : {array_format::npy, array_format::fbin})
        for (std::size_t const dim : {std::size_t{0}, std::size_t{4}}) {
            auto sink = array_sink::try_open(dir.path("x"), format);
            REQUIRE(sink);
            schema s;
            s.dim = dim;
            REQUIRE(sink->begin(s));
            REQUIRE(sink->finish());
            auto back = sink->reopen();
            REQUIRE(back);
            check_source_contract(*back, {});
        }
}

TEST_CASE("an array sink refuses what an array has no place for, and writes nothing of it") {
    temporary_directory const dir;
    auto sink = array_sink::try_open(dir.path("x.npy"));
    REQUIRE(sink);
    CHECK(code_of(sink->write({})) == errc::invalid_argument);
    CHECK(code_of(sink->finish()) == errc::invalid_argument);
    REQUIRE(sink->begin({}));
    CHECK(code_of(sink->write(std::vector<record>{{"a", {}, {}}})) == errc::dimension_mismatch);
    CHECK(code_of(sink->write(std::vector<record>{{"a", {1}, {}}, {"b", {1, 2}, {}}})) ==
          errc::dimension_mismatch);
    CHECK(code_of(sink->write(std::vector<record>{{"", {1}, {}}})) == errc::empty_id);
    CHECK(code_of(sink->write(std::vector<record>{{"\xff", {1}, {}}})) == errc::invalid_id);
    REQUIRE(sink->write(std::vector<record>{{"a", {1, 2, 3}, {}}}));
    REQUIRE(sink->finish());
    auto back = sink->reopen();
    REQUIRE(back);
    check_source_contract(*back, {{"a", {1, 2, 3}, {}}});
    CHECK(code_of(array_sink::try_open("")) == errc::invalid_argument);
    CHECK(code_of(array_sink::try_open("x", array_format::bvecs)) == errc::invalid_argument);
    auto nowhere = array_sink::try_open(dir.path("absent/x.npy"));
    REQUIRE(nowhere);
    CHECK(code_of(nowhere->begin({})) == errc::not_found);
}

TEST_CASE("payloads come from JSON Lines beside an array, one object a row") {
    temporary_directory const dir;
    auto const array = dir.file("x.bvecs", std::string("\1\0\0\0a\1\0\0\0b", 10));
    auto const with = [&](std::string const& payload, std::string const& ids = {}) {
        auto source = array_records::try_open(array, array_format::bvecs,
                                              {.array = {.ids = ids}, .payload = payload});
        REQUIRE(source);
        return source;
    };
    auto const lines = dir.file("p.jsonl", "{\"k\": [1, null]}\n\n{\"id\": \"kept\"}");
    auto source = with(lines, dir.file("ids", "one\ntwo\n"));
    check_source_contract(*source, {{"one", {97}, {{"k", value::array{1, nullptr}}}},
                                    {"two", {98}, {{"id", "kept"}}}});
    std::vector<record> batch;
    auto few = with(dir.file("few.jsonl", "{}\n"));
    CHECK(code_of(few->read(batch, 5)) == errc::corrupt_source);
    auto more = with(dir.file("more.jsonl", "{}\n{}\n{}\n"));
    REQUIRE(more->read(batch, 5));
    CHECK(code_of(more->read(batch, 5)) == errc::corrupt_source);
    auto wrong = with(dir.file("wrong.jsonl", "{}\n[]\n"));
    auto const refused = wrong->read(batch, 5);
    CHECK(code_of(refused) == errc::invalid_json);
    CHECK(refused.error().message().find("wrong.jsonl:2") != std::string::npos);
    CHECK(code_of(array_records::try_open(array, array_format::bvecs,
                                          {.payload = lines, .side = lines})) ==
          errc::invalid_argument);
}

TEST_CASE("the schemes of arrays with JSON write and read what a URI names") {
    temporary_directory const dir;
    backend::registry r;
    backend::add_json_arrays(r);
    auto const list = make_records(20, 3);
    schema incoming;
    incoming.dim = 3;
    for (std::string const name : {"npy", "fbin"}) {
        auto const uri = name + ":" + dir.path("y." + name);
        auto sink = r.try_open_sink(uri, incoming);
        REQUIRE(sink);
        REQUIRE(sink->begin(incoming));
        REQUIRE(sink->write(list));
        REQUIRE(sink->finish());
        auto back = r.try_open_source(uri + "?side=" + dir.path("y.jsonl"));
        REQUIRE(back);
        check_source_contract(*back, list);
    }
    CHECK(code_of(r.try_open_sink("u8bin:x", incoming)) == errc::unsupported);
    CHECK(code_of(r.try_open_sink("npy:x?ids=y", incoming)) == errc::invalid_uri);
}

} // namespace array_sink_test

// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/backend/json_scheme.hpp>
#include <vicinal/backend/jsonl_scheme.hpp>
#include <vicinal/backend/look_at.hpp>

#include <string>
#include <vector>

namespace json_scheme_test {

using namespace vicinal;
using vicinal_test::temporary_directory;

namespace {

backend::registry schemes() {
    backend::registry r;
    backend::add_json(r);
    backend::add_jsonl(r);
    return r;
}

std::vector<record> all_of(any_source& source) {
    std::vector<record> batch;
    auto const read = source.read(batch, 100);
    if (!read) FAIL(read.error().message());
    return batch;
}

} // namespace

TEST_CASE("a JSON file is recognised by the shape of its records and opened by what that says") {
    temporary_directory const d;
    auto const r = schemes();
    struct sample {
        char const* name;
        char const* text;
        char const* uri;
        char const* what;
        int certainty;
    };
    sample const samples[] = {
        {"a.json", R"({"result":{"points":[{"id":1,"vector":[1,2],"payload":{}}]}})",
         "json:", "JSON with points of Qdrant", 50},
        {"b.json", R"({"vectors":{"x":{"id":"x","values":[1]}},"namespace":""})",
         "json:", "JSON with vectors of Pinecone", 50},
        {"c.json", R"({"ids":["x"],"embeddings":[[1,2]]})",
         "json:", "JSON with a collection of Chroma", 50},
        {"d.jsonl", "{\"id\":1,\"embedding\":[1,2],\"text\":\"x\"}\n",
         "json:", "JSON with rows with id and vector", 50},
        {"e.jsonl", "{\"id\":1,\"vector\":[1,2],\"payload\":{\"a\":1}}\n",
         "jsonl:", "JSON Lines of records with id, vector and payload", 60},
        {"f.json", R"({"name":"a package","version":3})", "json:", "JSON", 10},
        {"g.json", R"({"vectors":[{"id":"x"}],"pagination":{"next":"y"}})", "",
         "a list of ids of Pinecone", 50},
        {"h?.json", R"([{"id":"x","vector":[1]}])", "json:", "JSON with rows with id and vector",
         50},
    };
    for (auto const& s : samples) {
        auto const path = d.file(s.name, s.text);
        CAPTURE(path);
        auto const seen = backend::try_recognise(r, path);
        REQUIRE(seen);
        REQUIRE(*seen);
        CHECK((*seen)->what == s.what);
        CHECK((*seen)->certainty == s.certainty);
        std::string const uri = s.uri;
        CHECK((*seen)->uri == (uri.empty() ? "" : uri + backend::escaped_path(path)));
        CHECK((*seen)->advice.empty() != uri.empty());
        if (s.certainty > 10 && !uri.empty()) {
            auto source = r.try_open_source((*seen)->uri);
            REQUIRE(source);
            CHECK(all_of(*source).size() == 1);
        }
    }
    auto const other = backend::try_recognise(r, d.file("x.txt", "some text"));
    REQUIRE(other);
    CHECK(!*other);
}

TEST_CASE("parameters of a JSON scheme choose vector, shape and files, and others are refused") {
    temporary_directory const d;
    auto const r = schemes();
    static_cast<void>(d.file(
        "p1.json", R"({"result":{"points":[{"id":1,"vector":{"a":[1],"b":[2]},"payload":{}}]}})"));
    static_cast<void>(d.file("other.json", "{}"));
    auto source = r.try_open_source("qdrant:" + d.path() + "?vector=b&files=p*.json");
    REQUIRE(source);
    auto const all = all_of(*source);
    REQUIRE(all.size() == 1);
    CHECK(all[0].vector == std::vector<float>{2});
    CHECK(source->describe()->description == "json:" + d.path() + " (qdrant)");
    CHECK(r.try_open_source("json:" + d.path() + "?shape=round").error().code() ==
          errc::invalid_uri);
    CHECK(r.try_open_source("json:" + d.path() + "?colour=red").error().code() ==
          errc::invalid_uri);
}

TEST_CASE("the schemes of systems write what these systems take") {
    temporary_directory const d;
    auto const r = schemes();
    std::vector<record> const records = {{"1", {1, 2}, {{"a", 1}}}, {"x", {3, 4}, {}}};
    for (char const* scheme : {"pinecone", "qdrant", "weaviate", "json"}) {
        auto const path = d.path(std::string(scheme) + ".jsonl");
        auto const more = std::string(scheme) == "json" ? "?shape=chroma&page=1" : "?page=1";
        auto sink = r.try_open_sink(std::string(scheme) + ":" + path + more, {});
        CAPTURE(scheme);
        if (!sink) FAIL(sink.error().message());
        REQUIRE(sink->begin({}));
        REQUIRE(sink->write(records));
        REQUIRE(sink->finish());
        auto const seen = backend::try_recognise(r, path);
        REQUIRE(seen);
        REQUIRE(*seen);
        CHECK((*seen)->certainty == 50);
        auto source = r.try_open_source((*seen)->uri);
        REQUIRE(source);
        auto const all = all_of(*source);
        REQUIRE(all.size() == 2);
        CHECK(all[1].id == "x");
        CHECK(all[1].vector == records[1].vector);
        CHECK(all[0].payload == records[0].payload);
    }
    auto const open = [&](std::string const& uri) {
        auto const sink = r.try_open_sink(uri, {});
        REQUIRE(!sink);
        return sink.error().code();
    };
    CHECK(open("qdrant:x?page=many") == errc::invalid_uri);
    CHECK(open("qdrant:x?page=0") == errc::invalid_argument);
    CHECK(open("qdrant:x?rows=yes") == errc::invalid_uri);
    CHECK(open("json:x") == errc::invalid_argument);
    CHECK(open("milvus:x") == errc::unsupported);
}

} // namespace json_scheme_test

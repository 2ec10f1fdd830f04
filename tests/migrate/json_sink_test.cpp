// SPDX-License-Identifier: MIT
#include "contract/sink.hpp"
#include "json_fixture.hpp"

#include <vicinal/migrate/json_sink.hpp>
#include <vicinal/migrate/migrate.hpp>

#include <limits>

namespace json_sink_test {

using namespace vicinal;
using backend::json_shape;
using backend::json_sink;
using json_fixture::read_all;
using vicinal_test::records_of;

static_assert(basic_sink<json_sink>);

namespace {

std::vector<record> const some = {
    {"7", {0.1F, -0.0F}, {{"a", 1}, {"document", "text"}, {"uri", "s3://x"}}},
    {"550e8400-e29b-41d4-a716-446655440000", {1e-30F, 3.4e+38F}, {}},
    {"doc \"1\" ünï", {1, 2}, {{"f", 0.1}, {"b", true}, {"list", {"x", "y"}}}},
    {"007", {3, 4}, {{"big", std::int64_t{9007199254740993}}}}};

std::string written(std::string const& path, backend::json_sink_options options,
                    std::vector<record> const& records) {
    auto sink = json_sink::try_open(path, std::move(options));
    REQUIRE(sink);
    REQUIRE(sink->begin({}));
    for (auto const& r : records) {
        auto const wrote = sink->write({&r, 1});
        if (!wrote) FAIL(wrote.error().message());
    }
    REQUIRE(sink->finish());
    return json_fixture::bytes_of(path);
}

errc refusal(json_shape shape, record const& r) {
    json_fixture::temporary_directory const d;
    auto sink = json_sink::try_open(d.path("x.jsonl"), {.shape = shape});
    REQUIRE(sink);
    auto const checked = sink->check({&r, 1});
    REQUIRE(sink->begin({}));
    auto const got = sink->write({&r, 1});
    REQUIRE(!got);
    REQUIRE(!checked);
    CHECK(checked.error().code() == got.error().code());
    return got.error().code();
}

} // namespace

TEST_CASE("a name's UUID of version 5 is the one that Python gives") {
    CHECK(detail::uuid5("a") == "d720e32d-4765-5177-b65b-42dd7f6e6445");
    std::string longer;
    for (int i = 0; i < 40; ++i) longer += "ünï";
    CHECK(detail::uuid5(longer) == "483cd19a-7c78-562f-81f1-34c1a5093bae");
    CHECK(detail::is_uuid(detail::uuid5("a")));
    CHECK(!detail::is_uuid("550E8400-e29b-41d4-a716-446655440000"));
    CHECK(detail::is_u64("18446744073709551615"));
    CHECK(!detail::is_u64("18446744073709551616"));
    CHECK(!detail::is_u64("007"));
}

TEST_CASE("what is written for each system reads back the same, in pages of any size") {
    for (auto const shape :
         {json_shape::pinecone, json_shape::qdrant, json_shape::weaviate, json_shape::chroma}) {
        for (std::size_t const page : {1U, 3U, 100U}) {
            json_fixture::temporary_directory const d;
            auto const path = d.path("out.jsonl");
            static_cast<void>(written(path, {.shape = shape, .page = page}, some));
            auto sink = json_sink::try_open(path, {.shape = shape});
            auto source = sink->reopen();
            REQUIRE(source);
            auto const got = records_of(*source);
            CAPTURE(name(shape), page);
            if (!got) FAIL(got.error().message());
            REQUIRE(got->size() == some.size());
            for (std::size_t i = 0; i < some.size(); ++i) {
                CAPTURE(i, (*got)[i].id);
                CHECK(json_fixture::same((*got)[i], some[i]));
            }
        }
    }
}

TEST_CASE("the pages are what the systems document as requests") {
    json_fixture::temporary_directory const d;
    auto const path = d.path("out.jsonl");
    std::vector<record> const two = {{"1", {0.5F}, {{"a", 1}}}, {"b", {2}, {}}};
    CHECK(written(path, {.shape = json_shape::pinecone, .collection = "n"}, two) ==
          R"({"vectors":[{"id":"1","values":[0.5],"metadata":{"a":1}},)"
          R"({"id":"b","values":[2],"metadata":{}}],"namespace":"n"})"
          "\n");
    CHECK(written(path, {.shape = json_shape::pinecone, .rows = true}, two) ==
          "{\"id\":\"1\",\"values\":[0.5],\"metadata\":{\"a\":1}}\n"
          "{\"id\":\"b\",\"values\":[2],\"metadata\":{}}\n");
    CHECK(written(path, {.shape = json_shape::qdrant, .page = 1}, two) ==
          "{\"points\":[{\"id\":1,\"vector\":[0.5],\"payload\":{\"a\":1}}]}\n"
          "{\"points\":[{\"id\":\"" +
              detail::uuid5("b") + "\",\"vector\":[2],\"payload\":{\"vicinal:id\":\"b\"}}]}\n");
    CHECK(written(path, {.shape = json_shape::weaviate, .collection = "Doc"}, {two[1]}) ==
          R"({"objects":[{"class":"Doc","id":")" + detail::uuid5("b") +
              R"(","properties":{"vicinal_id":"b"},"vector":[2]}]})"
              "\n");
    CHECK(written(path, {.shape = json_shape::chroma}, two) ==
          R"({"ids":["1","b"],"embeddings":[[0.5],[2]],"metadatas":[{"a":1},null],)"
          R"("documents":[null,null],"uris":[null,null]})"
          "\n");
}

TEST_CASE("what a system can't hold is changed as said, and then payloads are not compared") {
    json_fixture::temporary_directory const d;
    auto const path = d.path("out.jsonl");
    record const r = {
        "1", {1}, {{"n", nullptr}, {"o", fields{{"k", 1}}}, {"l", {1, "x"}}, {"Ä b", "v"}}};
    auto const read = [&] { return read_all(path)->front().payload; };
    static_cast<void>(written(path, {.shape = json_shape::pinecone}, {r}));
    fields const flat = {{"o", "{\"k\":1}"}, {"l", "[1,\"x\"]"}, {"Ä b", "v"}};
    CHECK(read() == flat);
    static_cast<void>(written(path, {.shape = json_shape::chroma}, {r}));
    CHECK(read() == flat);
    static_cast<void>(written(path, {.shape = json_shape::weaviate}, {r}));
    CHECK(read().find("___b") != nullptr);
    static_cast<void>(written(path, {.shape = json_shape::qdrant}, {r}));
    CHECK(read() == r.payload);

    auto sink = json_sink::try_open(path, {.shape = json_shape::pinecone});
    REQUIRE(sink->begin({}));
    CHECK(sink->traits().keeps_payloads);
    REQUIRE(sink->write({&r, 1}));
    CHECK(!sink->traits().keeps_payloads);
    CHECK(sink->losses({}).size() == 3);
    CHECK(detail::property_name("2nd Name") == "_2nd_Name");
    CHECK(detail::property_name("Title") == "title");
    CHECK(detail::property_name("id") == "id_");
}

TEST_CASE(
    "records that a system does not take are refused by name, and nothing of the batch stays") {
    CHECK(refusal(json_shape::pinecone, {"a", {}, {}}) == errc::unsupported);
    CHECK(refusal(json_shape::chroma, {"a", {}, {}}) == errc::unsupported);
    CHECK(refusal(json_shape::pinecone, {std::string(513, 'x'), {1}, {}}) == errc::invalid_id);
    CHECK(refusal(json_shape::qdrant, {"", {1}, {}}) == errc::empty_id);
    CHECK(refusal(json_shape::qdrant, {"a\xff", {1}, {}}) == errc::invalid_id);
    CHECK(refusal(json_shape::weaviate, {"a", {std::numeric_limits<float>::infinity()}, {}}) ==
          errc::not_finite);
    CHECK(refusal(json_shape::qdrant,
                  {"a", {1}, {{"x", std::numeric_limits<double>::quiet_NaN()}}}) ==
          errc::unsupported);
    CHECK(!json_sink::try_open("x", {.shape = json_shape::openai}));
    CHECK(!json_sink::try_open("x", {.page = 0}));
    json_fixture::temporary_directory const d;
    auto sink = json_sink::try_open(d.path("x.jsonl"), {.page = 1});
    REQUIRE(sink->begin({}));
    std::vector<record> const batch = {{"1", {1}, {}}, {"", {1}, {}}};
    CHECK(!sink->write(batch));
    REQUIRE(sink->finish());
    CHECK(json_fixture::bytes_of(d.path("x.jsonl")).empty());
}

TEST_CASE("a migration into a file for another system is verified from that file") {
    json_fixture::temporary_directory const d;
    auto const from = d.file("from.json", R"([{"id":"x","vector":[1,2],"t":null},)"
                                          R"({"id":"y","vector":[3,4],"t":"z"}])");
    for (auto const shape : {json_shape::pinecone, json_shape::qdrant, json_shape::weaviate}) {
        auto source = backend::json_source::try_open(from);
        auto sink = json_sink::try_open(d.path("to.jsonl"), {.shape = shape});
        migrate_options options;
        options.verify = verify::every_record;
        auto const report = try_migrate(*source, *sink, options);
        CAPTURE(name(shape));
        if (!report) FAIL(report.error().message());
        CHECK(report->ok());
        CHECK(report->written == 2);
    }
}

TEST_CASE("a file for another system that is there is not gone on with") {
    json_fixture::temporary_directory const there;
    auto sink = json_sink::try_open(there.path("to.jsonl")).value();
    REQUIRE(sink.begin({}));
    REQUIRE(sink.write(some));
    REQUIRE(sink.finish());
    vicinal_test::check_cannot_go_on(sink);
}

} // namespace json_sink_test

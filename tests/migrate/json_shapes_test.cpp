// SPDX-License-Identifier: MIT
#include "json_fixture.hpp"

namespace json_shapes_test {

using namespace vicinal;
using backend::json_options;
using backend::json_shape;
using json_fixture::check_records;
using json_fixture::losses;
using json_fixture::read_all;
using json_fixture::shared_fixture;
using vicinal_test::records_of;

static_assert(basic_source<backend::json_source>);

namespace {

using strings = std::vector<std::string>;

value::array texts(std::initializer_list<char const*> list) {
    value::array a;
    for (auto const* s : list) a.emplace_back(s);
    return a;
}

errc code_of(std::string const& path, json_options options = {}) {
    auto const got = read_all(path, std::move(options));
    REQUIRE(!got);
    INFO(got.error().message());
    return got.error().code();
}

} // namespace

TEST_CASE("answers of Pinecone's fetch, a map by id, give its records") {
    auto const dir = shared_fixture("exports/pinecone");
    if (dir.empty()) return;
    std::vector<record> const expected = {
        {"doc#1",
         {0.1F, 0.2F, 0.3F, 0.4F},
         {{"genre", "drama"},
          {"year", 2020},
          {"tags", texts({"a", "b"})},
          {"ok", true},
          {"rating", 4.5}}},
        {"doc#2", {-0.5F, 1e-08F, 3.4e+38F, 0.0F}, {{"text", "ünïcode 日本 🦀"}}},
        {"doc#3", {1, 2, 3, 4}, {}},
        {"sparse-only", {}, {}}};
    check_records(dir + "/fetch.json", expected);
    check_records(dir + "/fetch.json", expected, {.shape = json_shape::pinecone});
    check_records(dir + "/fetch.json", expected, {.name_space = "example-namespace"});
    check_records(dir + "/fetch.json", {}, {.name_space = "another"});
    CHECK(losses(dir + "/fetch.json") == strings{"2 sparse vectors are not carried"});
}

TEST_CASE("answers of Pinecone's query and requests to upsert give their records") {
    auto const dir = shared_fixture("exports/pinecone");
    if (dir.empty()) return;
    check_records(dir + "/query.json",
                  {{"doc#1", {0.1F, 0.2F, 0.3F, 0.4F}, {{"genre", "drama"}}}, {"doc#3", {}, {}}});
    CHECK(losses(dir + "/query.json") == strings{"1 sparse vector is not carried",
                                                 "the member 'score' of 2 records is not carried"});
    check_records(dir + "/upsert_request.json",
                  {{"doc#1", {0.1F, 0.2F, 0.3F, 0.4F}, {{"genre", "drama"}}}});
    check_records(
        dir + "/vectors.jsonl",
        {{"v1", {0.1F, 0.2F}, {{"a", 1}}}, {"v2", {0.3F, 0.4F}, {}}, {"v3", {0.5F, 0.6F}, {}}});
}

TEST_CASE("pages of Pinecone's list, which have ids only, are refused with what to do") {
    auto const dir = shared_fixture("exports/pinecone");
    if (dir.empty()) return;
    for (char const* name : {"/list_page1.json", "/list_page2.json"}) {
        auto const got = read_all(dir + name);
        REQUIRE(!got);
        CHECK(got.error().code() == errc::unsupported);
        CHECK(got.error().message().find("/vectors/fetch") != std::string::npos);
    }
}

TEST_CASE("pages of Qdrant's scroll are one source, read by the vector that is chosen") {
    auto const dir = shared_fixture("exports/qdrant");
    if (dir.empty()) return;
    fields const berlin = {{"city", "Berlin"},
                           {"n", 1},
                           {"f", 0.5},
                           {"b", true},
                           {"nul", nullptr},
                           {"arr", {"a", 1}},
                           {"geo", {{"lon", 13.4}, {"lat", 52.5}}},
                           {"nested", fields{{"a", fields{{"b", value::array{1}}}}}}};
    std::string const uuid = "550e8400-e29b-41d4-a716-446655440000";
    std::vector<record> expected = {{"1", {0.05F, 0.61F, 0.76F, 0.74F}, berlin},
                                    {uuid, {}, {}},
                                    {"18446744073709551615", {0.1F, 0.2F, 0.3F, 0.4F}, {}},
                                    {"3", {}, {{"text", "ünï 日本 🦀"}}},
                                    {"4", {}, {{"no", "vector"}}},
                                    {"5", {}, {{"shard", "x"}}},
                                    {"6", {}, {}}};
    // Two points with vectors of different names, and no choice: the names are listed.
    auto const open = read_all(dir, {.files = "scroll_page1.json"});
    REQUIRE(!open);
    CHECK(open.error().code() == errc::invalid_argument);
    CHECK(open.error().message().find("default, image, text") != std::string::npos);

    auto source = backend::json_source::try_open(
        strings{dir + "/scroll_page1.json", dir + "/scroll_last.json"}, {.vector = "default"});
    REQUIRE(source);
    CHECK(source->describe()->dim == 4);
    auto const all = records_of(*source);
    if (!all) FAIL(all.error().message());
    REQUIRE(all->size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
        CHECK(json_fixture::same((*all)[i], expected[i]));
    CHECK(source->describe()->losses ==
          strings{"1 sparse vector is not carried", "2 multivectors are not carried",
                  "1 vector named 'image' is not carried", "1 vector named 'text' is not carried",
                  "the member 'shard_key' of 1 record is not carried"});

    auto const by_text = read_all(dir + "/scroll_page1.json", {.vector = "text"});
    REQUIRE(by_text);
    CHECK((*by_text)[0].vector.empty());
    CHECK((*by_text)[1].vector == std::vector<float>{1, 2, 3});
    auto const pages = read_all(dir, {.vector = "image", .files = "scroll_*e1.json"});
    if (!pages) FAIL(pages.error().message());
    CHECK(pages->size() == 4);
    CHECK((*pages)[1].vector == std::vector<float>{0.1F, 0.2F});
}

TEST_CASE("Qdrant's upserts, in points or columns, and its answers give their records") {
    auto const dir = shared_fixture("exports/qdrant");
    if (dir.empty()) return;
    std::string const uuid = "550e8400-e29b-41d4-a716-446655440000";
    check_records(dir + "/upsert_points.json",
                  {{"1", {}, {{"city", "Berlin"}}}, {uuid, {0.1F, 0.2F}, {}}}, {.vector = "image"});
    check_records(dir + "/upsert_batch.json",
                  {{"1", {0.1F, 0.2F}, {{"a", 1}}}, {"2", {0.3F, 0.4F}, {}}});
    check_records(dir + "/upsert_batch_named.json",
                  {{"1", {0.1F, 0.2F}, {}}, {"2", {0.3F, 0.4F}, {}}});
    check_records(dir + "/query_response.json", {{"4", {}, {{"city", "London"}}}, {uuid, {}, {}}});
    check_records(dir + "/search_response_legacy.json", {{"4", {}, {}}});
    CHECK(losses(dir + "/query_response.json") ==
          strings{"the member 'score' of 2 records is not carried"});
}

TEST_CASE("what Qdrant answers or is asked without records is refused by name") {
    auto const dir = shared_fixture("exports/qdrant");
    if (dir.empty()) return;
    CHECK(code_of(dir + "/collection_info.json") == errc::foreign_file);
    CHECK(code_of(dir + "/update_result.json") == errc::foreign_file);
    for (char const* name : {"/error.json", "/create_collection.json", "/query_request.json",
                             "/create_collection_named.json", "/scroll_request.json",
                             "/search_request_legacy.json", "/search_request_legacy_named.json"})
        CHECK(code_of(dir + name) == errc::empty_id);
}

TEST_CASE("Weaviate's objects give their properties and the vector that is chosen") {
    auto const dir = shared_fixture("exports/weaviate");
    if (dir.empty()) return;
    std::string const first = "00037775-1432-35e5-bc59-443baaef7d80";
    std::string const second = "0003a1b2-0000-4000-8000-000000000002";
    std::string const third = "0003a1b2-0000-4000-8000-000000000003";
    fields const full = {
        {"title", "Hello ünï"},
        {"wordCount", 1200},
        {"score", 4.5},
        {"published", "2024-01-02T03:04:05Z"},
        {"tags", texts({"a", "b"})},
        {"nums", {1, 2}},
        {"flag", true},
        {"location", {{"latitude", 52.37}, {"longitude", 4.9}}},
        {"hasAuthor",
         value::array{
             fields{{"beacon", "weaviate://localhost/Author/97525810-a9a5-4eb0-858a-71449aeb007f"},
                    {"href", "/v1/objects/Author/97525810-a9a5-4eb0-858a-71449aeb007f"}}}},
        {"nested", fields{{"k", "v"}}}};
    fields const named = {{"title", "named vectors"}, {"wordCount", nullptr}};
    std::vector<record> const expected = {
        {first, {}, full}, {second, {1, 2, 3, 4}, named}, {third, {}, {{"title", "no vector"}}}};
    check_records(dir + "/objects_after.json", expected, {.vector = "body_vec"});
    check_records(dir + "/python_client_export.jsonl", expected, {.vector = "body_vec"});
    check_records(dir + "/python_client_export.jsonl",
                  {{first, {0.1F, 0.2F, 0.3F}, full}, {second, {}, named}, expected[2]},
                  {.vector = "default"});
    CHECK(code_of(dir + "/objects_after.json") == errc::invalid_argument);
    check_records(dir + "/objects_after.json", {expected[0], expected[2]},
                  {.vector = "body_vec", .collection = "Article", .tenant = "tenantB"});
    check_records(dir + "/objects_last_page.json", {});
    check_records(dir + "/graphql_get.json",
                  {{first, {0.1F, 0.2F, 0.3F}, {{"title", "Hello ünï"}, {"wordCount", 1200}}},
                   {second, {}, named}},
                  {.vector = "default"});
    check_records(dir + "/graphql_get.json", {}, {.vector = "default", .collection = "Author"});
    // An object without an id gets one from Weaviate only when it is sent.
    CHECK(code_of(dir + "/batch_request.json", {.vector = "default"}) == errc::empty_id);
    auto source =
        backend::json_source::try_open(dir + "/batch_request.json", {.vector = "default"});
    REQUIRE(source);
    std::vector<bad_record> bad;
    source->pass_over([&](bad_record const& b) { bad.push_back(b); });
    auto const rest = records_of(*source);
    REQUIRE(rest);
    REQUIRE(rest->size() == 1);
    CHECK(json_fixture::same(rest->front(), {first, {0.1F, 0.2F, 0.3F}, {{"title", "x"}}}));
    REQUIRE(bad.size() == 1);
    CHECK(bad[0].place == dir + "/batch_request.json, record 2");
}

TEST_CASE("Milvus' rows, lists, columns and answers give their records") {
    auto const dir = shared_fixture("exports/milvus");
    if (dir.empty()) return;
    std::vector<record> const expected = {
        {"1",
         {0.1F, 0.2F, 0.3F, 0.4F},
         {{"title", "a"}, {"year", 2020}, {"tags", texts({"x", "y"})}, {"meta", fields{{"k", 1}}}}},
        {"2",
         {1, 2, 3, 4},
         {{"title", "ünï 日本"},
          {"year", 2021},
          {"tags", value::array{}},
          {"meta", fields{}},
          {"dyn_field", "dynamic"}}},
        {"9223372036854775807",
         {-1, 0, 1e-09F, 5},
         {{"title", ""}, {"year", 0}, {"tags", texts({"z"})}, {"meta", nullptr}}}};
    check_records(dir + "/bulk_rows.json", expected);
    check_records(dir + "/bulk_list.json", expected);
    CHECK(losses(dir + "/bulk_list.json") == strings{"3 sparse vectors are not carried"});
    check_records(dir + "/bulk_columns_2_1.json",
                  {{"1", {0.1F, 0.2F}, {{"title", "a"}}}, {"2", {0.3F, 0.4F}, {{"title", "b"}}}});
    check_records(dir + "/rest_query_v2.json",
                  {{"1", {0.1F, 0.2F, 0.3F, 0.4F}, {{"title", "a"}, {"dyn", 1}}},
                   {"2", {1, 2, 3, 4}, {{"title", "b"}}}});
}

TEST_CASE("LlamaIndex's stores give vectors with metadata, and texts of a directory with both") {
    auto const dir = shared_fixture("exports/generic");
    if (dir.empty()) return;
    record one = {"node-1",
                  {0.1F, 0.2F, 0.3F},
                  {{"_node_type", "TextNode"},
                   {"document_id", "doc-1"},
                   {"file", "a.txt"},
                   {"ref_doc_id", "doc-1"}}};
    record const two = {"node-2", {0.4F, 0.5F, 0.6F}, {{"ref_doc_id", "doc-1"}}};
    check_records(dir + "/llamaindex_default__vector_store.json", {one, two});
    check_records(dir + "/llamaindex_docstore.json",
                  {{"node-1", {}, {{"file", "a.txt"}, {"text", "hello"}}}});
    json_fixture::temporary_directory const both;
    static_cast<void>(
        both.file("default__vector_store.json",
                  json_fixture::bytes_of(dir + "/llamaindex_default__vector_store.json")));
    static_cast<void>(
        both.file("docstore.json", json_fixture::bytes_of(dir + "/llamaindex_docstore.json")));
    static_cast<void>(both.file("graph_store.json", "{\"graph_dict\": {}}"));
    one.payload.set("text", "hello");
    check_records(both.path(), {one, two});
}

TEST_CASE("embeddings of OpenAI, as numbers or in base 64, are records by position") {
    auto const dir = shared_fixture("exports/generic");
    if (dir.empty()) return;
    auto const file = dir + "/openai_embeddings.json";
    check_records(file, {{"0", {0.1F, -0.2F, 0.3F}, {}}, {"1", {0.1F, -0.2F, 0.3F}, {}}});
    auto source = backend::json_source::try_open(strings{file, file});
    REQUIRE(source);
    auto const all = records_of(*source);
    REQUIRE(all);
    REQUIRE(all->size() == 4);
    CHECK((*all)[2].id == "2");
    CHECK((*all)[3].id == "3");
}

TEST_CASE("lines of mixed rows are read, and the one with NaN is named and passed over") {
    auto const dir = shared_fixture("exports/generic");
    if (dir.empty()) return;
    auto source = backend::json_source::try_open(dir + "/jsonl_mixed.jsonl");
    REQUIRE(source);
    std::vector<bad_record> bad;
    source->pass_over([&](bad_record const& b) { bad.push_back(b); });
    auto const all = records_of(*source);
    REQUIRE(all);
    REQUIRE(all->size() == 3);
    CHECK(json_fixture::same((*all)[0], {"a", {1, 2, 3}, {{"text", "x"}}}));
    CHECK(json_fixture::same((*all)[1],
                             {"2", {1, 2, 3}, {{"meta", fields{{"k", value::array{1}}}}}}));
    CHECK(json_fixture::same((*all)[2], {"c", {}, {}}));
    REQUIRE(bad.size() == 1);
    CHECK(bad[0].place == dir + "/jsonl_mixed.jsonl:5");
    CHECK(bad[0].reason.code() == errc::invalid_json);
}

} // namespace json_shapes_test

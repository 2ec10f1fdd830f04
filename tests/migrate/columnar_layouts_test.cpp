// SPDX-License-Identifier: MIT
#include "columnar_fixture.hpp"

#include <vicinal/backend/columnar_scheme.hpp>
#include <vicinal/backend/look_at.hpp>

#include <string>
#include <vector>

namespace columnar_layouts_test {

using namespace columnar_fixture;
using namespace vicinal;
using backend::columnar_layout;
using backend::columnar_options;
using backend::columnar_source;

namespace {

std::vector<std::string> losses(std::string const& path, columnar_options const& options) {
    auto source = columnar_source::try_open(path, options);
    REQUIRE(source);
    REQUIRE(records_of(*source));
    return source->describe()->losses;
}

std::string guessed(std::string const& path) {
    backend::registry all;
    backend::add_columnar(all);
    auto const guess = backend::try_recognise(all, path);
    REQUIRE(guess);
    return *guess ? (*guess)->uri.empty() ? (*guess)->what : (*guess)->uri : "nothing";
}

} // namespace

TEST_CASE("Pinecone's import directories read one namespace at a time", "[migrate]") {
    auto const path = shared_fixture("exports/pinecone/bulk");
    if (path.empty()) return;
    columnar_options options;
    options.layout = columnar_layout::pinecone_import;
    auto const doubtful = columnar_source::try_open(path, options);
    REQUIRE(!doubtful);
    CHECK(doubtful.error().code() == errc::invalid_argument);
    CHECK(doubtful.error().got() == path + " has __default__, example_namespace");
    check_same(read_all(path + "/__default__", options).value(),
               {{"doc#1", {0.1F, 0.2F, 0.3F}, {{"genre", "drama"}, {"year", 2020}}},
                {"doc#2", {1, 2, 3}, {}},
                {"ünï 🦀", {-1, 0, 1e-8F}, {{"ok", true}, {"tags", {"a", "b"}}}}});
    options.name_space = "example_namespace";
    check_same(read_all(path, options).value(),
               {{"h1", {0.1F, 0.2F, 0.3F}, {{"k", 1}}}, {"h2", {1, 2, 3}, {}}});
    CHECK(losses(path, options) ==
          std::vector<std::string>{"sparse vectors of 'sparse_values' are not carried (1 record)"});
    options.name_space = "absent";
    CHECK(columnar_source::try_open(path, options).error().code() == errc::not_found);
    CHECK(guessed(path) == "pinecone-import:" + path);
}

TEST_CASE("Weaviate's export gives one of its vectors and names the others", "[migrate]") {
    auto const path = shared_fixture("exports/weaviate/export");
    if (path.empty()) return;
    columnar_options options;
    options.layout = columnar_layout::weaviate_export;
    auto source = columnar_source::try_open(path, options);
    REQUIRE(source);
    auto const doubtful = records_of(*source);
    REQUIRE(!doubtful);
    CHECK(doubtful.error().code() == errc::invalid_argument);
    CHECK(doubtful.error().got() ==
          path + "/Article_shard1_0000.parquet, row 2: title_vec, body_vec");

    options.vector = "default";
    auto const rows = read_all(path, options).value();
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].id == "00037775-1432-35e5-bc59-443baaef7d80");
    CHECK(rows[0].vector == std::vector<float>{0.1F, 0.2F, 0.3F});
    CHECK(rows[0].payload == fields{{"title", "Hello"},
                                    {"wordCount", 1200},
                                    {"tags", {"a", "b"}},
                                    {"creation_time", 1700000000123},
                                    {"update_time", 1700000000456}});
    CHECK(rows[1].vector.empty());
    options.vector = "body_vec";
    CHECK(read_all(path, options).value()[1].vector == std::vector<float>{1, 2, 3, 4});
    CHECK(losses(path, options) ==
          std::vector<std::string>{"default vectors are not carried (1 record)",
                                   "multi-vectors 'colbert' are not carried (1 record)",
                                   "named vectors 'title_vec' are not carried (1 record)"});
    CHECK(guessed(path) == "weaviate-export:" + path);
}

TEST_CASE("a vector dataset names its metric, its vectors and its files", "[migrate]") {
    auto const path = shared_fixture("exports/vdf");
    if (path.empty()) return;
    columnar_options options;
    options.layout = columnar_layout::vdf;
    auto source = columnar_source::try_open(path + "/pinecone-demo", options);
    REQUIRE(source);
    auto const about = source->describe().value();
    CHECK(about.metric == "cosine");
    CHECK(about.dim == 3);
    CHECK(about.description == "vdf:" + path + "/pinecone-demo (my_index/ns1)");
    check_same(records_of(*source).value(),
               {{"a", {0.1F, 0.2F, 0.3F}, {{"text", "x"}, {"n", 1}}},
                {"b", {1, 2, 3}, {{"n", 2}, {"tags", {"t1", "t2"}}}},
                {"c", {}, {{"text", "no vector"}, {"tags", value::array{}}}},
                {"d", {4, 5, 6}, {{"text", "ünï"}, {"n", 4}}}});

    auto const several = path + "/qdrant-multi";
    CHECK(columnar_source::try_open(several, options).error().code() == errc::invalid_argument);
    options.vector = "text";
    check_same(read_all(several, options).value(), {{"1", {1, 2}, {{"payload_str", "p1"}}},
                                                    {"2", {3, 4}, {{"payload_str", "p2"}}},
                                                    {"18446744073709551615", {}, {}}});
    CHECK(losses(several, options) ==
          std::vector<std::string>{"vectors of 'image' are not carried (2 records)"});
    CHECK(guessed(several) == "vdf:" + several);
}

TEST_CASE("a vector dataset can't lead out of its directory", "[migrate]") {
    temporary_directory const there;
    columnar_options options;
    options.layout = columnar_layout::vdf;
    auto const code = [&](std::string const& meta) {
        static_cast<void>(there.file("VDF_META.json", meta));
        return columnar_source::try_open(there.path("."), options).error().code();
    };
    CHECK(code(R"({"indexes": {"i": [{"data_path": "../../etc"}]}})") == errc::corrupt_source);
    CHECK(code(R"({"indexes": {"i": [{"data_path": "/etc"}]}})") == errc::not_found);
    CHECK(code(R"({"indexes": {"i": [{"data_path": "a"}, {"data_path": "b"}]}})") ==
          errc::invalid_argument);
    CHECK(code(R"({"indexes": {}})") == errc::not_found);
    CHECK(code(R"({"indexes": 1})") == errc::foreign_file);
    CHECK(code("{") == errc::invalid_json);
}

TEST_CASE("Milvus' Parquet reads with its dynamic fields unpacked", "[migrate]") {
    auto const path = shared_fixture("exports/milvus/parquet/1.parquet");
    if (path.empty()) return;
    columnar_options options;
    options.json = {"meta"};
    auto const rows = read_all(path, options).value();
    REQUIRE(rows.size() == 10);
    CHECK(rows[1].id == "1");
    CHECK(rows[1].vector == std::vector<float>{1, 1.5F, -1});
    CHECK(rows[1].payload ==
          fields{
              {"title", "t1"}, {"meta", {{"k", 1}}}, {"sparse", R"({"1":0.5,"7":1})"}, {"dyn", 1}});
    options.json = {"absent"};
    auto const wrong = columnar_source::try_open(path, options);
    CHECK(wrong.error().code() == errc::not_found);
    CHECK(wrong.error().got() == path + " has the columns id, vector, title, meta, sparse, $meta");
}

TEST_CASE("a directory of Chroma 0.3 reads collection by collection", "[migrate]") {
    auto const path = shared_fixture("chroma-wild/chroma-0.3-duckdb");
    if (path.empty()) return;
    columnar_options options;
    options.layout = columnar_layout::chroma_0_3;
    auto source = columnar_source::try_open(path, options);
    REQUIRE(source);
    auto const about = source->describe().value();
    CHECK(about.dim == 384);
    CHECK(about.metric == "squared_l2");
    CHECK(about.description == "chroma-0.3:" + path + " (collection langchain)");
    auto const rows = records_of(*source).value();
    REQUIRE(rows.size() == 13);
    for (auto const& r : rows) {
        CHECK(r.vector.size() == 384);
        CHECK(r.payload.contains("document"));
        CHECK(r.payload.contains("source"));
        CHECK(r.payload.size() == 2);
    }
    CHECK(rows[0].vector[0] == -0.006134592462331057F);
    CHECK(source->describe()->losses.empty());
    options.collection = "absent";
    CHECK(columnar_source::try_open(path, options).error().code() == errc::not_found);
    CHECK(guessed(path) == "chroma-0.3:" + path);
}

TEST_CASE("rows that are no records are told one by one, or end the reading", "[migrate]") {
    auto const path = own("odd_rows.parquet");
    auto source = columnar_source::try_open(path);
    REQUIRE(source);
    auto const stopped = records_of(*source);
    REQUIRE(!stopped);
    CHECK(stopped.error().code() == errc::empty_id);
    CHECK(stopped.error().got() == path + ", row 2: none");

    std::vector<std::string> told;
    source->pass_over([&](bad_record const& bad) {
        told.push_back(bad.place + " '" + bad.id + "': " + bad.reason.got());
    });
    REQUIRE(source->rewind());
    // The column's own name wins over the JSON's; text that is no JSON stays text; bytes that are
    // no text become base64.
    check_same(
        records_of(*source).value(),
        {{"1",
          {0.1F, 2},
          {{"genre", "column"}, {"metadata_genre", "drama"}, {"year", 2020}, {"raw", "text"}}},
         {"5", {}, {{"metadata", "plain text"}, {"raw", "/wA="}}},
         {"6", {0.5F}, {{"metadata", R"({"broken)"}, {"genre", "f"}, {"raw", "AGE="}}}});
    CHECK(told == std::vector<std::string>{path + ", row 2 '': none",
                                           path + ", row 3 '3': a null in 'vector'",
                                           path + ", row 4 '4': one beyond it in 'vector'"});
    CHECK(
        source->describe()->losses ==
        std::vector<std::string>{"bytes in 'raw' that are no UTF-8 text became base64 (2 records)",
                                 "doubles of 'vector' became the nearest floats (1 record)"});
}

TEST_CASE("rows without ids are numbered through all files of a directory", "[migrate]") {
    temporary_directory const there;
    auto const table = bytes_of(own("no_ids.parquet"));
    static_cast<void>(there.file("part-10.parquet", table));
    static_cast<void>(there.file("part-9.parquet", table));
    auto source = columnar_source::try_open(there.path("."));
    REQUIRE(source);
    CHECK(source->describe()->records == 4U);
    check_same(records_of(*source).value(), {{"0", {}, {{"n", 7}}},
                                             {"1", {0.5F}, {{"n", 8}}},
                                             {"2", {}, {{"n", 7}}},
                                             {"3", {0.5F}, {{"n", 8}}}});
    CHECK(source->describe()->losses ==
          std::vector<std::string>{
              "rows have no ids: they are numbered from 0 in the order of the files"});
    columnar_options options;
    options.id = "n";
    check_same(read_all(own("no_ids.parquet"), options).value(),
               {{"7", {}, {}}, {"8", {0.5F}, {}}});
}

TEST_CASE("what holds tables is recognised by what it holds", "[migrate]") {
    auto const table = own("v2_plain_zstd.parquet");
    CHECK(guessed(table) == "parquet:" + table);
    auto const file = own("batches_zstd.arrow");
    CHECK(guessed(file) == "arrow:" + file);
    auto const stream = own("views.arrows");
    CHECK(guessed(stream) == "arrow:" + stream);
    CHECK(guessed("tests/migrate/columnar") == "parquet:tests/migrate/columnar");
    CHECK(guessed("tests/migrate") == "nothing");
    auto const lance = shared_fixture("lancedb/db");
    if (lance.empty()) return;
    backend::registry all;
    backend::add_columnar(all);
    for (auto const& path : {lance, lance + "/items.lance", lance + "/items.lance/"}) {
        auto const guess = backend::try_recognise(all, path).value();
        REQUIRE(guess);
        CHECK(guess->uri.empty());
        CHECK(guess->what == "a LanceDB directory");
        CHECK(guess->advice == "python -c \"import lancedb, pyarrow.parquet as pq; "
                               "pq.write_table(lancedb.connect('" +
                                   lance + "').open_table('items').to_arrow(), 'items.parquet')\"");
    }
}

TEST_CASE("tables are opened by what a URI says", "[migrate]") {
    backend::registry all;
    backend::add_columnar(all);
    auto const table = "parquet:" + own("v2_plain_zstd.parquet");
    auto source = all.try_open_source(table + "?id=text&vector=vector&json=");
    REQUIRE(source);
    std::vector<record> batch;
    REQUIRE(source->read(batch, 1));
    CHECK(batch[0].id == "text 0 ünï 日本 🦀");
    CHECK(*batch[0].payload["id"].get_if<std::string>() == "row-000");
    CHECK(all.try_open_source(table + "?namespace=a").error().code() == errc::invalid_uri);
    CHECK(all.try_open_source(table + "?id=vector").error().code() == errc::invalid_argument);
    CHECK(all.try_open_source(table + "?vector=text").error().code() == errc::invalid_argument);
    CHECK(all.try_open_source(table + "?id=none").error().code() == errc::not_found);
}

} // namespace columnar_layouts_test

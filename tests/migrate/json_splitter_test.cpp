// SPDX-License-Identifier: MIT
#include "json_fixture.hpp"

#include <vicinal/migrate/json/splitter.hpp>
#include <vicinal/migrate/json/walker.hpp>

#include <cstring>
#include <memory>
#include <random>

namespace json_splitter_test {

using namespace vicinal;
using json_fixture::check_records;
using json_fixture::read_all;
using vicinal_test::records_of;

namespace {

// Text as an input that gives only few bytes a call.
class text_input final : public backend::input {
public:
    explicit text_input(std::string text) : text_(std::move(text)) {}
    [[nodiscard]] result<std::size_t> read(void* to, std::size_t most) override {
        auto const n = (std::min)(most, text_.size() - at_);
        std::memcpy(to, text_.data() + at_, n);
        at_ += n;
        return n;
    }
    [[nodiscard]] std::string const& path() const noexcept override { return name_; }

private:
    std::string text_;
    std::string name_ = "text";
    std::size_t at_ = 0;
};

// The elements of the array that the text holds, as the splitter gives them.
result<std::vector<std::string>> elements(std::string const& text, std::size_t buffer) {
    detail::json_splitter s(std::make_unique<text_input>(text), buffer);
    auto const c = s.peek();
    VICINAL_CHECK(c);
    if (*c != '[') return s.wrong("an array");
    s.enter();
    std::vector<std::string> all;
    for (;;) {
        auto const more = s.more(']');
        if (!more) return more.error();
        if (!*more) return all;
        auto const one = s.take();
        if (!one) return one.error();
        all.emplace_back(*one);
    }
}

std::string const chroma_page =
    R"({"ids":["a","b","c"],"embeddings":[[1,2],[3,4.5],[5,6]],"documents":["one",null,"three"],)"
    R"("uris":null,"included":["metadatas","documents","embeddings"],"data":null,)"
    R"("metadatas":[{"n":1},null,{"document":"mine","n":3}]})";
std::vector<record> const chroma_records = {
    {"a", {1, 2}, {{"n", 1}, {"document", "one"}}},
    {"b", {3, 4.5F}, {}},
    {"c", {5, 6}, {{"n", 3}, {"document", "mine"}, {"chroma:document", "three"}}}};

} // namespace

TEST_CASE("the splitter hands out values whole, whatever its buffer") {
    std::string const text = "\xef\xbb\xbf [ 1, \"a]\\\"[\" ,{\"k\": [1, {\"}\": \"\\\\\"}]}\n,[ ],"
                             "true,-1.5e3 ,\"\" , {} ]";
    std::vector<std::string> const expected = {
        "1", R"("a]\"[")", R"({"k": [1, {"}": "\\"}]})", "[ ]", "true", "-1.5e3", "\"\"", "{}"};
    for (std::size_t const buffer : {1U, 16U, 17U, 18U, 19U, 23U, 31U, 64U, 4096U}) {
        auto const got = elements(text, buffer);
        CAPTURE(buffer);
        if (!got) FAIL(got.error().message());
        CHECK(*got == expected);
    }
    auto const large = elements("[\"" + std::string(100'000, 'x') + "\", 2]", 16);
    REQUIRE(large);
    CHECK((*large)[0].size() == 100'002);
}

TEST_CASE("the splitter refuses what is no JSON around its values") {
    for (char const* text : {"[1 2]", "[1,]", "[,1]", "[1", "[1,", "[\"a", "[{\"a\":1", "[1,,2]",
                             "", "]", "[}", "[1}", "[\"\\"}) {
        CAPTURE(text);
        auto const got = elements(text, 16);
        REQUIRE(!got);
        CHECK(got.error().code() == errc::invalid_json);
    }
    CHECK(!elements("[" + std::string(2000, '[') + std::string(2000, ']') + "]", 4096));
}

TEST_CASE("pages in one file, one behind the other or as a list, are one source") {
    json_fixture::temporary_directory const d;
    std::string const one = R"({"result":{"points":[{"id":1,"vector":[1,2],"payload":{"a":1}}],
        "next_page_offset":2},"status":"ok"})";
    std::string const two = R"({"result": {"points": [
        {"id": 2, "vector": [3, 4]}, {"id": 3}]}, "status": "ok"})";
    std::vector<record> const expected = {
        {"1", {1, 2}, {{"a", 1}}}, {"2", {3, 4}, {}}, {"3", {}, {}}};
    check_records(d.file("a.json", one + two), expected);
    check_records(d.file("b.json", one + "\n\n" + two + "\n"), expected);
    check_records(d.file("c.json", "[" + one + "," + two + "]"), expected);
    check_records(d.file("d.json",
                         R"({"result":[{"points":[{"id":1,"vector":[1,2],"payload":{"a":1}}]},)"
                         R"({"points":[{"id":2,"vector":[3,4]},{"id":3}]}],"status":"ok"})"),
                  expected);
    json_fixture::temporary_directory const pages;
    static_cast<void>(pages.file("page_2.json", one));
    static_cast<void>(pages.file("page_10.json", two));
    static_cast<void>(pages.file("notes.txt", "not JSON"));
    check_records(pages.path(), expected);
    CHECK(read_all(pages.path(), {.files = "other*"}).error().code() == errc::not_found);
}

TEST_CASE("columns of Chroma's get are rows, page by page and in any order of the columns") {
    json_fixture::temporary_directory const d;
    check_records(d.file("get.json", chroma_page), chroma_records);
    CHECK(json_fixture::losses(d.file("get.json", chroma_page)) ==
          std::vector<std::string>{
              "1 record has a field of its own named 'document': what the system keeps under that "
              "name is in the field 'chroma:document' there"});
    std::string const second =
        R"({"metadatas": null, "embeddings": [[7, 8]], "ids": ["d"], "documents": null})";
    auto expected = chroma_records;
    expected.push_back({"d", {7, 8}, {}});
    check_records(d.file("pages.jsonl", chroma_page + "\n" + second + "\n"), expected);
    check_records(d.file("list.json", "[" + chroma_page + ",\n" + second + "]"), expected);
    check_records(d.file("empty.json", R"({"ids": [], "embeddings": [], "documents": []})"), {});
    auto const short_column =
        read_all(d.file("short.json", R"({"ids":["a","b"],"embeddings":[[1]]})"));
    REQUIRE(!short_column);
    CHECK(short_column.error().code() == errc::corrupt_source);
}

TEST_CASE("lists of lists, as Chroma's query gives them, are flattened") {
    json_fixture::temporary_directory const d;
    check_records(
        d.file("query.json",
               R"({"ids":[["a","b"],[],["c"]],"distances":[[0.1,0.2],[],[0.3]],)"
               R"("embeddings":[[[1,2],[3,4]],[],[[5,6]]],"documents":[["x",null],[],["z"]],)"
               R"("metadatas":[[null,{"k":true}],[],[{}]],"uris":null})"),
        {{"a", {1, 2}, {{"document", "x"}}},
         {"b", {3, 4}, {{"k", true}}},
         {"c", {5, 6}, {{"document", "z"}}}});
}

TEST_CASE("SpecMem's backup, which has no vectors, and flat rows of any names are read") {
    json_fixture::temporary_directory const d;
    check_records(
        d.file("specs_backup.json",
               R"([{"id":"0f","type":"design","text":"# T","source":"a.md","status":"active",)"
               R"("tags":["x"],"links":[],"pinned":false,"test_mappings":[{"path":"t.py"}],)"
               R"("code_refs":[],"confidence":1.0}])"),
        {{"0f",
          {},
          {{"type", "design"},
           {"text", "# T"},
           {"source", "a.md"},
           {"status", "active"},
           {"tags", value::array{"x"}},
           {"links", value::array{}},
           {"pinned", false},
           {"test_mappings", value::array{fields{{"path", "t.py"}}}},
           {"code_refs", value::array{}},
           {"confidence", 1.0}}}});
    auto const mine = d.file("mine.json", R"([{"doc": 7, "emb": [1,2,3,4,5,6,7,8], "t": "x"}])");
    auto const undecided = read_all(mine);
    REQUIRE(!undecided);
    CHECK(undecided.error().message().find("'emb'") != std::string::npos);
    check_records(mine, {{"7", {1, 2, 3, 4, 5, 6, 7, 8}, {{"t", "x"}}}},
                  {.vector = "emb", .id = "doc"});
    // Two members that could be the vector: the likelier one is, the other stays in the payload.
    check_records(d.file("both.json", R"([{"_id": "a", "values": [1, 2], "vector": [3, 4]}])"),
                  {{"a", {3, 4}, {{"values", {1, 2}}}}});
    // Until a row decides, rows are read as all shapes would.
    check_records(
        d.file("late.jsonl", "{\"id\":1,\"vector\":[1]}\n{\"id\":2,\"vector\":[2],\"t\":\"x\"}\n"),
        {{"1", {1}, {}}, {"2", {2}, {{"t", "x"}}}});
    check_records(
        d.file("late2.jsonl",
               "{\"id\":1,\"vector\":[1]}\n{\"id\":2,\"vector\":[2],\"payload\":{\"t\":\"x\"}}\n"),
        {{"1", {1}, {}}, {"2", {2}, {{"t", "x"}}}});
}

TEST_CASE("two namespaces of Pinecone in one source are told apart or refused") {
    json_fixture::temporary_directory const d;
    auto const file =
        d.file("f.json", R"({"vectors":{"a":{"id":"a","values":[1]}},"namespace":"one"})"
                         R"({"vectors":{"a":{"id":"a","values":[2]}},"namespace":"two"})"
                         R"({"vectors":{"b":{"id":"b","values":[3]}},"namespace":""})");
    auto const both = read_all(file);
    REQUIRE(!both);
    CHECK(both.error().code() == errc::invalid_argument);
    CHECK(both.error().message().find("'one' and 'two'") != std::string::npos);
    check_records(file, {{"a", {2}, {}}}, {.name_space = "two"});
    check_records(file, {{"b", {3}, {}}}, {.name_space = "__default__"});
    // A name that is longer than the one it stands under.
    std::string const id(100, 'i');
    check_records(
        d.file("g.json", "{\"vectors\":{\"" + id + "\":{\"id\":\"" + id + "\",\"values\":[1]}}}"),
        {{id, {1}, {}}});
}

TEST_CASE("vectors keep every bit, however the numbers are written") {
    json_fixture::temporary_directory const d;
    std::mt19937 random(7);
    std::string text = "[";
    std::vector<record> expected;
    for (int i = 0; i < 200; ++i) {
        record r{std::to_string(i), {}, {}};
        text += (i == 0 ? "" : ",\n") + std::string("{\"id\": ") + r.id + ", \"vector\":\n [ ";
        for (int k = 0; k < 16; ++k) {
            float const f = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
            r.vector.push_back(std::isfinite(f) ? f : -0.0F);
            char number[64];
            std::snprintf(number, sizeof number, k % 2 == 0 ? "%.9g" : "%.17g",
                          static_cast<double>(r.vector.back()));
            text += std::string(k == 0 ? "" : " ,\n") + number;
        }
        text += "]}";
        expected.push_back(std::move(r));
    }
    // "%.9g" writes -0 as an integer.
    check_records(d.file("bits.json", text + "]"), expected);
    // Too small for a float, and for a double: zero of that sign.
    check_records(
        d.file("small.json", R"([{"id":1,"vector":[1e-60,-1e-400,0.0000001e-40,-7e-46]}])"),
        {{"1", {0.0F, -0.0F, 0.0F, -0.0F}, {}}});
    CHECK(read_all(d.file("large.json", R"([{"id":1,"vector":[1e39]}])")).error().code() ==
          errc::not_finite);
    CHECK(read_all(d.file("text.json", R"([{"id":1,"vector":[1,"2"]}])")).error().code() ==
          errc::invalid_json);
}

TEST_CASE("a name with escapes means the same vector") {
    json_fixture::temporary_directory const d;
    check_records(
        d.file("e.json", "{\"points\":[{\"id\":1,\"vector\":{\"bild_gr\\u00f6\\u00dfe\":[1,2]}}]}"),
        {{"1", {1, 2}, {}}}, {.vector = "bild_größe"});
    check_records(d.file("f.json", "[{\"id\":1,\"v\\u0065ctor\":[1,2.5]}]"),
                  {{"1", {1, 2.5F}, {}}});
    check_records(d.file("g.json", "{\"points\":[{\"id\":1,\"v\\u0065ctor\":{\"a\":[1,2]}}]}"),
                  {{"1", {1, 2}, {}}});
}

TEST_CASE("a broken line costs no other, wherever it stands") {
    json_fixture::temporary_directory const d;
    for (char const* text : {"{\"id\":1,\"vec\n{\"id\":2,\"vector\":[1,2]}\n",
                             "{\"id\":2,\"vector\":[1,2]}\n{\"id\":1,\"vec\n"}) {
        auto source = backend::json_source::try_open(d.file("x.jsonl", text));
        REQUIRE(source);
        int bad = 0;
        source->pass_over([&](bad_record const& b) {
            CHECK(b.reason.code() == errc::invalid_json);
            ++bad;
        });
        auto const all = records_of(*source);
        if (!all) FAIL(all.error().message());
        CHECK(all->size() == 1);
        CHECK(bad == 1);
    }
}

TEST_CASE("damaged documents are refused or read, and never crash") {
    std::vector<std::string> texts = {chroma_page};
    if (auto const dir = json_fixture::shared_fixture("exports"); !dir.empty())
        for (char const* name :
             {"pinecone/fetch.json", "qdrant/scroll_page1.json", "qdrant/upsert_batch_named.json",
              "weaviate/objects_after.json", "weaviate/graphql_get.json", "milvus/bulk_list.json",
              "milvus/bulk_columns_2_1.json", "generic/llamaindex_docstore.json",
              "generic/llamaindex_default__vector_store.json", "generic/openai_embeddings.json"})
            texts.push_back(json_fixture::bytes_of(dir + "/" + name));
    json_fixture::temporary_directory const d;
    std::mt19937 random(11);
    std::size_t refused = 0;
    for (auto const& text : texts) {
        for (int i = 0; i < 60; ++i) {
            auto damaged = text;
            for (auto flips = random() % 4; flips > 0; --flips)
                damaged[random() % damaged.size()] = random() % 2 == 0
                                                         ? "{}[],:\"\\0a\n"[random() % 11]
                                                         : static_cast<char>(random());
            if (random() % 3 == 0) damaged.resize(random() % damaged.size());
            auto source =
                backend::json_source::try_open(d.file("x.json", damaged), {.vector = "default"});
            REQUIRE(source);
            source->pass_over([](bad_record const&) {});
            static_cast<void>(source->describe());
            auto const all = records_of(*source);
            if (!all) ++refused;
        }
    }
    CHECK(refused > 10);
}

} // namespace json_splitter_test

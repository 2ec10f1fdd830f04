// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/shared_fixture.hpp"
#include "support/source_records.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/migrate/json_cells.hpp>
#include <vicinal/migrate/tables/csv.hpp>

#include <random>
#include <string>
#include <vector>

namespace csv_test {

using namespace vicinal;
using vicinal_test::records_of;

static_assert(basic_source<backend::csv_source>);

namespace {

backend::csv_options with_json() {
    backend::csv_options o;
    o.json = backend::json_cells();
    return o;
}

backend::csv_options only(char const* vector) {
    backend::csv_options o;
    o.vector = vector;
    return o;
}

result<std::vector<record>> read(std::string const& path, backend::csv_options options = {}) {
    auto source = backend::csv_source::try_open(path, std::move(options));
    if (!source) return source.error();
    return records_of(*source);
}

result<std::vector<record>> read_text(std::string const& text, backend::csv_options options = {}) {
    vicinal_test::temporary_directory const d;
    return read(d.file("t.csv", text), std::move(options));
}

using floats = std::vector<float>;

} // namespace

TEST_CASE("A CSV file gives records: ids, vectors, and fields of the types that the rows show") {
    auto const got =
        read_text("\xef\xbb\xbfid,embedding,n,x,ok,zip,note\r\n"
                  "a,\"[1, -2.5,3e-05]\",1,1,true,007,\"two\r\nlines, \"\"quoted\"\"\"\r\n"
                  "\r\n"
                  "b,\"{0.1,2,3}\",-9223372036854775808,2.5,False,12,\r\n"
                  "c,\"[ 1.  2.\n 3.]\",,,,,\"\"");
    REQUIRE(got);
    REQUIRE(got->size() == 3);
    auto const& a = (*got)[0];
    CHECK(a.id == "a");
    CHECK(a.vector == floats{1, -2.5F, 3e-5F});
    CHECK(a.payload == fields{{"n", 1},
                              {"x", 1.0},
                              {"ok", true},
                              {"zip", "007"},
                              {"note", "two\r\nlines, \"quoted\""}});
    auto const& b = (*got)[1];
    CHECK(b.vector == floats{0.1F, 2, 3});
    CHECK(b.payload ==
          fields{{"n", INT64_MIN}, {"x", 2.5}, {"ok", false}, {"zip", "12"}, {"note", nullptr}});
    CHECK((*got)[2].vector == floats{1, 2, 3});
    CHECK((*got)[2].payload["note"] == value(""));
    CHECK((*got)[2].payload.find("n")->is_null());
}

TEST_CASE("Vectors as text are read to the nearest float, and what is no vector is refused") {
    floats out;
    CHECK(detail::read_vector_text("[]", out));
    CHECK(out.empty());
    CHECK(detail::read_vector_text("1e-46 -1e-400 1e-45 3.4028235e38 0.1 -0", out));
    CHECK(out == floats{0, -0.0F, 1e-45F, 3.4028235e38F, 0.1F, -0.0F});
    CHECK(std::signbit(out[1]));
    CHECK(std::signbit(out[5]));
    CHECK(detail::read_vector_text("array([ 0.1,  0.2], dtype=float32)", out));
    CHECK(out == floats{0.1F, 0.2F});
    // A decimal next to half-way between two floats, which goes wrong by way of a double.
    CHECK(detail::read_vector_text("(1.00000017881393432617187499)", out));
    CHECK(out == floats{1.00000011920928955078125F});

    auto const code = [&](char const* text) {
        auto const read = detail::read_vector_text(text, out);
        REQUIRE(!read);
        return read.error().code();
    };
    CHECK(code("[1, 1e39]") == errc::not_finite);
    CHECK(code("[1, nan]") == errc::not_finite);
    CHECK(code("[1, 1e400]") == errc::not_finite);
    CHECK(code("[1, 2") == errc::corrupt_source);
    CHECK(code("[1, 2,]") == errc::corrupt_source);
    CHECK(code("[1,,2]") == errc::corrupt_source);
    CHECK(code("[,1]") == errc::corrupt_source);
    CHECK(code("[1, x]") == errc::corrupt_source);
    CHECK(code("[[1, 2]]") == errc::corrupt_source);
    CHECK(code("2024-01-02") == errc::corrupt_source);
    auto const cut = detail::read_vector_text("[0.1 0.2 ... 0.9 1.0]", out);
    REQUIRE(!cut);
    CHECK(cut.error().code() == errc::unsupported);
    CHECK(cut.error().got().find("tolist") != std::string::npos);

    CHECK(detail::read_sparse_text("{1:1.5,10:-2}/10", out));
    CHECK(out == floats{1.5F, 0, 0, 0, 0, 0, 0, 0, 0, -2});
    CHECK(detail::read_sparse_text("{}/3", out));
    CHECK(out == floats{0, 0, 0});
    for (auto const* wrong : {"{0:1}/3", "{4:1}/3", "{1:x}/3", "{1:1}/0", "{1:1}", "{1:1}/99999999",
                              "1:1}/3", "{1:1;2:2}/3"})
        CHECK(!detail::read_sparse_text(wrong, out));
    CHECK(detail::read_bits_text("101", out));
    CHECK(out == floats{1, 0, 1});
    CHECK(!detail::read_bits_text("102", out));
}

TEST_CASE("A file that NumPy has shortened is refused with advice") {
    auto const got = read_text("text,embedding\na,\"[0.1 0.2 ... 0.9 1.0]\"\n");
    REQUIRE(!got);
    CHECK(got.error().code() == errc::unsupported);
    CHECK(got.error().message().find("NumPy has left elements out") != std::string::npos);
}

TEST_CASE(
    "The column of vectors is found by name, by look, by option, or as one column an element") {
    CHECK(read_text("k,w,emb\n1,\"[1,2]\",\"[3,4]\"\n").value()[0].vector == floats{3, 4});
    CHECK(read_text("id,w\n1,\"[1,2]\"\n").value()[0].vector == floats{1, 2});
    backend::csv_options o;
    o.vector = "W";
    CHECK(read_text("k,w,emb\n1,\"[1,2]\",\"[3,4]\"\n", o).value()[0].vector == floats{1, 2});
    auto const several = read_text("id,a,b\n1,\"[1,2]\",\"[3,4]\"\n");
    REQUIRE(!several);
    CHECK(several.error().code() == errc::invalid_argument);
    CHECK(several.error().message().find("a, b") != std::string::npos);
    o.vector = "z";
    CHECK(read_text("id,a\n1,\"[1,2]\"\n", o).error().code() == errc::not_found);
    CHECK(read_text("id,a\n1,x\n").error().code() == errc::foreign_file);

    auto const columns = read_text("id\tv0\tv1\tv2\tt\nx\t1\t2.5\t-3\thello\n");
    REQUIRE(columns);
    CHECK((*columns)[0].vector == floats{1, 2.5F, -3});
    CHECK((*columns)[0].payload == fields{{"t", "hello"}});
    auto const numbered = read_text("0;1;2\n1;2;3\n4;5;6\n");
    REQUIRE(numbered);
    CHECK((*numbered)[1].id == "1");
    CHECK((*numbered)[1].vector == floats{4, 5, 6});
}

TEST_CASE("A bad row of a CSV file ends the reading or is told and passed over") {
    vicinal_test::temporary_directory const d;
    auto const path = d.file("t.csv", "id,vector\na,\"[1,2]\"\nb,\"[1,2,3]\"\n,\"[1,2]\"\nc\n"
                                      "d,\"[1,x]\"\ne,\"[5,6]\"\nf,\n");
    auto const stopped = read(path, only("vector"));
    REQUIRE(!stopped);
    CHECK(stopped.error().code() == errc::dimension_mismatch);
    CHECK(stopped.error().message().find("t.csv:3") != std::string::npos);

    auto source = backend::csv_source::try_open(path, only("vector"));
    REQUIRE(source);
    std::vector<bad_record> bad;
    source->pass_over([&](bad_record const& b) { bad.push_back(b); });
    auto const rest = records_of(*source);
    REQUIRE(rest);
    REQUIRE(rest->size() == 3);
    CHECK((*rest)[1].id == "e");
    CHECK((*rest)[2].vector.empty());
    REQUIRE(bad.size() == 4);
    CHECK(bad[0].id == "b");
    CHECK(bad[1].reason.code() == errc::empty_id);
    CHECK(bad[2].place.ends_with("t.csv:5"));
    CHECK(bad[3].id == "d");
    // And once more from the start.
    REQUIRE(source->rewind());
    CHECK(records_of(*source).value().size() == rest->size());
}

TEST_CASE("Cells of JSON become fields where there is a parser") {
    auto const text =
        "id,vector,metadata,tags,n\n1,\"[1,2]\",\"{\"\"a\"\":1,\"\"n\"\":2}\",\"[\"\"x\"\"]\",5\n";
    auto const with = read_text(text, with_json());
    REQUIRE(with);
    CHECK((*with)[0].payload ==
          fields{{"a", 1}, {"metadata.n", 2}, {"n", 5}, {"tags", value::array{"x"}}});
    auto const without = read_text(text);
    REQUIRE(without);
    CHECK((*without)[0].payload ==
          fields{{"metadata", "{\"a\":1,\"n\":2}"}, {"tags", "[\"x\"]"}, {"n", 5}});
}

TEST_CASE("CSV files that other programs wrote are read") {
    auto path = vicinal_test::shared_fixture("exports/generic/pandas_str_embedding.csv");
    if (path.empty()) return;
    auto const pandas = read(path);
    REQUIRE(pandas);
    REQUIRE(pandas->size() == 2);
    CHECK((*pandas)[1].id == "1");
    CHECK((*pandas)[0].vector == floats{0.1F, -0.2F, 3e-05F});
    CHECK((*pandas)[1].payload == fields{{"text", "ünï \"q\""}, {"n_tokens", 4}});

    auto const numpy = read(vicinal_test::shared_fixture("exports/generic/numpy_repr.csv"));
    REQUIRE(numpy);
    REQUIRE(numpy->size() == 1);
    CHECK((*numpy)[0].id == "0");
    CHECK((*numpy)[0].vector == floats{0.1F, -0.2F, 0.3F, 0.4F, 0.5F, 0.6F});

    auto const milvus = read(vicinal_test::shared_fixture("exports/milvus/bulk.csv"), with_json());
    REQUIRE(milvus);
    REQUIRE(milvus->size() == 2);
    CHECK((*milvus)[0].id == "1");
    CHECK((*milvus)[0].vector == floats{0.1F, 0.2F, 0.3F});
    CHECK((*milvus)[0].payload == fields{{"title", "a"}, {"meta", fields{{"k", 1}}}});
    CHECK((*milvus)[1].payload == fields{{"title", "quote \" comma , ünï"}, {"meta", nullptr}});

    auto langchain_options = with_json();
    auto const langchain_path = vicinal_test::shared_fixture("pgvector/langchain_pg_embedding.csv");
    auto const langchain = read(langchain_path, langchain_options);
    REQUIRE(langchain);
    REQUIRE(langchain->size() == 60);
    CHECK((*langchain)[59].vector == floats{60, 60.5F, -60, 6e-05F});
    CHECK((*langchain)[59].payload["source"] == value("f60"));
    langchain_options.collection = "11111111-2222-3333-4444-666666666666";
    CHECK(read(langchain_path, langchain_options).value().size() == 20);
}

TEST_CASE("Damaged CSV gives records or errors, and nothing else") {
    std::string text = "id,vector,metadata,n\n";
    for (int i = 0; i < 20; ++i)
        text += std::to_string(i) + ",\"[1,2," + std::to_string(i) +
                "]\",\"{\"\"a\"\":\"\"x\ny\"\"}\",3\n";
    std::mt19937 random(11);
    vicinal_test::temporary_directory const d;
    for (int i = 0; i < 400; ++i) {
        auto damaged = text;
        for (auto n = random() % 4; n < 4; ++n)
            damaged[random() % damaged.size()] = "\",\n\r\0[]{}x\xff"[random() % 11];
        if (random() % 3 == 0) damaged.resize(random() % damaged.size());
        auto source = backend::csv_source::try_open(d.file("d.csv", damaged), with_json());
        if (!source) continue;
        source->pass_over([](bad_record const&) {});
        if (auto const got = records_of(*source)) CHECK(got->size() <= 20);
    }
}

} // namespace csv_test

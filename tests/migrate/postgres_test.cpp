// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/shared_fixture.hpp"
#include "support/source_records.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/migrate/files/compressed.hpp>
#include <vicinal/migrate/json_cells.hpp>
#include <vicinal/migrate/tables/csv.hpp>
#include <vicinal/migrate/tables/postgres_copy.hpp>
#include <vicinal/migrate/tables/postgres_dump.hpp>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace postgres_test {

using namespace vicinal;
using vicinal_test::bytes_of;
using vicinal_test::records_of;
using vicinal_test::shared_fixture;

static_assert(basic_source<backend::postgres_dump>);
static_assert(basic_source<backend::postgres_copy>);

namespace {

using floats = std::vector<float>;

template <class Options>
Options with(Options o) {
    o.open = backend::open_compressed;
    o.json = backend::json_cells();
    return o;
}
backend::postgres_options table(char const* name, char const* vector = "") {
    backend::postgres_options o;
    o.table = name;
    o.vector = vector;
    return with(o);
}

template <class Source, class Options>
result<std::vector<record>> read(std::string const& path, Options options) {
    auto source = Source::try_open(path, std::move(options));
    if (!source) return source.error();
    return records_of(*source);
}
result<std::vector<record>> read_dump(std::string const& text, backend::postgres_options o = {}) {
    vicinal_test::temporary_directory const d;
    return read<backend::postgres_dump>(d.file("dump.sql", text), with(std::move(o)));
}

// What PostgreSQL itself gave as JSON, read by other code: numbers by strtof.
std::vector<record> expected_documents() {
    std::vector<record> all;
    detail::json_parser parser;
    std::istringstream lines(bytes_of(shared_fixture("pgvector/documents.rows.jsonl")));
    for (std::string line; std::getline(lines, line);) {
        value v;
        REQUIRE(detail::read_value(*parser.parse(line), v));
        auto f = *v.get_if<fields>();
        record r;
        r.id = std::to_string(*f["id"].get_if<std::int64_t>());
        if (auto const* text = f["embedding"].get_if<std::string>()) {
            char const* p = text->c_str() + 1;
            while (*p != ']') {
                char* end = nullptr;
                r.vector.push_back(std::strtof(p, &end));
                p = *end == ',' ? end + 1 : end;
            }
        }
        r.payload.set("ext_id", f["ext_id"]);
        r.payload.set("content", f["content"]);
        r.payload.set("created_at", "2024-01-02 03:04:05.678+00");
        if (auto const* metadata = f["metadata"].get_if<fields>())
            for (auto const& [name, inner] : *metadata) r.payload.set(name, inner);
        all.push_back(std::move(r));
    }
    return all;
}

// The rows lie in the order in which they were last written.
void check_same(std::vector<record> got, std::vector<record> const& expected) {
    auto const by_number = [](record const& a, record const& b) {
        return std::atoi(a.id.c_str()) < std::atoi(b.id.c_str());
    };
    std::sort(got.begin(), got.end(), by_number);
    REQUIRE(got.size() == expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        CAPTURE(i, got[i].id);
        REQUIRE(got[i].id == expected[i].id);
        REQUIRE(got[i].vector == expected[i].vector);
        REQUIRE(got[i].payload == expected[i].payload);
    }
}

} // namespace

TEST_CASE("What pg_dump and COPY have written of a table is what PostgreSQL gives as JSON") {
    if (shared_fixture("pgvector/dump_plain.sql").empty()) return;
    auto const expected = expected_documents();
    REQUIRE(expected.size() == 1200);

    SECTION("COPY in a dump") {
        auto source = backend::postgres_dump::try_open(shared_fixture("pgvector/dump_plain.sql"),
                                                       table("documents"));
        REQUIRE(source);
        auto const about = source->describe().value();
        CHECK(about.dim == 8);
        CHECK(about.records == 1200);
        CHECK(about.metric.empty()); // there are two indexes that differ
        CHECK(about.losses.size() == 1);
        check_same(records_of(*source).value(), expected);
        REQUIRE(source->rewind());
        check_same(records_of(*source, 7).value(), expected);
    }
    SECTION("INSERTs in a dump") {
        check_same(read<backend::postgres_dump>(shared_fixture("pgvector/dump_inserts.sql.gz"),
                                                table("public.documents"))
                       .value(),
                   expected);
    }
    SECTION("COPY text with columns that are named, typed, or taken from a dump") {
        backend::copy_options o;
        o.columns = "id, ext_id, content, metadata, embedding, created_at";
        auto const path = shared_fixture("pgvector/documents.copy.tsv");
        check_same(read<backend::postgres_copy>(path, with(o)).value(), expected);
        o.columns = "id bigint, ext_id text, content text, metadata jsonb, "
                    "embedding public.vector(8), created_at timestamp with time zone";
        check_same(read<backend::postgres_copy>(path, with(o)).value(), expected);
        o.columns.clear();
        o.dump = shared_fixture("pgvector/dump_plain.sql");
        o.table = "documents";
        check_same(read<backend::postgres_copy>(path, with(o)).value(), expected);
        auto const unnamed = read<backend::postgres_copy>(path, with(backend::copy_options{}));
        REQUIRE(unnamed);
        CHECK((*unnamed)[0].id == expected[0].id);
        CHECK((*unnamed)[0].vector == expected[0].vector);
    }
    SECTION("COPY CSV with a header") {
        check_same(read<backend::csv_source>(shared_fixture("pgvector/documents.csv"),
                                             with(backend::csv_options{}))
                       .value(),
                   expected);
    }
    SECTION("COPY BINARY, typed or guessed") {
        backend::copy_options o;
        auto fewer = expected;
        for (auto& r : fewer) r.payload = {{"ext_id", r.payload["ext_id"]}};
        o.columns = "id bigint, ext_id text, embedding vector";
        auto const path = shared_fixture("pgvector/documents.copy.bin");
        check_same(read<backend::postgres_copy>(path, with(o)).value(), fewer);
        o.columns = "id, ext_id, embedding";
        auto source = backend::postgres_copy::try_open(path, with(o));
        REQUIRE(source);
        CHECK(source->describe()->losses.size() == 1);
        check_same(records_of(*source).value(), fewer);
    }
}

TEST_CASE("Every vector type of pgvector is read, from text and from BINARY") {
    auto const dump = shared_fixture("pgvector/dump_plain.sql");
    if (dump.empty()) return;
    auto const several = read<backend::postgres_dump>(dump, table("alltypes"));
    REQUIRE(!several);
    CHECK(several.error().code() == errc::invalid_argument);
    CHECK(several.error().message().find("v, h") != std::string::npos);

    std::vector<std::pair<char const*, std::vector<floats>>> const expected = {
        {"v", {{1, 2, 3, 4}, {1e-45F, 3.4028235e38F, -0.0F, 0.1F}}},
        {"h", {{1, 2, 3, 65504}, {5.9604645e-08F, -1, 0.099975586F, 0.33300781F}}},
        {"s", {{1.5F, 0, 0, 0, 0, 0, 0, 0, 0, -2}, floats(10)}},
        {"b", {{1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0}, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}},
    };
    for (auto const& [column, vectors] : expected) {
        CAPTURE(column);
        auto const text = read<backend::postgres_dump>(dump, table("alltypes", column));
        backend::copy_options o;
        o.columns = "id integer, v vector(4), h halfvec(4), s sparsevec(10), b bit(12), arr real[]";
        o.vector = column;
        auto const path = shared_fixture("pgvector/alltypes.copy.bin");
        auto const typed = read<backend::postgres_copy>(path, with(o));
        o.columns = "id, v, h, s, b, arr";
        auto const guessed = read<backend::postgres_copy>(path, with(o));
        for (auto const* got : {&text, &typed, &guessed}) {
            REQUIRE(*got);
            REQUIRE((*got)->size() == 3);
            for (std::size_t i = 0; i < 2; ++i) {
                auto const& v = (**got)[i].vector;
                if (std::string(column) == "h" && got == &text) {
                    // PostgreSQL prints as many digits as tell halves apart, not floats.
                    REQUIRE(v.size() == 4);
                    for (std::size_t j = 0; j < 4; ++j) CHECK(f16(v[j]) == f16(vectors[i][j]));
                    continue;
                }
                CHECK(v == vectors[i]);
            }
            CHECK((**got)[2].vector.empty());
            CHECK((**got)[1].id == "2");
        }
    }
    auto source = backend::postgres_dump::try_open(dump, table("alltypes", "v"));
    REQUIRE(source);
    auto const rows = records_of(*source).value();
    CHECK(rows[0].payload == fields{{"b", "101010101010"}, {"arr", value::array{1.0, 2.0, 3.0}}});
    auto const losses = source->describe()->losses;
    REQUIRE(losses.size() == 2);
    CHECK(losses[0].find("column h holds further vectors (2") != std::string::npos);
    // An array that is empty is no vector, and its row can be passed over.
    auto arrays = backend::postgres_dump::try_open(dump, table("alltypes", "arr"));
    REQUIRE(arrays);
    int bad = 0;
    arrays->pass_over([&](bad_record const& b) { bad += b.id == "2" ? 1 : 0; });
    CHECK(records_of(*arrays).value()[0].vector == floats{1, 2, 3});
    CHECK(bad == 1);
}

TEST_CASE("LangChain's collections are told apart by name") {
    auto const dump = shared_fixture("pgvector/dump_plain.sql");
    if (dump.empty()) return;
    auto o = table("langchain_pg_embedding");
    auto const several = read<backend::postgres_dump>(dump, o);
    REQUIRE(!several);
    CHECK(several.error().message().find("col_a, col_b") != std::string::npos);
    o.collection = "col_b";
    auto const b = read<backend::postgres_dump>(dump, o);
    REQUIRE(b);
    CHECK(b->size() == 20);
    CHECK((*b)[0].vector == floats{3, 3.5F, -3, 3e-06F});
    CHECK((*b)[0].payload["source"] == value("f3"));
    CHECK((*b)[0].payload["document"] == value("doc 3"));
    o.collection = "*";
    CHECK(read<backend::postgres_dump>(dump, o).value().size() == 60);
    o.collection = "col_c";
    CHECK(read<backend::postgres_dump>(dump, o).error().code() == errc::not_found);
}

TEST_CASE("A dump with several tables lists them, one in pg_dump's own format is known") {
    auto const dump = shared_fixture("pgvector/dump_plain.sql");
    if (dump.empty()) return;
    auto const several = read<backend::postgres_dump>(dump, with(backend::postgres_options{}));
    REQUIRE(!several);
    CHECK(several.error().code() == errc::invalid_argument);
    for (auto const* name :
         {"alltypes (3 rows)", "documents (1200 rows)", "langchain_pg_embedding (60 rows)"})
        CHECK(several.error().message().find(name) != std::string::npos);
    CHECK(read<backend::postgres_dump>(dump, table("nix")).error().code() == errc::not_found);

    auto const custom = read<backend::postgres_dump>(shared_fixture("pgvector/dump_custom.dump"),
                                                     with(backend::postgres_options{}));
    REQUIRE(!custom);
    CHECK(custom.error().code() == errc::unsupported);
    CHECK(custom.error().message().find("pg_restore -f dump.sql ") != std::string::npos);
    CHECK(read_dump("select 1;").error().code() == errc::foreign_file);
}

TEST_CASE("Statements of dumps are understood in all the forms that pg_dump has for them") {
    auto const got = read_dump(R"(
-- a comment; with 'quotes
/* another; */ SET standard_conforming_strings = on;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $_$ select ';'; INSERT INTO x VALUES (1) $_$;
CREATE TABLE IF NOT EXISTS app."My Docs" (
    "Doc Id" character varying(40) DEFAULT 'a,b'::character varying NOT NULL,
    body text COLLATE "C",
    price numeric(10,2),
    big bigint CHECK ((big > (0)::bigint)),
    tags text[],
    ok boolean,
    emb app.vector(2),
    CONSTRAINT c CHECK ((price > (0)::numeric))
);
INSERT INTO app."My Docs" ("Doc Id", emb, body, price, tags, big, ok) VALUES
 ('it''s', '[1,2]', E'tab\there', 1.50, '{a,"b \"c\",d",NULL}', -9223372036854775808, true),
 ('two', '[3,4]'::app.vector(2), NULL, -2, ARRAY['x','y"z'], 7, false) ON CONFLICT DO NOTHING;
INSERT INTO other VALUES (1, 'x');
COPY app."My Docs" ("Doc Id", body, emb) FROM stdin;
three\\x	a\tb\nc\x41\101\N	[5,6]
\\N	\N	\N
\.

ALTER TABLE ONLY app."My Docs"
    ADD CONSTRAINT pk PRIMARY KEY ("Doc Id");
CREATE INDEX i ON ONLY app."My Docs" USING hnsw (emb app.vector_ip_ops) WITH (m='16');
)");
    REQUIRE(got);
    REQUIRE(got->size() == 4);
    CHECK((*got)[0].id == "it's");
    CHECK((*got)[0].vector == floats{1, 2});
    CHECK((*got)[0].payload == fields{{"body", "tab\there"},
                                      {"price", 1.5},
                                      {"big", INT64_MIN},
                                      {"tags", value::array{"a", "b \"c\",d", nullptr}},
                                      {"ok", true}});
    CHECK((*got)[1].vector == floats{3, 4});
    CHECK((*got)[1].payload["tags"] == value(value::array{"x", "y\"z"}));
    CHECK((*got)[1].payload["ok"] == value(false));
    CHECK((*got)[2].id == "three\\x");
    CHECK((*got)[2].payload["body"] == value("a\tb\ncAAN"));
    CHECK((*got)[3].id == "\\N");
    CHECK((*got)[3].vector.empty());

    vicinal_test::temporary_directory const d;
    auto const path = d.file("m.sql", "create table t (id int, e vector(1));\n"
                                      "copy t from stdin;\n1\t[1]\n\\.\n"
                                      "create index on t using hnsw (e vector_cosine_ops);\n");
    CHECK(backend::postgres_dump::try_open(path)->describe()->metric == "cosine");
}

TEST_CASE("Rows without a declaration, and memories without vectors, are read as well") {
    auto const bare =
        read_dump("COPY t (id, note, v) FROM stdin;\n1\tx\t[1,2]\n2\ty\t[3,4]\n\\.\n");
    REQUIRE(bare);
    CHECK((*bare)[1].vector == floats{3, 4});
    auto const unnamed = read_dump("INSERT INTO t VALUES ('a', '[1,2]', 5);");
    REQUIRE(unnamed);
    CHECK((*unnamed)[0].vector == floats{1, 2});
    CHECK((*unnamed)[0].payload["column3"] == value(5));
    auto const memories =
        read_dump("CREATE TABLE memories (id text PRIMARY KEY, content text NOT "
                  "NULL, metadata jsonb, tags text[], \"timestamp\" timestamp);\n"
                  "COPY memories FROM stdin;\n"
                  "m1\thello\t{\"a\": 1, \"content\": 2}\t{t1,t2}\t2024-01-01\n\\.\n");
    REQUIRE(memories);
    CHECK((*memories)[0].vector.empty());
    CHECK((*memories)[0].payload == fields{{"content", "hello"},
                                           {"a", 1},
                                           {"metadata.content", 2},
                                           {"tags", value::array{"t1", "t2"}},
                                           {"timestamp", "2024-01-01"}});
}

TEST_CASE("A dump that breaks off, or is in another encoding, is an error that names the place") {
    auto const cut = read_dump("COPY t (id, v) FROM stdin;\n1\t[1,2]\n2\t[3");
    REQUIRE(!cut);
    CHECK(cut.error().code() == errc::corrupt_source);
    CHECK(cut.error().message().find("dump.sql:") != std::string::npos);
    CHECK(read_dump("INSERT INTO t VALUES (1, '[1,").error().code() == errc::corrupt_source);
    CHECK(read_dump("INSERT INTO t VALUES (1, now());").error().code() == errc::corrupt_source);
    CHECK(read_dump("SET client_encoding = 'LATIN1';").error().code() == errc::unsupported);
}

TEST_CASE("Wire values of PostgreSQL become what it prints") {
    CHECK(detail::wire_date(0) == "2000-01-01");
    CHECK(detail::wire_date(-10'957) == "1970-01-01");
    CHECK(detail::wire_date(8'825) == "2024-02-29");
    CHECK(detail::wire_timestamp(-1, true) == "1999-12-31 23:59:59.999999+00");
    value v;
    // 12345.678 as groups of four digits: 1 2345 . 6780
    REQUIRE(detail::read_wire_value(std::string_view("\0\3\0\1\0\0\0\3\0\1\x09\x29\x1a\x7c", 14),
                                    "numeric", {}, v));
    CHECK(v == value(12345.678));
    REQUIRE(detail::read_wire_value(std::string_view("\0\1\xff\xff\x40\0\0\2\x13\x88", 10),
                                    "numeric", {}, v));
    CHECK(v == value(-0.5));
    CHECK(!detail::read_wire_value("\0\1", "numeric", {}, v));
    CHECK(!detail::read_wire_value("abc", "bigint", {}, v));
}

TEST_CASE("Damaged dumps give records or errors, and nothing else") {
    auto const plain = shared_fixture("pgvector/dump_plain.sql");
    if (plain.empty()) return;
    auto whole = bytes_of(plain);
    // Few rows, so that a try is short.
    auto const from = whole.find("\n31\tdoc-30");
    auto const to = whole.find("\n\\.", from);
    REQUIRE(to != std::string::npos);
    whole.erase(from, to - from);
    std::vector<std::string> const originals = {
        whole, bytes_of(shared_fixture("pgvector/alltypes.copy.bin")),
        "CREATE TABLE t (id int PRIMARY KEY, e vector(2), m jsonb);\nINSERT INTO t VALUES (1, "
        "'[1,2]', E'{\"a\": 1}'), (2, ARRAY[1,2]::real[], NULL);\n"};
    std::mt19937 random(3);
    vicinal_test::temporary_directory const d;
    for (int i = 0; i < 450; ++i) {
        auto damaged = originals[static_cast<std::size_t>(i) % 3];
        for (auto n = random() % 5; n < 6; ++n)
            damaged[random() % damaged.size()] = i % 3 == 1
                                                     ? static_cast<char>(random())
                                                     : "'\"\\\n\t$;(,)[]{}\0x\xff"[random() % 18];
        if (random() % 4 == 0) damaged.resize(random() % damaged.size());
        auto const path = d.file("d", damaged);
        if (i % 3 == 1) {
            backend::copy_options o;
            if (i % 2 == 0)
                o.columns = "id int, v vector, h halfvec, s sparsevec, b bit, arr real[]";
            o.vector = i % 2 == 0 ? "v" : "";
            auto source = backend::postgres_copy::try_open(path, with(o));
            if (!source) continue;
            source->pass_over([](bad_record const&) {});
            if (auto const got = records_of(*source)) CHECK(got->size() <= 3);
        } else {
            auto source = backend::postgres_dump::try_open(path, i % 3 == 0 ? table("documents")
                                                                            : table("t"));
            if (!source) continue;
            source->pass_over([](bad_record const&) {});
            if (auto const got = records_of(*source)) CHECK(got->size() <= 40);
        }
    }
}

} // namespace postgres_test

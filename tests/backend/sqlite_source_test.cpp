// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/shared_fixture.hpp"
#include "support/source_records.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/backend/sqlite_source.hpp>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace sqlite_source_test {

using namespace vicinal;
using vicinal_test::bytes_of;
using vicinal_test::records_of;
using vicinal_test::shared_fixture;

static_assert(basic_source<backend::sqlite_source>);

namespace {

using floats = std::vector<float>;

backend::sqlite_options table(char const* name, char const* vector = "") {
    backend::sqlite_options o;
    o.table = name;
    o.vector = vector;
    return o;
}

result<std::vector<record>> read(std::string const& path, backend::sqlite_options o = {}) {
    auto source = backend::sqlite_source::try_open(path, std::move(o));
    if (!source) return source.error();
    source->pass_over([](bad_record const&) {});
    return records_of(*source);
}

fields expected_in(std::string const& fixture) {
    detail::json_parser parser;
    value v;
    auto const text = bytes_of(shared_fixture(fixture));
    REQUIRE(detail::read_value(*parser.parse(text), v));
    return *v.get_if<fields>();
}
floats floats_in(value const& v) {
    floats out;
    if (auto const* array = v.get_if<value::array>())
        for (auto const& e : *array)
            out.push_back(e.get_if<double>() ? static_cast<float>(*e.get_if<double>())
                                             : static_cast<float>(*e.get_if<std::int64_t>()));
    return out;
}

// Makes a database by statements, through SQLite itself.
void make(std::string const& path, std::string const& sql) {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
    char* message = nullptr;
    auto const code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &message);
    CAPTURE(message ? message : "");
    REQUIRE(code == SQLITE_OK);
    sqlite3_close(db);
}

} // namespace

TEST_CASE("Tables of sqlite-vec are read without the extension, every kind of column") {
    auto const path = shared_fixture("sqlite-vec/vec0.db");
    if (path.empty()) return;
    auto const expected = expected_in("sqlite-vec/vec0.expected.json");
    for (auto const& [name, column] :
         std::vector<std::pair<char const*, char const*>>{{"vec_items", "embedding"},
                                                          {"vec_text_pk", "embedding"},
                                                          {"vec_multi", "e_f32"},
                                                          {"vec_multi", "e_i8"},
                                                          {"vec_multi", "e_bit"},
                                                          {"vec_l1", "embedding"}}) {
        CAPTURE(name, column);
        auto source = backend::sqlite_source::try_open(path, table(name, column));
        REQUIRE(source);
        auto const got = records_of(*source, 333);
        REQUIRE(got);
        auto const& rows = *expected[name].get_if<fields>();
        REQUIRE(got->size() == rows.size());
        CHECK(source->describe()->records == rows.size());
        for (auto const& r : *got) {
            auto row = *rows[r.id].get_if<fields>();
            floats vector;
            if (auto const* bits = row[column].get_if<std::string>()) {
                for (std::size_t i = 0; i < bits->size() * 4; ++i) {
                    auto const byte = std::stoi(bits->substr(i / 8 * 2, 2), nullptr, 16);
                    vector.push_back(static_cast<float>(byte >> (i % 8) & 1));
                }
            } else {
                vector = floats_in(row[column]);
            }
            REQUIRE(r.vector == vector);
            for (auto const* other : {"embedding", "e_f32", "e_i8", "e_bit"}) row.erase(other);
            REQUIRE(r.payload == row);
        }
    }
    CHECK(backend::sqlite_source::try_open(path, table("vec_items"))->describe()->metric ==
          "squared_l2");
    CHECK(backend::sqlite_source::try_open(path, table("vec_text_pk"))->describe()->metric ==
          "cosine");
    auto l1 = backend::sqlite_source::try_open(path, table("vec_l1"));
    CHECK(l1->describe()->metric.empty());
    CHECK(l1->describe()->losses.size() == 1);
    auto const several = backend::sqlite_source::try_open(path, table("vec_multi"));
    REQUIRE(!several);
    CHECK(several.error().message().find("e_f32, e_i8, e_bit") != std::string::npos);
    auto const tables = backend::sqlite_source::try_open(path);
    REQUIRE(!tables);
    CHECK(tables.error().message().find("vec_items, vec_text_pk, vec_multi, vec_l1") !=
          std::string::npos);
}

TEST_CASE("Home-made tables of memories are read: BLOBs and texts of every kind") {
    auto const path = shared_fixture("sqlite-plain/memory.db");
    if (path.empty()) return;
    auto const expected = expected_in("sqlite-plain/memory.expected.json");

    SECTION("BLOBs of floats, some of them bad") {
        auto source = backend::sqlite_source::try_open(path, table("memories"));
        REQUIRE(source);
        CHECK(source->describe()->dim == 48);
        CHECK(source->describe()->records == 603);
        std::vector<bad_record> bad;
        source->pass_over([&](bad_record const& b) { bad.push_back(b); });
        auto const got = records_of(*source).value();
        std::map<std::string, record const*> by_id;
        for (auto const& r : got) by_id[r.id] = &r;
        auto const& rows = *expected["memories"].get_if<value::array>();
        CHECK(got.size() == rows.size() + 1); // one is not expected: it never had a vector
        CHECK(bad.size() == 2);
        std::size_t without = 0;
        for (auto const& row : rows) {
            auto f = *row.get_if<fields>();
            auto const id = std::to_string(*f["id"].get_if<std::int64_t>());
            CAPTURE(id);
            REQUIRE(by_id.count(id) == 1);
            auto const& r = *by_id[id];
            REQUIRE(r.vector == floats_in(f["embedding"]));
            without += r.vector.empty() ? 1U : 0U;
            f.erase("id");
            f.erase("embedding");
            auto payload = r.payload;
            // Tags are JSON, and come as what they are.
            auto const* tags = payload["tags"].get_if<value::array>();
            REQUIRE(tags != nullptr);
            REQUIRE(f["tags"] == value("[\"" + *tags->front().get_if<std::string>() + "\"]"));
            payload.erase("tags");
            f.erase("tags");
            REQUIRE(payload == f);
        }
        CHECK(without == 15);
    }
    SECTION("JSON text") {
        auto const got = read(path, table("notes")).value();
        auto const& rows = *expected["notes"].get_if<value::array>();
        REQUIRE(got.size() == rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            auto const& f = *rows[i].get_if<fields>();
            CHECK(value(got[i].id) == f["key"]);
            CHECK(got[i].vector == floats_in(f["vec"]));
            CHECK(got[i].payload == fields{{"body", f["body"]}, {"meta", f["meta"]}});
        }
    }
    SECTION("other encodings") {
        auto const first = *expected["notes"].get_if<value::array>();
        auto const reference = read(path, table("vec_f64")).value();
        REQUIRE(reference.size() == 20);
        for (auto const* name : {"vec_be", "vec_b64", "vec_csv"}) {
            CAPTURE(name);
            auto const got = read(path, table(name)).value();
            REQUIRE(got.size() == 20);
            for (std::size_t i = 0; i < 20; ++i) {
                CHECK(got[i].id == reference[i].id);
                CHECK(got[i].vector.size() == reference[i].vector.size());
                CHECK(got[i].payload.empty());
                for (std::size_t j = 0; j < got[i].vector.size(); ++j)
                    CHECK(got[i].vector[j] ==
                          Approx(reference[i].vector[j]).epsilon(1e-5).margin(1e-6));
            }
        }
    }
    auto const several = backend::sqlite_source::try_open(path);
    REQUIRE(!several);
    CHECK(several.error().message().find("memories, notes, vec_f64, vec_be, vec_b64, vec_csv") !=
          std::string::npos);
    CHECK(several.error().message().find("fts") == std::string::npos);
    CHECK(backend::sqlite_source::try_open(path, table("memories_fts")).error().code() ==
          errc::not_found);
}

TEST_CASE("Rows that are only in the -wal are read") {
    auto const from = shared_fixture("sqlite-plain/memory_wal_mode.db");
    if (from.empty()) return;
    vicinal_test::temporary_directory const d;
    auto const path = d.file("m.db", bytes_of(from));
    static_cast<void>(d.file("m.db-wal", bytes_of(from + "-wal")));
    auto const with = read(path, table("memories")).value();
    std::filesystem::remove(path + "-wal");
    std::filesystem::remove(path + "-shm");
    auto const without = read(path, table("memories")).value();
    CHECK(with.size() == without.size() + 1);
}

TEST_CASE("Memories and chunks of other programs are read, also without a vector") {
    vicinal_test::temporary_directory const d;
    auto const memories = d.path("aimemo.db");
    make(memories, "create table memories(id text primary key, content text not null, metadata "
                   "text, tags text, namespace text not null, timestamp text not null);"
                   "create virtual table memories_fts using fts5(content, namespace unindexed, "
                   "content='memories', content_rowid='rowid');"
                   "create index idx_namespace on memories(namespace);"
                   "insert into memories values('m1','hello','{\"a\":1,\"content\":\"x\"}',"
                   "'[\"t1\",\"t2\"]','user_1','2024-01-01T00:00:00'),"
                   "('m2','world',null,'[]','user_2','2024-01-02T00:00:00');");
    auto const got = read(memories);
    REQUIRE(got);
    REQUIRE(got->size() == 2);
    CHECK((*got)[0].vector.empty());
    CHECK((*got)[0].payload == fields{{"content", "hello"},
                                      {"a", 1},
                                      {"metadata.content", "x"},
                                      {"tags", value::array{"t1", "t2"}},
                                      {"namespace", "user_1"},
                                      {"timestamp", "2024-01-01T00:00:00"}});
    CHECK((*got)[1].payload["tags"] == value(value::array{}));

    auto const chunks = d.path("memory.db");
    make(chunks, "create table files(path text primary key, hash text);"
                 "create table chunks(id text primary key, path text, start_line integer, end_line "
                 "integer, text text, embedding text, model text);"
                 "create virtual table fts_chunks using fts5(text);"
                 "insert into files values('a.md','x');"
                 "insert into chunks values('c1','a.md',1,20,'words','[0.1,0.2]','m'),"
                 "('c2','a.md',21,30,'more',null,'m');");
    auto const two = read(chunks);
    REQUIRE(two);
    CHECK((*two)[0].vector == floats{0.1F, 0.2F});
    CHECK((*two)[0].payload == fields{{"path", "a.md"},
                                      {"start_line", 1},
                                      {"end_line", 20},
                                      {"text", "words"},
                                      {"model", "m"}});
    CHECK((*two)[1].vector.empty());

    auto const keyless = d.path("keyless.db");
    make(keyless,
         "create table v(e blob, ok boolean, raw blob);"
         "insert into v values(x'0000803f00000040',1,x'0aff'),(x'0000404000008040',0,null);");
    auto const three = read(keyless);
    REQUIRE(three);
    CHECK((*three)[1].id == "2");
    CHECK((*three)[0].vector == floats{1, 2});
    CHECK((*three)[0].payload == fields{{"ok", true}, {"raw", "0aff"}});
}

TEST_CASE("Nothing of a hostile schema is executed") {
    vicinal_test::temporary_directory const d;
    auto const path = d.path("h.db");
    make(path, "create table \"a \"\" b; drop\"(id integer primary key, \"v \"\"\" blob, "
               "n integer, g generated always as (n));"
               "insert into \"a \"\" b; drop\"(id, \"v \"\"\", n) "
               "values(1,x'0000803f00000040',-9223372036854775808);"
               "pragma writable_schema = on;"
               "update sqlite_schema set sql = replace(sql, 'as (n)', 'as (abs(n))');"
               "create view w as select abs(-9223372036854775808) as x;"
               "create table ok_info(a); create virtual table ok using fts5(a);");
    auto const got = read(path);
    CAPTURE(got ? "" : got.error().message());
    REQUIRE(got);
    REQUIRE(got->size() == 1);
    CHECK((*got)[0].vector == floats{1, 2});
    CHECK((*got)[0].payload == fields{{"n", INT64_MIN}});
}

TEST_CASE("A damaged SQLite file gives records or errors, and nothing else") {
    auto const vec0 = shared_fixture("sqlite-vec/vec0.db");
    if (vec0.empty()) return;
    vicinal_test::temporary_directory const d;
    std::mt19937 random(17);
    std::vector<std::string> const originals = {bytes_of(vec0),
                                                bytes_of(shared_fixture("sqlite-plain/memory.db"))};
    for (int i = 0; i < 60; ++i) {
        auto damaged = originals[static_cast<std::size_t>(i % 2)];
        for (int n = 0; n < 40; ++n) {
            auto const at = i % 4 < 2 ? random() % damaged.size() : random() % 40'000;
            damaged[at] = static_cast<char>(random());
        }
        if (i % 5 == 0) damaged.resize(random() % damaged.size());
        auto const path = d.file("d.db", damaged);
        for (auto const* name : {"vec_items", "vec_multi"}) {
            auto const* column = std::string(name) == "vec_multi" ? "e_bit" : "";
            auto const got =
                read(path, i % 2 == 0 ? table(name, column) : table("memories", column));
            if (got) CHECK(got->size() <= 20'000);
        }
    }
}

} // namespace sqlite_source_test

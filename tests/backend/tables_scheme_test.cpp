// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/shared_fixture.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/backend/chroma_scheme.hpp>
#include <vicinal/backend/look_at.hpp>
#include <vicinal/backend/sqlite_scheme.hpp>
#include <vicinal/backend/tables_scheme.hpp>
#include <vicinal/migrate/files/compressed.hpp>

#include <string>
#include <vector>

namespace tables_scheme_test {

using namespace vicinal;
using vicinal_test::shared_fixture;

namespace {

backend::registry all() {
    backend::registry r;
    backend::add_tables(r, backend::open_compressed, backend::json_cells());
    backend::add_sqlite(r);
    r.add("chroma", backend::chroma_scheme());
    return r;
}

backend::guess guessed(std::string const& path) {
    auto const found = backend::try_recognise(all(), path, backend::open_compressed);
    REQUIRE(found);
    REQUIRE(found->has_value());
    return **found;
}

} // namespace

TEST_CASE("Tables, dumps and databases are recognised by what is in them") {
    auto const path = [](char const* name) { return shared_fixture(name); };
    if (path("pgvector/dump_plain.sql").empty()) return;
    auto const plain = guessed(path("pgvector/dump_plain.sql"));
    CHECK(plain.uri == "pgdump:" + path("pgvector/dump_plain.sql"));
    CHECK(plain.certainty == 100);
    CHECK(guessed(path("pgvector/dump_inserts.sql.gz")).uri.starts_with("pgdump:"));
    CHECK(guessed(path("pgvector/documents.csv")).certainty == 50);
    CHECK(guessed(path("pgvector/documents.copy.bin")).uri.starts_with("pgcopy:"));
    CHECK(guessed(path("sqlite-vec/vec0.db")).what ==
          "a SQLite file (tables vec_items, vec_text_pk, vec_multi, vec_l1)");
    CHECK(guessed(path("chroma-words")).what == "a Chroma directory with 1 collection");
    auto const file = guessed(path("chroma-words") + "/chroma.sqlite3");
    CHECK(file.uri == "chroma:" + path("chroma-words") + "/");
}

TEST_CASE("What is known but not read comes with the command that converts it") {
    auto const path = [](char const* name) { return shared_fixture(name); };
    if (path("pgvector/dump_custom.dump").empty()) return;
    auto const custom = guessed(path("pgvector/dump_custom.dump"));
    CHECK(custom.uri.empty());
    CHECK(custom.advice == "pg_restore -f dump.sql " + path("pgvector/dump_custom.dump"));
    auto const lance = guessed(path("lancedb/db"));
    CHECK(lance.uri.empty());
    CHECK(lance.advice.find("open_table('") != std::string::npos);
    CHECK(guessed(path("lancedb/db/items.lance")).advice.find("open_table('items')") !=
          std::string::npos);
    CHECK(guessed(path("chroma-wild/chroma-0.3-duckdb")).advice.find("chroma-migrate") !=
          std::string::npos);
    vicinal_test::temporary_directory const d;
    std::string tar(1024, '\0');
    tar.replace(0, 12, "version.info");
    tar.replace(257, 5, "ustar");
    auto const qdrant = guessed(d.file("c-1-2024.snapshot", tar));
    CHECK(qdrant.uri.empty());
    CHECK(qdrant.advice.find("scroll") != std::string::npos);
}

TEST_CASE("Schemes of tables open what their URI says") {
    auto const path = shared_fixture("pgvector/dump_plain.sql");
    if (path.empty()) return;
    auto const r = all();
    auto const count = [&](std::string const& uri) {
        auto source = r.try_open_source(uri);
        CAPTURE(uri, source ? "" : source.error().message());
        REQUIRE(source);
        std::vector<record> batch;
        std::size_t n = 0;
        do {
            REQUIRE(source->read(batch, 1000));
            n += batch.size();
        } while (!batch.empty());
        return n;
    };
    CHECK(count("pgdump:" + path + "?table=documents") == 1200);
    CHECK(count("pgdump:" + path + "?table=langchain_pg_embedding&collection=col_a") == 40);
    CHECK(count("pgdump:" + path + "?table=alltypes&vector=h") == 3);
    CHECK(count("pgcopy:" + shared_fixture("pgvector/documents.copy.tsv") + "?dump=" + path +
                "&table=documents") == 1200);
    CHECK(count("csv:" + shared_fixture("pgvector/documents.csv") + "?delimiter=comma&id=ext_id") ==
          1200);
    CHECK(count("sqlite:" + shared_fixture("sqlite-plain/memory.db") +
                "?table=vec_f64&encoding=f64") == 20);
    CHECK(count("chroma:" + shared_fixture("chroma-words") + "?rescue=1") == 5999);
    CHECK(r.try_open_source("chroma:" + shared_fixture("chroma-words") + "?rescue=2")
              .error()
              .code() == errc::invalid_uri);
    CHECK(r.try_open_source("csv:x?delimiter=dot").error().code() == errc::invalid_uri);
    CHECK(r.try_open_source("csv:x?tabel=y").error().code() == errc::invalid_uri);

    vicinal_test::temporary_directory const d;
    auto sink = r.try_open_sink("sqlite:" + d.path("s.db"), schema{.dim = 2});
    REQUIRE(sink);
    REQUIRE(sink->begin({.dim = 2}));
    std::vector<record> const one = {{"a", {1, 2}, {{"x", 1}}}};
    REQUIRE(sink->write(one));
    REQUIRE(sink->finish());
    CHECK(count("sqlite:" + d.path("s.db")) == 1);
}

} // namespace tables_scheme_test

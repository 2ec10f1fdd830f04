// SPDX-License-Identifier: MIT
// Any declaration of a table of sqlite-vec, and any bytes in its chunks: records or an error. The
// input is the declaration, a line end, and the bytes of marks, row numbers and columns in turn.
#include "memory_input.hpp"

#include <vicinal/backend/sqlite_source.hpp>

#include <cstdio>
#include <unistd.h>

namespace {

void run(sqlite3* db, char const* sql, std::string_view blob = {}, bool text = false) {
    sqlite3_stmt* s = nullptr;
    sqlite3_prepare_v2(db, sql, -1, &s, nullptr);
    if (text)
        sqlite3_bind_text(s, 1, blob.data(), static_cast<int>(blob.size()), SQLITE_TRANSIENT);
    else
        sqlite3_bind_blob(s, 1, blob.data(), static_cast<int>(blob.size()), SQLITE_TRANSIENT);
    sqlite3_step(s);
    sqlite3_finalize(s);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace vicinal;
    std::string_view rest(reinterpret_cast<char const*>(data), size);
    auto const line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix((std::min)(line.size() + 1, rest.size()));
    auto const take = [&](std::size_t n) {
        auto const piece = rest.substr(0, n);
        rest.remove_prefix(piece.size());
        return piece;
    };
    auto const path = "/tmp/vicinal-vec0-fuzz-" + std::to_string(::getpid());
    std::remove(path.c_str());
    sqlite3* db = nullptr;
    if (sqlite3_open(path.c_str(), &db) != SQLITE_OK) std::abort();
    for (char const* sql :
         {"pragma journal_mode = off", "pragma synchronous = off", "begin",
          "create table t_chunks(chunk_id integer primary key, size integer, partition00, "
          "validity blob, rowids blob)",
          "create table t_rowids(rowid integer primary key, id, chunk_id, chunk_offset)",
          "create table t_vector_chunks00(rowid primary key, vectors blob)",
          "create table t_metadatachunks00(rowid primary key, data blob)",
          "create table t_metadatatext00(rowid primary key, data text)",
          "create table t_auxiliary(rowid integer primary key, value00)",
          "insert into t_rowids values(1, 'one', 1, 0)",
          "insert into t_metadatatext00 values(1, 'a text of more than twelve bytes')",
          "insert into t_auxiliary values(1, 'x')", "pragma writable_schema = on"})
        run(db, sql);
    run(db,
        "insert into sqlite_schema values('table', 't', 't', 0, 'create virtual table t using "
        "vec0' || ?1)",
        line, true);
    run(db, "insert into t_chunks values(1, 8, 7, ?1, zeroblob(64))", take(1));
    run(db, "update t_chunks set rowids = ?1", take(64));
    run(db, "insert into t_metadatachunks00 values(1, ?1)", take(128));
    run(db, "insert into t_vector_chunks00 values(1, ?1)", rest);
    run(db, "commit");
    sqlite3_close(db);
    backend::sqlite_options options;
    options.table = "t";
    vicinal_fuzz::read_all(backend::sqlite_source::try_open(path, options));
    std::remove(path.c_str());
    return 0;
}

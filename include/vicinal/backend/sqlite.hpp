// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_SQLITE_HPP
#define VICINAL_BACKEND_SQLITE_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/source_file.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

namespace vicinal::inline VICINAL_ABI::detail {

/// What SQLite says of a failure, as a vicinal error that names the file.
[[nodiscard]] inline error sqlite_error(int code, sqlite3* db, std::string const& path) {
    std::string const reason = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    switch (code & 0xff) {
        case SQLITE_NOMEM: return error{errc::out_of_memory};
        case SQLITE_NOTADB: return error{errc::foreign_file, "a SQLite file", path + ": " + reason};
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return error{errc::locked, "no writer", path + ": " + reason};
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_IOERR: return error{errc::io_failure, "a readable file", path + ": " + reason};
        case SQLITE_READONLY:
            return error{errc::corrupt_source,
                         "a database without an unfinished transaction (the program that wrote it "
                         "can finish it)",
                         path + ": " + reason};
        case SQLITE_TOOBIG:
            return error{errc::limit_exceeded, "values of at most 64 MiB", path + ": " + reason};
        default: return error{errc::corrupt_source, "an intact database", path + ": " + reason};
    }
}

/// A prepared statement: bind, step, read columns. Lives no longer than its database.
class sqlite_statement {
public:
    sqlite_statement() = default;

    sqlite_statement& bind(int parameter, std::string_view text) {
        sqlite3_bind_text64(get(), parameter, text.data(), text.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8);
        return *this;
    }
    sqlite_statement& bind(int parameter, std::int64_t number) {
        sqlite3_bind_int64(get(), parameter, number);
        return *this;
    }

    sqlite_statement& bind(int parameter, std::span<std::byte const> blob) {
        sqlite3_bind_blob64(get(), parameter, blob.data(), blob.size(), SQLITE_TRANSIENT);
        return *this;
    }
    sqlite_statement& bind_null(int parameter) {
        sqlite3_bind_null(get(), parameter);
        return *this;
    }

    /// Steps to the next row; false behind the last one.
    [[nodiscard]] result<bool> step() {
        int const code = sqlite3_step(get());
        if (code == SQLITE_ROW) return true;
        if (code == SQLITE_DONE) return false;
        return sqlite_error(code, sqlite3_db_handle(get()), path_);
    }

    /// Back to before the first row; bound values stay.
    void reset() noexcept { sqlite3_reset(get()); }

    [[nodiscard]] bool null(int column) const noexcept {
        return sqlite3_column_type(get(), column) == SQLITE_NULL;
    }
    [[nodiscard]] int type(int column) const noexcept { return sqlite3_column_type(get(), column); }
    [[nodiscard]] std::int64_t integer(int column) const noexcept {
        return sqlite3_column_int64(get(), column);
    }
    [[nodiscard]] double real(int column) const noexcept {
        return sqlite3_column_double(get(), column);
    }
    /// Valid until the next step or reset; empty for NULL.
    [[nodiscard]] std::string_view text(int column) const noexcept {
        auto const* s = reinterpret_cast<char const*>(sqlite3_column_text(get(), column));
        return s == nullptr ? std::string_view{} : std::string_view{s, bytes(column)};
    }
    [[nodiscard]] std::span<std::byte const> blob(int column) const noexcept {
        auto const* b = static_cast<std::byte const*>(sqlite3_column_blob(get(), column));
        return b == nullptr ? std::span<std::byte const>{}
                            : std::span<std::byte const>{b, bytes(column)};
    }

private:
    friend class sqlite_database;
    struct finalize {
        void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
    };

    [[nodiscard]] sqlite3_stmt* get() const noexcept { return statement_.get(); }
    [[nodiscard]] std::size_t bytes(int column) const noexcept {
        return static_cast<std::size_t>(sqlite3_column_bytes(get(), column));
    }

    std::unique_ptr<sqlite3_stmt, finalize> statement_;
    std::string path_;
};

/// A SQLite file of strangers, opened to be read and for nothing else.
///
/// Nothing is written: no journal is rolled back, no schema code runs (no triggers, views, virtual
/// tables of extensions or functions of the schema), sizes are limited, and only what the file's
/// schema calls a table counts as one (sqlite.org/security.html).
class sqlite_database {
public:
    /// Errors: not_found, foreign_file (not SQLite), corrupt_source, io_failure, locked.
    [[nodiscard]] static result<sqlite_database> open(std::string const& path) {
        auto file = source_file::open(path);
        if (!file) return file.error();
        char header[20] = {};
        auto const got = file->read_at(0, header, sizeof header);
        if (!got) return got.error();
        if (*got < sizeof header || std::memcmp(header, "SQLite format 3", 16) != 0)
            return error{errc::foreign_file, "a SQLite file", path + ": another one"};
        // A file in WAL mode whose log is gone can only be read as immutable: SQLite would make a
        // new log beside it. In the other mode a plain read-only connection writes nothing, and its
        // locks keep a program that is still writing from changing the file under our hands.
        bool const wal_mode = header[19] == 2;
        bool const immutable = wal_mode && !path_exists(path + "-wal");

        sqlite_database opened;
        opened.path_ = path;
        sqlite3* db = nullptr;
        int const code =
            sqlite3_open_v2(uri(path, immutable).c_str(), &db,
                            SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
                                SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
                            nullptr);
        opened.db_.reset(db);
        if (code != SQLITE_OK) return sqlite_error(code, db, path);
        harden(db);
        for (char const* sql :
             {"pragma cell_size_check = on", "pragma mmap_size = 0", "pragma cache_size = -32768",
              "pragma temp_store = memory", "begin", "select count(*) from sqlite_schema"})
            VICINAL_CHECK(opened.run(sql));
        return opened;
    }

    /// Opens a database to write into, and makes it, readable by its owner only, where there is
    /// none. Every commit is durable. Errors: foreign_file (not SQLite), locked, io_failure.
    [[nodiscard]] static result<sqlite_database> open_to_write(std::string const& path) {
        int const fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) {
            int const number = errno;
            return error{number == ENOENT || number == ENOTDIR ? errc::not_found : errc::io_failure,
                         "a file that can be written", path + ": " + system_reason(number)};
        }
        ::close(fd);
        sqlite_database opened;
        opened.path_ = path;
        sqlite3* db = nullptr;
        int const code =
            sqlite3_open_v2(uri(path, false, "rw").c_str(), &db,
                            SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
                                SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
                            nullptr);
        opened.db_.reset(db);
        if (code != SQLITE_OK) return sqlite_error(code, db, path);
        harden(db);
        for (char const* sql : {"pragma synchronous = full", "pragma temp_store = memory",
                                "select count(*) from sqlite_schema"})
            VICINAL_CHECK(opened.run(sql));
        return opened;
    }

    /// Runs a statement to its end; `sql` is text of this library.
    [[nodiscard]] result<void> run(std::string_view sql) const {
        auto statement = prepare(sql);
        if (!statement) return statement.error();
        for (;;) {
            auto const row = statement->step();
            if (!row) return row.error();
            if (!*row) return {};
        }
    }

    [[nodiscard]] std::string const& path() const noexcept { return path_; }

    /// `sql` is always text of this library: what comes from outside is bound.
    [[nodiscard]] result<sqlite_statement> prepare(std::string_view sql) const {
        sqlite_statement s;
        s.path_ = path_;
        sqlite3_stmt* raw = nullptr;
        int const code = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()),
                                            SQLITE_PREPARE_NO_VTAB, &raw, nullptr);
        s.statement_.reset(raw);
        if (code != SQLITE_OK) return sqlite_error(code, db_.get(), path_);
        return s;
    }

    /// Whether there is a real table of that name: no view, no virtual table.
    [[nodiscard]] result<bool> has_table(std::string_view name) const {
        auto s = prepare("select 1 from sqlite_schema where type = 'table' and name = ?1 "
                         "and rootpage > 0");
        if (!s) return s.error();
        return s->bind(1, name).step();
    }

    /// The names of the columns of `table`, a name that this library knows; none where it is not
    /// there.
    [[nodiscard]] result<std::vector<std::string>> columns(std::string_view table) const {
        std::vector<std::string> names;
        auto real = has_table(table);
        if (!real) return real.error();
        if (!*real) return names;
        auto s = prepare("select * from " + std::string(table));
        if (!s) return s.error();
        for (int i = 0; i < sqlite3_column_count(s->get()); ++i)
            names.emplace_back(sqlite3_column_name(s->get(), i));
        return names;
    }

private:
    struct close {
        void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
    };

    // "file:" and the path with what means something in a URI percent-encoded.
    static std::string uri(std::string const& path, bool immutable,
                           std::string const& mode = "ro") {
        std::string out = path.starts_with('/') ? "file://" : "file:";
        for (char const c : path) {
            if (c == '%')
                out.append("%25");
            else if (c == '?')
                out.append("%3f");
            else if (c == '#')
                out.append("%23");
            else
                out.push_back(c);
        }
        return out.append("?mode=" + mode + (immutable ? "&immutable=1" : ""));
    }

    static void harden(sqlite3* db) noexcept {
        sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
        sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
        sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
        sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
        sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
        sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 64 << 20);
        sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 1 << 20);
        sqlite3_limit(db, SQLITE_LIMIT_COLUMN, 500);
        sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 100);
        sqlite3_limit(db, SQLITE_LIMIT_VDBE_OP, 25'000);
        sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
        sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
        sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
    }

    std::unique_ptr<sqlite3, close> db_;
    std::string path_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_SQLITE_SINK_HPP
#define VICINAL_BACKEND_SQLITE_SINK_HPP

#include <vicinal/backend/sqlite.hpp>
#include <vicinal/backend/sqlite/catalogue.hpp>
#include <vicinal/backend/sqlite_source.hpp>
#include <vicinal/core/bits.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/json/write.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

/// Writes a SQLite file with one table, which any program can read:
///
///     records(id text primary key, vector blob, payload text)
///
/// A vector is its floats, 4 bytes each, the lowest first, or NULL; the payload is a JSON object. A
/// batch is one transaction, on disk when `write` returns. Records are added to what the table has
/// already, one of the same id is replaced, and other tables of the file are left alone; so an
/// interrupted migration goes on by writing again. Memory: one batch. Needs SQLite and simdjson.
class sqlite_sink {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit sqlite_sink(std::string path) : sqlite_sink(try_open(std::move(path)).value()) {}
#endif

    /// Errors: invalid_argument for an empty path. Nothing is written before `begin`.
    [[nodiscard]] static result<sqlite_sink> try_open(std::string path) {
        if (path.empty()) return error{errc::invalid_argument, "the path of a file", "''"};
        return sqlite_sink(std::move(path), unopened{});
    }

    /// Makes file and table where they are not there.
    ///
    /// Errors: foreign_file (not SQLite, or a table `records` of other columns),
    /// dimension_mismatch (with the vectors that are there), not_found (no such directory), locked,
    /// io_failure.
    result<void> begin(schema const& incoming) {
        return detail::guarded([&]() -> result<void> {
            db_ = {};
            dim_ = 0;
            auto db = detail::sqlite_database::open_to_write(path_);
            if (!db) return db.error();
            db_ = std::make_unique<detail::sqlite_database>(*std::move(db));
            VICINAL_CHECK(db_->run("create table if not exists records(id text primary key, "
                                   "vector blob, payload text)"));
            auto const columns = detail::table_columns(*db_, "records");
            if (!columns) return columns.error();
            if (detail::names_of(*columns) != "id, vector, payload")
                return error{errc::foreign_file, "a table records(id, vector, payload)",
                             path_ + ": records(" + detail::names_of(*columns) + ")"};
            VICINAL_CHECK(prepare());
            auto first = db_->prepare("select length(vector) from records where vector is not null "
                                      "limit 1");
            if (!first) return first.error();
            auto const row = first->step();
            if (!row) return row.error();
            if (*row) dim_ = static_cast<std::size_t>(first->integer(0)) / sizeof(float);
            return same_dim(incoming.dim, "what is to be written");
        });
    }

    /// As `begin`: what is there stays.
    result<void> resume(schema const& incoming) { return begin(incoming); }

    /// How many records the file has; 0 where it is not there.
    [[nodiscard]] result<std::uint64_t> count() const {
        return detail::guarded([&]() -> result<std::uint64_t> {
            if (!detail::path_exists(path_)) return std::uint64_t{0};
            auto const db = detail::sqlite_database::open(path_);
            if (!db) return db.error();
            auto const there = db->has_table("records");
            if (!there) return there.error();
            return *there ? detail::count_rows(*db, "records") : std::uint64_t{0};
        });
    }

    /// The table has no place for the metric.
    [[nodiscard]] std::vector<std::string> losses(schema const& incoming) const {
        if (incoming.metric.empty()) return {};
        return {"the metric " + incoming.metric + " is not written into a SQLite file"};
    }

    /// Whether the file has this very record.
    [[nodiscard]] result<bool> holds(record const& r) {
        return detail::guarded([&]() -> result<bool> {
            VICINAL_CHECK(begun());
            // What can't be written is not there; write() says why.
            if (!pack(r)) return false;
            find_.reset();
            auto const row = find_.bind(1, r.id).step();
            if (!row) return row.error();
            auto const blob = find_.blob(0);
            bool const same = *row && find_.null(0) == r.vector.empty() &&
                              std::equal(blob.begin(), blob.end(), bytes_.begin(), bytes_.end()) &&
                              find_.text(1) == text_;
            find_.reset();
            return same;
        });
    }

    /// Refuses what `write` would refuse, and writes nothing: for dry runs.
    [[nodiscard]] result<void> check(std::span<record const> batch) {
        return detail::guarded([&]() -> result<void> {
            auto const before = dim_;
            for (auto const& r : batch)
                if (auto packed = pack(r); !packed) {
                    dim_ = before;
                    return packed;
                }
            return {};
        });
    }

    /// All of the batch or nothing. Errors, naming the record: empty_id, invalid_id (not UTF-8),
    /// not_finite, dimension_mismatch, unsupported (NaN or infinity in the payload),
    /// invalid_payload, limit_exceeded (a payload of 64 MiB); also locked and io_failure.
    result<void> write(std::span<record const> batch) {
        return detail::guarded([&]() -> result<void> {
            VICINAL_CHECK(begun());
            auto const before = dim_;
            VICINAL_CHECK(db_->run("begin immediate"));
            for (auto const& r : batch) {
                auto written = put(r);
                if (written) continue;
                dim_ = before;
                put_.reset();
                static_cast<void>(db_->run("rollback"));
                return written;
            }
            put_.reset();
            auto committed = db_->run("commit");
            if (!committed) static_cast<void>(db_->run("rollback"));
            return committed;
        });
    }

    /// Closes the file.
    result<void> finish() {
        return detail::guarded([&]() -> result<void> {
            VICINAL_CHECK(begun());
            put_ = {};
            find_ = {};
            db_ = {};
            return {};
        });
    }

    /// Reads what the file has now.
    [[nodiscard]] result<sqlite_source> reopen() const {
        return sqlite_source::try_open(
            path_, {.table = "records", .vector = "vector", .id = "id", .encoding = "f32"});
    }

private:
    struct unopened {};
    sqlite_sink(std::string path, unopened) : path_(std::move(path)) {}

    [[nodiscard]] result<void> begun() const {
        if (db_) return {};
        return error{errc::invalid_argument, "begin() before the writing", "none"};
    }

    result<void> prepare() {
        auto put = db_->prepare(
            "insert into records(id, vector, payload) values(?1, ?2, ?3) on conflict(id) do update "
            "set vector = excluded.vector, payload = excluded.payload");
        if (!put) return put.error();
        put_ = *std::move(put);
        auto find = db_->prepare("select vector, payload from records where id = ?1");
        if (!find) return find.error();
        find_ = *std::move(find);
        return {};
    }

    result<void> same_dim(std::size_t dim, std::string const& what) {
        if (dim == 0) return {};
        if (dim_ == 0) dim_ = dim;
        if (dim_ == dim) return {};
        return error{errc::dimension_mismatch, std::to_string(dim_),
                     std::to_string(dim) + " in " + what};
    }

    // A record as the columns have it, in bytes_ and text_.
    result<void> pack(record const& r) {
        auto const named = [&r](error const& e) {
            return error{e.code(), e.expected(), e.got() + " in record '" + r.id + "'"};
        };
        if (r.id.empty()) return error{errc::empty_id, "a name for each record", "none"};
        if (detail::utf8_valid_prefix(r.id) != r.id.size())
            return error{errc::invalid_id, "an id that is UTF-8 text", "'" + r.id + "'"};
        VICINAL_CHECK(same_dim(r.vector.size(), "record '" + r.id + "'"));
        bytes_.resize(r.vector.size() * sizeof(float));
        for (std::size_t i = 0; i < r.vector.size(); ++i) {
            if (!std::isfinite(r.vector[i]))
                return named(error{errc::not_finite, "finite numbers",
                                   "element " + std::to_string(i) + " not finite"});
            detail::store_le(bytes_.data() + i * sizeof(float),
                             std::bit_cast<std::uint32_t>(r.vector[i]));
        }
        text_.clear();
        if (auto written = detail::to_json(r.payload, text_); !written)
            return named(written.error());
        if (text_.size() > (std::size_t{63} << 20))
            return named(error{errc::limit_exceeded, "payloads of at most 63 MiB", "a longer one"});
        return {};
    }

    result<void> put(record const& r) {
        VICINAL_CHECK(pack(r));
        put_.reset();
        put_.bind(1, r.id).bind(3, text_);
        if (r.vector.empty())
            put_.bind_null(2);
        else
            put_.bind(2, std::span<std::byte const>(bytes_));
        auto const done = put_.step();
        if (!done) return done.error();
        return {};
    }

    std::string path_;
    std::unique_ptr<detail::sqlite_database> db_; // outlives its statements
    detail::sqlite_statement put_;
    detail::sqlite_statement find_;
    std::size_t dim_ = 0;
    std::vector<std::byte> bytes_;
    std::string text_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

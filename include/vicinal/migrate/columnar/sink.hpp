// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_SINK_HPP
#define VICINAL_MIGRATE_COLUMNAR_SINK_HPP

#include <vicinal/migrate/columnar/arrow/writer.hpp>
#include <vicinal/migrate/columnar/parquet/writer.hpp>
#include <vicinal/migrate/columnar/source.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/files/sink_file.hpp>
#include <vicinal/migrate/json/utf8.hpp>
#include <vicinal/migrate/json/write.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar {

/// Writes a table of three columns: id, vector, and the payload as JSON text.
template <class Writer>
class table_sink {
public:
    /// Starts an empty file. Errors: not_found (no such directory), locked, io_failure.
    result<void> begin(schema const& incoming) {
        return guarded([&]() -> result<void> {
            file_ = {};
            rows_.clear();
            replaced_.clear();
            next_row_ = 0;
            incoming_ = incoming;
            auto file = sink_file::create(path_);
            if (!file) return file.error();
            file_ = *std::move(file);
            writer_ = Writer(options_);
            return writer_.start(file_, incoming_);
        });
    }

    /// All of the batch or nothing. Errors, naming the record: empty_id, invalid_id, unsupported
    /// (NaN or infinity in the payload), invalid_payload, limit_exceeded (over 65,536 elements, a
    /// payload of over 64 MiB), dimension_mismatch (Arrow); also io_failure.
    result<void> write(std::span<record const> batch) {
        return guarded([&]() -> result<void> {
            if (!file_.is_open())
                return error{errc::invalid_argument, "begin() before write()", "none"};
            std::vector<std::string> texts(batch.size());
            auto dim = writer_.dim();
            for (std::size_t i = 0; i < batch.size(); ++i)
                VICINAL_CHECK(prepare(batch[i], dim, texts[i]));
            for (std::size_t i = 0; i < batch.size(); ++i) {
                auto const [at, added] = rows_.try_emplace(batch[i].id, next_row_);
                if (!added) {
                    replaced_.insert(at->second);
                    at->second = next_row_;
                }
                ++next_row_;
                VICINAL_CHECK(writer_.add(file_, batch[i], texts[i]));
            }
            return {};
        });
    }

    /// Refuses what `write` would refuse, and writes nothing: for dry runs.
    [[nodiscard]] result<void> check(schema const& incoming) {
        incoming_ = incoming;
        checked_dim_ = Writer::fixed_dim ? incoming.dim : 0;
        return {};
    }
    [[nodiscard]] result<void> check(std::span<record const> batch) {
        return guarded([&]() -> result<void> {
            std::string text;
            for (auto const& r : batch) VICINAL_CHECK(prepare(r, checked_dim_, text));
            return {};
        });
    }

    /// Everything written is on disk under the path when it returns. Records that were written
    /// again are taken out of the file by writing it once more.
    result<void> finish() {
        return guarded([&]() -> result<void> {
            if (!file_.is_open())
                return error{errc::invalid_argument, "begin() before finish()", "none"};
            VICINAL_CHECK(writer_.end(file_));
            if (!replaced_.empty()) VICINAL_CHECK(write_again());
            return file_.publish();
        });
    }

    /// Reads what `finish` has published.
    [[nodiscard]] result<backend::columnar_source> reopen() const {
        return backend::columnar_source::try_open(path_);
    }

protected:
    table_sink(std::string path, typename Writer::options options)
        : path_(std::move(path)), options_(options), writer_(options) {}

private:
    /// Judges a record and gives its payload as text. `dim` becomes that of the first vector, where
    /// all must be of one.
    [[nodiscard]] static result<void> prepare(record const& r, std::size_t& dim,
                                              std::string& text) {
        auto const wrong = [&r](errc code, std::string expected, std::string const& got) {
            return error{code, std::move(expected), got + " in record '" + r.id + "'"};
        };
        if (r.id.empty()) return error{errc::empty_id, "a name for each record", "none"};
        if (utf8_valid_prefix(r.id) != r.id.size())
            return error{errc::invalid_id, "an id that is UTF-8 text", "other bytes"};
        if (r.vector.size() > source_dims)
            return wrong(errc::limit_exceeded, "at most 65536 elements",
                         std::to_string(r.vector.size()));
        if (Writer::fixed_dim && !r.vector.empty()) {
            if (dim == 0) dim = r.vector.size();
            if (dim != r.vector.size())
                return wrong(errc::dimension_mismatch, std::to_string(dim),
                             std::to_string(r.vector.size()));
        }
        text.clear();
        if (auto const made = to_json(r.payload, text); !made)
            return wrong(made.error().code(), made.error().expected(), made.error().got());
        if (text.size() > (std::size_t{64} << 20))
            return wrong(errc::limit_exceeded, "payloads of at most 64 MiB", "a larger one");
        return {};
    }

    /// The file without the rows that were replaced, in its own place.
    result<void> write_again() {
        auto kept = sink_file::create(path_ + ".kept");
        if (!kept) return kept.error();
        auto present = backend::columnar_source::try_open(path_ + ".tmp");
        if (!present) return present.error();
        Writer writer(options_);
        VICINAL_CHECK(writer.start(*kept, incoming_));
        std::vector<record> batch;
        std::string text;
        std::uint64_t row = 0;
        do {
            VICINAL_CHECK(present->read(batch, 1'000));
            for (auto const& r : batch) {
                if (replaced_.contains(row++)) continue;
                text.clear();
                VICINAL_CHECK(to_json(r.payload, text));
                VICINAL_CHECK(writer.add(*kept, r, text));
            }
        } while (!batch.empty());
        VICINAL_CHECK(writer.end(*kept));
        file_.cut(0);
        std::string piece(std::size_t{1} << 20, '\0');
        for (std::uint64_t at = 0; at < kept->size();) {
            auto const got = kept->read_at(at, piece.data(), piece.size());
            if (!got) return got.error();
            VICINAL_CHECK(file_.append(std::string_view(piece).substr(0, *got)));
            at += *got;
        }
        return {};
    }

    std::string path_;
    typename Writer::options options_;
    Writer writer_;
    sink_file file_;
    schema incoming_;
    std::unordered_map<std::string, std::uint64_t> rows_; // of each id
    std::unordered_set<std::uint64_t> replaced_;
    std::uint64_t next_row_ = 0;
    std::size_t checked_dim_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar

namespace vicinal::inline VICINAL_ABI::backend {

/// Writes Parquet that `columnar_source` reads back equal, vectors bit for bit: the columns id
/// (STRING), vector (LIST of FLOAT; null where a record has none) and payload (the fields as JSON
/// text, so that nothing is lost), in plain pages of about a megabyte, packed with zstd.
///
/// The file is written as path + ".tmp" and takes the place of `path` in `finish`. Memory: a row
/// group of at most 64 MiB, and the ids.
class parquet_sink : public detail::columnar::table_sink<detail::columnar::parquet::writer> {
public:
    using options = detail::columnar::parquet::writer::options;

#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit parquet_sink(std::string path, options o = {})
        : parquet_sink(try_open(std::move(path), o).value()) {}
#endif
    /// Errors: invalid_argument for an empty path. Nothing is written before `begin`.
    [[nodiscard]] static result<parquet_sink> try_open(std::string path, options o = {}) {
        if (path.empty()) return error{errc::invalid_argument, "the path of a file", "''"};
        return parquet_sink(std::move(path), o, unopened{});
    }

private:
    struct unopened {};
    parquet_sink(std::string path, options o, unopened) : table_sink(std::move(path), o) {}
};

/// Writes an Arrow file, or a stream, that `columnar_source` reads back equal: the columns id
/// (utf8), vector (FixedSizeList of float; List where no vector came in the first batch) and
/// payload (the fields as JSON text). All vectors must be of one dimension.
///
/// As `parquet_sink` otherwise; a record batch takes the place of a row group.
class arrow_sink : public detail::columnar::table_sink<detail::columnar::arrow::writer> {
public:
    using options = detail::columnar::arrow::writer::options;

#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit arrow_sink(std::string path, options o = {})
        : arrow_sink(try_open(std::move(path), o).value()) {}
#endif
    /// Errors: invalid_argument for an empty path. Nothing is written before `begin`.
    [[nodiscard]] static result<arrow_sink> try_open(std::string path, options o = {}) {
        if (path.empty()) return error{errc::invalid_argument, "the path of a file", "''"};
        return arrow_sink(std::move(path), o, unopened{});
    }

private:
    struct unopened {};
    arrow_sink(std::string path, options o, unopened) : table_sink(std::move(path), o) {}
};

static_assert(basic_source<columnar_source>);
static_assert(basic_sink<parquet_sink>);
static_assert(basic_sink<arrow_sink>);

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSONL_HPP
#define VICINAL_MIGRATE_JSONL_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/files/lines.hpp>
#include <vicinal/migrate/files/sink_file.hpp>
#include <vicinal/migrate/json/record.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

/// Reads JSON Lines: `{"id": ..., "vector": [...], "payload": {...}}`, one record a line.
///
/// Ids are strings or integers (which become text); "payload" may be absent or null; any other name
/// is an error, and every error names file and line. Blank lines and a byte order mark are skipped.
/// Vectors are the floats nearest to the decimals. The file is streamed: memory is bounded by the
/// batch and about 16 times the longest line, which may have 64 MiB. Needs simdjson.
class jsonl_source {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit jsonl_source(std::string path, input_opener open = open_file)
        : jsonl_source(try_open(std::move(path), open).value()) {}
#endif

    /// Errors: not_found, foreign_file (no regular file), io_failure.
    [[nodiscard]] static result<jsonl_source> try_open(std::string path,
                                                       input_opener open = open_file) {
        return detail::guarded([&]() -> result<jsonl_source> {
            jsonl_source source(std::move(path), open, unopened{});
            VICINAL_CHECK(source.rewind());
            return source;
        });
    }

    /// The dimension is that of the first record; how many there are only reading tells.
    [[nodiscard]] result<schema> describe() {
        return detail::guarded([&]() -> result<schema> {
            auto file = open_(path_);
            if (!file) return file.error();
            detail::line_reader lines(*std::move(file), std::size_t{1} << 16);
            schema s;
            s.description = "jsonl:" + path_;
            auto more = lines.next();
            if (!more) return more.error();
            if (*more) {
                record first;
                VICINAL_CHECK(read_line(lines, first));
                s.dim = first.vector.size();
            }
            return s;
        });
    }

    result<void> rewind() {
        return detail::guarded([&]() -> result<void> {
            auto file = open_(path_);
            if (!file) return file.error();
            lines_ = std::make_unique<detail::line_reader>(*std::move(file));
            return {};
        });
    }

    result<void> read(std::vector<record>& batch, std::size_t most) {
        return detail::guarded([&]() -> result<void> {
            // Records of the batch before are filled anew: their vectors keep their memory.
            std::size_t n = 0;
            while (n < most) {
                auto more = lines_->next();
                if (!more) return more.error();
                if (!*more) break;
                if (n == batch.size()) batch.emplace_back();
                batch[n].id.clear();
                if (auto const read = read_line(*lines_, batch[n]); read)
                    ++n;
                else
                    VICINAL_CHECK(bad_.meet(lines_->place(), batch[n].id, read.error()));
            }
            batch.resize(n);
            return {};
        });
    }

    /// From now on a line that is no record is told and passed over.
    void pass_over(bad_record_handler tell) { bad_.pass_over(std::move(tell)); }

private:
    struct unopened {};
    jsonl_source(std::string path, input_opener open, unopened)
        : path_(std::move(path)), open_(open), records_(std::make_unique<detail::record_reader>()) {
    }

    result<void> read_line(detail::line_reader const& lines, record& out) {
        static_assert(detail::line_reader::padding >= simdjson::SIMDJSON_PADDING);
        if (auto read = records_->read(lines.line(), out); !read) {
            auto const& e = read.error();
            return error{e.code(), e.expected(), lines.place() + ": " + e.got()};
        }
        return {};
    }

    std::string path_;
    input_opener open_;
    std::unique_ptr<detail::line_reader> lines_;
    std::unique_ptr<detail::record_reader> records_;
    detail::bad_records bad_;
};

/// Writes JSON Lines that `jsonl_source` reads back equal, vectors and doubles bit for bit.
///
/// The file is written as path + ".tmp" (mode 0600) and takes the place of `path` in `finish`, so
/// that a half-written one is never seen under that name. A record that is written again
/// leaves a blank line where it stood. What a killed run leaves in ".tmp", `resume` goes on with.
/// Memory: one batch, and about 40 bytes a record.
class jsonl_sink {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit jsonl_sink(std::string path) : jsonl_sink(try_open(std::move(path)).value()) {}
#endif

    /// Errors: invalid_argument for an empty path. Nothing is written before `begin`.
    [[nodiscard]] static result<jsonl_sink> try_open(std::string path) {
        if (path.empty()) return error{errc::invalid_argument, "the path of a file", "''"};
        return jsonl_sink(std::move(path), unopened{});
    }

    /// Starts an empty file. Errors: not_found (no such directory), locked, io_failure.
    result<void> begin(schema const&) {
        return detail::guarded([&]() -> result<void> {
            file_ = {};
            places_.clear();
            auto file = detail::sink_file::create(path_);
            if (!file) return file.error();
            file_ = *std::move(file);
            return {};
        });
    }

    /// Goes on with the ".tmp" that a killed run left, up to its last whole record; where there is
    /// none, with a copy of the file that is there; where there is nothing, as `begin`.
    ///
    /// Errors: as `begin`, and those of jsonl_source for a file that is there.
    result<void> resume(schema const& incoming) {
        return detail::guarded([&]() -> result<void> {
            file_ = {};
            places_.clear();
            auto file = detail::sink_file::resume(path_);
            if (!file && file.error().code() == errc::not_found) {
                if (!detail::path_exists(path_)) return begin(incoming);
                VICINAL_CHECK(copy_present(incoming));
                file = detail::sink_file::resume(path_);
            }
            if (!file) return file.error();
            file_ = *std::move(file);
            return find_places();
        });
    }

    /// Whether the file has this very record.
    [[nodiscard]] result<bool> holds(record const& r) {
        return detail::guarded([&]() -> result<bool> {
            text_.clear();
            // What can't be written is not there; write() says why.
            if (!detail::append_record(r, text_)) return false;
            text_.push_back('\n');
            there_.resize(text_.size());
            auto const [from, to] = places_.equal_range(detail::hash_bytes(r.id));
            for (auto at = from; at != to; ++at) {
                auto const got = file_.read_at(at->second, there_.data(), there_.size());
                if (!got) return got.error();
                if (*got == text_.size() && there_ == text_) return true;
            }
            return false;
        });
    }

    /// Refuses what `write` would refuse, and writes nothing: for dry runs.
    [[nodiscard]] result<void> check(std::span<record const> batch) {
        return detail::guarded([&]() -> result<void> {
            for (auto const& r : batch) {
                text_.clear();
                VICINAL_CHECK(detail::append_record(r, text_));
            }
            return {};
        });
    }

    /// All of the batch or nothing. Errors, naming the record: empty_id, invalid_id, not_finite,
    /// unsupported (NaN or infinity in the payload), invalid_payload; also io_failure.
    result<void> write(std::span<record const> batch) {
        return detail::guarded([&]() -> result<void> {
            if (!file_.is_open())
                return error{errc::invalid_argument, "begin() before write()", "none"};
            text_.clear();
            std::vector<std::pair<std::uint64_t, std::uint64_t>> added;
            added.reserve(batch.size());
            for (auto const& r : batch) {
                added.emplace_back(detail::hash_bytes(r.id), file_.size() + text_.size());
                VICINAL_CHECK(detail::append_record(r, text_));
                text_.push_back('\n');
            }
            places_.reserve(places_.size() + added.size());
            VICINAL_CHECK(file_.append(text_));
            for (std::size_t i = 0; i < batch.size(); ++i) {
                auto const [hash, place] = added[i];
                VICINAL_CHECK(replace(batch[i].id, hash));
                places_.emplace(hash, place);
            }
            return {};
        });
    }

    /// Everything written is on disk under the path when it returns.
    result<void> finish() {
        return detail::guarded([&]() -> result<void> {
            if (!file_.is_open())
                return error{errc::invalid_argument, "begin() before finish()", "none"};
            return file_.publish();
        });
    }

    /// Beside the file.
    [[nodiscard]] std::string token_path() const { return path_ + ".migration"; }

    /// Reads what `finish` has published.
    [[nodiscard]] result<jsonl_source> reopen() const { return jsonl_source::try_open(path_); }

private:
    struct unopened {};
    jsonl_sink(std::string path, unopened) : path_(std::move(path)) {}

    // The file that is there, as this class writes it, becomes the ".tmp" in one step: a kill
    // before leaves none, a kill after leaves all of it.
    result<void> copy_present(schema const& incoming) {
        jsonl_sink copy(path_ + ".tmp", unopened{});
        VICINAL_CHECK(copy.begin(incoming));
        if (detail::path_exists(copy.path_))
            return error{errc::locked, "no other writer", copy.path_ + " has one"};
        auto present = jsonl_source::try_open(path_);
        VICINAL_CHECK(present);
        std::vector<record> batch;
        do {
            VICINAL_CHECK(present->read(batch, 1000));
            VICINAL_CHECK(copy.write(batch));
        } while (!batch.empty());
        return copy.finish();
    }

    // Reads the ids of the unfinished file, up to where it was cut off. A record that was written
    // again, or half blanked, when the run was killed is blanked now.
    result<void> find_places() {
        auto file = open_file(path_ + ".tmp");
        if (!file) return file.error();
        detail::line_reader lines(*std::move(file));
        detail::record_reader reader;
        record r;
        std::uint64_t end = 0;
        for (;;) {
            auto const more = lines.next();
            if (!more && more.error().code() != errc::limit_exceeded) return more.error();
            if (!more || !*more || !lines.whole()) break;
            auto const read = reader.read(lines.line(), r);
            if (!read && read.error().code() == errc::out_of_memory) return read.error();
            if (read) {
                auto const hash = detail::hash_bytes(r.id);
                VICINAL_CHECK(replace(r.id, hash));
                places_.emplace(hash, lines.offset());
            } else if (lines.line().front() == ' ') {
                VICINAL_CHECK(blank(lines.offset()));
            } else {
                break;
            }
            end = lines.offset() + lines.line().size() + 1;
        }
        file_.cut(end);
        return {};
    }

    // Blanks the line of an earlier record of that id. The hash only proposes lines: each is
    // compared with the beginning that a record of that id has.
    result<void> replace(std::string const& id, std::uint64_t hash) {
        auto const [from, to] = places_.equal_range(hash);
        if (from == to) return {};
        std::string start = "{\"id\":";
        VICINAL_CHECK(detail::append_json_string(id, start));
        start.push_back(',');
        std::string there(start.size(), '\0');
        for (auto at = from; at != to; ++at) {
            auto const got = file_.read_at(at->second, there.data(), there.size());
            if (!got) return got.error();
            if (*got != start.size() || there != start) continue;
            VICINAL_CHECK(blank(at->second));
            places_.erase(at);
            break;
        }
        return {};
    }

    result<void> blank(std::uint64_t offset) {
        std::string piece(std::size_t{1} << 16, '\0');
        for (;;) {
            auto const got = file_.read_at(offset, piece.data(), piece.size());
            if (!got) return got.error();
            auto const end = (std::min)(piece.find('\n'), *got);
            VICINAL_CHECK(file_.write_at(offset, std::string(end, ' ')));
            offset += end;
            if (end < *got || *got < piece.size()) return {};
        }
    }

    std::string path_;
    detail::sink_file file_;
    std::string text_;
    std::string there_;
    std::unordered_multimap<std::uint64_t, std::uint64_t> places_; // hash of the id -> offset
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_ARRAY_SINK_HPP
#define VICINAL_MIGRATE_JSON_ARRAY_SINK_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/migrate/arrays/array_source.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/files/sink_file.hpp>
#include <vicinal/migrate/json/array_records.hpp>
#include <vicinal/migrate/json/write.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

/// Writes records as an array and what stands beside it: the vectors into x.npy or x.fbin, ids and
/// payloads into x.jsonl, one line a row, so that nothing is lost.
///
/// Both files are written as ".tmp" (mode 0600) and take their places in `finish`, the lines first;
/// a run that is killed between the two steps leaves new lines beside an old array. Every record
/// needs a vector, all of one length. A record that is written again moves to the end. Memory: one
/// batch, and about 50 bytes a record. The side file is JSON, but no foreign library is needed.
class array_sink {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit array_sink(std::string path, array_format format = array_format::npy)
        : array_sink(try_open(std::move(path), format).value()) {}
#endif

    /// Errors: invalid_argument for an empty path, or a format other than npy and fbin. Nothing is
    /// written before `begin`.
    [[nodiscard]] static result<array_sink> try_open(std::string path,
                                                     array_format format = array_format::npy) {
        if (path.empty()) return error{errc::invalid_argument, "the path of a file", "''"};
        if (format != array_format::npy && format != array_format::fbin)
            return error{errc::invalid_argument, "npy or fbin", std::string(name_of(format))};
        return array_sink(std::move(path), format, unopened{});
    }

    /// The file of ids and payloads: the path with its ending replaced by ".jsonl".
    [[nodiscard]] std::string side() const {
        auto const ending = "." + std::string(name_of(format_));
        auto const stem = path_.ends_with(ending) ? path_.size() - ending.size() : path_.size();
        return path_.substr(0, stem) + ".jsonl";
    }

    /// Starts two empty files. Errors: not_found (no such directory), locked, io_failure.
    result<void> begin(schema const& incoming) {
        return detail::guarded([&]() -> result<void> {
            rows_.clear();
            lines_at_.clear();
            dead_.clear();
            dim_ = incoming.dim;
            for (auto [file, path] : {std::pair{&vectors_, path_}, std::pair{&lines_, side()}}) {
                *file = {};
                auto made = detail::sink_file::create(std::move(path));
                if (!made) return made.error();
                *file = *std::move(made);
            }
            return vectors_.append(std::string(head_bytes(), '\0'));
        });
    }

    /// Refuses what `write` would refuse, and writes nothing: for dry runs.
    [[nodiscard]] result<void> check(std::span<record const> batch) {
        return detail::guarded([&]() -> result<void> { return encode(batch); });
    }

    /// All of the batch or nothing. Errors, naming the record: empty_id, invalid_id, not_finite,
    /// dimension_mismatch (also for a record without a vector), unsupported (NaN or infinity in the
    /// payload), invalid_payload; also limit_exceeded (2^32 rows of an .fbin), io_failure.
    result<void> write(std::span<record const> batch) {
        return detail::guarded([&]() -> result<void> {
            if (!vectors_.is_open())
                return error{errc::invalid_argument, "begin() before write()", "none"};
            auto const dim = dim_;
            if (auto encoded = encode(batch); !encoded) {
                dim_ = dim;
                return encoded;
            }
            if (format_ == array_format::fbin &&
                lines_at_.size() + batch.size() > (std::numeric_limits<std::uint32_t>::max)())
                return error{errc::limit_exceeded, "at most 2^32 - 1 rows in an .fbin", "more"};
            rows_.reserve(rows_.size() + batch.size());
            lines_at_.reserve(lines_at_.size() + batch.size());
            auto const before = vectors_.size();
            auto const line = lines_.size();
            VICINAL_CHECK(vectors_.append(vectors_text_));
            if (auto written = lines_.append(lines_text_); !written) {
                vectors_.cut(before);
                return written;
            }
            auto row = lines_at_.size();
            for (auto const start : starts_) lines_at_.push_back(line + start);
            for (auto const& r : batch) {
                auto const hash = detail::hash_bytes(r.id);
                VICINAL_CHECK(replace(r.id, hash));
                rows_.emplace(hash, row++);
            }
            return {};
        });
    }

    /// Everything written is on disk under both paths when it returns.
    result<void> finish() {
        return detail::guarded([&]() -> result<void> {
            if (!vectors_.is_open())
                return error{errc::invalid_argument, "begin() before finish()", "none"};
            VICINAL_CHECK(close_gaps());
            VICINAL_CHECK(vectors_.write_at(0, head()));
            VICINAL_CHECK(lines_.publish());
            return vectors_.publish();
        });
    }

    /// Reads what `finish` has published, both files.
    [[nodiscard]] result<array_records> reopen() const {
        return array_records::try_open(path_, format_, {.side = side()});
    }

private:
    struct unopened {};
    array_sink(std::string path, array_format format, unopened)
        : path_(std::move(path)), format_(format) {}

    [[nodiscard]] std::size_t head_bytes() const noexcept {
        return format_ == array_format::npy ? 128 : 8;
    }

    [[nodiscard]] std::string head() const {
        auto const rows = lines_at_.size();
        if (format_ == array_format::npy) {
            std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (" +
                               std::to_string(rows) + ", " + std::to_string(dim_) + "), }";
            text.resize(head_bytes() - 11, ' ');
            // Version 1.0, and the length of the text with its end of line: 118.
            return std::string(detail::npy_magic) + std::string("\1\0\x76\0", 4) + text + "\n";
        }
        std::byte bytes[8];
        detail::store_le(bytes, static_cast<std::uint32_t>(rows));
        detail::store_le(bytes + 4, static_cast<std::uint32_t>(dim_));
        return {reinterpret_cast<char const*>(bytes), sizeof bytes};
    }

    // Fills vectors_text_, lines_text_ and starts_, the offsets of the lines.
    result<void> encode(std::span<record const> batch) {
        vectors_text_.clear();
        lines_text_.clear();
        starts_.clear();
        for (auto const& r : batch) {
            if (dim_ == 0) dim_ = r.vector.size();
            if (r.vector.size() != dim_ || dim_ == 0)
                return error{errc::dimension_mismatch, std::to_string(dim_) + " elements",
                             std::to_string(r.vector.size()) + " in record '" + r.id + "'"};
            for (std::size_t i = 0; i < r.vector.size(); ++i) {
                if (!std::isfinite(r.vector[i]))
                    return error{errc::not_finite, "finite numbers",
                                 "element " + std::to_string(i) + " not finite in record '" + r.id +
                                     "'"};
                std::byte bytes[4];
                detail::store_le(bytes, std::bit_cast<std::uint32_t>(r.vector[i]));
                vectors_text_.append(reinterpret_cast<char const*>(bytes), sizeof bytes);
            }
            starts_.push_back(lines_text_.size());
            VICINAL_CHECK(append_id(r.id, lines_text_));
            lines_text_.append("\"payload\":");
            if (auto payload = detail::to_json(r.payload, lines_text_); !payload) {
                auto const& e = payload.error();
                return error{e.code(), e.expected(), e.got() + " in record '" + r.id + "'"};
            }
            lines_text_.append("}\n");
        }
        return {};
    }

    // The beginning of a line, which no other id has.
    static result<void> append_id(std::string const& id, std::string& out) {
        if (id.empty()) return error{errc::empty_id, "a name for each record", "none"};
        out.append("{\"id\":");
        if (auto text = detail::append_json_string(id, out); !text)
            return error{errc::invalid_id, "an id that is UTF-8 text", text.error().got()};
        out.push_back(',');
        return {};
    }

    // Blanks the line of an earlier record of that id; its row goes in finish().
    result<void> replace(std::string const& id, std::uint64_t hash) {
        auto const [from, to] = rows_.equal_range(hash);
        if (from == to) return {};
        std::string start;
        VICINAL_CHECK(append_id(id, start));
        std::string there(start.size(), '\0');
        for (auto at = from; at != to; ++at) {
            auto const row = at->second;
            auto const got = lines_.read_at(lines_at_[row], there.data(), there.size());
            if (!got) return got.error();
            if (*got != start.size() || there != start) continue;
            auto const end = row + 1 < lines_at_.size() ? lines_at_[row + 1] : lines_.size();
            VICINAL_CHECK(blank(lines_at_[row], end - 1));
            dead_.push_back(row);
            rows_.erase(at);
            break;
        }
        return {};
    }

    result<void> blank(std::uint64_t from, std::uint64_t end) {
        constexpr std::uint64_t piece = std::uint64_t{1} << 16;
        std::string const spaces((std::min)(piece, end - from), ' ');
        for (; from < end; from += (std::min)(piece, end - from))
            VICINAL_CHECK(lines_.write_at(
                from, std::string_view(spaces).substr(0, (std::min)(piece, end - from))));
        return {};
    }

    // Rows of records that were written again go away: those behind them move down.
    result<void> close_gaps() {
        if (dead_.empty()) return {};
        std::sort(dead_.begin(), dead_.end());
        auto const bytes = 4 * dim_;
        std::string row(bytes, '\0');
        auto to = dead_.front();
        std::size_t next = 0;
        for (auto from = to; from < lines_at_.size(); ++from) {
            if (next < dead_.size() && dead_[next] == from) {
                ++next;
                continue;
            }
            auto const got = vectors_.read_at(head_bytes() + from * bytes, row.data(), bytes);
            if (!got) return got.error();
            VICINAL_CHECK(vectors_.write_at(head_bytes() + to++ * bytes, row));
        }
        vectors_.cut(head_bytes() + to * bytes);
        // Nothing is left to do where finish() fails behind this and is called again.
        lines_at_.resize(to);
        dead_.clear();
        return {};
    }

    std::string path_;
    array_format format_;
    detail::sink_file vectors_;
    detail::sink_file lines_;
    std::size_t dim_ = 0;
    std::string vectors_text_;
    std::string lines_text_;
    std::vector<std::size_t> starts_;
    std::unordered_multimap<std::uint64_t, std::size_t> rows_; // hash of the id -> row
    std::vector<std::uint64_t> lines_at_;                      // a row
    std::vector<std::size_t> dead_;                            // rows that were written again
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_PAYLOADS_HPP
#define VICINAL_BACKEND_CHROMA_PAYLOADS_HPP

#include <vicinal/backend/chroma/catalogue.hpp>
#include <vicinal/backend/chroma/replay.hpp>
#include <vicinal/backend/sqlite.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/json/read.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Reads the payloads of records: metadata, document and uri as fields.
///
/// Chroma keeps document and uri as metadata under "chroma:document" and "chroma:uri". Here they
/// are called "document" and "uri", unless the metadata have a name like that: then that one keeps
/// it and Chroma's keeps its prefix.
class chroma_payloads {
public:
    [[nodiscard]] static result<chroma_payloads> open(sqlite_database const& db) {
        chroma_payloads p;
        auto const columns = db.columns("embedding_metadata");
        if (!columns) return columns.error();
        // Until metadb 1 a bool was an integer.
        std::string const boolean = contains(*columns, "bool_value") ? "bool_value" : "null";
        auto scalars = db.prepare("select key, string_value, int_value, float_value, " + boolean +
                                  " from embedding_metadata where id = ?1");
        if (!scalars) return scalars.error();
        p.scalars_ = *std::move(scalars);
        auto extent = db.prepare("select min(rowid), max(rowid), count(*) from embedding_metadata "
                                 "where id between ?1 and ?2");
        if (!extent) return extent.error();
        p.extent_ = *std::move(extent);
        auto run = db.prepare("select key, string_value, int_value, float_value, " + boolean +
                              ", id from embedding_metadata where rowid between ?1 and ?2");
        if (!run) return run.error();
        p.run_ = *std::move(run);

        auto const arrays = db.has_table("embedding_metadata_array");
        if (!arrays) return arrays.error();
        if (*arrays) {
            auto any = db.prepare("select 1 from embedding_metadata_array limit 1");
            if (!any) return any.error();
            auto const row = any->step();
            if (!row) return row.error();
            p.has_arrays_ = *row;
        }
        if (p.has_arrays_) {
            auto elements =
                db.prepare("select key, string_value, int_value, float_value, bool_value "
                           "from embedding_metadata_array where id = ?1 order by rowid");
            if (!elements) return elements.error();
            p.elements_ = *std::move(elements);
        }
        auto const log = db.has_table("embeddings_queue");
        if (!log) return log.error();
        if (*log) {
            auto update = db.prepare("select metadata from embeddings_queue where seq_id = ?1");
            if (!update) return update.error();
            p.update_ = *std::move(update);
        }
        p.parser_ = std::make_unique<json_parser>();
        return p;
    }

    /// Replaces the payloads of `batch` by those of the records at `places`, as many as there are.
    ///
    /// Errors: SQLite's; corrupt_source (metadata in the log that are no JSON object).
    result<void> read(std::span<chroma_place const> places, std::span<record> batch) {
        for (auto& r : batch) r.payload.clear();
        auto const together = read_together(places, batch);
        if (!together) return together.error();
        for (std::size_t i = 0; i < places.size(); ++i)
            VICINAL_CHECK(read_rest(places[i], !*together, batch[i].payload));
        return {};
    }

private:
    // Rows that came in one after the other lie one behind the other, as do their fields: then one
    // pass over the table is three times as fast as a search for each record. Whether they do is
    // seen in the index alone. False where they don't, and nothing was read.
    result<bool> read_together(std::span<chroma_place const> places, std::span<record> batch) {
        auto low = std::numeric_limits<std::int64_t>::max();
        std::int64_t high = -1;
        for (auto const& p : places) {
            if (p.row < 0) continue;
            low = (std::min)(low, p.row);
            high = (std::max)(high, p.row);
        }
        auto const most = static_cast<std::int64_t>(2 * places.size());
        if (places.size() < 8 || high < 0 || high - low >= most) return false;
        extent_.reset();
        auto const found = extent_.bind(1, low).bind(2, high).step();
        if (!found) return found.error();
        auto const first = extent_.integer(0);
        auto const last = extent_.integer(1);
        auto const rows = extent_.integer(2);
        extent_.reset();
        if (rows == 0) return true;
        if (first < 0 || last - first >= 2 * rows) return false;
        whose_.assign(static_cast<std::size_t>(high - low + 1), -1);
        for (std::size_t i = 0; i < places.size(); ++i)
            if (places[i].row >= 0)
                whose_[static_cast<std::size_t>(places[i].row - low)] =
                    static_cast<std::ptrdiff_t>(i);
        run_.reset();
        run_.bind(1, first).bind(2, last);
        for (;;) {
            auto const row = run_.step();
            if (!row) return row.error();
            if (!*row) break;
            auto const id = run_.integer(5);
            if (id < low || id > high) continue;
            auto const i = whose_[static_cast<std::size_t>(id - low)];
            if (i >= 0)
                batch[static_cast<std::size_t>(i)].payload.set(std::string(run_.text(0)),
                                                               value_in(run_));
        }
        run_.reset();
        return true;
    }

    result<void> read_rest(chroma_place const& place, bool scalars, fields& out) {
        if (place.row >= 0 && scalars) VICINAL_CHECK(read_scalars(place.row, out));
        if (place.row >= 0 && has_arrays_) VICINAL_CHECK(read_arrays(place.row, out));
        for (auto const sequence : place.updates) VICINAL_CHECK(merge_update(sequence, out));
        for (std::string_view const name : {"document", "uri"}) rename(name, out);
        return {};
    }

    [[nodiscard]] static value value_in(sqlite_statement const& row) {
        if (!row.null(4)) return row.integer(4) != 0;
        if (!row.null(1)) return std::string(row.text(1));
        if (!row.null(2)) return row.integer(2);
        if (!row.null(3)) return row.real(3);
        return {};
    }

    result<void> read_scalars(std::int64_t record, fields& out) {
        scalars_.reset();
        scalars_.bind(1, record);
        for (;;) {
            auto const row = scalars_.step();
            if (!row) return row.error();
            if (!*row) return {};
            out.set(std::string(scalars_.text(0)), value_in(scalars_));
        }
    }

    result<void> read_arrays(std::int64_t record, fields& out) {
        elements_.reset();
        elements_.bind(1, record);
        std::vector<std::pair<std::string, value::array>> arrays;
        for (;;) {
            auto const row = elements_.step();
            if (!row) return row.error();
            if (!*row) break;
            auto const key = elements_.text(0);
            auto const found = std::find_if(arrays.begin(), arrays.end(),
                                            [key](auto const& a) { return a.first == key; });
            auto& array = found != arrays.end() ? *found : arrays.emplace_back(key, value::array{});
            array.second.push_back(value_in(elements_));
        }
        for (auto& [key, array] : arrays) out.set(std::move(key), std::move(array));
        return {};
    }

    // An update names what it changes; null takes a name away.
    result<void> merge_update(std::int64_t sequence, fields& out) {
        update_.reset();
        auto const row = update_.bind(1, sequence).step();
        if (!row) return row.error();
        if (!*row || update_.null(0)) return {};
        auto const place = [&] { return "entry " + std::to_string(sequence) + " of the log"; };
        auto const root = parser_->parse(update_.text(0));
        value v;
        if (!root) return error{errc::corrupt_source, "metadata in JSON", place()};
        if (auto read = read_value(*root, v); !read)
            return error{errc::corrupt_source, read.error().expected(),
                         read.error().got() + " in " + place()};
        if (v.is_null()) return {};
        auto const* changes = v.get_if<fields>();
        if (changes == nullptr)
            return error{errc::corrupt_source, "metadata as a JSON object", place()};
        for (auto const& [name, changed] : *changes) {
            if (changed.is_null())
                out.erase(name);
            else
                out.set(name, changed);
        }
        return {};
    }

    static void rename(std::string_view name, fields& out) {
        auto const own = "chroma:" + std::string(name);
        auto const* v = out.find(own);
        if (v == nullptr) return;
        if (v->is_null()) {
            out.erase(own);
        } else if (!out.contains(name)) {
            auto text = *v;
            out.erase(own);
            out.set(std::string(name), std::move(text));
        }
    }

    sqlite_statement scalars_;
    sqlite_statement extent_; // of the rows of some records
    sqlite_statement run_;    // of rows one behind the other
    std::vector<std::ptrdiff_t> whose_;
    sqlite_statement elements_;
    sqlite_statement update_;
    bool has_arrays_ = false;
    std::unique_ptr<json_parser> parser_; // has buffers that must not move
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_RESCUE_VIEW_HPP
#define VICINAL_BACKEND_CHROMA_RESCUE_VIEW_HPP

#include <vicinal/backend/chroma/catalogue.hpp>
#include <vicinal/backend/chroma/payloads.hpp>
#include <vicinal/backend/chroma/replay.hpp>
#include <vicinal/backend/chroma/rescue_index.hpp>
#include <vicinal/backend/chroma/rescue_scan.hpp>
#include <vicinal/backend/sqlite.hpp>
#include <vicinal/core/bits.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/bad_record.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What can be told of one collection of a damaged directory: each part is read as far as it goes,
/// and only what several parts agree on is taken.
class rescue_view {
public:
    [[nodiscard]] static result<std::unique_ptr<rescue_view>>
    open(std::string const& directory, sqlite_database db, chroma_entry entry) {
        auto view = std::make_unique<rescue_view>();
        view->db_ = std::move(db);
        view->entry_ = std::move(entry);
        VICINAL_CHECK(view->bring_together(directory));
        return view;
    }

    [[nodiscard]] std::size_t size() const noexcept { return found_.places.size(); }
    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] chroma_entry const& entry() const noexcept { return entry_; }
    [[nodiscard]] std::vector<std::string> const& losses() const noexcept { return losses_; }
    /// Records of which is known at once that they are lost.
    [[nodiscard]] std::vector<bad_record> const& lost() const noexcept { return lost_; }
    [[nodiscard]] std::string const& id(std::size_t i) const noexcept {
        return found_.places[i].id;
    }

    [[nodiscard]] result<void> read(std::size_t i, record& out) {
        auto const& place = found_.places[i];
        out.id = place.id;
        if (place.where == chroma_place::vector_in::index)
            VICINAL_CHECK(index_->read(static_cast<std::uint32_t>(place.vector), out.vector));
        else
            VICINAL_CHECK(read_logged(place, out.vector));
        return payloads_.read(std::span(&place, 1), std::span(&out, 1));
    }

private:
    // Damage is what this class is for; anything else is not its business.
    [[nodiscard]] static bool passes(error const& e) noexcept {
        return e.code() != errc::out_of_memory && e.code() != errc::io_failure;
    }
    void lose(std::string place, std::string id, std::string reason) {
        lost_.push_back({std::move(place), std::move(id),
                         error{errc::corrupt_source, "an intact record", std::move(reason)}});
    }
    void lose(std::vector<row_gap> const& gaps, std::string const& table) {
        for (auto const& g : gaps)
            lose(db_.path() + ", table " + table + ", rows " + std::to_string(g.from) + " to " +
                     std::to_string(g.to),
                 {}, "rows on damaged pages");
    }

    // The highest row number of a table; a guess where not even that can be read.
    [[nodiscard]] std::int64_t last_row(std::string const& sql) {
        auto rows = db_.prepare(sql);
        if (!rows) return 0;
        auto const row = rows->step();
        return row && *row ? rows->integer(0) : std::int64_t{1} << 22;
    }

    result<void> bring_together(std::string const& directory) {
        std::map<std::int64_t, std::string> ids; // by row
        std::set<std::int64_t> doubtful;
        VICINAL_CHECK(read_ids(ids, doubtful));
        chroma_replay all;
        for (auto const& [row, id] : ids) {
            auto const place = db_.path() + ", table embeddings, row " + std::to_string(row);
            if (doubtful.count(row) != 0)
                lose(place, id, "table and index differ on the id of the row");
            else if (!all.add_record(id, row))
                lose(place, id, "another row has the same id");
        }
        VICINAL_CHECK(add_persisted(directory + "/" + entry_.vector_segment, all));
        VICINAL_CHECK(follow_log(all));
        std::vector<std::string> incomplete;
        found_ = all.finish(&incomplete);
        for (auto& id : incomplete)
            lose(directory, std::move(id), "no vector that can be trusted is left of it");
        for (auto const& place : found_.places)
            if (place.where == chroma_place::vector_in::index &&
                !index_->has_length(static_cast<std::uint32_t>(place.vector)))
                ++unit_;
        if (unit_ > 0)
            losses_.push_back(std::to_string(unit_) +
                              " vectors are normalised: their lengths, in length.bin, are lost");
        auto payloads = chroma_payloads::open(db_);
        if (!payloads) return payloads.error();
        payloads_ = *std::move(payloads);
        dim_ = entry_.about.dimension;
        if (dim_ == 0 && index_) dim_ = index_->dim();
        auto const log = db_.has_table("embeddings_queue");
        if (!log || !*log) return {};
        auto logged =
            db_.prepare("select vector, encoding from embeddings_queue where seq_id = ?1");
        if (!logged) return logged.error();
        logged_ = *std::move(logged);
        return {};
    }

    // From the table, past its damaged pages, and from both ends of the index that has the same.
    result<void> read_ids(std::map<std::int64_t, std::string>& ids,
                          std::set<std::int64_t>& doubtful) {
        auto const add = [&](std::int64_t row, std::string_view id) {
            auto const [at, fresh] = ids.emplace(row, id);
            if (!fresh && at->second != id) doubtful.insert(row);
        };
        auto const gaps = scan_damaged(
            db_,
            "select id, embedding_id, segment_id from embeddings not indexed "
            "where id between ?1 and ?2 order by id",
            0, last_row("select max(id) from embeddings"), [&](sqlite_statement const& row) {
                if (row.text(2) == entry_.metadata_segment) add(row.integer(0), row.text(1));
            });
        if (!gaps) return gaps.error();
        bool whole = false;
        for (std::string const order : {"", " desc"}) {
            auto rows = db_.prepare("select id, embedding_id from embeddings where segment_id = ?1 "
                                    "order by embedding_id" +
                                    order);
            if (!rows) return rows.error();
            rows->bind(1, entry_.metadata_segment);
            for (;;) {
                auto const row = rows->step();
                whole = whole || (row && !*row);
                if (!row || !*row) break;
                add(rows->integer(0), rows->text(1));
            }
        }
        // Where the index is whole, it has named everything that the table has lost.
        if (!whole) lose(*gaps, "embeddings");
        return {};
    }

    result<void> add_persisted(std::string const& files, chroma_replay& all) {
        if (entry_.vector_segment.empty() ||
            entry_.vector_segment.find_first_not_of("0123456789abcdefABCDEF-") != std::string::npos)
            return {};
        auto const watermark = segment_watermark(db_, entry_.vector_segment);
        if (watermark && *watermark >= 0) done_.vectors = *watermark;
        std::int64_t last = 0;
        auto const labels = rescue_labels(files + "/index_metadata.pickle", last);
        if (!labels) {
            if (!passes(labels.error())) return labels.error();
            done_.vectors = 0; // all that is left of the vectors is in the log
            losses_.push_back("the map of ids and vectors can't be read (" +
                              labels.error().message() + ")");
            return {};
        }
        if (!watermark || *watermark < 0) done_.vectors = last;
        std::unordered_set<std::uint64_t> wanted;
        for (auto const& entry : *labels) wanted.insert(entry.second);
        auto index = rescued_index::open(files, entry_.about.space == "cosine",
                                         entry_.about.dimension, wanted);
        if (!index) {
            if (!passes(index.error())) return index.error();
            losses_.push_back("the files of the index can't be read (" + index.error().message() +
                              ")");
            return {};
        }
        index_ = *std::move(index);
        for (auto const& [id, label] : *labels)
            if (auto const row = index_->find(label))
                static_cast<void>(all.add_persisted(id, *row)); // an id that is there twice: first
        return {};
    }

    result<void> follow_log(chroma_replay& all) {
        auto const metadata = metadata_watermark(db_, entry_.metadata_segment);
        if (metadata) done_.metadata = *metadata;
        auto const there = db_.has_table("embeddings_queue");
        if (!there) return there.error();
        if (!*there) return {};
        auto const usual = "persistent://default/default/" + entry_.id;
        auto const gaps = scan_damaged(
            db_,
            "select seq_id, operation, id, vector is not null, topic from embeddings_queue "
            "not indexed where seq_id between ?1 and ?2 order by seq_id",
            0, last_row("select max(seq_id) from embeddings_queue"),
            [&](sqlite_statement const& row) {
                auto const code = row.integer(1);
                bool const mine = row.text(4) == usual || row.text(4) == entry_.topic;
                if (mine && code >= 0 && code <= 3)
                    all.follow(row.text(2), static_cast<chroma_replay::operation>(code),
                               row.integer(0), row.integer(3) != 0, done_);
            });
        if (!gaps) return gaps.error();
        lose(*gaps, "embeddings_queue");
        if (!gaps->empty())
            losses_.push_back("parts of the log are lost: records may be as they were before "
                              "their last change");
        return {};
    }

    result<void> read_logged(chroma_place const& place, std::vector<float>& out) {
        logged_.reset();
        auto const row = logged_.bind(1, place.vector).step();
        if (!row) return row.error();
        auto const bytes = *row ? logged_.blob(0) : std::span<std::byte const>{};
        if (bytes.empty() || bytes.size() % 4 != 0 || bytes.size() / 4 > source_dims ||
            (dim_ != 0 && bytes.size() / 4 != dim_) || logged_.text(1) != "FLOAT32")
            return error{errc::corrupt_source, "a vector of floats in the log",
                         std::to_string(bytes.size()) + " bytes"};
        out.resize(bytes.size() / 4);
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = std::bit_cast<float>(load_le<std::uint32_t>(bytes.data() + i * 4));
            if (!(std::abs(out[i]) < 1e10F))
                return error{errc::corrupt_source, "numbers as embeddings have them",
                             "element " + std::to_string(i) + " of another size"};
        }
        if (dim_ == 0) dim_ = out.size();
        return {};
    }

    sqlite_database db_; // before the statements, which go first
    chroma_entry entry_;
    chroma_watermarks done_;
    std::optional<rescued_index> index_;
    chroma_replay::outcome found_;
    chroma_payloads payloads_;
    sqlite_statement logged_;
    std::size_t dim_ = 0;
    std::size_t unit_ = 0;
    std::vector<bad_record> lost_;
    std::vector<std::string> losses_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_REPLAY_HPP
#define VICINAL_BACKEND_CHROMA_REPLAY_HPP

#include <vicinal/backend/chroma/catalogue.hpp>
#include <vicinal/backend/chroma/index_map.hpp>
#include <vicinal/backend/sqlite.hpp>
#include <vicinal/core/result.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Where the parts of one record are: nothing of its vector or payload is held in memory.
struct chroma_place {
    enum class vector_in : std::uint8_t { nothing, index, log };

    std::string id;
    bool live = false;     // a record of that id exists
    std::int64_t row = -1; // embeddings.id, -1 where the record is in the log alone
    vector_in where = vector_in::nothing;
    std::int64_t vector = 0; // the row of the index, or the sequence number in the log
    std::vector<std::int64_t> updates = {}; // sequence numbers of newer metadata in the log
};

/// How far table and index have followed the log: what is behind that is replayed.
struct chroma_watermarks {
    std::int64_t metadata = 0;
    std::int64_t vectors = 0;
};

/// Brings table of records, persisted index and log of a collection together, as Chroma does when
/// it starts. Time and memory O(records); vectors and documents are not touched.
class chroma_replay {
public:
    enum class operation : std::int64_t { add = 0, update = 1, upsert = 2, erase = 3 };

    /// The records of the metadata segment. Errors: as SQLite's, corrupt_source.
    result<void> add_records(sqlite_database const& db, std::string const& segment) {
        auto rows = db.prepare("select id, embedding_id from embeddings where segment_id = ?1 "
                               "order by embedding_id");
        if (!rows) return rows.error();
        rows->bind(1, segment);
        for (;;) {
            auto const row = rows->step();
            if (!row) return row.error();
            if (!*row) return {};
            if (!add_record(rows->text(1), rows->integer(0)))
                return error{errc::corrupt_source, "each id once in a collection",
                             "'" + std::string(rows->text(1)) + "' twice in " + db.path()};
        }
    }

    /// A record of the table, by its row there; false where that id was there before.
    bool add_record(std::string_view id, std::int64_t row) {
        auto& place = at(id);
        if (place.live) return false;
        place.live = true;
        place.row = row;
        return true;
    }

    /// Makes room for about that many records.
    void reserve(std::size_t records) { by_id_.reserve(records); }

    /// The vector of `id` is that row of the persisted index.
    result<void> add_persisted(std::string_view id, std::uint32_t row) {
        auto& place = at(id);
        if (place.where != chroma_place::vector_in::nothing)
            return error{errc::corrupt_source, "each id once in the index map",
                         "'" + place.id + "' twice"};
        place.where = chroma_place::vector_in::index;
        place.vector = row;
        return {};
    }

    /// The operations that came after the watermarks, in their order.
    result<void> follow_log(sqlite_database const& db, chroma_entry const& collection,
                            chroma_watermarks const& done) {
        auto const there = db.has_table("embeddings_queue");
        if (!there) return there.error();
        if (!*there) return {};
        // Neither vector nor metadata is asked for: long ones lie on pages of their own, which are
        // then never read.
        auto rows = db.prepare("select seq_id, operation, id, vector is not null "
                               "from embeddings_queue where topic in (?1, ?2) order by seq_id");
        if (!rows) return rows.error();
        auto const usual = "persistent://default/default/" + collection.id;
        rows->bind(1, usual).bind(2, collection.topic.empty() ? usual : collection.topic);
        for (;;) {
            auto const row = rows->step();
            if (!row) return row.error();
            if (!*row) return {};
            auto const sequence = rows->integer(0);
            auto const code = rows->integer(1);
            if (code < 0 || code > 3)
                return error{errc::corrupt_source, "an operation from 0 to 3",
                             std::to_string(code) + " at " + std::to_string(sequence) +
                                 " of the log in " + db.path()};
            follow(rows->text(2), static_cast<operation>(code), sequence, rows->integer(3) != 0,
                   done);
        }
    }

    /// One operation of the log.
    void follow(std::string_view id, operation what, std::int64_t sequence, bool has_vector,
                chroma_watermarks const& done) {
        if (sequence <= done.vectors && sequence <= done.metadata) return;
        auto& place = at(id);
        if (sequence > done.vectors) follow_vector(place, what, sequence, has_vector);
        if (sequence > done.metadata) follow_record(place, what, sequence);
    }

    /// What came out, ordered by id bytewise, and what does not fit together.
    struct outcome {
        std::vector<chroma_place> places; // live, with a vector
        std::uint64_t without_vector = 0;
        std::uint64_t without_record = 0;
        std::uint64_t persisted = 0;
    };
    /// The ids of records without a vector go to `incomplete`, if it is there.
    [[nodiscard]] outcome finish(std::vector<std::string>* incomplete = nullptr) {
        outcome out;
        by_id_.clear();
        out.places.reserve(places_.size());
        for (auto& p : places_) {
            bool const vector = p.where != chroma_place::vector_in::nothing;
            if (p.live && vector) {
                if (p.where == chroma_place::vector_in::index) ++out.persisted;
                out.places.push_back(std::move(p));
            } else {
                out.without_vector += p.live ? 1U : 0U;
                out.without_record += vector ? 1U : 0U;
                if (p.live && incomplete != nullptr) incomplete->push_back(std::move(p.id));
            }
        }
        places_.clear();
        auto const by_id = [](auto const& a, auto const& b) { return a.id < b.id; };
        if (!std::is_sorted(out.places.begin(), out.places.end(), by_id))
            std::sort(out.places.begin(), out.places.end(), by_id);
        return out;
    }

private:
    chroma_place& at(std::string_view id) {
        if (auto const found = by_id_.find(id); found != by_id_.end()) return *found->second;
        auto& place = places_.emplace_back(); // a deque: its elements never move
        place.id = id;
        by_id_.emplace(place.id, &place);
        return place;
    }

    static void follow_vector(chroma_place& p, operation what, std::int64_t sequence,
                              bool has_vector) {
        bool const present = p.where != chroma_place::vector_in::nothing;
        if (what == operation::erase) {
            p.where = chroma_place::vector_in::nothing;
            return;
        }
        if (!has_vector || (what == operation::add && present) ||
            (what == operation::update && !present))
            return;
        p.where = chroma_place::vector_in::log;
        p.vector = sequence;
    }

    static void follow_record(chroma_place& p, operation what, std::int64_t sequence) {
        if (what == operation::erase) {
            p.live = false;
            p.row = -1;
            p.updates.clear();
            return;
        }
        if ((what == operation::add && p.live) || (what == operation::update && !p.live)) return;
        p.live = true;
        p.updates.push_back(sequence);
    }

    std::deque<chroma_place> places_;
    std::unordered_map<std::string_view, chroma_place*> by_id_;
};

/// A sequence number that SQLite has as an integer or as eight bytes, the highest first.
[[nodiscard]] inline std::int64_t sequence_in(sqlite_statement const& row, int column) {
    if (row.type(column) != SQLITE_BLOB) return row.integer(column);
    auto const bytes = row.blob(column);
    return big_endian_sequence({reinterpret_cast<char const*>(bytes.data()), bytes.size()});
}

/// max_seq_id of a segment, -1 where there is none.
inline result<std::int64_t> segment_watermark(sqlite_database const& db,
                                              std::string const& segment) {
    auto const there = db.has_table("max_seq_id");
    if (!there) return there.error();
    if (!*there) return std::int64_t{-1};
    auto rows = db.prepare("select seq_id from max_seq_id where segment_id = ?1");
    if (!rows) return rows.error();
    auto const row = rows->bind(1, segment).step();
    if (!row) return row.error();
    return *row && !rows->null(0) ? sequence_in(*rows, 0) : -1;
}

/// How far the table of records is: max_seq_id, else the highest number among the records.
inline result<std::int64_t> metadata_watermark(sqlite_database const& db,
                                               std::string const& segment) {
    auto const known = segment_watermark(db, segment);
    if (!known || *known >= 0) return known;
    auto rows = db.prepare("select max(seq_id) from embeddings where segment_id = ?1");
    if (!rows) return rows.error();
    auto const row = rows->bind(1, segment).step();
    if (!row) return row.error();
    return *row && !rows->null(0) ? sequence_in(*rows, 0) : 0;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

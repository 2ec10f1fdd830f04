// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_CATALOGUE_HPP
#define VICINAL_BACKEND_CHROMA_CATALOGUE_HPP

#include <vicinal/backend/chroma/options.hpp>
#include <vicinal/backend/chroma/space.hpp>
#include <vicinal/backend/sqlite.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/json/floats.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// A collection with what is needed to find its parts.
struct chroma_entry {
    chroma_collection about;
    std::string id;
    std::string topic; // of the log, where it is not the usual one
    std::string vector_segment;
    std::string metadata_segment;
};

[[nodiscard]] inline bool contains(std::vector<std::string> const& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// "tenant/database/name".
[[nodiscard]] inline std::string full_name(chroma_collection const& c) {
    return c.tenant + "/" + c.database + "/" + c.name;
}

/// The directory's SQLite file.
///
/// Errors: not_found, foreign_file (no Chroma directory), unsupported (one of Chroma 0.3).
inline result<sqlite_database> open_chroma(std::string const& directory) {
    auto const file = directory + "/chroma.sqlite3";
    if (!path_exists(directory)) return error{errc::not_found, "a Chroma directory", directory};
    if (!path_exists(file)) {
        if (path_exists(directory + "/chroma-collections.parquet"))
            return error{errc::unsupported,
                         "a directory of Chroma 0.4 or later (convert it once with Chroma's own "
                         "'pip install chroma-migrate' and 'chroma-migrate')",
                         directory + ", which Chroma 0.3 wrote"};
        return error{errc::foreign_file, "a directory with chroma.sqlite3", directory};
    }
    auto db = sqlite_database::open(file);
    if (!db) return db.error();
    for (char const* table : {"collections", "segments", "embeddings", "embedding_metadata"}) {
        auto const there = db->has_table(table);
        if (!there) return there.error();
        if (!*there)
            return error{errc::foreign_file, "a SQLite file of Chroma",
                         file + " without the table '" + table + "'"};
    }
    return db;
}

/// Reads which collections there are. Chroma's schema has grown over the years: what is asked for
/// depends on the columns that are there, never on a version.
class chroma_catalogue {
public:
    /// `damaged`: records that can't be counted are no error.
    explicit chroma_catalogue(sqlite_database const& db, bool damaged = false)
        : db_(db), damaged_(damaged) {}

    [[nodiscard]] result<std::vector<chroma_entry>> read() {
        auto const columns = db_.columns("collections");
        if (!columns) return columns.error();
        auto const databases = db_.has_table("databases");
        if (!databases) return databases.error();
        bool const named = *databases && contains(*columns, "database_id");
        auto const column = [&](char const* name) {
            return contains(*columns, name) ? ", c." + std::string(name) : std::string(", null");
        };
        auto rows = db_.prepare("select c.id, c.name" + column("dimension") + column("topic") +
                                column("config_json_str") + column("schema_str") +
                                (named ? ", d.tenant_id, d.name from collections c "
                                         "left join databases d on d.id = c.database_id"
                                       : ", null, null from collections c") +
                                " order by 7, 8, 2");
        if (!rows) return rows.error();
        std::vector<chroma_entry> entries;
        for (;;) {
            auto const row = rows->step();
            if (!row) return row.error();
            if (!*row) return entries;
            auto entry = read_entry(*rows);
            if (!entry) return entry.error();
            entries.push_back(*std::move(entry));
        }
    }

private:
    [[nodiscard]] result<chroma_entry> read_entry(sqlite_statement const& row) {
        chroma_entry e;
        e.id = row.text(0);
        e.about.name = row.text(1);
        e.about.tenant = row.null(6) ? "default_tenant" : row.text(6);
        e.about.database = row.null(7) ? "default_database" : row.text(7);
        auto const dimension = row.integer(2);
        if (dimension < 0 || dimension > static_cast<std::int64_t>(source_dims))
            return error{errc::corrupt_source, "a dimension up to 65536",
                         std::to_string(dimension) + " in collection '" + e.about.name + "'"};
        e.about.dimension = static_cast<std::size_t>(dimension);
        e.topic = row.text(3);
        VICINAL_CHECK(read_segments(e));
        chroma_space_texts texts;
        texts.config = row.text(4);
        texts.schema = row.text(5);
        VICINAL_CHECK(read_space_key("collection_metadata", e.id, texts.collection_metadata));
        VICINAL_CHECK(read_space_key("segment_metadata", e.vector_segment, texts.segment_metadata));
        auto space = chroma_space(texts);
        if (!space) {
            auto const& x = space.error();
            return error{x.code(), x.expected(), x.got() + " in collection '" + e.about.name + "'"};
        }
        e.about.space = *std::move(space);
        auto count = db_.prepare("select count(*) from embeddings where segment_id = ?1");
        if (!count) return count.error();
        auto const counted = count->bind(1, e.metadata_segment).step();
        if (!counted && damaged_) return e;
        if (!counted) return counted.error();
        e.about.records = static_cast<std::uint64_t>(count->integer(0));
        return e;
    }

    [[nodiscard]] result<void> read_segments(chroma_entry& e) {
        auto rows = db_.prepare("select id, scope from segments where collection = ?1");
        if (!rows) return rows.error();
        rows->bind(1, e.id);
        for (;;) {
            auto const row = rows->step();
            if (!row) return row.error();
            if (!*row) return {};
            if (rows->text(1) == "VECTOR") e.vector_segment = rows->text(0);
            if (rows->text(1) == "METADATA") e.metadata_segment = rows->text(0);
        }
    }

    [[nodiscard]] result<void> read_space_key(std::string const& table, std::string const& owner,
                                              std::string& out) {
        auto const there = db_.has_table(table);
        if (!there) return there.error();
        if (!*there) return {};
        auto const* const key = table == "collection_metadata" ? "collection_id" : "segment_id";
        auto rows = db_.prepare("select str_value from " + table + " where " + key +
                                " = ?1 and key = 'hnsw:space'");
        if (!rows) return rows.error();
        auto const row = rows->bind(1, owner).step();
        if (!row) return row.error();
        if (*row) out = rows->text(0);
        return {};
    }

    sqlite_database const& db_;
    bool damaged_;
};

/// The one collection that is meant; an empty name means the only one.
///
/// Errors: not_found (listing what there is), invalid_argument (naming the candidates).
inline result<chroma_entry> choose_collection(std::vector<chroma_entry> const& all,
                                              std::string_view name, chroma_options const& where) {
    chroma_entry const* chosen = nullptr;
    std::string there;
    std::string candidates;
    std::size_t matching = 0;
    for (auto const& e : all) {
        there.append(there.empty() ? "" : ", ").append(full_name(e.about));
        bool const match = (name.empty() || e.about.name == name) &&
                           (where.tenant.empty() || e.about.tenant == where.tenant) &&
                           (where.database.empty() || e.about.database == where.database);
        if (!match) continue;
        candidates.append(candidates.empty() ? "" : ", ").append(full_name(e.about));
        chosen = &e;
        ++matching;
    }
    auto const asked = "'" + std::string(name) + "'";
    if (matching == 0)
        return error{errc::not_found, there.empty() ? "a collection" : "one of " + there,
                     there.empty() ? "a directory without any" : asked};
    if (matching > 1)
        return error{errc::invalid_argument,
                     "a collection, tenant and database that leave one of " + candidates, asked};
    return *chosen;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_TABLES_ADVICE_HPP
#define VICINAL_BACKEND_TABLES_ADVICE_HPP

#include <vicinal/backend/recognise.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <dirent.h>

namespace vicinal::inline VICINAL_ABI::detail {

/// The name of an entry of the directory that ends so; empty where there is none.
[[nodiscard]] inline std::string entry_ending_in(std::string const& directory,
                                                 std::string_view ending) {
    struct close {
        void operator()(::DIR* d) const noexcept { ::closedir(d); }
    };
    std::unique_ptr<::DIR, close> const d(::opendir(directory.c_str()));
    // A directory with more entries than this is no database of tables.
    for (int i = 0; d && i < 10'000; ++i) {
        auto const* const entry = ::readdir(d.get());
        if (entry == nullptr) break;
        std::string_view const name(entry->d_name);
        if (name.size() > ending.size() && name.ends_with(ending)) return std::string(name);
    }
    return {};
}

[[nodiscard]] inline backend::guess lancedb_guess(std::string const& database,
                                                  std::string const& table) {
    return {.uri = {},
            .what = "a LanceDB directory (table " + table + ")",
            .certainty = 100,
            .advice = "python3 -c \"import lancedb, pyarrow.parquet as p; p.write_table("
                      "lancedb.connect('" +
                      database + "').open_table('" + table + "').to_arrow(), '" + table +
                      ".parquet')\""};
}

/// Databases whose own files are not read, with the command that makes something readable of them:
/// the other formats of pg_dump, LanceDB, and snapshots of Qdrant.
[[nodiscard]] inline std::optional<backend::guess> guess_unreadable(backend::glimpse const& g) {
    auto const restore = "pg_restore -f dump.sql " + g.path;
    if (g.head.starts_with("PGDMP"))
        return backend::guess{{}, "a dump of PostgreSQL in pg_dump's own format", 100, restore};
    bool const tar = g.head.size() > 512 && g.head.compare(257, 5, "ustar") == 0;
    if (g.has("toc.dat") || (tar && g.head.starts_with("toc.dat")))
        return backend::guess{
            {}, "a dump of PostgreSQL as a directory or tar archive", 100, restore};
    bool const qdrant = tar && (g.head.find("shard_key_mapping.json") != std::string::npos ||
                                g.head.find("version.info") != std::string::npos);
    if (qdrant || g.named(".snapshot"))
        return backend::guess{
            {},
            "a snapshot of Qdrant",
            qdrant ? 100 : 10,
            "curl -X POST http://localhost:6333/collections/NAME/points/scroll -H 'content-type: "
            "application/json' -d '{\"limit\":1000000,\"with_payload\":true,\"with_vector\":true}'"
            " > points.json  (once the snapshot is restored in a Qdrant)"};
    if (!g.directory) return {};
    if (g.named(".lance") && g.has("_versions")) {
        auto const end = g.path.find_last_not_of('/') + 1;
        auto const slash = g.path.substr(0, end).rfind('/');
        auto const database = slash == std::string::npos ? "." : g.path.substr(0, slash);
        return lancedb_guess(database, g.name.substr(0, g.name.size() - 6));
    }
    if (auto const table = entry_ending_in(g.path, ".lance"); !table.empty())
        return lancedb_guess(g.path, table.substr(0, table.size() - 6));
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

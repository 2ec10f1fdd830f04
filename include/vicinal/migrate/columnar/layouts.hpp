// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_LAYOUTS_HPP
#define VICINAL_MIGRATE_COLUMNAR_LAYOUTS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/file_set.hpp>
#include <vicinal/migrate/columnar/open_table.hpp>
#include <vicinal/migrate/columnar/options.hpp>
#include <vicinal/migrate/columnar/row_plan.hpp>
#include <vicinal/migrate/columnar/vdf.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar {

[[nodiscard]] inline error several(std::string const& option, std::string const& path,
                                   std::vector<std::string> const& names) {
    return error{errc::invalid_argument, option + "=NAME, as there are several of them",
                 path + " has " + joined(names)};
}

/// A file, or the files of a directory that are called like tables.
[[nodiscard]] inline result<table_set> plain_files(std::string const& path) {
    table_set set;
    set.description = path;
    if (!is_directory(path)) {
        set.files.push_back(path);
        return set;
    }
    for (std::string_view const ending : {".parquet", ".arrow", ".arrows", ".feather", ".ipc"}) {
        auto const names = list_names(path, ending);
        if (!names) return names.error();
        for (auto const& name : *names) set.files.push_back(path + "/" + name);
        if (!set.files.empty()) return set;
    }
    return error{errc::not_found, "files called *.parquet or *.arrow", path + " has none"};
}

/// Pinecone's import directories: DIR/<namespace>/*.parquet, or one namespace's directory.
[[nodiscard]] inline result<table_set> pinecone_files(std::string const& path,
                                                      columnar_options const& options) {
    std::string directory = path;
    if (is_directory(path)) {
        auto const direct = list_names(path, ".parquet");
        if (!direct) return direct.error();
        if (direct->empty() || !options.name_space.empty()) {
            auto const spaces = list_names(path, "/");
            if (!spaces) return spaces.error();
            auto const wanted = options.name_space.empty() && spaces->size() == 1
                                    ? spaces->front()
                                    : options.name_space;
            if (wanted.empty()) return several("namespace", path, *spaces);
            if (std::find(spaces->begin(), spaces->end(), wanted) == spaces->end())
                return error{errc::not_found, "a namespace '" + wanted + "'",
                             path + " has " + joined(*spaces)};
            directory += "/" + wanted;
        }
    }
    auto set = plain_files(directory);
    if (!set) return set;
    set->wishes.layout = table_layout::pinecone;
    set->wishes.id = "id";
    set->wishes.vector = "values";
    return set;
}

/// What Weaviate's export made of one class: its files, by what their metadata say.
[[nodiscard]] inline result<table_set> weaviate_files(std::string const& path,
                                                      columnar_options const& options) {
    auto set = plain_files(path);
    if (!set) return set;
    std::vector<std::string> classes;
    std::vector<std::string> of_file;
    for (auto const& file : set->files) {
        auto const t = open_table(file);
        if (!t) return t.error();
        auto const* const note = (*t)->note("collection");
        of_file.push_back(note ? *note : "");
        if (std::find(classes.begin(), classes.end(), of_file.back()) == classes.end())
            classes.push_back(of_file.back());
    }
    auto const& wanted = options.collection.empty() ? classes.front() : options.collection;
    if (options.collection.empty() && classes.size() > 1)
        return several("collection", path, classes);
    if (std::find(classes.begin(), classes.end(), wanted) == classes.end())
        return error{errc::not_found, "a collection '" + wanted + "'",
                     path + " has " + joined(classes)};
    std::vector<std::string> kept;
    for (std::size_t i = 0; i < of_file.size(); ++i)
        if (of_file[i] == wanted) kept.push_back(set->files[i]);
    set->files = std::move(kept);
    if (!wanted.empty()) set->description += " (collection " + wanted + ")";
    set->wishes.layout = table_layout::weaviate;
    set->wishes.id = "id";
    return set;
}

/// The two Parquet files in which Chroma 0.3 kept everything.
[[nodiscard]] inline result<table_set> chroma_files(std::string const& path,
                                                    columnar_options const& options) {
    auto const collections = open_table(path + "/chroma-collections.parquet");
    if (!collections) return collections.error();
    auto& t = **collections;
    auto const column = [&t](std::string_view name) {
        std::size_t i = 0;
        while (i < t.columns().size() && t.columns()[i].name != name) ++i;
        return i;
    };
    struct entry {
        std::string uuid;
        std::string metadata;
    };
    std::vector<entry> found;
    std::vector<std::string> names;
    auto const text = [&t](std::size_t i, std::string& out) -> result<void> {
        value v;
        VICINAL_CHECK(t.read(i, v));
        auto const* const s = v.get_if<std::string>();
        out = s ? *s : "";
        return {};
    };
    auto const uuid = column("uuid");
    auto const name = column("name");
    auto const metadata = column("metadata");
    if ((std::max)(uuid, (std::max)(name, metadata)) == t.columns().size())
        return error{errc::foreign_file, "the columns uuid, name and metadata",
                     path + "/chroma-collections.parquet has others"};
    for (;;) {
        auto const more = t.next();
        if (!more) return more.error();
        if (!*more) break;
        VICINAL_CHECK(text(name, names.emplace_back()));
        VICINAL_CHECK(text(uuid, found.emplace_back().uuid));
        VICINAL_CHECK(text(metadata, found.back().metadata));
    }
    if (options.collection.empty() && names.size() > 1) return several("collection", path, names);
    std::size_t chosen = 0;
    while (!options.collection.empty() && chosen < names.size() &&
           names[chosen] != options.collection)
        ++chosen;
    if (chosen >= names.size())
        return error{errc::not_found, "a collection '" + options.collection + "'",
                     path + " has " + joined(names)};
    table_set set;
    set.files = {path + "/chroma-embeddings.parquet"};
    set.description = path + " (collection " + names[chosen] + ")";
    set.wishes.layout = table_layout::chroma;
    set.wishes.id = "id";
    set.wishes.vector = "embedding";
    set.wishes.only_column = "collection_uuid";
    set.wishes.only_text = found[chosen].uuid;
    json_column_reader json;
    value about;
    if (json.read(found[chosen].metadata, about))
        if (auto const* const f = about.get_if<fields>()) {
            auto const* const space = (*f)["hnsw:space"].get_if<std::string>();
            set.metric = space ? metric_called(*space) : "";
        }
    if (set.metric.empty()) set.metric = "squared_l2"; // Chroma's default
    return set;
}

/// The files of a layout, and what is known of their columns.
///
/// Errors: not_found, invalid_argument (several namespaces, collections or indexes and none chosen:
/// the message lists them), and those of the files that say so.
[[nodiscard]] inline result<table_set> files_of(std::string const& path,
                                                columnar_options const& options) {
    auto set = [&]() -> result<table_set> {
        switch (options.layout) {
            case columnar_layout::tables: break;
            case columnar_layout::pinecone_import: return pinecone_files(path, options);
            case columnar_layout::weaviate_export: return weaviate_files(path, options);
            case columnar_layout::vdf: return vdf_files(path, options);
            case columnar_layout::chroma_0_3: return chroma_files(path, options);
        }
        return plain_files(path);
    }();
    if (!set) return set;
    if (!options.id.empty()) set->wishes.id = options.id;
    if (!options.vector.empty()) set->wishes.vector = options.vector;
    set->wishes.json = options.json;
    return set;
}

} // namespace vicinal::inline VICINAL_ABI::detail::columnar

#endif

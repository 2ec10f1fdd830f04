// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_COLUMNAR_SCHEME_HPP
#define VICINAL_BACKEND_COLUMNAR_SCHEME_HPP

#include <vicinal/backend/registry.hpp>
#include <vicinal/migrate/columnar/file_set.hpp>
#include <vicinal/migrate/columnar/sink.hpp>
#include <vicinal/migrate/columnar/source.hpp>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar {

/// The source of a URI: id, vector, json (names between commas) and `more` are its parameters.
[[nodiscard]] inline result<any_source>
open_source(backend::uri const& u, backend::columnar_layout layout, backend::input_opener open,
            std::string_view more = {}, std::string_view most = {}) {
    VICINAL_CHECK(most.empty() ? more.empty() ? u.only({"id", "vector", "json"})
                                              : u.only({"id", "vector", "json", more})
                               : u.only({"id", "vector", "json", more, most}));
    backend::columnar_options options;
    options.layout = layout;
    options.id = u.get("id");
    options.vector = u.get("vector");
    options.name_space = u.get("namespace");
    options.index = u.get("index");
    options.collection = u.get("collection");
    options.open = open;
    auto const json = u.get("json");
    for (std::size_t from = 0; from < json.size();) {
        auto const end = (std::min)(json.find(',', from), json.size());
        if (end > from) options.json.push_back(json.substr(from, end - from));
        from = end + 1;
    }
    auto source = backend::columnar_source::try_open(u.path(), std::move(options));
    if (!source) return source.error();
    return any_source(*std::move(source));
}

/// The names of a directory that end so; none where it can't be read.
[[nodiscard]] inline std::vector<std::string> names_in(std::string const& directory,
                                                       std::string_view ending) {
    auto names = list_names(directory, ending);
    return names ? *std::move(names) : std::vector<std::string>();
}

/// The path as it may stand in a command that somebody pastes; a placeholder where it has signs
/// that a shell or Python would take for more.
[[nodiscard]] inline std::string pasted(std::string const& path, char const* placeholder) {
    for (char const c : path) {
        bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool const harmless = letter || (c >= '0' && c <= '9') ||
                              std::string_view("/._-+,=@ ").find(c) != std::string_view::npos;
        if (!harmless) return placeholder;
    }
    return path;
}

/// Whether the file is a table with columns of all these names.
[[nodiscard]] inline bool has_columns(std::string const& file,
                                      std::initializer_list<std::string_view> names) {
    auto const t = open_table(file);
    if (!t) return false;
    auto const& columns = (*t)->columns();
    return std::all_of(names.begin(), names.end(), [&columns](std::string_view name) {
        return std::any_of(columns.begin(), columns.end(),
                           [name](table_column const& c) { return c.name == name; });
    });
}

[[nodiscard]] inline std::string counted(std::size_t n, std::string const& what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

} // namespace vicinal::inline VICINAL_ABI::detail::columnar

namespace vicinal::inline VICINAL_ABI::backend {

/// "parquet:FILE?id=I&vector=V&json=A,B": a Parquet file or a directory of them, read;
/// "parquet:FILE?compression=zstd|none": written.
[[nodiscard]] inline scheme parquet_scheme() {
    scheme s;
    s.source = [](uri const& u) {
        return detail::columnar::open_source(u, columnar_layout::tables, open_file);
    };
    s.sink = [](uri const& u, schema const&) -> result<any_sink> {
        VICINAL_CHECK(u.only({"compression"}));
        auto const how = u.get("compression", "zstd");
        if (how != "zstd" && how != "none")
            return error{errc::invalid_uri, "compression=zstd or none", "'" + how + "'"};
        auto sink = parquet_sink::try_open(u.path(), {.compress = how == "zstd"});
        if (!sink) return sink.error();
        return any_sink(*std::move(sink));
    };
    // Before begin() a sink has written nothing.
    s.dry_sink = s.sink;
    s.recognise = [](glimpse const& g) -> std::optional<guess> {
        auto const path = "parquet:" + escaped_path(g.path);
        if (g.head.starts_with("PAR1")) {
            // Its end is needed first, which can't be had of what is packed as a whole.
            if (g.path.ends_with(".gz") || g.path.ends_with(".zst"))
                return guess{"", "a Parquet file packed as a whole", 90,
                             (g.path.ends_with(".gz") ? "gunzip -k " : "zstd -d ") +
                                 detail::columnar::pasted(g.path, "FILE")};
            return guess{path, "a Parquet file", 90}; // whose, others may know
        }
        if (!g.directory) return {};
        auto const files = detail::columnar::names_in(g.path, ".parquet");
        if (files.empty()) return {};
        return guess{path,
                     "a directory with " + detail::columnar::counted(files.size(), "Parquet file"),
                     50};
    };
    return s;
}

/// "arrow:FILE?id=I&vector=V&json=A,B": an Arrow file (Feather) or stream, or a directory of them,
/// read; compressed as a whole too where `open` unpacks. "arrow:FILE?format=file|stream": written,
/// a stream where the name ends in ".arrows".
[[nodiscard]] inline scheme arrow_scheme(input_opener open = open_file) {
    scheme s;
    s.source = [open](uri const& u) {
        return detail::columnar::open_source(u, columnar_layout::tables, open);
    };
    s.sink = [](uri const& u, schema const&) -> result<any_sink> {
        VICINAL_CHECK(u.only({"format"}));
        bool const called_so = u.path().ends_with(".arrows");
        auto const format = u.get("format", called_so ? "stream" : "file");
        if (format != "stream" && format != "file")
            return error{errc::invalid_uri, "format=file or stream", "'" + format + "'"};
        auto sink = arrow_sink::try_open(u.path(), {.stream = format == "stream"});
        if (!sink) return sink.error();
        return any_sink(*std::move(sink));
    };
    s.dry_sink = s.sink;
    s.recognise = [](glimpse const& g) -> std::optional<guess> {
        auto const path = "arrow:" + escaped_path(g.path);
        if (g.head.starts_with(std::string_view("ARROW1\0\0", 8)))
            return guess{path, "an Arrow file", 100};
        // A stream begins with a message: a mark, its length, and a table of a few hundred bytes.
        bool const message = g.head.starts_with("\xff\xff\xff\xff") && g.head.size() > 8 &&
                             g.head[6] == 0 && g.head[7] == 0;
        bool const named = g.named(".arrows") || g.named(".arrow") || g.named(".ipc");
        if (message && named) return guess{path, "an Arrow stream", 60};
        if (message) return guess{path, "an Arrow stream", 20};
        if (g.head.starts_with("FEA1"))
            return guess{"", "a Feather file of version 1", 100,
                         "python -c \"import pandas; pandas.read_feather('" +
                             detail::columnar::pasted(g.path, "FILE") +
                             "').to_parquet('out.parquet')\""};
        return {};
    };
    return s;
}

/// "pinecone-import:DIR?namespace=N&id=I&vector=V&json=A,B": Pinecone's import directories, read.
[[nodiscard]] inline scheme pinecone_import_scheme() {
    scheme s;
    s.source = [](uri const& u) {
        return detail::columnar::open_source(u, columnar_layout::pinecone_import, open_file,
                                             "namespace");
    };
    s.recognise = [](glimpse const& g) -> std::optional<guess> {
        if (!g.directory) return {};
        std::size_t spaces = 0;
        for (auto const& name : detail::columnar::names_in(g.path, "/")) {
            auto const files = detail::columnar::names_in(g.path + "/" + name, ".parquet");
            if (files.empty()) continue;
            auto const first = g.path + "/" + name + "/" + files.front();
            if (spaces == 0 && !detail::columnar::has_columns(first, {"id", "values"})) return {};
            ++spaces;
        }
        if (spaces == 0) return {};
        return guess{"pinecone-import:" + escaped_path(g.path),
                     "Pinecone's import directories with " +
                         detail::columnar::counted(spaces, "namespace"),
                     70};
    };
    return s;
}

/// "weaviate-export:PATH?collection=C&vector=V&id=I&json=A,B": what Weaviate's export wrote, a file
/// or a directory, read.
[[nodiscard]] inline scheme weaviate_export_scheme() {
    scheme s;
    s.source = [](uri const& u) {
        return detail::columnar::open_source(u, columnar_layout::weaviate_export, open_file,
                                             "collection");
    };
    s.recognise = [](glimpse const& g) -> std::optional<guess> {
        auto file = g.path;
        if (g.directory) {
            auto const files = detail::columnar::names_in(g.path, ".parquet");
            if (files.empty()) return {};
            file += "/" + files.front();
        } else if (!g.head.starts_with("PAR1")) {
            return {};
        }
        if (!detail::columnar::has_columns(
                file, {"id", "vector", "named_vectors", "multi_vectors", "properties"}))
            return {};
        return guess{"weaviate-export:" + escaped_path(g.path), "an export of Weaviate", 100};
    };
    return s;
}

/// "vdf:DIR?index=I&namespace=N&vector=V&id=I&json=A,B": a vector dataset, read.
[[nodiscard]] inline scheme vdf_scheme() {
    scheme s;
    s.source = [](uri const& u) {
        return detail::columnar::open_source(u, columnar_layout::vdf, open_file, "index",
                                             "namespace");
    };
    s.recognise = [](glimpse const& g) -> std::optional<guess> {
        if (!g.has("VDF_META.json")) return {};
        return guess{"vdf:" + escaped_path(g.path), "a vector dataset (VDF_META.json)", 100};
    };
    return s;
}

/// "chroma-0.3:DIR?collection=C&id=I&vector=V&json=A,B": a directory of Chroma before 0.4, read.
[[nodiscard]] inline scheme chroma_0_3_scheme() {
    scheme s;
    s.source = [](uri const& u) {
        return detail::columnar::open_source(u, columnar_layout::chroma_0_3, open_file,
                                             "collection");
    };
    s.recognise = [](glimpse const& g) -> std::optional<guess> {
        if (!g.has("chroma-embeddings.parquet") || !g.has("chroma-collections.parquet")) return {};
        return guess{"chroma-0.3:" + escaped_path(g.path), "a directory of Chroma 0.3", 100};
    };
    return s;
}

/// LanceDB's own directories: recognised, but not read, as their files are described by code only.
[[nodiscard]] inline scheme lance_scheme() {
    scheme s;
    s.recognise = [](glimpse const& g) -> std::optional<guess> {
        if (!g.directory) return {};
        auto directory = g.path;
        std::string table = "TABLE";
        if (g.has("_versions") && g.has("data")) {
            auto const slash = g.path.find_last_not_of('/');
            auto const whole = g.path.substr(0, slash + 1);
            auto const last = whole.rfind('/');
            directory = last == std::string::npos ? "." : whole.substr(0, last);
            table = whole.substr(last == std::string::npos ? 0 : last + 1);
        } else {
            std::string first;
            for (auto const& name : detail::columnar::names_in(g.path, ".lance"))
                if (first.empty() && detail::path_exists(g.path + "/" + name + "/_versions"))
                    first = name;
            if (first.empty()) return {};
            table = first;
        }
        if (table.ends_with(".lance")) table.resize(table.size() - 6);
        directory = detail::columnar::pasted(directory, "DIR");
        table = detail::columnar::pasted(table, "TABLE");
        return guess{"", "a LanceDB directory", 100,
                     "python -c \"import lancedb, pyarrow.parquet as pq; "
                     "pq.write_table(lancedb.connect('" +
                         directory + "').open_table('" + table + "').to_arrow(), '" + table +
                         ".parquet')\""};
    };
    return s;
}

/// Adds all of the above: parquet, arrow, pinecone-import, weaviate-export, vdf, chroma-0.3, lance.
inline void add_columnar(registry& r, input_opener open = open_file) {
    r.add("parquet", parquet_scheme());
    r.add("arrow", arrow_scheme(open));
    r.add("pinecone-import", pinecone_import_scheme());
    r.add("weaviate-export", weaviate_export_scheme());
    r.add("vdf", vdf_scheme());
    r.add("chroma-0.3", chroma_0_3_scheme());
    r.add("lance", lance_scheme());
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

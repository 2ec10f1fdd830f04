// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_JSON_SCHEME_HPP
#define VICINAL_BACKEND_JSON_SCHEME_HPP

#include <vicinal/backend/look_at.hpp>
#include <vicinal/backend/registry.hpp>
#include <vicinal/migrate/json/files.hpp>
#include <vicinal/migrate/json/recognise.hpp>
#include <vicinal/migrate/json_source.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// What people call a file of that shape.
[[nodiscard]] inline std::string in_words(backend::json_shape shape) {
    switch (shape) {
        case json_shape::pinecone: return "vectors of Pinecone";
        case json_shape::qdrant: return "points of Qdrant";
        case json_shape::weaviate:
        case json_shape::graphql: return "objects of Weaviate";
        case json_shape::chroma: return "a collection of Chroma";
        case json_shape::openai: return "embeddings of OpenAI";
        case json_shape::llamaindex: return "a vector store of LlamaIndex";
        case json_shape::docstore: return "documents of LlamaIndex, without vectors";
        default: return "rows with id and vector";
    }
}

/// What a JSON file or a directory of them is taken for.
[[nodiscard]] inline std::optional<backend::guess> recognise_json(backend::glimpse const& g,
                                                                  backend::input_opener open) {
    auto head = std::string_view(g.head);
    std::string first;
    if (g.directory) {
        auto const files = json_files(g.path, {});
        if (!files) return std::nullopt;
        auto const seen = backend::look_at(files->front(), open);
        if (!seen) return std::nullopt;
        first = seen->head;
        head = first;
    }
    auto const start = head.find_first_not_of(" \t\r\n\xef\xbb\xbf");
    if (start == std::string_view::npos || (head[start] != '{' && head[start] != '['))
        return std::nullopt;
    auto const sight = sight_of(head);
    bool const named = g.directory || named_as_json(g.name);
    if (!sight) {
        if (!named) return std::nullopt;
        // The first record is longer than what is seen, or it is something else.
        return backend::guess{"json:" + backend::escaped_path(g.path), "JSON", 10};
    }
    if (sight->ids_only)
        return backend::guess{{},
                              "a list of ids of Pinecone",
                              50,
                              "fetch the vectors: GET /vectors/fetch?ids=... for the ids of each "
                              "page, and read its answers"};
    return backend::guess{"json:" + backend::escaped_path(g.path),
                          "JSON with " + in_words(sight->shape) +
                              (g.directory ? ", several files" : ""),
                          named ? 50 : 30};
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::backend {

/// "json:PATH?shape=S&vector=NAME&id=NAME&collection=C&tenant=T&namespace=N&files=PATTERN": a file
/// or a directory of them, as json_source reads it; `shape` of a scheme named after a system.
[[nodiscard]] inline scheme json_scheme(json_shape shape = json_shape::automatic,
                                        input_opener open = open_file) {
    scheme s;
    s.source = [shape, open](uri const& u) -> result<any_source> {
        VICINAL_CHECK(
            u.only({"shape", "vector", "id", "collection", "tenant", "namespace", "files"}));
        auto const asked = shape_named(u.get("shape"));
        if (!asked)
            return error{errc::invalid_uri,
                         "rows, pinecone, qdrant, weaviate, graphql, milvus, lancedb, postgres, "
                         "chroma, openai, llamaindex, docstore or specmem as shape",
                         "'" + u.get("shape") + "'"};
        json_options options;
        options.shape = *asked == json_shape::automatic ? shape : *asked;
        options.vector = u.get("vector");
        options.id = u.get("id");
        options.collection = u.get("collection");
        options.tenant = u.get("tenant");
        options.name_space = u.get("namespace");
        options.files = u.get("files");
        options.open = open;
        auto source = json_source::try_open(u.path(), std::move(options));
        VICINAL_CHECK(source);
        return any_source(std::move(*source));
    };
    if (shape == json_shape::automatic)
        s.recognise = [open](glimpse const& g) { return detail::recognise_json(g, open); };
    return s;
}

/// Adds "json", which recognises the shape, and schemes named after systems, which take it as
/// given where a file leaves it open: "pinecone", "qdrant", "weaviate", "llamaindex", "openai".
/// "milvus", "lancedb" and "specmem" write flat rows within documents that are recognised.
inline void add_json(registry& r, input_opener open = open_file) {
    r.add("json", json_scheme(json_shape::automatic, open));
    for (auto const shape : {json_shape::pinecone, json_shape::qdrant, json_shape::weaviate,
                             json_shape::llamaindex, json_shape::openai})
        r.add(std::string(name(shape)), json_scheme(shape, open));
    for (std::string const system : {"milvus", "specmem"}) {
        auto s = json_scheme(json_shape::automatic, open);
        s.recognise = nullptr;
        r.add(system, std::move(s));
    }
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_SHAPE_HPP
#define VICINAL_MIGRATE_JSON_SHAPE_HPP

#include <vicinal/core/config.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::backend {

/// Whose way of writing records in JSON is read.
enum class json_shape : std::uint8_t {
    automatic,  ///< recognised at the first record
    rows,       ///< flat rows: Milvus, LanceDB, PostgreSQL's row_to_json, SpecMem, home-made ones
    pinecone,   ///< {id, values, sparseValues, metadata}
    qdrant,     ///< {id, vector, payload}
    weaviate,   ///< {id or uuid, class, properties, vector or vectors, tenant}
    graphql,    ///< Weaviate's {_additional: {id, vector}, and the properties}
    chroma,     ///< {id, embedding, metadata, document, uri}, or columns of them
    openai,     ///< {index, embedding}
    llamaindex, ///< maps of embeddings and metadata by node
    docstore,   ///< LlamaIndex's documents by node
};

/// The name of a shape in messages and URIs.
[[nodiscard]] constexpr std::string_view name(json_shape shape) noexcept {
    switch (shape) {
        case json_shape::automatic: return "automatic";
        case json_shape::rows: return "rows";
        case json_shape::pinecone: return "pinecone";
        case json_shape::qdrant: return "qdrant";
        case json_shape::weaviate: return "weaviate";
        case json_shape::graphql: return "graphql";
        case json_shape::chroma: return "chroma";
        case json_shape::openai: return "openai";
        case json_shape::llamaindex: return "llamaindex";
        case json_shape::docstore: return "docstore";
    }
    return "";
}

/// The shape of that name. The names of systems that write flat rows mean those.
[[nodiscard]] constexpr std::optional<json_shape> shape_named(std::string_view text) noexcept {
    if (text.empty()) return json_shape::automatic;
    for (int i = 0; i <= static_cast<int>(json_shape::docstore); ++i)
        if (name(static_cast<json_shape>(i)) == text) return static_cast<json_shape>(i);
    for (std::string_view const flat : {"milvus", "lancedb", "postgres", "specmem"})
        if (flat == text) return json_shape::rows;
    return std::nullopt;
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

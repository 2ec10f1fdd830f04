// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_ROLES_HPP
#define VICINAL_MIGRATE_JSON_ROLES_HPP

#include <vicinal/migrate/json/shape.hpp>

#include <cstdint>
#include <string_view>
#include <utility>

#include <simdjson.h>

namespace vicinal::inline VICINAL_ABI::detail {

using backend::json_shape;

/// What a member of a row is for.
enum class json_role : std::uint8_t {
    id,
    vector,
    sparse,
    payload,    // an object whose members become fields
    field,      // a field of that name, which gives way to one in the payload
    rest,       // a field as in a flat row
    collection, // what the row belongs to
    tenant,
    space,  // Pinecone's namespace
    silent, // says nothing about the record
    left    // not carried, and counted
};

/// What flat rows usually call their id and their vector, the likeliest first.
inline constexpr std::string_view usual_ids[] = {"id", "_id", "key", "uuid", "pk"};
inline constexpr std::string_view usual_vectors[] = {"vector", "embedding", "values"};

/// What the member of that name is for in a shape. Flat rows are not asked here: what is in them
/// depends on what else is.
[[nodiscard]] constexpr json_role role_of(json_shape shape, std::string_view n) noexcept {
    switch (shape) {
        case json_shape::pinecone:
            if (n == "id") return json_role::id;
            if (n == "values") return json_role::vector;
            if (n == "sparseValues" || n == "sparse_values") return json_role::sparse;
            if (n == "metadata") return json_role::payload;
            if (n == "namespace") return json_role::space;
            return json_role::left;
        case json_shape::qdrant:
            if (n == "id") return json_role::id;
            if (n == "vector" || n == "vectors") return json_role::vector;
            if (n == "payload") return json_role::payload;
            return n == "version" ? json_role::silent : json_role::left;
        case json_shape::weaviate:
            if (n == "id" || n == "uuid") return json_role::id;
            if (n == "vector" || n == "vectors") return json_role::vector;
            if (n == "properties") return json_role::payload;
            if (n == "class" || n == "collection") return json_role::collection;
            if (n == "tenant") return json_role::tenant;
            return json_role::left;
        case json_shape::chroma:
            if (n == "id") return json_role::id;
            if (n == "embedding") return json_role::vector;
            if (n == "metadata") return json_role::payload;
            if (n == "document" || n == "uri") return json_role::field;
            return json_role::left;
        case json_shape::openai:
            if (n == "index") return json_role::id;
            if (n == "embedding") return json_role::vector;
            return n == "object" ? json_role::silent : json_role::left;
        case json_shape::llamaindex:
            if (n == "id") return json_role::id;
            if (n == "embedding") return json_role::vector;
            if (n == "metadata") return json_role::payload;
            return json_role::field;
        case json_shape::docstore:
            if (n == "id") return json_role::id;
            if (n == "embedding") return json_role::vector;
            if (n == "metadata" || n == "extra_info") return json_role::payload;
            if (n == "text") return json_role::field;
            return n == "id_" || n == "class_name" ? json_role::silent : json_role::left;
        default: return json_role::rest;
    }
}

/// The members in which a row of that shape has its vectors.
[[nodiscard]] constexpr std::pair<std::string_view, std::string_view>
vector_members(json_shape shape) noexcept {
    switch (shape) {
        case json_shape::pinecone: return {"values", ""};
        case json_shape::qdrant:
        case json_shape::weaviate: return {"vector", "vectors"};
        case json_shape::graphql: return {"_additional", ""};
        case json_shape::automatic:
        case json_shape::rows: return {"", ""};
        default: return {"embedding", ""};
    }
}

[[nodiscard]] inline bool is_text(simdjson::dom::element e, std::string_view text) noexcept {
    std::string_view there;
    return e.get_string().get(there) == simdjson::SUCCESS && there == text;
}

/// The shape of a row by the names of its members; automatic where it has none but what several
/// shapes have, so that a later row decides: all read it alike.
[[nodiscard]] inline json_shape shape_of(simdjson::dom::object row) {
    bool id = false;
    bool values = false;
    bool payload = false;
    bool embedding = false;
    bool document = false;
    bool metadata = false;
    bool collection = false;
    bool pinecone = true;
    bool qdrant = true;
    bool weaviate = true;
    bool chroma = true;
    bool properties = false;
    bool openai = false;
    for (auto const member : row) {
        std::string_view const n = member.key;
        if (n == "_additional") return json_shape::graphql;
        id = id || n == "id" || n == "uuid";
        values = values || n == "values" || n == "sparseValues" || n == "sparse_values";
        payload = payload || n == "payload";
        embedding = embedding || n == "embedding";
        document = document || n == "document" || n == "uri";
        metadata = metadata || (n == "metadata" && !member.value.is_string());
        collection = collection || (n == "collection" && member.value.is_object());
        properties = properties || (n == "properties" && member.value.is_object());
        openai = openai || (n == "object" && is_text(member.value, "embedding"));
        pinecone =
            pinecone && (role_of(json_shape::pinecone, n) != json_role::left || n == "score");
        qdrant = qdrant && (role_of(json_shape::qdrant, n) != json_role::left || n == "score" ||
                            n == "shard_key" || n == "order_value");
        weaviate = weaviate &&
                   (role_of(json_shape::weaviate, n) != json_role::left ||
                    n == "creationTimeUnix" || n == "lastUpdateTimeUnix" || n == "vectorWeights" ||
                    n == "additional" || n == "references" || n == "metadata");
        chroma =
            chroma && (role_of(json_shape::chroma, n) != json_role::left || n == "collection" ||
                       n == "distance" || n == "data" || n == "tenant" || n == "database");
    }
    if (openai && embedding) return json_shape::openai;
    if (weaviate && properties) return json_shape::weaviate;
    if (pinecone && id && values && metadata) return json_shape::pinecone;
    if (qdrant && id && payload) return json_shape::qdrant;
    if (chroma && (id ? embedding && (document || metadata) : collection))
        return json_shape::chroma;
    return id && (pinecone || qdrant || chroma) ? json_shape::automatic : json_shape::rows;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

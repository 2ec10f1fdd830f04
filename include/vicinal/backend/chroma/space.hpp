// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_SPACE_HPP
#define VICINAL_BACKEND_CHROMA_SPACE_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/json/read.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail {

/// The fields reached by going down the names, or nullptr where one is missing.
[[nodiscard]] inline fields const* descend(fields const& from,
                                           std::initializer_list<std::string_view> names) noexcept {
    auto const* at = &from;
    for (auto const name : names) {
        auto const* v = at->find(name);
        at = v == nullptr ? nullptr : v->get_if<fields>();
        if (at == nullptr) return nullptr;
    }
    return at;
}

/// The member "space" of a configuration, "l2" where it has none.
[[nodiscard]] inline std::string space_in(fields const& configuration) {
    auto const* s = configuration["space"].get_if<std::string>();
    return s == nullptr || s->empty() ? "l2" : *s;
}

/// Where a collection's distance stands; the later places are those of older Chromas.
struct chroma_space_texts {
    std::string schema = {};              // collections.schema_str (1.1 and later)
    std::string config = {};              // collections.config_json_str
    std::string collection_metadata = {}; // its value of "hnsw:space"
    std::string segment_metadata = {};
};

/// The distance of a collection: "l2", "ip" or "cosine".
///
/// Errors: corrupt_source (a configuration that is no JSON), unsupported (another distance).
inline result<std::string> chroma_space(chroma_space_texts const& texts) {
    json_parser parser;
    auto const parsed = [&parser](std::string const& text, fields& out) -> result<void> {
        if (text.empty()) return {};
        auto const root = parser.parse(text);
        value v;
        if (!root) return error{errc::corrupt_source, "a configuration in JSON", text};
        VICINAL_CHECK(read_value(*root, v));
        if (auto const* f = v.get_if<fields>()) out = *f;
        return {};
    };
    fields schema;
    fields config;
    VICINAL_CHECK(parsed(texts.schema, schema));
    VICINAL_CHECK(parsed(texts.config, config));

    std::string space = "l2";
    if (auto const* c =
            descend(schema, {"keys", "#embedding", "float_list", "vector_index", "config"}))
        space = space_in(*c);
    else if (auto const* h = descend(config, {"hnsw"}); h != nullptr && !h->empty())
        space = space_in(*h);
    else if (auto const* k = descend(config, {"hnsw_configuration"}); k != nullptr && !k->empty())
        space = space_in(*k);
    else if (!texts.collection_metadata.empty())
        space = texts.collection_metadata;
    else if (!texts.segment_metadata.empty())
        space = texts.segment_metadata;
    if (space != "l2" && space != "ip" && space != "cosine")
        return error{errc::unsupported, "the distance l2, ip or cosine", "'" + space + "'"};
    return space;
}

/// vicinal's name for it. Chroma's l2 is squared as ours is, its ip is 1 - dot.
[[nodiscard]] constexpr std::string_view metric_of_space(std::string_view space) noexcept {
    return space == "ip" ? "inner_product" : space == "cosine" ? "cosine" : "squared_l2";
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

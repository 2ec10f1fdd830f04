// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_FILTERS_HPP
#define VICINAL_MIGRATE_JSON_FILTERS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/filters/chroma_reading.hpp>
#include <vicinal/migrate/filters/options.hpp>
#include <vicinal/migrate/filters/pinecone_reading.hpp>
#include <vicinal/migrate/filters/qdrant_reading.hpp>
#include <vicinal/migrate/filters/weaviate_reading.hpp>
#include <vicinal/migrate/json/read.hpp>
#include <vicinal/payload/filter.hpp>

#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI {

namespace detail {

/// The value of a filter's JSON; null where there is no text.
[[nodiscard]] inline result<value> foreign_filter_json(std::string_view json) {
    value v;
    if (json.empty()) return v;
    if (json.size() > payload::detail::max_filter_bytes)
        return error{errc::invalid_filter, "at most 65,536 bytes of JSON",
                     std::to_string(json.size())};
    json_parser parser;
    auto const root = parser.parse(json);
    if (!root) return root.error();
    VICINAL_CHECK(read_value(*root, v));
    return v;
}

template <class Reading>
[[nodiscard]] result<filter> read_foreign_filter(std::string_view json,
                                                 backend::foreign_filter_options const& options) {
    return guarded([&]() -> result<filter> {
        auto const v = foreign_filter_json(json);
        if (!v) return v.error();
        auto const expression = Reading(options).read(*v);
        if (!expression) return expression.error();
        return expression->to_filter();
    });
}

} // namespace detail

namespace backend {

/// The filter that gives Chroma's answers to `where` and `where_document`, two JSON texts of which
/// either may be empty. Needs simdjson; docs/filters.md has what each operator becomes.
///
/// Errors: invalid_json; invalid_filter (no filter of that system, with the place; over 64 KiB,
/// 4,096 nodes or 64 levels, as JSON or translated); unsupported (what filters can't say exactly,
/// with the place); out_of_memory. The same for the three below.
[[nodiscard]] inline result<filter> chroma_filter(std::string_view where,
                                                  std::string_view where_document = {},
                                                  foreign_filter_options const& options = {}) {
    return vicinal::detail::guarded([&]() -> result<filter> {
        auto const metadata = vicinal::detail::foreign_filter_json(where);
        if (!metadata) return metadata.error();
        auto const document = vicinal::detail::foreign_filter_json(where_document);
        if (!document) return document.error();
        auto const both = vicinal::detail::chroma_reading(options).read(*metadata, *document);
        if (!both) return both.error();
        return both->to_filter();
    });
}

/// The filter that gives Qdrant's answers to the JSON of its `filter`.
[[nodiscard]] inline result<filter> qdrant_filter(std::string_view json,
                                                  foreign_filter_options const& options = {}) {
    return vicinal::detail::read_foreign_filter<vicinal::detail::qdrant_reading>(json, options);
}

/// The filter that gives Pinecone's answers to the JSON of its `filter`.
[[nodiscard]] inline result<filter> pinecone_filter(std::string_view json,
                                                    foreign_filter_options const& options = {}) {
    return vicinal::detail::read_foreign_filter<vicinal::detail::pinecone_reading>(json, options);
}

/// The filter that gives Weaviate's answers to the JSON of its `where`.
[[nodiscard]] inline result<filter> weaviate_filter(std::string_view json,
                                                    foreign_filter_options const& options = {}) {
    return vicinal::detail::read_foreign_filter<vicinal::detail::weaviate_reading>(json, options);
}

} // namespace backend

} // namespace vicinal::inline VICINAL_ABI

#endif

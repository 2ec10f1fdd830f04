// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_OPTIONS_HPP
#define VICINAL_MIGRATE_FILTERS_OPTIONS_HPP

#include <vicinal/core/config.hpp>

#include <string>

namespace vicinal::inline VICINAL_ABI::backend {

/// What a filter alone does not say about the records that another system keeps. Each promise lets
/// more be translated; without it, what would depend on it is an error (docs/filters.md).
struct foreign_filter_options {
    /// The field that holds Chroma's document, as the reader of Chroma names it.
    std::string document = "document";
    /// Whether Pinecone's $ne and $nin match records without the field.
    bool ne_matches_missing = true;
    /// Texts are compared as they stand: Weaviate's properties have the tokenization `field` and
    /// their texts no blanks at the ends, Qdrant's fields have no full-text index.
    bool plain_text = false;
    /// Fields hold dates as text of the one form 2024-01-31T12:00:00Z, and nothing else.
    bool utc_dates = false;
    /// The fields that a filter compares hold no arrays.
    bool no_arrays = false;
    /// Fields hold no empty arrays and no empty texts: Qdrant takes the former, Weaviate both, for
    /// fields that are missing.
    bool no_empty_values = false;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

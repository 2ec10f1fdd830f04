// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_PRINT_HPP
#define VICINAL_MIGRATE_FILTERS_PRINT_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/filters/chroma_printing.hpp>
#include <vicinal/migrate/filters/options.hpp>
#include <vicinal/migrate/filters/pinecone_printing.hpp>
#include <vicinal/migrate/filters/qdrant_printing.hpp>
#include <vicinal/migrate/filters/weaviate_printing.hpp>
#include <vicinal/payload/filter.hpp>

#include <string>

namespace vicinal::inline VICINAL_ABI::backend {

/// A filter as Chroma takes it; what is empty is left out of the call.
struct chroma_conditions {
    std::string where = {};
    std::string where_document = {};
};

/// The JSON with which Chroma matches the records that the filter matches.
///
/// Errors: unsupported, with the comparison and what Chroma has instead; out_of_memory. The same
/// for the three below; "{}" of theirs matches everything. docs/filters.md has the tables.
[[nodiscard]] inline result<chroma_conditions>
to_chroma(filter const& f, foreign_filter_options const& options = {}) {
    return vicinal::detail::guarded([&]() -> result<chroma_conditions> {
        chroma_conditions out;
        VICINAL_CHECK(vicinal::detail::chroma_printing(f.tree(), options)
                          .print(out.where, out.where_document));
        return out;
    });
}

/// The JSON of Qdrant's `filter`.
[[nodiscard]] inline result<std::string> to_qdrant(filter const& f,
                                                   foreign_filter_options const& options = {}) {
    return vicinal::detail::guarded(
        [&] { return vicinal::detail::qdrant_printing(f.tree(), options).print(); });
}

/// The JSON of Pinecone's `filter`.
[[nodiscard]] inline result<std::string> to_pinecone(filter const& f,
                                                     foreign_filter_options const& options = {}) {
    return vicinal::detail::guarded(
        [&] { return vicinal::detail::pinecone_printing(f.tree(), options).print(); });
}

/// The JSON of Weaviate's `where`.
[[nodiscard]] inline result<std::string> to_weaviate(filter const& f,
                                                     foreign_filter_options const& options = {}) {
    return vicinal::detail::guarded(
        [&] { return vicinal::detail::weaviate_printing(f.tree(), options).print(); });
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

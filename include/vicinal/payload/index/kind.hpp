// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_KIND_HPP
#define VICINAL_PAYLOAD_INDEX_KIND_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI {

/// What an index on a field of payloads is for.
enum class field_index : std::uint8_t {
    hash,     // =, !=, in, not in; facets
    ordered,  // these, <, <=, >, >=, between, starts_with; order by
    inverted, // contains: members of arrays, pieces of text
};

/// The name of a kind, as tools and messages have it.
[[nodiscard]] constexpr std::string_view name_of(field_index kind) noexcept {
    switch (kind) {
        case field_index::hash: return "hash";
        case field_index::ordered: return "ordered";
        case field_index::inverted: return "inverted";
    }
    return "?";
}

/// One index on a field, as a store has it.
struct field_index_stats {
    /// The dotted name, as filters have it.
    std::string field;
    field_index kind = field_index::hash;
    /// Distinct values; of text in an inverted index, distinct words.
    std::size_t values = 0;
    /// Pairs of a value and a record that has it, records that were erased since included.
    std::size_t entries = 0;
    std::size_t bytes = 0;
    /// Filters that it has answered since the store was opened.
    std::size_t uses = 0;
};

} // namespace vicinal::inline VICINAL_ABI

#endif

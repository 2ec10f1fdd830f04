// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_PREDICATE_HPP
#define VICINAL_MIGRATE_FILTERS_PREDICATE_HPP

#include <vicinal/payload/filter.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What a test asks of one field. Each is true or false, and but for `missing` and `empty` false
/// where the field is missing.
enum class foreign_test : std::uint8_t {
    equal,
    not_equal, // of elements only
    less,
    less_equal,
    greater,
    greater_equal,
    between,
    in,
    not_in, // of elements only
    contains,
    starts_with,
    missing,     // missing or null; of elements: or an element is null
    not_missing, // of elements only: one is not null
    empty,       // missing, null, or an array without elements
    empty_text,  // the same, or a text without characters
    member,      // an array with that element
    never,
    unsayable, // what only three truth values say: no other system has it
};

/// A filter's "matches" without a third truth value: `all` and `any` of tests, each of which may be
/// negated, so that a system needs no `not`. What every printer of foreign filters starts from.
struct foreign_predicate {
    enum class shape : std::uint8_t { all, any, test };
    shape form = shape::all;
    foreign_test test = foreign_test::equal;
    bool negated = false;
    bool element = false; // asked of each element of an array
    payload::filter_node const* node = nullptr;
    std::size_t first_value = 0; // which of the node's values the test begins with
    std::vector<foreign_predicate> parts = {};
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

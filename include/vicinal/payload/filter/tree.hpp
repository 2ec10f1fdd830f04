// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_TREE_HPP
#define VICINAL_PAYLOAD_FILTER_TREE_HPP

#include <vicinal/core/value.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::payload {

enum class filter_op : std::uint8_t {
    any_of,      // or of the children
    all_of,      // and of the children
    negated,     // not of the one child
    not_true,    // whether the one child is false or unknown: never unknown itself
    any_element, // or of the one comparison below over the elements of its field
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    in,
    not_in,
    between,
    contains,
    starts_with,
    is_null,
    is_not_null,
};

/// A node of a filter: it stands in front of its children in the list of all nodes.
struct filter_node {
    filter_op op = filter_op::all_of;
    /// Nodes of this subtree, itself included: the next sibling is that far on.
    std::uint32_t nodes = 1;
    /// Comparisons only: which name, and which values.
    std::uint32_t name = 0;
    std::uint32_t first_value = 0;
    std::uint32_t values = 0;

    friend bool operator==(filter_node const&, filter_node const&) = default;
};

/// A literal: boolean, integer, real (its bits) or text (where it is in the tree's text).
struct filter_value {
    value::kind type = value::kind::null;
    std::uint64_t bits = 0;
    std::uint32_t offset = 0;
    std::uint32_t size = 0;

    friend bool operator==(filter_value const&, filter_value const&) = default;
};

/// A dotted name: its parts joined by dots in the tree's text, and the offsets of all but the
/// first.
struct filter_name {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    std::uint32_t first_start = 0;
    std::uint32_t starts = 0;

    friend bool operator==(filter_name const&, filter_name const&) = default;
};

/// A parsed filter as a list of nodes in prefix order: what evaluation, the planner and the
/// backends walk. No nodes: everything matches.
struct filter_tree {
    std::vector<filter_node> nodes = {};
    std::vector<filter_name> names = {};
    std::vector<std::uint32_t> starts = {};
    std::vector<filter_value> values = {};
    std::string text = {};

    [[nodiscard]] std::string_view name_of(filter_node const& n) const noexcept {
        auto const& name = names[n.name];
        return std::string_view(text).substr(name.offset, name.size);
    }
    /// The offsets in `name_of` at which its second and later parts start.
    [[nodiscard]] std::span<std::uint32_t const> starts_of(filter_node const& n) const noexcept {
        auto const& name = names[n.name];
        return {starts.data() + name.first_start, name.starts};
    }
    [[nodiscard]] std::span<filter_value const> values_of(filter_node const& n) const noexcept {
        return {values.data() + n.first_value, n.values};
    }
    [[nodiscard]] std::string_view text_of(filter_value const& v) const noexcept {
        return std::string_view(text).substr(v.offset, v.size);
    }

    friend bool operator==(filter_tree const&, filter_tree const&) = default;
};

namespace detail {

inline constexpr std::size_t max_filter_bytes = std::size_t{64} << 10;
/// Comparisons, connectives and the values of lists together: what evaluating a record may cost.
inline constexpr std::size_t max_filter_nodes = 4096;
inline constexpr unsigned max_filter_depth = 64;

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI::payload

#endif

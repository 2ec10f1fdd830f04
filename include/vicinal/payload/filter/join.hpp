// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_JOIN_HPP
#define VICINAL_PAYLOAD_FILTER_JOIN_HPP

#include <vicinal/payload/filter/print.hpp>
#include <vicinal/payload/filter/tree.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Puts a node in front of all others.
inline void put_in_front(filter_tree& tree, filter_op op) {
    tree.nodes.insert(tree.nodes.begin(),
                      {.op = op, .nodes = static_cast<std::uint32_t>(tree.nodes.size() + 1)});
}

/// Makes `a` the tree that the parser makes of "A op B": `a and b and c` is one group of three.
inline void join(filter_tree& a, filter_op op, filter_tree const& b) {
    if (a.nodes[0].op != op) put_in_front(a, op);
    a.nodes[0].nodes += static_cast<std::uint32_t>(b.nodes.size());
    auto const text = static_cast<std::uint32_t>(a.text.size());
    auto const names = static_cast<std::uint32_t>(a.names.size());
    auto const starts = static_cast<std::uint32_t>(a.starts.size());
    auto const values = static_cast<std::uint32_t>(a.values.size());
    for (auto n : b.nodes) {
        if (n.op >= filter_op::equal) {
            n.name += names;
            n.first_value += values;
        }
        a.nodes.push_back(n);
    }
    for (auto n : b.names) {
        n.offset += text;
        n.first_start += starts;
        a.names.push_back(n);
    }
    for (auto v : b.values) {
        if (v.type == value::kind::string) v.offset += text;
        a.values.push_back(v);
    }
    a.starts.insert(a.starts.end(), b.starts.begin(), b.starts.end());
    a.text += b.text;
}

/// The levels of parentheses and nots in the text of the subtree at node i.
[[nodiscard]] inline unsigned depth_at(filter_tree const& tree, std::size_t i) noexcept {
    auto const& n = tree.nodes[i];
    if (n.op >= filter_op::any_element) return 0;
    if (n.op == filter_op::not_true) return 1 + depth_at(tree, i + 1);
    unsigned deepest = 0;
    for (auto child = i + 1; child != i + n.nodes; child += tree.nodes[child].nodes) {
        unsigned const around = needs_parentheses(n.op, tree.nodes[child].op) ? 1 : 0;
        deepest = (std::max)(deepest, around + depth_at(tree, child));
    }
    return deepest + (n.op == filter_op::negated ? 1 : 0);
}

/// Whether a tree joined from parsed ones keeps the limits of what parses.
[[nodiscard]] inline bool within_limits(filter_tree const& tree) {
    auto count = tree.nodes.size();
    for (auto const& n : tree.nodes)
        if (n.op == filter_op::in || n.op == filter_op::not_in) count += n.values;
    if (count > max_filter_nodes || depth_at(tree, 0) > max_filter_depth) return false;
    // No text is longer than this: quotes around names and texts and doubled inside, 24 digits, the
    // longest word and two parentheses a node.
    auto const most = 2 * tree.text.size() + 2 * (tree.names.size() + tree.starts.size()) +
                      26 * tree.values.size() + 20 * tree.nodes.size();
    return most <= max_filter_bytes || filter_printer(tree).print().size() <= max_filter_bytes;
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

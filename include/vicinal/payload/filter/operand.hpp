// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_OPERAND_HPP
#define VICINAL_PAYLOAD_FILTER_OPERAND_HPP

#include <vicinal/payload/filter/token.hpp>
#include <vicinal/payload/filter/tree.hpp>

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Appends what stands between the quotes, doubled quotes as one.
inline void append_unquoted(std::string& out, std::string_view quoted) {
    for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
        out.push_back(quoted[i]);
        if (quoted[i] == quoted[0]) ++i;
    }
}

/// The end of the first part of a dotted name, which the lexer has seen to be well formed.
[[nodiscard]] constexpr std::size_t part_size(std::string_view raw) noexcept {
    std::size_t i = 0;
    bool inside = false;
    for (; i < raw.size() && (inside || raw[i] != '.'); ++i)
        if (raw[i] == '"') inside = !inside;
    return i;
}

/// Adds a dotted name as it stands in the filter, and gives its number.
[[nodiscard]] inline std::uint32_t add_name(filter_tree& tree, std::string_view raw) {
    filter_name n{.offset = static_cast<std::uint32_t>(tree.text.size()),
                  .size = 0,
                  .first_start = static_cast<std::uint32_t>(tree.starts.size()),
                  .starts = 0};
    for (;;) {
        auto const part = raw.substr(0, part_size(raw));
        if (part[0] == '"')
            append_unquoted(tree.text, part);
        else
            tree.text.append(part);
        if (part.size() == raw.size()) break;
        raw.remove_prefix(part.size() + 1);
        tree.text.push_back('.');
        tree.starts.push_back(static_cast<std::uint32_t>(tree.text.size()) - n.offset);
        ++n.starts;
    }
    n.size = static_cast<std::uint32_t>(tree.text.size()) - n.offset;
    tree.names.push_back(n);
    return static_cast<std::uint32_t>(tree.names.size() - 1);
}

/// Keeps the text of a quoted literal in the tree.
[[nodiscard]] inline filter_value add_text(filter_tree& tree, std::string_view raw) {
    filter_value v{.type = value::kind::string,
                   .bits = 0,
                   .offset = static_cast<std::uint32_t>(tree.text.size()),
                   .size = 0};
    append_unquoted(tree.text, raw);
    v.size = static_cast<std::uint32_t>(tree.text.size()) - v.offset;
    return v;
}

/// Reads a number; an integer beyond 64 bits is a double, as it is in a payload. False where it is
/// outside the range of double.
[[nodiscard]] inline bool read_number(std::string_view raw, bool whole, filter_value& v) noexcept {
    auto const* const first = raw.data();
    auto const* const last = first + raw.size();
    if (std::int64_t i = 0; whole && std::from_chars(first, last, i).ec == std::errc{}) {
        v.type = value::kind::integer;
        v.bits = static_cast<std::uint64_t>(i);
        return true;
    }
    double x = 0;
    if (std::from_chars(first, last, x).ec != std::errc{}) return false;
    v.type = value::kind::real;
    v.bits = std::bit_cast<std::uint64_t>(x);
    return true;
}

/// Makes the tree of what filter_parser finds.
class filter_tree_builder {
public:
    [[nodiscard]] std::size_t size() const noexcept { return tree_.nodes.size(); }

    /// Puts a connective in front of the nodes from `at` on, which will be its children.
    void open(std::size_t at, filter_op op) {
        tree_.nodes.insert(tree_.nodes.begin() + static_cast<std::ptrdiff_t>(at),
                           filter_node{.op = op});
    }
    void close(std::size_t at) noexcept {
        tree_.nodes[at].nodes = static_cast<std::uint32_t>(tree_.nodes.size() - at);
    }

    void begin(filter_token const& name) {
        node_ = {};
        node_.name = add_name(tree_, name.raw);
        node_.first_value = static_cast<std::uint32_t>(tree_.values.size());
    }
    /// False where the number is outside the range of double.
    [[nodiscard]] bool literal(filter_token const& token) {
        filter_value v;
        if (token.kind == token_kind::text) {
            v = add_text(tree_, token.raw);
        } else if (token.kind == token_kind::integer || token.kind == token_kind::real) {
            if (!read_number(token.raw, token.kind == token_kind::integer, v)) return false;
        } else {
            v.type = value::kind::boolean;
            v.bits = token.kind == token_kind::word_true ? 1 : 0;
        }
        tree_.values.push_back(v);
        return true;
    }
    void end(filter_op op) {
        node_.op = op;
        node_.values = static_cast<std::uint32_t>(tree_.values.size()) - node_.first_value;
        tree_.nodes.push_back(node_);
    }

    [[nodiscard]] filter_tree take() noexcept { return std::move(tree_); }

private:
    filter_tree tree_ = {};
    filter_node node_ = {};
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

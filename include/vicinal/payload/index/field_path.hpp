// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_FIELD_PATH_HPP
#define VICINAL_PAYLOAD_INDEX_FIELD_PATH_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/payload/view.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// A field's name as filters have it, and the way to its value.
class field_path {
public:
    /// Reads a dotted name, whose parts may stand in double quotes. Errors: invalid_filter with
    /// what was expected there.
    [[nodiscard]] static result<field_path> parse(std::string_view name) {
        constexpr std::string_view behind = " is null";
        auto const asked = filter::parse(std::string(name) + std::string(behind));
        if (!asked) return asked.error();
        auto const& tree = asked->tree();
        if (tree.nodes.size() != 1 || tree.nodes[0].op != filter_op::is_null)
            return error{errc::invalid_filter, "the name of a field", std::string(name)};
        field_path path;
        path.shown_ = asked->print();
        path.shown_.resize(path.shown_.size() - behind.size());
        path.name_ = tree.name_of(tree.nodes[0]);
        auto const starts = tree.starts_of(tree.nodes[0]);
        path.starts_.assign(starts.begin(), starts.end());
        return path;
    }

    /// The name as a filter would print it: equal for equal paths.
    [[nodiscard]] std::string const& shown() const noexcept { return shown_; }
    /// Whether a comparison in a filter asks for this field.
    [[nodiscard]] bool is_of(filter_tree const& tree, filter_node const& leaf) const noexcept {
        auto const starts = tree.starts_of(leaf);
        return tree.name_of(leaf) == name_ &&
               std::equal(starts.begin(), starts.end(), starts_.begin(), starts_.end());
    }
    /// The value in an encoded payload; nothing where there is none or null.
    [[nodiscard]] std::optional<value_view>
    find(std::span<std::byte const> payload) const noexcept {
        fields_view const all(payload);
        auto const found = starts_.empty() ? all.find(name_) : all.find_parts(name_, starts_);
        return found && !found->is_null() ? found : std::nullopt;
    }

private:
    std::string shown_;
    std::string name_;
    std::vector<std::uint32_t> starts_;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

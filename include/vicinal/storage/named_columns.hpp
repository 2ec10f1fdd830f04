// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_NAMED_COLUMNS_HPP
#define VICINAL_STORAGE_NAMED_COLUMNS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/replacement.hpp>
#include <vicinal/storage/snapshot.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// The columns of an open store by name, each bound to its section of the snapshot: what storages
/// that map and storages that page have in common.
template <class Os, class Column>
class named_columns {
public:
    using column_type = Column;

    void unstage() noexcept {
        for (auto& c : list_) c->rows.unstage();
    }

protected:
    struct named {
        template <class... Arguments>
        explicit named(std::string_view n, Arguments&&... arguments)
            : name(n), rows(std::forward<Arguments>(arguments)...) {}
        std::string name;
        Column rows;
    };

    /// The column of that name, if it was bound. errc::corrupt_snapshot where it, or the snapshot,
    /// has rows of another width.
    [[nodiscard]] result<Column*> bound(snapshot_file<Os> const& snapshot, std::string_view name,
                                        std::size_t row_bytes) const {
        if (!detail::valid_section_name(name) || row_bytes == 0 ||
            row_bytes > detail::most_row_bytes)
            return error{errc::invalid_argument,
                         "a column name of 1 to 63 bytes and rows of 1 byte to 1 GiB",
                         "'" + std::string(name) + "' and " + std::to_string(row_bytes)};
        auto* const known = find(name);
        auto const* const s = snapshot.find(name);
        auto const width = known != nullptr ? known->rows.row_bytes()
                           : s != nullptr   ? static_cast<std::size_t>(s->row_bytes)
                                            : row_bytes;
        if (width != row_bytes)
            return error{errc::corrupt_snapshot,
                         "rows of " + std::to_string(row_bytes) + " bytes in section '" +
                             std::string(name) + "' of " + snapshot.shown(),
                         std::to_string(width)};
        return known != nullptr ? &known->rows : nullptr;
    }

    /// What the next snapshot holds, in order of the names: every column, also those that nobody
    /// has asked for, for which bind(name, row_bytes) -> result<Column*> is called.
    template <class Bind>
    [[nodiscard]] result<void>
    collect_with(snapshot_file<Os> const& snapshot, std::span<replacement const> replacements,
                 std::vector<section_source>& sources, Bind const& bind) {
        for (auto const& s : snapshot.layout().sections) {
            if (find(s.name) != nullptr) continue;
            auto const made = bind(s.name, static_cast<std::size_t>(s.row_bytes));
            if (!made) return made.error();
        }
        for (auto const& r : replacements) {
            if (r.row_bytes == 0 || r.bytes() % r.row_bytes != 0)
                return error{errc::invalid_argument,
                             "whole rows of " + std::to_string(r.row_bytes) + " bytes for '" +
                                 r.name + "'",
                             std::to_string(r.bytes()) + " bytes"};
            sources.push_back(r);
        }
        for (auto const& c : list_)
            if (!replaced(replacements, c->name)) sources.push_back(c->rows.source(c->name));
        std::sort(sources.begin(), sources.end(),
                  [](auto const& a, auto const& b) { return a.name < b.name; });
        return {};
    }

    [[nodiscard]] static bool replaced(std::span<replacement const> replacements,
                                       std::string_view name) noexcept {
        return std::any_of(replacements.begin(), replacements.end(),
                           [name](auto const& r) { return r.name == name; });
    }

    std::vector<std::unique_ptr<named>> list_;

private:
    [[nodiscard]] named* find(std::string_view name) const noexcept {
        for (auto const& c : list_)
            if (c->name == name) return c.get();
        return nullptr;
    }
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

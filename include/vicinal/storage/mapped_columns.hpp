// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_MAPPED_COLUMNS_HPP
#define VICINAL_STORAGE_MAPPED_COLUMNS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/mapped_column.hpp>
#include <vicinal/storage/replacement.hpp>
#include <vicinal/storage/snapshot.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// The columns of an open store, by name, each bound to its section of the snapshot.
template <class Os>
class mapped_columns {
public:
    /// Columns that are bound from now on are compared with their checksums page by page, as they
    /// are read. errc::out_of_memory where the system maps nothing more.
    [[nodiscard]] result<void> check_lazily(snapshot_file<Os> const& snapshot) {
        auto const& l = snapshot.layout();
        auto const bytes = l.page_crcs_at + l.block_crcs.size() * page_group_bytes;
        auto space = region<Os>::reserve(bytes);
        if (!space) return space.error();
        auto const front = std::make_shared<region<Os>>(*std::move(space));
        if (!front->map(snapshot.number(), 0, bytes))
            return error{errc::out_of_memory,
                         "to map " + std::to_string(bytes) + " bytes of " + snapshot.shown(),
                         "a refusal of the system"};
        front_ = std::shared_ptr<std::byte const>(front, front->data());
        return {};
    }

    /// The column of that name, made at the first call. errc::corrupt_snapshot where it has rows of
    /// another width already.
    [[nodiscard]] result<mapped_column<Os>*> bind(snapshot_file<Os> const& snapshot,
                                                  std::string_view name, std::size_t row_bytes) {
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
        if (known != nullptr) return &known->rows;
        auto made = std::make_unique<named>(named{std::string(name), mapped_column<Os>(row_bytes)});
        if (s != nullptr) {
            VICINAL_CHECK(made->rows.stage(snapshot.number(), *s));
            made->rows.adopt();
            if (front_ && s->rows > 0)
                made->rows.check_with(std::make_unique<page_checks>(
                    *s, snapshot.layout().block_crcs, front_, snapshot.layout().page_crcs_at,
                    snapshot.shown()));
        }
        list_.push_back(std::move(made));
        return &list_.back()->rows;
    }

    /// What the next snapshot holds, in order of the names: every column, also those that nobody
    /// has asked for, which are bound here.
    [[nodiscard]] result<void> collect(snapshot_file<Os> const& snapshot,
                                       std::span<replacement const> replacements,
                                       std::vector<section_source>& sources) {
        for (auto const& s : snapshot.layout().sections) {
            if (find(s.name) != nullptr) continue;
            auto const made = bind(snapshot, s.name, static_cast<std::size_t>(s.row_bytes));
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
            if (!replaced(replacements, c->name))
                sources.push_back({c->name, c->rows.row_bytes(), c->rows.bytes()});
        std::sort(sources.begin(), sources.end(),
                  [](auto const& a, auto const& b) { return a.name < b.name; });
        return {};
    }

    /// Maps the sections of the next snapshot beside the columns. A column that can't be mapped
    /// keeps the memory it has; for a replaced one, whose memory holds other rows, that is
    /// errc::out_of_memory.
    [[nodiscard]] result<void> stage(snapshot_file<Os> const& next,
                                     std::span<replacement const> replacements) {
        for (auto& c : list_) {
            auto const* const s = next.find(c->name);
            if (s == nullptr) continue;
            auto staged = c->rows.stage(next.number(), *s);
            if (!staged && replaced(replacements, c->name)) return staged;
        }
        return {};
    }
    void unstage() noexcept {
        for (auto& c : list_) c->rows.unstage();
    }
    void adopt() noexcept {
        for (auto& c : list_) c->rows.adopt();
        front_.reset();
    }

private:
    struct named {
        std::string name;
        mapped_column<Os> rows;
    };

    [[nodiscard]] named* find(std::string_view name) const noexcept {
        for (auto const& c : list_)
            if (c->name == name) return c.get();
        return nullptr;
    }
    [[nodiscard]] static bool replaced(std::span<replacement const> replacements,
                                       std::string_view name) noexcept {
        return std::any_of(replacements.begin(), replacements.end(),
                           [name](auto const& r) { return r.name == name; });
    }

    std::vector<std::unique_ptr<named>> list_;
    /// The snapshot before its first section; null where every page is known to be right.
    std::shared_ptr<std::byte const> front_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_MAPPED_COLUMNS_HPP
#define VICINAL_STORAGE_MAPPED_COLUMNS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/mapped_column.hpp>
#include <vicinal/storage/named_columns.hpp>
#include <vicinal/storage/open_options.hpp>
#include <vicinal/storage/replacement.hpp>
#include <vicinal/storage/snapshot.hpp>
#include <vicinal/storage/store_files.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// The columns of an open store whose snapshot is mapped.
template <class Os>
class mapped_columns : public named_columns<Os, mapped_column<Os>> {
    using base = named_columns<Os, mapped_column<Os>>;
    using base::list_;
    using named = typename base::named;

public:
    explicit mapped_columns(open_options const& options) noexcept
        : lazy_(options.check == check_level::lazy) {}

    [[nodiscard]] static result<void> check_host() {
        if (auto const page = Os::page_bytes(); snapshot_block_bytes % page != 0)
            return error{errc::unsupported, "pages of 64 KiB at most",
                         std::to_string(page) + " bytes"};
        return {};
    }

    /// Under check::lazy, columns of a snapshot that is not checked yet are compared with their
    /// checksums page by page, as they are read. errc::out_of_memory where the system maps nothing
    /// more.
    [[nodiscard]] result<void> open(detail::store_files<Os> const& files) {
        if (!lazy_ || files.checked()) return {};
        auto const& snapshot = files.snapshot();
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

    /// The column of that name, made at the first call. The kind of heat changes nothing: the
    /// system keeps in memory what is read.
    [[nodiscard]] result<mapped_column<Os>*>
    bind(snapshot_file<Os> const& snapshot, std::string_view name, std::size_t row_bytes, heat) {
        auto const known = base::bound(snapshot, name, row_bytes);
        if (!known || *known != nullptr) return known;
        auto made = std::make_unique<named>(name, row_bytes);
        if (auto const* const s = snapshot.find(name)) {
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

    /// Rows that were not compared with their checksums must not get new ones.
    [[nodiscard]] static result<void> before_copying(detail::store_files<Os>& files) {
        return files.check_before_copying();
    }
    [[nodiscard]] result<void> collect(snapshot_file<Os> const& snapshot,
                                       std::span<replacement const> replacements,
                                       std::vector<section_source>& sources) {
        return base::collect_with(snapshot, replacements, sources,
                                  [&](std::string_view name, std::size_t row_bytes) {
                                      return bind(snapshot, name, row_bytes, heat::cold);
                                  });
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
            if (!staged && base::replaced(replacements, c->name)) return staged;
        }
        return {};
    }
    /// The snapshot before is closed: what is mapped of it stays.
    static void published(snapshot_file<Os>) noexcept {}
    void adopt() noexcept {
        for (auto& c : list_) c->rows.adopt();
        front_.reset();
    }

    /// The system takes the memory of rows where it needs it.
    [[nodiscard]] static bool wants_checkpoint(std::uint64_t) noexcept { return false; }

private:
    bool lazy_;
    /// The snapshot before its first section; null where every page is known to be right.
    std::shared_ptr<std::byte const> front_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

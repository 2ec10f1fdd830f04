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
        : lazy_(options.check == check_level::lazy),
          trusted_(options.check == check_level::trusted), may_copy_(options.copied_bytes) {}

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

    /// The column of that name, made at the first call: copied where it is not cold and the options
    /// leave room for it, else mapped, as the system keeps in memory what is read.
    [[nodiscard]] result<mapped_column<Os>*> bind(snapshot_file<Os> const& snapshot,
                                                  std::string_view name, std::size_t row_bytes,
                                                  heat kind) {
        auto const known = base::bound(snapshot, name, row_bytes);
        if (!known || *known != nullptr) return known;
        auto made = std::make_unique<named>(name, row_bytes);
        if (auto const* const s = snapshot.find(name)) {
            bool const copied = kind != heat::cold && s->rows > 0 && s->bytes() <= may_copy_;
            VICINAL_CHECK(stage_one(made->rows, snapshot, *s, copied));
            made->rows.adopt();
            if (made->rows.is_copied())
                may_copy_ -= s->bytes();
            else if (front_ && s->rows > 0)
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
    /// keeps the memory it has, as does one that is a copy; for a replaced one, whose memory holds
    /// other rows, that is an error: those of mapped_column::stage_copy.
    [[nodiscard]] result<void> stage(snapshot_file<Os> const& next,
                                     std::span<replacement const> replacements) {
        for (auto& c : list_) {
            auto const* const s = next.find(c->name);
            bool const other = base::replaced(replacements, c->name);
            if (s == nullptr || (c->rows.is_copied() && !other)) continue;
            auto staged = stage_one(c->rows, next, *s, c->rows.is_copied() && s->rows > 0);
            if (!staged && other) return staged;
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
    [[nodiscard]] result<void> stage_one(mapped_column<Os>& rows, snapshot_file<Os> const& from,
                                         section const& s, bool copy) const {
        if (copy) {
            auto done = rows.stage_copy(from, s, trusted_);
            if (done || done.error().code() != errc::out_of_memory) return done;
        }
        return rows.stage(from.number(), s);
    }

    bool lazy_;
    bool trusted_;
    /// Bytes of columns that may still be copied.
    std::uint64_t may_copy_;
    /// The snapshot before its first section; null where every page is known to be right.
    std::shared_ptr<std::byte const> front_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

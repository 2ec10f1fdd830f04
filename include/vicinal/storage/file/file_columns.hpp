// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_FILE_COLUMNS_HPP
#define VICINAL_STORAGE_FILE_FILE_COLUMNS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/file/file_column.hpp>
#include <vicinal/storage/named_columns.hpp>
#include <vicinal/storage/open_options.hpp>
#include <vicinal/storage/replacement.hpp>
#include <vicinal/storage/snapshot.hpp>
#include <vicinal/storage/store_files.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// What a paged storage holds in memory and has read.
struct paging_stats {
    /// What it may hold, in bytes.
    std::uint64_t budget = 0;
    /// What always is in memory: columns that are not paged, rows since the last checkpoint,
    /// checksums, up to 2 MiB for what is not counted one by one. Where it is above the budget, the
    /// budget is not kept.
    std::uint64_t resident = 0;
    /// Pages, which give way.
    std::uint64_t pages = 0;
    /// Bytes of what each step of a search reads (codes, links) that did not fit and are paged.
    /// Where it is not 0, a search reads many pages more.
    std::uint64_t paged_steps = 0;
    /// Reads so far.
    std::uint64_t reads = 0;
};

/// The columns of an open store that is read page by page.
template <class Os>
class file_columns : public named_columns<Os, file_column<Os>> {
    using base = named_columns<Os, file_column<Os>>;
    using base::list_;
    using named = typename base::named;

public:
    explicit file_columns(open_options const& options)
        : read_only_(options.read_only),
          shared_(std::make_unique<storage::paging<Os>>(
              options.cache_bytes, options.check == check_level::trusted, options.read_threads)) {}

    file_columns(file_columns const&) = delete;
    file_columns& operator=(file_columns const&) = delete;
    /// Columns give what they are charged back to the cache.
    ~file_columns() { list_.clear(); }

    [[nodiscard]] static result<void> check_host() { return {}; }
    [[nodiscard]] static result<void> open(detail::store_files<Os> const&) { return {}; }

    /// The column of that name, made at the first call: paged where it is cold, and where it is
    /// warm, does not fit and need not be written.
    [[nodiscard]] result<file_column<Os>*> bind(snapshot_file<Os> const& snapshot,
                                                std::string_view name, std::size_t row_bytes,
                                                heat kind) {
        auto const known = base::bound(snapshot, name, row_bytes);
        if (!known || *known != nullptr) return known;
        auto const* const s = snapshot.find(name);
        bool const steps =
            kind == heat::warm && read_only_ && s != nullptr && !shared_->cache.fits(s->bytes());
        auto made = std::make_unique<named>(name, *shared_, row_bytes, kind == heat::cold || steps);
        if (s != nullptr) {
            VICINAL_CHECK(made->rows.stage(snapshot, *s, false));
            made->rows.adopt();
        }
        if (steps) paged_steps_ += made->rows.paged_bytes();
        list_.push_back(std::move(made));
        return &list_.back()->rows;
    }

    /// Pages are compared on their way into the next snapshot.
    [[nodiscard]] static result<void> before_copying(detail::store_files<Os> const&) { return {}; }
    [[nodiscard]] result<void> collect(snapshot_file<Os> const& snapshot,
                                       std::span<replacement const> replacements,
                                       std::vector<section_source>& sources) {
        return base::collect_with(snapshot, replacements, sources,
                                  [&](std::string_view name, std::size_t row_bytes) {
                                      return bind(snapshot, name, row_bytes, heat::cold);
                                  });
    }

    /// Prepares the sections of the next snapshot beside the columns: pages, and the rows of other
    /// columns that are replaced. Errors: those of file_column::stage.
    [[nodiscard]] result<void> stage(snapshot_file<Os> const& next,
                                     std::span<replacement const> replacements) {
        for (auto& c : list_) {
            auto const* const s = next.find(c->name);
            bool const other = base::replaced(replacements, c->name);
            if (s == nullptr || (!c->rows.is_paged() && !other)) continue;
            VICINAL_CHECK(c->rows.stage(next, *s, !other));
        }
        return {};
    }
    /// Keeps the snapshot before, from which columns are paged until adopt(), and behind discard().
    void published(snapshot_file<Os> before) noexcept {
        if (!before_) before_ = std::move(before);
    }
    void adopt() noexcept {
        for (auto& c : list_) c->rows.adopt();
        before_ = {};
    }

    /// Whether rows since the last checkpoint take half of what the budget leaves for pages, and an
    /// eighth of what a checkpoint copies: it copies the whole store, so that a load of n bytes
    /// writes some 9 n, however small the budget is.
    [[nodiscard]] bool wants_checkpoint(std::uint64_t snapshot_bytes) const noexcept {
        std::uint64_t fresh = 0;
        for (auto const& c : list_) fresh += c->rows.unpaged_bytes();
        auto const fixed = shared_->cache.charged() - fresh;
        auto const budget = shared_->cache.budget();
        return fresh > (std::max)({(budget > fixed ? budget - fixed : 0) / 2, snapshot_bytes / 8,
                                   page_cache::least});
    }
    [[nodiscard]] paging_stats paging() const noexcept {
        auto const& c = shared_->cache;
        return {c.budget(), c.charged(), c.page_bytes(), paged_steps_, shared_->read.reads()};
    }

private:
    bool read_only_;
    std::unique_ptr<storage::paging<Os>> shared_;
    /// The snapshot that the columns are paged from, where it is not the newest.
    snapshot_file<Os> before_;
    std::uint64_t paged_steps_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_FILE_COLUMN_HPP
#define VICINAL_STORAGE_FILE_FILE_COLUMN_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/column.hpp>
#include <vicinal/storage/concept.hpp>
#include <vicinal/storage/file/paged_reader.hpp>
#include <vicinal/storage/memory.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// A column of which the memory holds all (a hot one), or what came since the snapshot (a cold one,
/// whose older rows are paged).
///
/// `edit` of a cold column takes rows that came since the last checkpoint: what a store writes to
/// vectors, payloads and ids it appends.
template <class Os>
class file_column {
public:
    file_column(paging<Os>& shared, std::size_t row_bytes, heat kind) noexcept
        : shared_(&shared), kind_(kind), memory_(row_bytes) {}
    file_column(file_column const&) = delete;
    file_column& operator=(file_column const&) = delete;
    ~file_column() { shared_->cache.charge(charged_, 0); }

    [[nodiscard]] std::uint64_t rows() const noexcept { return paged_rows_ + memory_.rows(); }
    [[nodiscard]] std::uint64_t capacity() const noexcept {
        return paged_rows_ + memory_.capacity();
    }
    [[nodiscard]] std::size_t row_bytes() const noexcept { return memory_.row_bytes(); }
    [[nodiscard]] paged_reader<Os> reader() const noexcept {
        return {paged_.get(), paged_rows_, memory_.reader().row(0), row_bytes()};
    }
    [[nodiscard]] std::byte* edit(std::uint64_t i) noexcept {
        return memory_.edit(i - paged_rows_);
    }

    /// Errors also: limit_exceeded, where what must stay in memory is beyond the budget.
    [[nodiscard]] result<void> prepare(std::uint64_t rows) {
        if (rows <= capacity()) return {};
        if (!shared_->cache.fits(0))
            return error{errc::limit_exceeded,
                         "cache_bytes for what a search reads at every step and what came since "
                         "the last checkpoint: more than " +
                             std::to_string(shared_->cache.charged()),
                         std::to_string(shared_->cache.budget())};
        return memory_.prepare(rows - paged_rows_);
    }
    void commit() noexcept {
        memory_.commit();
        count();
    }
    void resize(std::uint64_t rows) noexcept {
        paged_rows_ = (std::min)(paged_rows_, rows);
        memory_.resize(rows - paged_rows_);
    }

    [[nodiscard]] heat kind() const noexcept { return kind_; }
    /// Bytes in memory that the next checkpoint makes pages of.
    [[nodiscard]] std::uint64_t unpaged_bytes() const noexcept {
        return kind_ == heat::cold ? charged_ : 0;
    }

    /// All rows for the next snapshot, read past the cache; the column must stay as it is until
    /// they are written. Rows that can't be read are counted as faults.
    [[nodiscard]] section_source source(std::string const& name) const {
        auto const in_memory = std::span<std::byte const>(
            memory_.reader().row(0), static_cast<std::size_t>(memory_.rows() * row_bytes()));
        if (paged_rows_ == 0) return {name, row_bytes(), in_memory};
        auto const buffer = std::make_shared<std::vector<std::byte>>(
            static_cast<std::size_t>(paged_->page_bytes()));
        auto const page = [this, buffer](std::size_t i) -> std::span<std::byte const> {
            auto const left = paged_rows_ * row_bytes() - i * paged_->page_bytes();
            auto const read = paged_->read_past(i, buffer->data());
            if (!read) {
                shared_->faults.add(read.error());
                return std::span<std::byte const>(*buffer).first(
                    static_cast<std::size_t>((std::min)(std::uint64_t{buffer->size()}, left)));
            }
            return read->first(
                static_cast<std::size_t>((std::min)(std::uint64_t{read->size()}, left)));
        };
        auto const paged = paged_rows_ * row_bytes();
        auto const pages =
            static_cast<std::size_t>((paged + paged_->page_bytes() - 1) / paged_->page_bytes());
        return joined_runs(
            name, row_bytes(), paged + in_memory.size(), pages + 1,
            [page, pages, in_memory](std::size_t i) { return i < pages ? page(i) : in_memory; });
    }

    /// Takes a section of a snapshot beside what the column holds now; adopt() then puts it in its
    /// place. Errors: limit_exceeded where a hot one is beyond the budget, corrupt_snapshot,
    /// io_failure, out_of_memory; the column is as before.
    [[nodiscard]] result<void> stage(snapshot_file<Os> const& file, section const& s, bool same) {
        staged made{nullptr, memory_column(static_cast<std::size_t>(s.row_bytes)), s.rows, same};
        if (s.rows > 0 && kind_ == heat::cold) {
            auto pages = paged_section<Os>::open(*shared_, file, s);
            if (!pages) return pages.error();
            made.pages = *std::move(pages);
        } else if (s.rows > 0) {
            // Compaction has the rows before and behind it in memory for a while.
            if (rows() == 0 && !shared_->cache.fits(s.bytes()))
                return error{
                    errc::limit_exceeded,
                    "cache_bytes of at least " +
                        std::to_string(shared_->cache.charged() + s.bytes() + page_cache::least) +
                        " for section '" + s.name + "' of " + file.shown(),
                    std::to_string(shared_->cache.budget())};
            VICINAL_CHECK(made.rows.prepare(s.rows));
            made.rows.commit();
            made.rows.resize(s.rows);
            VICINAL_CHECK(load_section(file, s, made.rows.edit(0)));
        }
        staged_ = std::move(made);
        return {};
    }
    /// Takes what was staged, if anything; no reader may be inside.
    void adopt() noexcept {
        if (!staged_) return;
        if (paged_ && staged_->pages && staged_->same)
            staged_->pages->inherit(*paged_, paged_rows_ * row_bytes());
        paged_ = std::move(staged_->pages);
        paged_rows_ = paged_ ? staged_->count : 0;
        memory_ = std::move(staged_->rows);
        staged_.reset();
        count();
    }
    void unstage() noexcept { staged_.reset(); }

private:
    struct staged {
        std::unique_ptr<paged_section<Os>> pages;
        memory_column rows;
        std::uint64_t count;
        /// The rows that the column has now begin the section too.
        bool same;
    };

    void count() noexcept {
        auto const now = memory_.capacity() * row_bytes();
        shared_->cache.charge(charged_, now);
        charged_ = now;
    }

    paging<Os>* shared_;
    heat kind_;
    std::unique_ptr<paged_section<Os>> paged_;
    std::uint64_t paged_rows_ = 0;
    memory_column memory_;
    std::optional<staged> staged_;
    std::uint64_t charged_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_FILE_COLUMN_HPP
#define VICINAL_STORAGE_FILE_FILE_COLUMN_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/column.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/storage/file/paged_reader.hpp>
#include <vicinal/storage/load_section.hpp>
#include <vicinal/storage/memory_column.hpp>
#include <vicinal/storage/replacement.hpp>
#include <vicinal/storage/snapshot.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// A column of which the memory holds all, or, where it is paged, what came since the snapshot.
template <class Os>
class file_column {
public:
    file_column(paging<Os>& shared, std::size_t row_bytes, bool paged) noexcept
        : shared_(&shared), is_paged_(paged), memory_(row_bytes) {}
    file_column(file_column const&) = delete;
    file_column& operator=(file_column const&) = delete;
    ~file_column() { shared_->cache.charge(charged_, 0); }

    [[nodiscard]] std::uint64_t rows() const noexcept { return paged_rows_ + memory_.rows(); }
    [[nodiscard]] std::uint64_t capacity() const noexcept {
        return paged_rows_ + memory_.capacity();
    }
    [[nodiscard]] std::size_t row_bytes() const noexcept { return memory_.row_bytes(); }
    [[nodiscard]] paged_reader<Os> reader() const noexcept {
        return {section_.get(), paged_rows_, memory_.reader().row(0), row_bytes()};
    }
    [[nodiscard]] std::byte* edit(std::uint64_t i) noexcept {
        return memory_.edit(i - paged_rows_);
    }

    [[nodiscard]] result<void> prepare(std::uint64_t rows) {
        return rows <= capacity() ? result<void>() : memory_.prepare(rows - paged_rows_);
    }
    void commit() noexcept {
        memory_.commit();
        count();
    }
    void resize(std::uint64_t rows) noexcept {
        // Readers beside a writer that adds rows read this.
        if (rows < paged_rows_) paged_rows_ = rows;
        memory_.resize(rows - paged_rows_);
    }

    [[nodiscard]] bool is_paged() const noexcept { return is_paged_; }
    /// Bytes of the rows that are paged.
    [[nodiscard]] std::uint64_t paged_bytes() const noexcept { return paged_rows_ * row_bytes(); }
    /// Bytes in memory that the next checkpoint makes pages of.
    [[nodiscard]] std::uint64_t unpaged_bytes() const noexcept { return is_paged_ ? charged_ : 0; }

    /// All rows for the next snapshot, read past the cache; the column must stay as it is until
    /// they are written. A fault where they can't be read.
    [[nodiscard]] section_source source(std::string const& name) const {
        auto const fresh = memory_.bytes();
        auto const paged = paged_bytes();
        if (paged == 0) return {name, row_bytes(), fresh};
        auto const blocks =
            static_cast<std::size_t>((paged + snapshot_block_bytes - 1) / snapshot_block_bytes);
        std::shared_ptr<block_buffer> const buffer(new block_buffer);
        auto const run = [section = section_.get(), buffer, fresh, paged,
                          blocks](std::size_t i) -> std::span<std::byte const> {
            if (i == blocks) return fresh;
            if (auto const read = section->read_past(i, buffer->bytes); !read)
                fault_scope::note([&] { return read.error(); });
            return std::span<std::byte const>(buffer->bytes)
                .first(static_cast<std::size_t>(
                    (std::min)(snapshot_block_bytes, paged - i * snapshot_block_bytes)));
        };
        return joined_runs(name, row_bytes(), paged + fresh.size(), blocks + 1, run);
    }

    /// Takes a section of a snapshot beside what the column holds now; adopt() then puts it in its
    /// place. `same` says that the rows which the column has now begin the section too. Errors:
    /// corrupt_snapshot, io_failure, out_of_memory; the column is as before.
    [[nodiscard]] result<void> stage(snapshot_file<Os> const& file, section const& s, bool same) {
        staged made{nullptr, memory_column(static_cast<std::size_t>(s.row_bytes)), s.rows, same};
        if (s.rows > 0 && is_paged_) {
            auto section = paged_section<Os>::open(*shared_, file, s);
            if (!section) return section.error();
            made.section = *std::move(section);
        } else if (s.rows > 0) {
            VICINAL_CHECK(made.rows.prepare(s.rows));
            made.rows.commit();
            made.rows.resize(s.rows);
            VICINAL_CHECK(load_section(file, s, shared_->trusted, made.rows.edit(0)));
        }
        staged_ = std::move(made);
        return {};
    }
    /// Takes what was staged, if anything; no reader may be inside.
    void adopt() noexcept {
        if (!staged_) return;
        if (section_ && staged_->section && staged_->same)
            staged_->section->inherit(*section_, paged_bytes());
        section_ = std::move(staged_->section);
        paged_rows_ = section_ ? staged_->count : 0;
        memory_ = std::move(staged_->rows);
        staged_.reset();
        count();
    }
    void unstage() noexcept { staged_.reset(); }

private:
    struct staged {
        std::unique_ptr<paged_section<Os>> section;
        memory_column rows;
        std::uint64_t count;
        bool same;
    };

    void count() noexcept {
        auto const now = memory_.capacity() * row_bytes();
        shared_->cache.charge(charged_, now);
        charged_ = now;
    }

    paging<Os>* shared_;
    bool is_paged_;
    std::unique_ptr<paged_section<Os>> section_;
    std::uint64_t paged_rows_ = 0;
    memory_column memory_;
    std::optional<staged> staged_;
    std::uint64_t charged_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_MAPPED_COLUMN_HPP
#define VICINAL_STORAGE_MAPPED_COLUMN_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/storage/checked_reader.hpp>
#include <vicinal/storage/concept.hpp>
#include <vicinal/storage/load_section.hpp>
#include <vicinal/storage/region.hpp>
#include <vicinal/storage/snapshot.hpp>
#include <vicinal/storage/snapshot_bytes.hpp>
#include <vicinal/storage/snapshot_layout.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// A column whose first rows are a mapped section of a snapshot and whose later rows are memory
/// behind it: one contiguous range of addresses.
///
/// Pages that are only read are the file's, shared by all processes and given back under pressure;
/// a page that is written becomes this process's own copy. A column without rows holds no mapping.
/// `edit` between `prepare` and `commit` is not allowed: prepare may have copied the row already.
///
/// Growing past the reservation copies all rows into a larger one made of memory, instead of moving
/// the mappings: the reservation is four times what the column had when it was mapped, so that at
/// least three quarters of what is copied is memory of this process anyway, and a copy needs no
/// count of touched pages and can't fail in commit, as moving several mappings can. The next
/// checkpoint maps the file again.
template <class Os>
class mapped_column {
public:
    explicit mapped_column(std::size_t row_bytes) noexcept : row_bytes_(row_bytes) {}

    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::uint64_t capacity() const noexcept { return granted_ / row_bytes_; }
    [[nodiscard]] std::size_t row_bytes() const noexcept { return row_bytes_; }
    [[nodiscard]] checked_reader reader() const noexcept {
        return {now_.memory.data(), row_bytes_,
                checks_ && checks_->pending() ? checks_.get() : nullptr};
    }
    /// A page that is written will never match its checksum again: it is compared before.
    [[nodiscard]] std::byte* edit(std::uint64_t i) noexcept {
        static_cast<void>(reader().row(i));
        return now_.memory.data() + i * row_bytes_;
    }
    /// All rows, one behind the other.
    [[nodiscard]] std::span<std::byte const> bytes() const noexcept {
        return {now_.memory.data(), static_cast<std::size_t>(rows_ * row_bytes_)};
    }

    /// The same for a snapshot; the column must stay as it is until they are written.
    [[nodiscard]] section_source source(std::string const& name) const {
        return {name, row_bytes_, bytes()};
    }

    [[nodiscard]] result<void> prepare(std::uint64_t rows) {
        std::uint64_t bytes = 0;
        if (!detail::checked_multiply<std::uint64_t>(rows, row_bytes_, bytes))
            return error{errc::out_of_memory};
        if (bytes <= now_.memory.usable() || (next_ && bytes <= next_->memory.usable())) return {};
        // Half as much again, so that n rows added one by one cost O(n).
        auto const wish = (std::max)(bytes, granted_ + granted_ / 2);
        auto& m = now_.memory;
        if (bytes <= m.reserved() && (m.allow((std::max)(wish, least_step)) || m.allow(bytes)))
            return {};
        auto larger = region<Os>::reserve(wish);
        if (!larger) return larger.error();
        image fresh{*std::move(larger), rows_ * row_bytes_};
        if (!fresh.memory.allow(wish) && !fresh.memory.allow(bytes))
            return error{errc::out_of_memory, std::to_string(bytes) + " bytes of memory",
                         "a refusal of the system"};
        if (rows_ > 0)
            std::memcpy(fresh.memory.data(), m.data(), static_cast<std::size_t>(fresh.touched));
        next_ = std::move(fresh);
        return {};
    }
    void commit() noexcept {
        if (next_) now_ = *std::exchange(next_, std::nullopt);
        granted_ = now_.memory.usable();
    }
    void resize(std::uint64_t rows) noexcept {
        auto const end = rows * row_bytes_;
        // Behind `touched` lies memory that was never written, which is zero already.
        if (auto const from = rows_ * row_bytes_; from < end && from < now_.touched) {
            static_cast<void>(reader().row(rows_));
            std::memset(now_.memory.data() + from, 0,
                        static_cast<std::size_t>((std::min)(end, now_.touched) - from));
        }
        now_.touched = (std::max)(now_.touched, end);
        rows_ = rows;
    }

    /// Maps a section beside what the column holds now; adopt() then puts it in its place.
    /// errc::out_of_memory where the system refuses; the column is as before.
    [[nodiscard]] result<void> stage(int number, section const& s) {
        image mapped;
        if (s.rows > 0) {
            auto space = region<Os>::reserve(s.bytes());
            if (!space) return space.error();
            mapped.memory = *std::move(space);
            if (!mapped.memory.map(number, s.offset, s.bytes()))
                return error{errc::out_of_memory,
                             "to map " + std::to_string(s.bytes()) + " bytes of section '" +
                                 s.name + "'",
                             "a refusal of the system"};
            // The rest of the section's last page is the file's padding: not trusted to be zero.
            mapped.touched = mapped.memory.usable();
        }
        staged_ = staged{std::move(mapped), s.rows, static_cast<std::size_t>(s.row_bytes)};
        return {};
    }
    /// The same by a copy in memory of this process, which has huge pages where the system gives
    /// them; each block is compared with its checksum unless the file is trusted. Errors:
    /// corrupt_snapshot, io_failure, and out_of_memory, after which stage() may still succeed.
    [[nodiscard]] result<void> stage_copy(snapshot_file<Os> const& from, section const& s,
                                          bool trusted) {
        auto space = region<Os>::reserve(s.bytes());
        if (!space) return space.error();
        image copied{*std::move(space), s.bytes()};
        if (!copied.memory.allow(s.bytes()))
            return error{errc::out_of_memory, std::to_string(s.bytes()) + " bytes of memory",
                         "a refusal of the system"};
        VICINAL_CHECK(load_section(from, s, trusted, copied.memory.data()));
        staged_ = staged{std::move(copied), s.rows, static_cast<std::size_t>(s.row_bytes), true};
        return {};
    }
    /// Whether the rows that the column was opened with are a copy.
    [[nodiscard]] bool is_copied() const noexcept { return is_copied_; }

    /// Takes what was staged, if anything; no reader may be inside.
    void adopt() noexcept {
        if (!staged_) return;
        next_.reset();
        now_ = std::move(staged_->rows);
        rows_ = staged_->count;
        row_bytes_ = staged_->row_bytes;
        granted_ = now_.memory.usable();
        is_copied_ = staged_->copied;
        staged_.reset();
        checks_.reset();
    }
    /// From now on readers compare the section that was adopted, page by page.
    void check_with(std::unique_ptr<page_checks> checks) noexcept { checks_ = std::move(checks); }
    void unstage() noexcept { staged_.reset(); }

private:
    /// mprotect is called for this much at least: 64 times for the first 16 MiB, not 4096 times.
    static constexpr std::uint64_t least_step = std::uint64_t{1} << 18;

    struct image {
        region<Os> memory;
        /// From here on every usable byte is zero.
        std::uint64_t touched = 0;
    };
    struct staged {
        image rows;
        std::uint64_t count = 0;
        std::size_t row_bytes = 1;
        bool copied = false;
    };

    image now_;
    std::optional<image> next_;
    std::optional<staged> staged_;
    std::unique_ptr<page_checks> checks_;
    bool is_copied_ = false;
    std::uint64_t granted_ = 0;
    std::uint64_t rows_ = 0;
    std::size_t row_bytes_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

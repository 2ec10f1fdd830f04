// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_PAGED_READER_HPP
#define VICINAL_STORAGE_FILE_PAGED_READER_HPP

#include <vicinal/storage/file/paged_section.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// A column as one query sees it whose first rows are paged and whose others are in memory.
///
/// What row() gives stays in place while the reader lives and until 16 other rows were asked for;
/// a copy of a reader begins with nothing. Rows that can't be read are zeros, and counted: see
/// faults(). One thread uses a reader; each thread has its own.
template <class Os>
class paged_reader {
public:
    static constexpr bool pages = true;

    paged_reader() = default;
    /// Rows up to `paged` are those of `section`; those behind it are in memory from `base` on.
    paged_reader(paged_section<Os>* section, std::uint64_t paged, std::byte const* base,
                 std::size_t stride) noexcept
        : section_(section), paged_(paged), base_(base), stride_(stride) {}
    paged_reader(paged_reader const& other) noexcept
        : paged_reader(other.section_, other.paged_, other.base_, other.stride_) {}
    paged_reader(paged_reader&&) noexcept = default;
    paged_reader& operator=(paged_reader const&) = delete;
    ~paged_reader() {
        if (pins_) let_go();
    }

    /// The bytes of row `i`, which must be below the column's rows().
    [[nodiscard]] VICINAL_ALWAYS_INLINE std::byte const* row(std::uint64_t i) const noexcept {
        return i >= paged_ ? base_ + (i - paged_) * stride_ : paged_run(i * stride_, stride_);
    }
    template <class T>
    [[nodiscard]] T const* row_as(std::uint64_t i) const noexcept {
        return reinterpret_cast<T const*>(row(i));
    }
    /// `count` rows one behind the other, from row `i` on; nullptr where they can't be read.
    [[nodiscard]] std::byte const* run(std::uint64_t i, std::uint64_t count) const noexcept {
        if (i >= paged_) return base_ + (i - paged_) * stride_;
        return paged_run(i * stride_, static_cast<std::size_t>(count * stride_));
    }

    /// A row in memory is asked for in cache lines; a paged one is read together with the next row
    /// that must be read.
    VICINAL_ALWAYS_INLINE void prefetch(std::uint64_t i, std::size_t lines = 1) const noexcept {
        if (i >= paged_) {
            for (std::size_t l = 0; l < lines; ++l) __builtin_prefetch(row(i) + 64 * l);
        } else {
            wish(i);
        }
    }

    /// How many rows could not be read so far, by any reader of the store.
    [[nodiscard]] std::uint64_t faults() const noexcept {
        return section_ == nullptr ? 0 : section_->faults().count();
    }
    /// Success if no row failed to be read since faults() was `before`.
    [[nodiscard]] result<void> since(std::uint64_t before) const {
        return section_ == nullptr ? result<void>() : section_->faults().since(before);
    }

private:
    /// The pages that the last rows came from, and the rows that are wanted next.
    struct held {
        struct place {
            page* pinned = nullptr;
            std::unique_ptr<std::byte[]> copy;
        };
        std::array<place, 16> places;
        std::size_t next = 0;
        std::uint64_t last = UINT64_MAX;
        std::byte const* last_bytes = nullptr;
        std::array<std::uint64_t, 32> wishes;
        std::size_t wished = 0;
    };

    void let_go() noexcept {
        for (auto& p : pins_->places)
            if (p.pinned != nullptr) p.pinned->unpin();
    }
    [[nodiscard]] held* pins() const noexcept {
        if (!pins_) pins_.reset(new (std::nothrow) held);
        return pins_.get();
    }

    VICINAL_NOINLINE void wish(std::uint64_t i) const noexcept {
        auto* const h = pins();
        if (h == nullptr) return;
        auto const first = i * stride_ / section_->page_bytes();
        auto const last = (i * stride_ + stride_ - 1) / section_->page_bytes();
        for (auto n = first; n <= last; ++n) {
            if (n == h->last) continue;
            if (h->wished > 0 && h->wishes[(h->wished - 1) % h->wishes.size()] == n) continue;
            h->wishes[h->wished % h->wishes.size()] = n;
            ++h->wished;
        }
    }

    [[nodiscard]] VICINAL_NOINLINE std::byte const* paged_run(std::uint64_t at,
                                                              std::size_t size) const noexcept {
        auto const unit = section_->page_bytes();
        auto const number = at / unit;
        auto const inside = static_cast<std::size_t>(at % unit);
        auto* const h = pins();
        if (h == nullptr) return fail(error{errc::out_of_memory}, size);
        if (number == h->last && inside + size <= unit) return h->last_bytes + inside;
        auto& place = h->places[h->next++ % h->places.size()];
        if (place.pinned != nullptr) {
            if (place.pinned->bytes.get() == h->last_bytes) h->last = UINT64_MAX;
            std::exchange(place.pinned, nullptr)->unpin();
        }
        place.copy.reset();
        if (inside + size > unit) return joined(*h, place, at, size);
        place.pinned = get(*h, number);
        if (place.pinned == nullptr) return zeros(size);
        h->last = number;
        h->last_bytes = place.pinned->bytes.get();
        return h->last_bytes + inside;
    }

    /// A run that lies in several pages, or in pages and in memory, put together.
    [[nodiscard]] std::byte const* joined(held& h, typename held::place& place, std::uint64_t at,
                                          std::size_t size) const noexcept {
        auto const unit = section_->page_bytes();
        auto const paged_end = paged_ * stride_;
        place.copy.reset(new (std::nothrow) std::byte[size]);
        if (!place.copy) return fail(error{errc::out_of_memory}, size);
        for (std::size_t done = 0; done < size;) {
            auto const from = at + done;
            if (from >= paged_end) {
                std::memcpy(place.copy.get() + done, base_ + (from - paged_end), size - done);
                break;
            }
            auto const inside = static_cast<std::size_t>(from % unit);
            auto const n = static_cast<std::size_t>(
                (std::min)({std::uint64_t{size - done}, unit - inside, paged_end - from}));
            auto* const p = get(h, from / unit);
            if (p == nullptr) return zeros(size);
            std::memcpy(place.copy.get() + done, p->bytes.get() + inside, n);
            p->unpin();
            done += n;
        }
        return place.copy.get();
    }

    [[nodiscard]] page* get(held& h, std::uint64_t number) const noexcept {
        auto const wished = (std::min)(h.wished, h.wishes.size());
        auto* const p = section_->pin(number, std::span(h.wishes).first(wished));
        h.wished = 0;
        return p;
    }
    [[nodiscard]] std::byte const* zeros(std::size_t size) const noexcept {
        return size <= stride_ ? section_->zeros() : nullptr;
    }
    [[nodiscard]] std::byte const* fail(error reason, std::size_t size) const noexcept {
        section_->faults().add(std::move(reason));
        return zeros(size);
    }

    paged_section<Os>* section_ = nullptr;
    std::uint64_t paged_ = 0;
    std::byte const* base_ = nullptr;
    std::size_t stride_ = 0;
    mutable std::unique_ptr<held> pins_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

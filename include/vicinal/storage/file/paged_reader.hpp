// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_PAGED_READER_HPP
#define VICINAL_STORAGE_FILE_PAGED_READER_HPP

#include <vicinal/storage/faults.hpp>
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
/// a copy of a reader begins with nothing. A row that can't be read is zeros. One thread uses a
/// reader; each thread has its own.
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
    paged_reader& operator=(paged_reader other) noexcept {
        section_ = other.section_;
        paged_ = other.paged_;
        base_ = other.base_;
        stride_ = other.stride_;
        std::swap(held_, other.held_);
        return *this;
    }
    ~paged_reader() {
        if (held_) held_->let_go();
    }

    [[nodiscard]] bool may_fault() const noexcept { return paged_ != 0; }
    /// The bytes of row `i`, which must be below the column's rows().
    [[nodiscard]] VICINAL_ALWAYS_INLINE std::byte const* row(std::uint64_t i) const noexcept {
        return i >= paged_ ? base_ + (i - paged_) * stride_ : paged_run(i * stride_, stride_);
    }
    /// The bytes of `count` rows from `i` on, one behind the other; null where they can't be read
    /// and there is no memory for as many zeros.
    [[nodiscard]] std::byte const* rows(std::uint64_t i, std::uint64_t count) const noexcept {
        if (i >= paged_) return base_ + (i - paged_) * stride_;
        return paged_run(i * stride_, static_cast<std::size_t>(count * stride_));
    }
    template <class T>
    [[nodiscard]] T const* row_as(std::uint64_t i) const noexcept {
        return reinterpret_cast<T const*>(row(i));
    }
    template <class T>
    [[nodiscard]] T const* rows_as(std::uint64_t i, std::uint64_t count) const noexcept {
        return reinterpret_cast<T const*>(rows(i, count));
    }

    /// A row in memory is asked for in cache lines; a paged one is read together with the next row
    /// that must be read.
    VICINAL_ALWAYS_INLINE void prefetch(std::uint64_t i, std::size_t lines = 1) const noexcept {
        if (i >= paged_) {
            for (std::size_t l = 0; l < lines; ++l)
                __builtin_prefetch(base_ + (i - paged_) * stride_ + 64 * l);
        } else if (auto* const h = held()) {
            wish(*h, i * stride_, stride_);
        }
    }

private:
    static constexpr std::uint64_t unit = snapshot_page_bytes;

    /// What keeps the last rows in place, and the pages that are wanted next.
    struct hold {
        struct place {
            page* pinned = nullptr;
            std::unique_ptr<std::byte[]> copy;
            std::size_t copy_bytes = 0;
        };
        std::array<place, 16> places;
        std::size_t next = 0;
        /// The page that the last row came from.
        page* last = nullptr;
        std::uint64_t last_number = 0;
        std::array<std::uint64_t, 64> wishes;
        std::size_t wished = 0;

        void let_go() noexcept {
            for (auto& p : places)
                if (p.pinned != nullptr) p.pinned->unpin();
        }
    };

    [[nodiscard]] hold* held() const noexcept {
        if (!held_) held_.reset(new (std::nothrow) hold);
        return held_.get();
    }

    /// Remembers the pages that bytes lie in, of a long run the first ones; older wishes give way.
    static void wish(hold& h, std::uint64_t at, std::uint64_t size) noexcept {
        auto const last =
            (std::min)((at + size - 1) / unit, at / unit + std::uint64_t{h.wishes.size() - 1});
        for (auto n = at / unit; n <= last; ++n)
            if (h.wished == 0 || h.wishes[(h.wished - 1) % h.wishes.size()] != n)
                h.wishes[h.wished++ % h.wishes.size()] = n;
    }

    [[nodiscard]] VICINAL_NOINLINE std::byte const* paged_run(std::uint64_t at,
                                                              std::size_t size) const noexcept {
        auto const inside = static_cast<std::size_t>(at % unit);
        auto* const h = held();
        if (h == nullptr) return fail(size);
        bool const one = inside + size <= unit;
        if (one && h->last != nullptr && h->last_number == at / unit)
            return h->last->bytes + inside;
        auto& place = h->places[h->next++ % h->places.size()];
        if (place.pinned != nullptr) {
            if (place.pinned == h->last) h->last = nullptr;
            std::exchange(place.pinned, nullptr)->unpin();
        }
        if (!one) return joined(*h, place, at, size);
        place.pinned = get(*h, at, size);
        if (place.pinned == nullptr) return zeros(place, size);
        h->last = place.pinned;
        h->last_number = at / unit;
        return place.pinned->bytes + inside;
    }

    /// A run that lies in several pages, or in pages and in memory, put together.
    [[nodiscard]] std::byte const* joined(hold& h, typename hold::place& place, std::uint64_t at,
                                          std::size_t size) const noexcept {
        auto const paged_end = paged_ * stride_;
        if (!make_copy(place, size)) return fail(size);
        for (std::size_t done = 0; done < size;) {
            auto const from = at + done;
            if (from >= paged_end) {
                std::memcpy(place.copy.get() + done, base_ + (from - paged_end), size - done);
                break;
            }
            auto const inside = static_cast<std::size_t>(from % unit);
            auto const n = static_cast<std::size_t>(
                (std::min)({std::uint64_t{size - done}, unit - inside, paged_end - from}));
            auto* const p = get(h, from, (std::min)(std::uint64_t{size - done}, paged_end - from));
            if (p == nullptr) return zeros(place, size);
            std::memcpy(place.copy.get() + done, p->bytes + inside, n);
            p->unpin();
            done += n;
        }
        return place.copy.get();
    }

    /// The page of the first of `size` bytes; where it must be read, those of the others and of the
    /// rows that are wanted next are read with it.
    [[nodiscard]] page* get(hold& h, std::uint64_t at, std::uint64_t size) const noexcept {
        if (auto* const p = section_->pin(at / unit)) return p;
        wish(h, at, size);
        auto const wished = (std::min)(h.wished, h.wishes.size());
        h.wished = 0;
        return section_->read(at / unit, std::span(h.wishes).first(wished));
    }

    [[nodiscard]] static bool make_copy(typename hold::place& place, std::size_t size) noexcept {
        if (place.copy_bytes < size) {
            place.copy.reset(new (std::nothrow) std::byte[size]);
            place.copy_bytes = place.copy ? size : 0;
        }
        return place.copy_bytes >= size;
    }
    /// In the place of a run that could not be read.
    [[nodiscard]] std::byte const* zeros(typename hold::place& place,
                                         std::size_t size) const noexcept {
        if (size <= section_->zeros().size()) return section_->zeros().data();
        if (!make_copy(place, size)) return nullptr;
        std::memset(place.copy.get(), 0, size);
        return place.copy.get();
    }
    [[nodiscard]] std::byte const* fail(std::size_t size) const noexcept {
        fault_scope::note([] { return error{errc::out_of_memory}; });
        return size <= section_->zeros().size() ? section_->zeros().data() : nullptr;
    }

    paged_section<Os>* section_ = nullptr;
    std::uint64_t paged_ = 0;
    std::byte const* base_ = nullptr;
    std::size_t stride_ = 0;
    mutable std::unique_ptr<hold> held_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

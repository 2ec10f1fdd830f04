// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_PAGED_SECTION_HPP
#define VICINAL_STORAGE_FILE_PAGED_SECTION_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/storage/file/faults.hpp>
#include <vicinal/storage/file/page_cache.hpp>
#include <vicinal/storage/file/read_together.hpp>
#include <vicinal/storage/snapshot.hpp>
#include <vicinal/storage/unit_sums.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// What the paged sections of one store share.
template <class Os>
struct paging {
    explicit paging(std::uint64_t budget) noexcept : cache(budget) {}

    page_cache cache;
    read_together<Os> read;
    storage::faults faults;
};

/// Puts the rows of a section into memory, each block compared with its checksum.
template <class Os>
[[nodiscard]] result<void> load_section(snapshot_file<Os> const& file, section const& s,
                                        std::byte* into) {
    using block = typename snapshot_file<Os>::block;
    std::unique_ptr<block> const buffer(new block);
    for (std::uint64_t i = 0; i < s.blocks(); ++i) {
        VICINAL_CHECK(file.read_block(s, i, *buffer));
        auto const at = i * snapshot_block_bytes;
        std::memcpy(into + at, buffer->data(),
                    static_cast<std::size_t>((std::min)(snapshot_block_bytes, s.bytes() - at)));
    }
    return {};
}

/// The bytes of one section of a snapshot, of which a part is in memory: pages of whole rows, up to
/// 8 KiB, each compared with its checksum when it is read. In a snapshot without unit checksums
/// pages are its blocks of 64 KiB. Safe to share between threads; the file must stay open.
template <class Os>
class paged_section {
public:
    /// Reads the checksums. Errors: corrupt_snapshot, io_failure.
    [[nodiscard]] static result<std::unique_ptr<paged_section>>
    open(paging<Os>& shared, snapshot_file<Os> const& file, section const& s) {
        std::unique_ptr<paged_section> made(new paged_section(shared, file, s));
        auto const& layout = file.layout();
        auto const* const sums =
            layout.unit_sums ? file.find(s.name + std::string(vicinal::detail::unit_sums_suffix))
                             : nullptr;
        if (sums == nullptr || !vicinal::detail::has_unit_sums(s.name, s.row_bytes, s.bytes())) {
            auto const first =
                layout.block_crcs.begin() + static_cast<std::ptrdiff_t>(s.first_block);
            made->sums_.assign(first, first + static_cast<std::ptrdiff_t>(s.blocks()));
            made->bytes_ = s.blocks() * snapshot_block_bytes;
        } else {
            made->page_bytes_ = vicinal::detail::unit_bytes_of(s.row_bytes);
            auto const pages = (s.bytes() + made->page_bytes_ - 1) / made->page_bytes_;
            if (sums->row_bytes != 4 || sums->rows != pages)
                return error{errc::corrupt_snapshot,
                             std::to_string(pages) + " checksums in section '" + sums->name +
                                 "' of " + file.shown(),
                             std::to_string(sums->rows) + " rows of " +
                                 std::to_string(sums->row_bytes) + " bytes"};
            std::vector<std::byte> bytes(static_cast<std::size_t>(sums->bytes()));
            VICINAL_CHECK(load_section(file, *sums, bytes.data()));
            made->sums_.resize(static_cast<std::size_t>(pages));
            for (std::size_t i = 0; i < made->sums_.size(); ++i)
                made->sums_[i] = vicinal::detail::load_le<std::uint32_t>(bytes.data() + 4 * i);
        }
        made->table_.assign(made->sums_.size(), nullptr);
        made->zeros_.resize(static_cast<std::size_t>((std::max)(s.row_bytes, made->page_bytes_)));
        shared.cache.charge(0, made->own_bytes());
        return made;
    }
    paged_section(paged_section const&) = delete;
    paged_section& operator=(paged_section const&) = delete;
    ~paged_section() {
        page_table none;
        shared_.cache.move(table_, none, 0);
        shared_.cache.charge(own_bytes(), 0);
    }

    [[nodiscard]] std::uint64_t page_bytes() const noexcept { return page_bytes_; }
    [[nodiscard]] std::size_t pages() const noexcept { return sums_.size(); }
    [[nodiscard]] storage::faults& faults() const noexcept { return shared_.faults; }
    /// As many zeros as a row or a page has.
    [[nodiscard]] std::byte const* zeros() const noexcept { return zeros_.data(); }

    /// A page, pinned, from memory or read together with others that will be wanted next. Null
    /// where it can't be read or trusted; the reason is among the faults.
    [[nodiscard]] page* pin(std::uint64_t number, std::span<std::uint64_t const> next) noexcept {
        if (auto* const p = shared_.cache.pin(table_, number)) return p;
        page* wanted = nullptr;
        auto const done = vicinal::detail::guarded([&]() -> result<void> {
            std::array<std::uint64_t, most_at_once> numbers{number};
            std::size_t count = 1;
            for (auto const n : next) {
                auto const last = numbers.begin() + static_cast<std::ptrdiff_t>(count);
                if (count < numbers.size() && n < table_.size() &&
                    std::find(numbers.begin(), last, n) == last && !shared_.cache.has(table_, n))
                    numbers[count++] = n;
            }
            return read(std::span(numbers).first(count), wanted);
        });
        if (!done) shared_.faults.add(done.error());
        return wanted;
    }

    /// Reads a page past the cache into `into`, which has page_bytes(): its bytes without padding.
    [[nodiscard]] result<std::span<std::byte const>> read_past(std::uint64_t number,
                                                               std::byte* into) const {
        read_request r{file_, offset_ + number * page_bytes_, into, size_of(number), -1};
        shared_.read(std::span(&r, 1));
        VICINAL_CHECK(check(r, number));
        auto const used = (std::min)(std::uint64_t{r.bytes}, used_bytes_ - number * page_bytes_);
        return std::span<std::byte const>(into, static_cast<std::size_t>(used));
    }

    /// Takes over the whole pages of an older section whose first `same` bytes begin this one too.
    void inherit(paged_section& older, std::uint64_t same) noexcept {
        if (older.page_bytes_ == page_bytes_)
            shared_.cache.move(older.table_, table_, same / page_bytes_);
    }

private:
    static constexpr std::size_t most_at_once = 33;

    paged_section(paging<Os>& shared, snapshot_file<Os> const& file, section const& s)
        : shared_(shared), file_(file.number()), offset_(s.offset), bytes_(s.bytes()),
          used_bytes_(s.bytes()), name_(s.name), shown_(file.shown()) {}

    [[nodiscard]] std::uint64_t own_bytes() const noexcept {
        return sums_.size() * (sizeof(std::uint32_t) + sizeof(page*)) + zeros_.size();
    }
    [[nodiscard]] std::size_t size_of(std::uint64_t number) const noexcept {
        return static_cast<std::size_t>((std::min)(page_bytes_, bytes_ - number * page_bytes_));
    }

    /// The first of `numbers` is the one that is wanted: what fails of the others fails when they
    /// are asked for themselves.
    [[nodiscard]] result<void> read(std::span<std::uint64_t const> numbers, page*& wanted) {
        std::array<std::unique_ptr<std::byte[]>, most_at_once> buffers;
        std::array<read_request, most_at_once> requests;
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            auto const size = size_of(numbers[i]);
            buffers[i].reset(new std::byte[size]);
            requests[i] = {file_, offset_ + numbers[i] * page_bytes_, buffers[i].get(), size, -1};
        }
        shared_.read(std::span(requests).first(numbers.size()));
        result<void> first;
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            if (auto good = check(requests[i], numbers[i]); !good) {
                if (i == 0) first = std::move(good);
                continue;
            }
            auto* const p =
                shared_.cache.put(table_, numbers[i], std::move(buffers[i]), requests[i].bytes);
            if (i == 0)
                wanted = p;
            else
                p->unpin();
        }
        return first;
    }

    [[nodiscard]] result<void> check(read_request const& r, std::uint64_t number) const {
        auto const at = std::to_string(r.bytes) + " bytes at offset " + std::to_string(r.offset) +
                        " (section '" + name_ + "') of " + shown_;
        if (r.done < 0)
            return vicinal::detail::system_failure(static_cast<int>(-r.done), "to read " + at);
        if (static_cast<std::size_t>(r.done) != r.bytes)
            return error{errc::corrupt_snapshot, at, std::to_string(r.done)};
        if (crc32c({r.into, r.bytes}) != sums_[static_cast<std::size_t>(number)])
            return error{errc::corrupt_snapshot, "the recorded checksum of " + at, "another"};
        return {};
    }

    paging<Os>& shared_;
    int file_;
    std::uint64_t offset_;
    /// What may be read: with pages that are blocks, the padding too.
    std::uint64_t bytes_;
    std::uint64_t used_bytes_;
    std::uint64_t page_bytes_ = snapshot_block_bytes;
    std::string name_;
    std::string shown_;
    std::vector<std::uint32_t> sums_;
    page_table table_;
    std::vector<std::byte> zeros_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_PAGED_SECTION_HPP
#define VICINAL_STORAGE_FILE_PAGED_SECTION_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/storage/file/page_cache.hpp>
#include <vicinal/storage/file/read_together.hpp>
#include <vicinal/storage/page_checksums.hpp>
#include <vicinal/storage/snapshot.hpp>
#include <vicinal/storage/snapshot_bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// What the paged sections of one store share.
template <class Os>
struct paging {
    paging(std::uint64_t budget, bool trusts, std::size_t threads) noexcept
        : cache(budget), read(threads), trusted(trusts) {}

    page_cache cache;
    read_together<Os> read;
    /// Pages that are read for an answer are not compared with their checksums.
    bool trusted;
};

/// The bytes of one section of a snapshot, of which a part is in memory: its pages of 4 KiB, each
/// compared with its checksum when it is read. Pages side by side that are wanted together are one
/// read of at most 8 KiB, or of a row that has more. Safe to share between threads; the file must
/// stay open.
template <class Os>
class paged_section {
public:
    /// Reads the checksums, 1 KiB a MiB. Errors: corrupt_snapshot, io_failure.
    [[nodiscard]] static result<std::unique_ptr<paged_section>>
    open(paging<Os>& shared, snapshot_file<Os> const& file, section const& s) {
        std::unique_ptr<paged_section> made(new paged_section(shared, file, s));
        auto& sums = made->sums_;
        sums.resize(static_cast<std::size_t>(s.blocks() * page_group_bytes));
        auto const at = file.layout().page_crcs_at + s.first_block * page_group_bytes;
        auto const read = read_up_to<Os>(file.number(), at, sums, file.shown());
        VICINAL_CHECK(read);
        if (*read != sums.size())
            return error{errc::corrupt_snapshot,
                         "checksums of pages up to offset " + std::to_string(at + sums.size()) +
                             " of " + file.shown(),
                         "its end"};
        for (std::uint64_t i = 0; i < s.blocks(); ++i)
            if (vicinal::detail::joined_crc(sums.data() + i * page_group_bytes) !=
                file.layout().block_crcs[static_cast<std::size_t>(s.first_block + i)])
                return block_damage(s, i, file.shown(),
                                    "the recorded checksums of the pages of block ", "others");
        made->table_.assign(static_cast<std::size_t>(s.blocks() * pages_per_block), nullptr);
        made->zeros_.resize(
            static_cast<std::size_t>((std::max<std::uint64_t>)(s.row_bytes, snapshot_page_bytes)));
        shared.cache.charge(0, made->own_bytes());
        return made;
    }
    paged_section(paged_section const&) = delete;
    paged_section& operator=(paged_section const&) = delete;
    ~paged_section() {
        page_table none;
        shared_.cache.move(table_, none, 0);
        if (!table_.empty()) shared_.cache.charge(own_bytes(), 0);
    }

    /// Zeros in the place of what can't be read: as many as a row or a page has.
    [[nodiscard]] std::span<std::byte const> zeros() const noexcept { return zeros_; }

    /// A page, pinned; null where it is not in memory.
    [[nodiscard]] page* pin(std::uint64_t number) noexcept {
        return shared_.cache.pin(table_, number);
    }
    /// A page, pinned, read together with others that will be wanted next. Null where it can't be
    /// read or trusted: the fault_scope knows why.
    [[nodiscard]] page* read(std::uint64_t number, std::span<std::uint64_t const> next) noexcept {
        page* wanted = nullptr;
        auto const done = vicinal::detail::guarded([&]() -> result<void> {
            std::vector<std::uint64_t> numbers(next.begin(), next.end());
            numbers.push_back(number);
            std::sort(numbers.begin(), numbers.end());
            numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
            shared_.cache.keep_missing(table_, numbers);
            VICINAL_CHECK(read_all(numbers, number, wanted));
            // Another thread may have read it, and a third have put it out.
            while (wanted == nullptr && (wanted = pin(number)) == nullptr)
                VICINAL_CHECK(read_all(std::span(&number, 1), number, wanted));
            return {};
        });
        if (!done) fault_scope::note([&] { return done.error(); });
        return wanted;
    }

    /// Reads a block past the cache, for a copy: its pages are compared in any case.
    [[nodiscard]] result<void> read_past(std::uint64_t block, std::span<std::byte> into) const {
        read_request r{file_, section_.offset + block * snapshot_block_bytes, into.data(),
                       into.size(), -1};
        shared_.read(std::span(&r, 1));
        VICINAL_CHECK(check_read(r));
        for (std::uint64_t i = 0; i < pages_per_block; ++i)
            VICINAL_CHECK(check_page(block * pages_per_block + i,
                                     into.data() + static_cast<std::size_t>(i) *
                                                       std::size_t{snapshot_page_bytes}));
        return {};
    }

    /// Takes over the whole pages of an older section whose first `same` bytes begin this one too.
    void inherit(paged_section& older, std::uint64_t same) noexcept {
        shared_.cache.move(older.table_, table_, same / snapshot_page_bytes);
    }

private:
    paged_section(paging<Os>& shared, snapshot_file<Os> const& file, section const& s)
        : shared_(shared), file_(file.number()), section_(s), shown_(file.shown()),
          most_pages_(
              (std::max<std::uint64_t>)(2, s.row_bytes == 1
                                               ? 0
                                               : (s.row_bytes - 2) / snapshot_page_bytes + 2)) {}

    [[nodiscard]] std::uint64_t own_bytes() const noexcept {
        return sums_.size() + table_.size() * sizeof(page*) + zeros_.size();
    }

    /// Reads pages whose numbers ascend. What fails of those that are not wanted yet fails when
    /// they are asked for themselves.
    [[nodiscard]] result<void> read_all(std::span<std::uint64_t const> numbers, std::uint64_t now,
                                        page*& wanted) {
        constexpr auto size = static_cast<std::size_t>(snapshot_page_bytes);
        std::unique_ptr<std::byte[]> const buffer(new std::byte[numbers.size() * size]);
        std::vector<read_request> requests;
        std::vector<std::size_t> firsts;
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            if (i > 0 && numbers[i] == numbers[i - 1] + 1 && i - firsts.back() < most_pages_) {
                requests.back().bytes += size;
                continue;
            }
            firsts.push_back(i);
            requests.push_back(
                {file_, section_.offset + numbers[i] * size, buffer.get() + i * size, size, -1});
        }
        shared_.read(requests);
        for (std::size_t r = 0, i = 0; r < requests.size(); ++r) {
            auto const whole = check_read(requests[r]);
            for (auto const end = i + requests[r].bytes / size; i < end; ++i) {
                auto const* const bytes = buffer.get() + i * size;
                auto const good = whole && !shared_.trusted ? check_page(numbers[i], bytes) : whole;
                if (!good) {
                    if (numbers[i] == now) return good;
                    continue;
                }
                auto* const p = shared_.cache.put(table_, numbers[i], bytes);
                if (numbers[i] == now)
                    wanted = p;
                else
                    p->unpin();
            }
        }
        return {};
    }

    [[nodiscard]] result<void> check_read(read_request const& r) const {
        if (r.done == static_cast<std::ptrdiff_t>(r.bytes)) return {};
        auto const what = std::to_string(r.bytes) + " bytes at offset " + std::to_string(r.offset) +
                          " (section '" + section_.name + "') of " + shown_;
        if (r.done < 0)
            return vicinal::detail::system_failure(static_cast<int>(-r.done), "to read " + what);
        return error{errc::corrupt_snapshot, what, std::to_string(r.done)};
    }
    [[nodiscard]] result<void> check_page(std::uint64_t number, std::byte const* bytes) const {
        auto const* const recorded = sums_.data() + number * 4;
        if (crc32c({bytes, static_cast<std::size_t>(snapshot_page_bytes)}) ==
            vicinal::detail::load_le<std::uint32_t>(recorded))
            return {};
        return page_damage(section_, number, shown_);
    }

    paging<Os>& shared_;
    int file_;
    section section_;
    std::string shown_;
    /// Of one read: as many as a row may touch.
    std::uint64_t most_pages_;
    /// As in the file: a u32 a page.
    std::vector<std::byte> sums_;
    page_table table_;
    std::vector<std::byte> zeros_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

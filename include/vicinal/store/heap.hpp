// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_HEAP_HPP
#define VICINAL_STORE_HEAP_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/storage/concept.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/storage/replacement.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The longest run of bytes that a heap takes: its length has 24 bits.
inline constexpr std::uint64_t largest_run = (std::uint64_t{1} << 24) - 1;

/// A run of bytes of any length up to largest_run for each slot: a column of bytes, and a column
/// that says where in it a slot's run lies (8 bytes: 40 bits of offset, 24 of length).
///
/// Runs are written behind each other and not moved; what a dead slot or a replaced run leaves is
/// freed by compact().
template <class Storage>
class heap {
public:
    static constexpr std::uint64_t largest_heap = std::uint64_t{1} << 40;

    using reader = decltype(std::declval<typename Storage::column const&>().reader());
    using run_of_bytes = storage::held_bytes<reader>;

    /// `kind` is that of the bytes.
    [[nodiscard]] static result<heap> open(typename Storage::space& space, std::string const& name,
                                           storage::heat kind) {
        auto bytes = space.column(name + ".heap", 1, kind);
        VICINAL_CHECK(bytes);
        auto places = space.column(name + ".places", 8, storage::heat::hot);
        VICINAL_CHECK(places);
        heap h;
        h.bytes_ = *bytes;
        h.places_ = *places;
        return h;
    }

    /// The run of a slot below slots(); empty, and a fault, where a damaged file points outside.
    [[nodiscard]] run_of_bytes operator[](slot s) const noexcept {
        auto const at = place(s);
        return at.length == 0 ? run_of_bytes()
                              : run_of_bytes(bytes_->reader(), at.offset, at.length);
    }

    /// Has the place of a run come into the cache, then the beginning of the run; where bytes are
    /// read through a cache of their own, nothing.
    void announce(slot s) const noexcept {
        if constexpr (!reader::pages) places_->reader().prefetch(s);
    }
    void fetch(slot s) const noexcept {
        if constexpr (!reader::pages)
            if (auto const at = place(s); at.length != 0)
                bytes_->reader().prefetch(at.offset,
                                          (std::min<std::uint64_t>)(at.length / 64 + 1, 4));
    }

    /// Makes room for `slots` slots and `more` bytes, moving columns only inside `section`.
    template <class Section>
    [[nodiscard]] result<void> make_room(std::uint64_t slots, std::uint64_t more,
                                         Section const& section) {
        if (end_ + more > largest_heap)
            return error{errc::limit_exceeded, "at most 2^40 bytes of ids or payloads"};
        if (slots > places_->capacity()) {
            VICINAL_CHECK(places_->prepare(slots));
            section([&] { places_->commit(); });
        }
        if (end_ + more > bytes_->capacity()) {
            VICINAL_CHECK(bytes_->prepare(end_ + more));
            section([&] { bytes_->commit(); });
        }
        return {};
    }
    /// Where a run lies, as the column of places has it.
    using packed_place = std::uint64_t;

    /// Writes a run behind the others; there is room. It is no slot's yet.
    [[nodiscard]] packed_place append(std::span<std::byte const> run) noexcept {
        auto const offset = written_;
        bytes_->resize(offset + run.size());
        if (!run.empty()) std::memcpy(bytes_->edit(offset), run.data(), run.size());
        written_ = offset + run.size();
        return offset << 24 | run.size();
    }
    /// Gives a slot an appended run. No query knows the slot yet.
    void assign(slot s, packed_place place) noexcept {
        if (s >= places_->rows()) places_->resize(s + std::uint64_t{1});
        std::memcpy(places_->edit(s), &place, sizeof place);
    }
    /// Both at once.
    void put(slot s, std::span<std::byte const> run) noexcept { assign(s, append(run)); }
    /// Lets queries see what was put; inside the section that publishes the slots.
    void publish() noexcept { end_ = written_; }
    /// Gives a slot that queries know another run; inside the section, behind publish().
    void replace(slot s, packed_place place) noexcept {
        left_ += this->place(s).length;
        assign(s, place);
    }
    /// Bytes of runs that were replaced since the heap was bound.
    [[nodiscard]] std::uint64_t left() const noexcept { return left_; }
    /// Bytes that are no slot's, live or dead. Reads every place.
    [[nodiscard]] std::uint64_t unused() const noexcept {
        std::uint64_t used = 0;
        for (slot s = 0; s < places_->rows(); ++s) used += place(s).length;
        return end_ - (std::min)(used, end_);
    }

    /// Adds to `out` what the heap is to hold when the slots of `kept` become slots 0, 1 and so on;
    /// both stay in place until that is written.
    void compact(std::string const& name, std::span<slot const> kept,
                 std::vector<storage::replacement>& out) const {
        std::vector<std::uint64_t> places(kept.size());
        std::uint64_t end = 0;
        for (std::size_t i = 0; i < kept.size(); ++i) {
            auto const size = place(kept[i]).length;
            places[i] = end << 24 | size;
            end += size;
        }
        out.push_back(
            storage::joined_runs(name + ".heap", 1, end, kept.size(),
                                 [at = *this, kept](std::size_t i) { return at[kept[i]]; }));
        out.push_back(storage::owned_rows(name + ".places", 8, std::move(places)));
    }

    /// Reads what put() is going to write behind: see rows::look_ahead.
    void look_ahead() const noexcept {
        storage::read_last(*bytes_);
        storage::read_last(*places_);
    }
    [[nodiscard]] bool may_fault() const noexcept {
        return storage::may_fault(bytes_->reader()) || storage::may_fault(places_->reader());
    }

    /// After opening or re-binding: everything in the columns counts.
    void bind() noexcept {
        end_ = written_ = bytes_->rows();
        left_ = 0;
    }
    void clear() noexcept {
        bytes_->resize(0);
        places_->resize(0);
        bind();
    }
    [[nodiscard]] std::uint64_t slots() const noexcept { return places_->rows(); }
    [[nodiscard]] bool has_slots(std::uint64_t n) const noexcept { return slots() == n; }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return end_; }

private:
    struct place_of_run {
        std::uint64_t offset = 0;
        std::uint64_t length = 0;
    };

    heap() = default;

    [[nodiscard]] place_of_run place(slot s) const noexcept {
        auto const place = *places_->reader().template row_as<std::uint64_t>(s);
        auto const offset = place >> 24;
        auto const length = place & largest_run;
        if (length == 0) return {};
        if (offset + length > end_) [[unlikely]] {
            storage::fault_scope::note([&] {
                return error{errc::corrupt_snapshot,
                             "ids and payloads inside their heaps of " + std::to_string(end_) +
                                 " bytes",
                             std::to_string(length) + " bytes at offset " + std::to_string(offset) +
                                 " for row " + std::to_string(s)};
            });
            return {};
        }
        return {offset, length};
    }

    typename Storage::column* bytes_ = nullptr;
    typename Storage::column* places_ = nullptr;
    std::uint64_t end_ = 0;
    std::uint64_t written_ = 0;
    std::uint64_t left_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_SALVAGE_ROWS_HPP
#define VICINAL_STORE_SALVAGE_ROWS_HPP

#include <vicinal/storage/snapshot.hpp>
#include <vicinal/store/heap.hpp>
#include <vicinal/store/id_map.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Bytes of one section of a damaged snapshot: those in blocks whose checksum holds. Keeps the
/// last block, so that reading in order reads the file once.
template <class Os>
class proven_bytes {
public:
    /// `damaged(message)` is told of each block once.
    template <class Damaged>
    proven_bytes(storage::snapshot_file<Os> const& file, std::string_view name, Damaged& damaged)
        : file_(&file), section_(file.find(name)),
          block_(std::make_unique<storage::block_buffer>()),
          damaged_([&damaged](std::string text) { damaged(std::move(text)); }) {}

    [[nodiscard]] std::uint64_t rows() const noexcept { return section_ ? section_->rows : 0; }
    [[nodiscard]] std::size_t row_bytes() const noexcept {
        return section_ ? static_cast<std::size_t>(section_->row_bytes) : 0;
    }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return section_ ? section_->bytes() : 0; }

    /// Appends `n` bytes from `at` to `out`; false where one of them is not proven. An error is
    /// what keeps the file from being read.
    [[nodiscard]] result<bool> read(std::uint64_t at, std::uint64_t n,
                                    std::vector<std::byte>& out) {
        if (at > bytes() || n > bytes() - at) return false;
        while (n > 0) {
            auto const i = at / storage::snapshot_block_bytes;
            auto const good = hold(i);
            VICINAL_CHECK(good);
            if (!*good) return false;
            auto const from = static_cast<std::size_t>(at % storage::snapshot_block_bytes);
            auto const count = static_cast<std::size_t>(
                (std::min<std::uint64_t>)(n, storage::snapshot_block_bytes - from));
            auto const* first = block_->bytes.data() + from;
            out.insert(out.end(), first, first + count);
            at += count;
            n -= count;
        }
        return true;
    }
    [[nodiscard]] result<bool> read_row(std::uint64_t row, std::vector<std::byte>& out) {
        out.clear();
        return row < rows() ? read(row * row_bytes(), row_bytes(), out) : result<bool>(false);
    }

private:
    [[nodiscard]] result<bool> hold(std::uint64_t i) {
        if (held_ == i) return good_;
        held_ = no_block;
        auto const done = file_->read_block(*section_, i, *block_);
        if (!done && done.error().code() == errc::out_of_memory) return done.error();
        good_ = static_cast<bool>(done);
        held_ = i;
        if (!good_ && told_.emplace(i, true).second) damaged_(done.error().message());
        return good_;
    }

    static constexpr std::uint64_t no_block = UINT64_MAX;

    storage::snapshot_file<Os> const* file_;
    storage::section const* section_;
    std::unique_ptr<storage::block_buffer> block_;
    std::function<void(std::string)> damaged_;
    std::map<std::uint64_t, bool> told_;
    std::uint64_t held_ = no_block;
    bool good_ = false;
};

/// A record as it lies in a snapshot, type by type unknown: its id as the log has it.
struct salvaged_row {
    std::vector<std::byte> id;
    std::vector<std::byte> vector;
    std::vector<std::byte> payload;
};

/// The live records of a damaged snapshot that can be proven, row by row.
template <class Os>
class proven_rows {
public:
    template <class Damaged>
    proven_rows(storage::snapshot_file<Os> const& file, bool text_ids, bool payloads,
                Damaged& damaged)
        : live_(file, "live", damaged), vectors_(file, "vectors", damaged),
          ids_(file, text_ids ? "ids.places" : "ids", damaged), id_heap_(file, "ids.heap", damaged),
          payloads_(file, "payloads.places", damaged),
          payload_heap_(file, "payloads.heap", damaged), map_(file, "ids.map", damaged),
          text_ids_(text_ids), has_payloads_(payloads) {}

    [[nodiscard]] std::uint64_t count() const noexcept {
        return (std::max)({live_.rows(), vectors_.rows(), ids_.rows(),
                           has_payloads_ ? payloads_.rows() : std::uint64_t{0}});
    }
    [[nodiscard]] std::size_t vector_bytes() const noexcept { return vectors_.row_bytes(); }

    enum class outcome { record, dead, lost };

    /// Reads row `s` into `row`; where it is lost, the id is there if that could be read.
    [[nodiscard]] result<outcome> read(std::uint64_t s, salvaged_row& row) {
        row.id.clear();
        row.payload.clear();
        auto const alive = is_live(s);
        VICINAL_CHECK(alive);
        if (*alive && !**alive) return outcome::dead;
        auto good = text_ids_ ? run(ids_, id_heap_, s, row.id) : ids_.read_row(s, row.id);
        VICINAL_CHECK(good);
        if (!*good || row.id.empty()) row.id.clear();
        // Rows of which not even this is known may have been dead.
        if (row.id.empty() || !*alive) return outcome::lost;
        good = vectors_.read_row(s, row.vector);
        VICINAL_CHECK(good);
        if (!*good) return outcome::lost;
        if (!has_payloads_) return outcome::record;
        good = run(payloads_, payload_heap_, s, row.payload);
        VICINAL_CHECK(good);
        return *good ? outcome::record : outcome::lost;
    }

private:
    /// By its flag; where that is damaged by the id map, which has every live row and no other.
    [[nodiscard]] result<std::optional<bool>> is_live(std::uint64_t s) {
        auto const good = live_.read_row(s, scratch_);
        VICINAL_CHECK(good);
        if (*good) return std::optional(scratch_[0] != std::byte{0});
        VICINAL_CHECK(read_map());
        if (s < mapped_.size() && mapped_[static_cast<std::size_t>(s)]) return std::optional(true);
        return whole_map_ ? std::optional(false) : std::optional<bool>();
    }
    [[nodiscard]] result<void> read_map() {
        if (!mapped_.empty()) return {};
        mapped_.resize(static_cast<std::size_t>(count()));
        whole_map_ = map_.row_bytes() == sizeof(id_table::entry);
        for (std::uint64_t i = 0; whole_map_ && i < map_.rows(); ++i) {
            auto const good = map_.read_row(i, scratch_);
            VICINAL_CHECK(good);
            if (!*good) {
                missing_map_ = true;
                continue;
            }
            auto const e = load_le<id_table::entry>(scratch_.data());
            if (e != 0 && id_table::slot_of(e) < mapped_.size())
                mapped_[id_table::slot_of(e)] = true;
        }
        whole_map_ = whole_map_ && !missing_map_;
        return {};
    }
    /// The run of bytes of a row.
    [[nodiscard]] result<bool> run(proven_bytes<Os>& places, proven_bytes<Os>& heap,
                                   std::uint64_t s, std::vector<std::byte>& out) {
        out.clear();
        auto const good = places.read_row(s, scratch_);
        VICINAL_CHECK(good);
        if (!*good || scratch_.size() != sizeof(std::uint64_t)) return false;
        auto const place = load_le<std::uint64_t>(scratch_.data());
        return heap.read(place >> 24, place & largest_run, out);
    }

    proven_bytes<Os> live_;
    proven_bytes<Os> vectors_;
    proven_bytes<Os> ids_;
    proven_bytes<Os> id_heap_;
    proven_bytes<Os> payloads_;
    proven_bytes<Os> payload_heap_;
    proven_bytes<Os> map_;
    bool text_ids_;
    bool has_payloads_;
    std::vector<std::byte> scratch_;
    std::vector<bool> mapped_;
    bool whole_map_ = false;
    bool missing_map_ = false;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

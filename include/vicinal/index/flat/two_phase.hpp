// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_TWO_PHASE_HPP
#define VICINAL_INDEX_FLAT_TWO_PHASE_HPP

#include <vicinal/index/flat/block_order.hpp>
#include <vicinal/index/flat/coded_rows.hpp>
#include <vicinal/index/flat/scan_exactly.hpp>
#include <vicinal/index/flat/slots.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

/// The scan that reads a quarter of the bytes and misses nothing: codes first, the vector only of
/// rows that may still be among the k nearest.
///
/// A row is left out when its codes prove its exact distance greater than that of the k-th found
/// so far; one that may equal it is compared, so that ties are told apart as by a scan of all
/// rows. The order in which rows are met changes the time, not the answer.
namespace vicinal::inline VICINAL_ABI::index {

/// One query and what it has found.
template <class Metric, class Reader, class Keep, class Before, class Tally = no_tally>
class two_phase_scan {
public:
    using bound = codec::sq8_bound<Metric>;

    two_phase_scan(coded_rows<Metric, Reader> const& rows, float const* query, Keep const& keep,
                   nearest<Before>& best, Tally const& tally = {})
        : rows_(rows), vector_(query), exact_(metric::bind_exact<Metric>(query, rows.dim)),
          keep_(keep), best_(best), tally_(tally) {
        rows.codec->encode(query, query_);
        if (best_.full() && best_.wanted() > 0) tighten();
    }

    /// Every row.
    void all() {
        if (best_.wanted() == 0) return;
        if (!query_.factors().usable()) {
            scan_exactly<Metric>(rows_.vectors, 0, rows_.count, vector_, rows_.dim, keep_, best_,
                                 tally_);
            return;
        }
        constexpr std::size_t step = codec::sq8_block;
        // Long enough that fetching ahead pays, short enough that some of every part comes early.
        auto const run = (std::max)(step, (std::min)(16 * step, rows_.count / 64 / step * step));
        block_order order((rows_.count + run - 1) / run);
        for (std::size_t i = 0; i < order.count(); ++i) {
            auto const first = order.next() * run;
            auto const last = (std::min)(first + run, std::size_t{rows_.count});
            for (auto at = first; at < last; at += step)
                part(static_cast<slot>(at), (std::min)(step, last - at));
        }
    }

    /// The rows of a list, each once.
    void among(std::span<slot const> slots) {
        if (best_.wanted() == 0) return;
        constexpr std::size_t step = codec::sq8_block;
        for (std::size_t i = 0; i < slots.size(); i += step) {
            auto const count = (std::min)(step, slots.size() - i);
            if (query_.factors().usable()) {
                block_.gather(rows_, slots.data() + i, count);
                judge();
            } else {
                for (std::size_t j = 0; j < count; ++j) compare(slots[i + j]);
            }
        }
    }

private:
    void part(slot first, std::size_t count) {
        if constexpr (shows_bits<Keep>) {
            slot kept[codec::sq8_block];
            std::size_t found = 0;
            for (std::size_t i = 0; i < count; i += 64) {
                auto bits = keep_.word(first + static_cast<slot>(i));
                for (; bits != 0; bits &= bits - 1) {
                    auto const j = i + static_cast<std::size_t>(std::countr_zero(bits));
                    if (j < count) kept[found++] = first + static_cast<slot>(j);
                }
            }
            if (found == 0) return;
            // A gathered row costs about four of those that lie in a run.
            if (found * 4 < count) {
                block_.gather(rows_, kept, found);
                judge();
                return;
            }
        }
        block_.lay(rows_, first, count);
        judge();
    }

    void judge() {
        tally_.codes(block_.count());
        block_.multiply(rows_, query_.shifted(), products_);
        if (!best_.full()) {
            for (std::size_t i = 0; i < block_.count(); ++i)
                if (!best_.full() || limit_allows(i)) compare(block_.row(i));
            return;
        }
        auto const n =
            codec::sq8_sieve::get()(&limit_, &block_.terms(), products_, block_.count(), kept_);
        auto const before = best_.farthest();
        for (std::size_t i = 0; i < n; ++i)
            if (best_.farthest() == before || limit_allows(kept_[i])) compare(block_.row(kept_[i]));
    }

    [[nodiscard]] bool limit_allows(std::size_t i) const noexcept {
        return !(static_cast<float>(products_[i]) < limit_(block_.terms(), i));
    }

    void compare(slot s) {
        if (!keep_(s)) return;
        tally_.vectors(1);
        float const d = exact_(rows_.vector(s));
        if (!best_.could_enter(d)) return;
        bool const moves = !best_.full() || d < best_.farthest();
        best_.offer({d, s});
        if (moves && best_.full()) tighten();
    }

    void tighten() noexcept { limit_ = query_.template limit<bound>(best_.farthest()); }

    coded_rows<Metric, Reader> const& rows_;
    float const* vector_;
    decltype(metric::bind_exact<Metric>(nullptr, 0)) exact_;
    Keep const& keep_;
    nearest<Before>& best_;
    [[no_unique_address]] Tally tally_;
    codec::sq8_query query_;
    codec::sq8_limit limit_;
    row_block<Metric> block_;
    alignas(64) std::int32_t products_[codec::sq8_block] = {};
    std::uint32_t kept_[codec::sq8_block];
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

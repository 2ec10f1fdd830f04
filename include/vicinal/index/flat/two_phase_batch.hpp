// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_TWO_PHASE_BATCH_HPP
#define VICINAL_INDEX_FLAT_TWO_PHASE_BATCH_HPP

#include <vicinal/index/flat/two_phase.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

/// The two-phase scan for many queries: each block of rows is read once for all, and multiplied
/// with 32 queries at a time.
///
/// Memory: 50 bytes and three times dim for each query. Cost: rows x queries x dim products of
/// bytes, and the distances of what they can't rule out.
template <class Metric, class Reader, class Keep, class Before>
class two_phase_batch {
public:
    using bound = codec::sq8_bound<Metric>;

    /// `best` has a place for each query; query i is at queries + i * dim.
    two_phase_batch(coded_rows<Metric, Reader> const& rows, float const* queries, Keep const& keep,
                    std::span<nearest<Before>> best)
        : rows_(rows), queries_(queries), keep_(keep), best_(best) {}

    void all() {
        encode();
        if (usable_.empty()) return;
        // Of a block the codes shall stay in the first cache and the products in the second; 48
        // rows are four times those that a kernel holds in registers.
        auto const fit = std::size_t{32768} / rows_.dim / 48 * 48;
        auto const step = (std::max)(std::size_t{48}, (std::min)(std::size_t{240}, fit));
        products_.resize(step);
        kept_.resize(step * width);
        block_order order((rows_.count + step - 1) / step);
        for (std::size_t i = 0; i < order.count(); ++i) {
            auto const first = order.next() * step;
            auto const count = (std::min)(step, rows_.count - first);
            block_.lay(rows_, static_cast<slot>(first), count);
            for (std::size_t p = 0; p < panels_.size(); ++p) judge(p);
        }
    }

private:
    static constexpr std::size_t width = simd::panel_queries;

    /// A cache line: a vector of them is aligned to its own loads.
    struct alignas(64) line {
        std::int8_t bytes[64];
    };
    struct alignas(64) product_row {
        std::int32_t of[width];
    };
    struct panel {
        std::vector<line> codes;
        codec::sq8_panel_limits limits;
    };

    void encode() {
        for (std::size_t i = 0; i < best_.size(); ++i) {
            auto const* vector = queries_ + i * rows_.dim;
            if (best_[i].wanted() == 0) continue;
            codec::sq8_query q;
            rows_.codec->encode(vector, q);
            if (!q.factors().usable()) {
                scan_exactly<Metric>(rows_.vectors, 0, rows_.count, vector, rows_.dim, keep_,
                                     best_[i]);
                continue;
            }
            usable_.push_back(i);
            coded_.push_back(std::move(q));
        }
        limits_.resize(usable_.size());
        panels_.resize((usable_.size() + width - 1) / width);
        std::vector<std::int8_t> together(width * rows_.dim);
        for (std::size_t p = 0; p < panels_.size(); ++p) {
            auto const count = (std::min)(width, usable_.size() - p * width);
            for (std::size_t j = 0; j < count; ++j)
                std::copy_n(coded_[p * width + j].shifted(), rows_.dim,
                            together.data() + j * rows_.dim);
            panels_[p].codes.resize((simd::byte_panel_size(rows_.dim) + 63) / 64);
            simd::make_byte_panel(together.data(), rows_.dim, count, rows_.dim,
                                  panels_[p].codes.data()->bytes);
            for (std::size_t j = 0; j < width; ++j) {
                auto const q = p * width + (std::min)(j, count - 1);
                if (best_[usable_[q]].full())
                    tighten(q);
                else
                    limits_[q] = codec::sq8_limit::none();
                panels_[p].limits.set(j, limits_[q]);
            }
        }
    }

    void judge(std::size_t p) {
        auto& queries_of = panels_[p];
        simd::byte_tile_product::get()(queries_of.codes.data()->bytes,
                                       rows_.code(block_.row(0), block_.count()), rows_.dim,
                                       block_.count(), rows_.dim, products_.data()->of);
        auto const n =
            codec::sq8_panel_sieve::get()(&queries_of.limits, &block_.terms(), products_.data()->of,
                                          block_.count(), kept_.data());
        auto const queries = (std::min)(width, usable_.size() - p * width);
        for (std::size_t i = 0; i < n; ++i) {
            auto const& c = kept_[i];
            if (c.query >= queries) continue;
            auto const q = p * width + c.query;
            if (!(c.product < limits_[q](block_.terms(), c.row)))
                compare(p, c.query, block_.row(c.row));
        }
    }

    void compare(std::size_t p, std::size_t j, slot s) {
        auto const q = p * width + j;
        auto& best = best_[usable_[q]];
        if (!keep_(s)) return;
        float const d =
            metric::exact<Metric>(queries_ + usable_[q] * rows_.dim, rows_.vector(s), rows_.dim);
        if (!best.could_enter(d)) return;
        bool const moves = !best.full() || d < best.farthest();
        best.offer({d, s});
        if (!moves || !best.full()) return;
        tighten(q);
        panels_[p].limits.set(j, limits_[q]);
        // The lanes that no query uses follow the last.
        if (q + 1 == usable_.size())
            for (auto k = j + 1; k < width; ++k) panels_[p].limits.set(k, limits_[q]);
    }

    void tighten(std::size_t q) noexcept {
        limits_[q] = coded_[q].template limit<bound>(best_[usable_[q]].farthest());
    }

    coded_rows<Metric, Reader> const& rows_;
    float const* queries_;
    Keep const& keep_;
    std::span<nearest<Before>> best_;
    std::vector<std::size_t> usable_;
    std::vector<codec::sq8_query> coded_;
    std::vector<codec::sq8_limit> limits_;
    std::vector<panel> panels_;
    row_block<Metric> block_;
    std::vector<product_row> products_;
    std::vector<codec::sq8_candidate> kept_;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_RECORDS_HPP
#define VICINAL_INDEX_HNSW_RECORDS_HPP

#include <vicinal/codec/rabitq.hpp>
#include <vicinal/codec/rabitq/block.hpp>
#include <vicinal/core/record.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

/// Records of layout::fused: a node's links, then for each 32 of them a block of their codes.
///
/// A record whose last two bytes are 0xff has links, but no codes yet: so it is written when its
/// links change, and a walk then compares the neighbours' vectors. No number ends so.
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// Where the parts of a record lie: `width` links of vectors of `dim` elements.
class record_shape {
public:
    record_shape(std::size_t width, std::size_t dim) noexcept
        : width_(width), padded_(codec::rabitq_padded(dim)) {}

    [[nodiscard]] std::size_t width() const noexcept { return width_; }
    [[nodiscard]] std::size_t padded() const noexcept { return padded_; }
    [[nodiscard]] std::size_t blocks() const noexcept {
        return (width_ + simd::fast_scan_rows - 1) / simd::fast_scan_rows;
    }
    /// Bytes behind the links.
    [[nodiscard]] std::size_t extra() const noexcept {
        return blocks() * codec::rabitq_block_bytes(padded_);
    }
    [[nodiscard]] std::size_t row_bytes() const noexcept { return 4 * width_ + extra(); }
    [[nodiscard]] std::size_t block_at(std::size_t i) const noexcept {
        return 4 * width_ + i * codec::rabitq_block_bytes(padded_);
    }
    [[nodiscard]] bool coded(std::byte const* record) const noexcept {
        std::uint16_t last = 0;
        std::memcpy(&last, record + row_bytes() - 2, sizeof last);
        return last != 0xffff;
    }

private:
    std::size_t width_;
    std::size_t padded_;
};

/// Makes records and what queries want of them, for one metric.
///
/// Under squared L2, with c the node, v its neighbour, r = v - c and u its code, all rotated:
///
///     |q - v|^2 = |q - c|^2 + |r|^2 - 2 <r, q - c>,  <r, x> = |r|^2 / <r, u> <u, x> about
///
/// so that |r|^2 + 2 |r|^2 / <r, u> <u, c> is added and <u, q> scaled by -2 |r|^2 / <r, u>. Vectors
/// are taken less the mean of all, which keeps both small. Under cosine it is half of that of the
/// directions; under the inner product -<q, v> = -<q, c> - <r, q>.
template <class Metric>
class record_codec {
public:
    explicit record_codec(std::size_t dim)
        : dim_(dim), padded_(codec::rabitq_padded(dim)), rotation_(padded_) {}

    [[nodiscard]] codec::sq8_frame const& frame() const noexcept { return frame_; }
    void put(codec::sq8_frame frame) noexcept { frame_ = std::move(frame); }
    template <class Row>
    [[nodiscard]] codec::sq8_frame fitting_frame(std::size_t rows, Row const& row) const {
        return {codec::sampled_mean(dim_, rows, row, [&](float const* x) { return multiplier(x); }),
                false};
    }

    /// Takes memory.
    [[nodiscard]] codec::rabitq_block_tables query(float const* vector) const {
        std::vector<float> moved(padded_);
        rotate(vector, !product, moved.data());
        float sound = 0;
        for (auto const x : moved) sound += x * 0.0F;
        // What is not finite has a distance from nothing: any order is right.
        if (sound != 0) std::fill(moved.begin(), moved.end(), 0.0F);
        return {moved.data(), padded_};
    }

    /// One thread's scratch memory.
    struct hands {
        explicit hands(record_codec const& c)
            : centre(c.padded_), other(c.padded_), codes(c.padded_ / 8) {}
        std::vector<float> centre;
        std::vector<float> other;
        std::vector<std::byte> codes;
    };

    /// Writes what follows the links of a record: list(i), for i below shape.width(), is the vector
    /// of neighbour i, null where there is none. The record stays without codes where a vector has
    /// none.
    template <class List>
    void encode(record_shape const& shape, float const* node, List const& list, std::byte* record,
                hands& h) const noexcept {
        std::memset(record + shape.block_at(0), 0, shape.extra());
        rotate(node, true, h.centre.data());
        for (std::size_t i = 0; i < shape.width(); ++i) {
            auto* const block = record + shape.block_at(i / simd::fast_scan_rows);
            codec::rabitq_block_writer to(block, padded_);
            auto const* const vector = list(i);
            bool const sound = vector == nullptr || encode_one(vector, i, to, h);
            if (!sound) {
                std::memset(record + shape.row_bytes() - 2, 0xff, 2);
                return;
            }
        }
    }

private:
    static constexpr bool product = std::same_as<Metric, metric::inner_product>;
    static constexpr bool directions = std::same_as<Metric, metric::cosine>;

    [[nodiscard]] bool encode_one(float const* vector, std::size_t i,
                                  codec::rabitq_block_writer& to, hands& h) const noexcept {
        rotate(vector, true, h.other.data());
        for (std::size_t j = 0; j < padded_; ++j) h.other[j] -= h.centre[j];
        auto const f = codec::rabitq_encode<1>(h.other.data(), padded_, h.codes.data());
        if (!std::isfinite(f.error)) return false;
        double of_centre = 0;
        for (std::size_t j = 0; j < padded_; ++j)
            of_centre += h.other[j] < 0 ? -h.centre[j] : h.centre[j];
        constexpr double parts = std::same_as<Metric, metric::squared_l2> ? 2 : 1;
        double const add = product ? 0 : (f.square + f.rescale * of_centre) * (parts / 2);
        auto const small = static_cast<float>(add);
        to.put(i % simd::fast_scan_rows, h.codes.data(), small,
               static_cast<float>(-parts * f.rescale));
        return std::isfinite(small);
    }
    [[nodiscard]] double multiplier(float const* x) const noexcept {
        if constexpr (directions)
            return 1 / std::sqrt(simd::exact_dot::get()(x, x, dim_));
        else
            return 1;
    }
    void rotate(float const* x, bool centred, float* out) const noexcept {
        double const m = multiplier(x);
        auto const mean = frame_.mean();
        for (std::size_t i = 0; i < dim_; ++i)
            out[i] =
                static_cast<float>(x[i] * m - (centred && !mean.empty() ? double{mean[i]} : 0.0));
        std::fill(out + dim_, out + padded_, 0.0F);
        rotation_(out);
    }

    std::size_t dim_;
    std::size_t padded_;
    codec::sq8_rotation rotation_;
    codec::sq8_frame frame_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

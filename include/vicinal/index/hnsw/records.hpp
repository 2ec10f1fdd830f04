// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_RECORDS_HPP
#define VICINAL_INDEX_HNSW_RECORDS_HPP

#include <vicinal/codec/rabitq.hpp>
#include <vicinal/codec/rabitq/block.hpp>
#include <vicinal/codec/rabitq/signs.hpp>
#include <vicinal/core/bits.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/simd/exact_sums.hpp>

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
/// A record whose two bytes behind the links are 0xff has no codes yet: so it is written when its
/// links change, and a walk then follows all of them. No number of a block begins so.
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// Bits that a neighbour has at most: more tell more than is needed to leave out what is far, and
/// all are read at every hop.
inline constexpr std::size_t most_sketched = 256;

/// Elements of the rotated vectors that have a bit in a record.
[[nodiscard]] constexpr std::size_t sketched_elements(std::size_t dim) noexcept {
    return (std::min)(codec::rabitq_padded(dim), most_sketched);
}

/// Where the parts of a record lie: `width` links of vectors of `dim` elements.
class record_shape {
public:
    record_shape(std::size_t width, std::size_t dim) noexcept
        : width_(width), sketched_(sketched_elements(dim)) {}

    [[nodiscard]] std::size_t width() const noexcept { return width_; }
    [[nodiscard]] std::size_t blocks() const noexcept {
        return (width_ + simd::fast_scan_rows - 1) / simd::fast_scan_rows;
    }
    /// Bytes behind the links.
    [[nodiscard]] std::size_t extra() const noexcept {
        return blocks() * codec::rabitq_block_bytes(sketched_);
    }
    [[nodiscard]] std::size_t row_bytes() const noexcept { return 4 * width_ + extra(); }
    [[nodiscard]] std::size_t block_at(std::size_t i) const noexcept {
        return 4 * width_ + i * codec::rabitq_block_bytes(sketched_);
    }
    [[nodiscard]] bool coded(std::byte const* record) const noexcept {
        std::uint16_t first = 0;
        std::memcpy(&first, record + block_at(0), sizeof first);
        return first != 0xffff;
    }

private:
    std::size_t width_;
    std::size_t sketched_;
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
        : dim_(dim), padded_(codec::rabitq_padded(dim)), sketched_(sketched_elements(dim)),
          slack_(slack_of(static_cast<double>(sketched_) / static_cast<double>(padded_))),
          rotation_(padded_) {}

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
        // What is not finite has a distance from nothing: any order is right. Four sums, as one
        // alone is a chain that takes a microsecond.
        float sound[4] = {};
        for (std::size_t i = 0; i < sketched_; ++i) sound[i % 4] += moved[i] * 0.0F;
        if (sound[0] + sound[1] + sound[2] + sound[3] != 0)
            std::fill(moved.begin(), moved.end(), 0.0F);
        return {moved.data(), sketched_};
    }
    /// The norm of a query where slack() wants it, else 0.
    [[nodiscard]] float norm(float const* query) const noexcept {
        if constexpr (product)
            return static_cast<float>(std::sqrt(simd::exact_dot::get()(query, query, dim_)));
        static_cast<void>(query);
        return 0;
    }
    /// What is to be added to a query's products with the codes of a record, that is of a node at
    /// that distance, so that few neighbours are nearer than they are taken for.
    ///
    /// A product with one of r's neighbours is off by about |x| |r| sqrt(1 / (0.64 b) - 1 / n),
    /// where b of n elements have bits and x is q - c, or under the inner product q; and the scale
    /// of a code is |r| sqrt(n) / (0.4 b).
    [[nodiscard]] float slack(float distance, float query_norm) const noexcept {
        float const d = (std::max)(distance, 0.0F);
        return slack_ * (product ? query_norm : std::sqrt(directions ? 2 * d : d));
    }

    /// One thread's scratch memory, with the vectors that it rotated last: a neighbour of one node
    /// is one of the next nodes' too, and is rotated once, not thirty times. What a vector's
    /// address held then it must hold still.
    class hands {
    public:
        explicit hands(record_codec const& c)
            : codec_(c), centre_(c.padded_), codes_(c.sketched_ / 8),
              rotated_(remembered * c.padded_), of_(remembered) {}

        [[nodiscard]] float const* rotated(float const* x) noexcept {
            auto const i = static_cast<std::size_t>(
                vicinal::detail::mix(reinterpret_cast<std::uintptr_t>(x)) % remembered);
            auto* const out = rotated_.data() + i * codec_.padded_;
            if (of_[i] != x) codec_.rotate(x, true, out);
            of_[i] = x;
            return out;
        }

    private:
        friend record_codec;
        static constexpr std::size_t remembered = 512;

        record_codec const& codec_;
        std::vector<float> centre_;
        std::vector<std::byte> codes_;
        std::vector<float> rotated_;
        std::vector<float const*> of_;
    };

    /// Writes what follows the links of a record: list(i), for i below shape.width(), is the vector
    /// of neighbour i, null where there is none. The record stays without codes where a vector has
    /// none.
    template <class List>
    void encode(record_shape const& shape, float const* node, List const& list, std::byte* record,
                hands& h) const noexcept {
        std::memset(record + shape.block_at(0), 0, shape.extra());
        std::copy_n(h.rotated(node), padded_, h.centre_.data());
        for (std::size_t i = 0; i < shape.width(); ++i) {
            auto* const block = record + shape.block_at(i / simd::fast_scan_rows);
            codec::rabitq_block_writer to(block, sketched_);
            auto const* const vector = list(i);
            bool const sound = vector == nullptr || encode_one(vector, i, to, h);
            if (!sound) {
                std::memset(record + shape.block_at(0), 0xff, 2);
                return;
            }
        }
    }

private:
    /// Deviations that a neighbour may be nearer than its estimate: of 0, 0.5, 1, 1.5, 2 and 3 a
    /// walk takes the least time for a recall at 0.5 to 1 (sift and mnist).
    static constexpr double deviations = 0.75;

    [[nodiscard]] static float slack_of(double share) noexcept {
        return static_cast<float>(deviations * 0.4 * std::sqrt(share / 0.64 - share * share));
    }
    static constexpr bool product = std::same_as<Metric, metric::inner_product>;
    static constexpr bool directions = std::same_as<Metric, metric::cosine>;

    [[nodiscard]] bool encode_one(float const* vector, std::size_t i,
                                  codec::rabitq_block_writer& to, hands& h) const noexcept {
        codec::rabitq_signs r;
        signs_(h.rotated(vector), h.centre_.data(), sketched_, padded_, h.codes_.data(), &r);
        if (!std::isfinite(r.square)) return false;
        // Of a neighbour in the same place there is nothing to say.
        double const rescale = r.absolute > 0 ? 2.0 * r.square / r.absolute : 0;
        constexpr double parts = std::same_as<Metric, metric::squared_l2> ? 2 : 1;
        auto const add =
            static_cast<float>(product ? 0 : (r.square + rescale * r.centre) * (parts / 2));
        auto const scale = static_cast<float>(-parts * rescale);
        to.put(i % simd::fast_scan_rows, h.codes_.data(), add, scale);
        return std::isfinite(add) && std::isfinite(scale);
    }
    [[nodiscard]] double multiplier(float const* x) const noexcept {
        if constexpr (directions)
            return 1 / std::sqrt(simd::exact_dot::get()(x, x, dim_));
        else
            return 1;
    }
    void rotate(float const* x, bool centred, float* out) const noexcept {
        auto const m = static_cast<float>(multiplier(x));
        for (std::size_t i = 0; i < dim_; ++i) out[i] = x[i] * m;
        auto const mean = frame_.mean();
        if (centred && !mean.empty())
            for (std::size_t i = 0; i < dim_; ++i) out[i] -= mean[i];
        std::fill(out + dim_, out + padded_, 0.0F);
        rotation_(out);
    }

    std::size_t dim_;
    std::size_t padded_;
    std::size_t sketched_;
    float slack_;
    codec::sq8_rotation rotation_;
    codec::sq8_frame frame_;
    codec::rabitq_signs_of::function signs_ = codec::rabitq_signs_of::get();
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

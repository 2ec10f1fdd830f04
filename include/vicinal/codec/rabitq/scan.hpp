// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_RABITQ_SCAN_HPP
#define VICINAL_CODEC_RABITQ_SCAN_HPP

#include <vicinal/codec/rabitq/block.hpp>
#include <vicinal/codec/rabitq/certainty.hpp>
#include <vicinal/codec/rabitq/encoding.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/simd/fast_scan.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

/// Blocks of 32 vectors in one bit an element, of which a scan wants to know for each row whether
/// it can be ruled out: the three numbers of rabitq_factors, 32 of each, then the codes as
/// simd/fast_scan.hpp has them. Bytes are those of 32 rows, one behind the other.
namespace vicinal::inline VICINAL_ABI::codec {

/// Where the codes of a block begin.
inline constexpr std::size_t rabitq_scan_factors = sizeof(rabitq_factors) * simd::fast_scan_rows;

/// Bytes of a block of vectors of `padded` elements (rabitq_padded).
[[nodiscard]] constexpr std::size_t rabitq_scan_bytes(std::size_t padded) noexcept {
    return rabitq_scan_factors + simd::fast_scan_bytes(padded / 4);
}

/// Puts a row, its factors and codes as rabitq<1> has them, into a block.
inline void rabitq_scan_put(std::byte const* row, std::size_t padded, std::size_t i,
                            std::byte* block) noexcept {
    for (std::size_t f = 0; f < 3; ++f)
        std::memcpy(block + 4 * (f * simd::fast_scan_rows + i), row + 4 * f, 4);
    simd::fast_scan_put(reinterpret_cast<std::uint8_t const*>(row + sizeof(rabitq_factors)),
                        padded / 4, i,
                        reinterpret_cast<std::uint8_t*>(block + rabitq_scan_factors));
}
/// Reads the factors of one from there.
[[nodiscard]] inline rabitq_factors rabitq_scan_factors_of(std::byte const* block,
                                                           std::size_t i) noexcept {
    rabitq_factors out;
    float* const to[3] = {&out.square, &out.rescale, &out.error};
    for (std::size_t f = 0; f < 3; ++f)
        std::memcpy(to[f], block + 4 * (f * simd::fast_scan_rows + i), 4);
    return out;
}
/// Reads all of one.
inline void rabitq_scan_take(std::byte const* block, std::size_t padded, std::size_t i,
                             std::byte* row) noexcept {
    auto const f = rabitq_scan_factors_of(block, i);
    std::memcpy(row, &f, sizeof f);
    simd::fast_scan_take(reinterpret_cast<std::uint8_t const*>(block + rabitq_scan_factors),
                         padded / 4, i,
                         reinterpret_cast<std::uint8_t*>(row + sizeof(rabitq_factors)));
}

/// What a block wants of a query.
template <class Metric>
struct rabitq_scan_query {
    tabled_query tables;
    rabitq_rule<Metric> rule;
    /// What a product with a direction whose elements are -1/2 and 1/2 is off by, times
    /// rabitq_certainty.
    float off = 0;
};

namespace detail {
inline namespace VICINAL_BASELINE {

template <class Metric>
struct rabitq_scan_body {
    /// The same sums and the same rule as rabitq_rule::beyond's.
    template <class Set>
    VICINAL_ALWAYS_INLINE static std::uint32_t
    run(rabitq_scan_query<Metric> const* q, std::byte const* block, float at, float* out) noexcept {
        constexpr std::size_t rows = simd::fast_scan_rows;
        constexpr auto parts = rabitq_rule<Metric>::parts;
        constexpr auto of_square = rabitq_rule<Metric>::of_square;
        using floats = simd::pack<float, 16>;
        using words = simd::pack<std::uint32_t, 16>;
        std::uint32_t sums[rows];
        simd::detail::fast_scan_body::run<Set>(
            reinterpret_cast<std::uint8_t const*>(block + rabitq_scan_factors), q->tables.tables,
            q->tables.parts, sums);
        auto const* const factors = reinterpret_cast<float const*>(block);
        words bits = {
            {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768}};
        words near;
        near.zero();
        for (std::size_t i = 0; i < rows; i += floats::width) {
            simd::pack<std::int32_t, floats::width> whole;
            floats square, rescale, error, estimate, product, size;
            std::memcpy(&whole.lanes, sums + i, sizeof whole.lanes);
            square.load(factors + i);
            rescale.load(factors + rows + i);
            error.load(factors + 2 * rows + i);
            estimate.lanes = __builtin_convertvector(whole.lanes, decltype(estimate.lanes));
            estimate.lanes = rescale.lanes * (estimate.lanes * q->tables.scale + q->tables.offset);
            product.lanes = square.lanes * of_square;
            floats distance;
            distance.lanes = (product.lanes - estimate.lanes) * parts + q->rule.add;
            distance.store(out + i);
            product.lanes += at;
            size = product;
            size.absolute();
            floats over, left, none;
            over.lanes = product.lanes - estimate.lanes - q->rule.off -
                         square.lanes * q->rule.off_square - rescale.lanes * q->off;
            // Sums with the absolute value: twice what is above zero.
            left.lanes =
                square.lanes * q->rule.square - product.lanes * (product.lanes + size.lanes) * 0.5F;
            size = left;
            size.absolute();
            left.lanes += size.lanes;
            error.lanes *= rabitq_certainty;
            none.zero();
            words beyond, farther;
            beyond.set_bits(over.lanes > none.lanes);
            farther.set_bits(over.lanes * over.lanes * (square.lanes + 0x1p-110F) >
                             error.lanes * error.lanes * left.lanes * 0.5F);
            near.lanes |= ~(beyond.lanes & farther.lanes) & bits.lanes;
            bits.lanes <<= 16;
        }
        return near.sum();
    }
};

} // namespace VICINAL_BASELINE
} // namespace detail

/// `get()(query, block, at, out)`: estimates of the distances of the 32 rows of a block. Gives
/// those that are not likely beyond the limit of rabitq_rule::at, as bits.
template <class Metric>
using rabitq_scan_scores =
    simd::kernel<detail::rabitq_scan_body<Metric>, std::uint32_t, rabitq_scan_query<Metric> const*,
                 std::byte const*, float, float*>;

/// A query before blocks of rows of one bit an element (codec::scan_blocks).
template <class Metric>
class rabitq_scan_scorer {
public:
    /// rotated: `padded` elements of the query. add: what every distance has added. Takes memory.
    rabitq_scan_scorer(std::vector<float> rotated, double add)
        : norm_(norm_of(rotated, add)), tables_(rotated.data(), rotated.size()) {
        query_.tables = tables_.query();
        // An entry of a table is half a step off at most.
        auto const steps = std::sqrt(static_cast<float>(query_.tables.parts)) / 2;
        query_.off = rabitq_certainty * steps * query_.tables.scale;
        // Where the query has no codes no row is ruled out.
        bool const sound = norm_ < std::numeric_limits<float>::infinity();
        query_.rule = {sound ? static_cast<float>(add) : 0, sound ? norm_ : 0, sound ? 0 : norm_};
    }
    rabitq_scan_scorer(rabitq_scan_scorer&&) noexcept = default;

    /// Estimates of the distances of the 32 rows of a block; as bits those that are not likely
    /// beyond `limit`.
    [[nodiscard]] std::uint32_t operator()(std::byte const* block, float limit,
                                           float* out) const noexcept {
        auto const near = scores_(&query_, block, query_.rule.at(limit), out);
        for (std::size_t i = 0; i < simd::fast_scan_rows; ++i) out[i] = metric::ordered(out[i]);
        return near;
    }
    /// What the distance of row i is at least, where its estimate is `distance`, likely.
    [[nodiscard]] float at_least(std::byte const* block, std::size_t i,
                                 float distance) const noexcept {
        auto const f = rabitq_scan_factors_of(block, i);
        auto rule = query_.rule;
        rule.off += f.rescale * query_.off;
        return rule.at_least(f, distance);
    }

private:
    /// Infinite, and the query zeros, where that has no codes.
    [[nodiscard]] static float norm_of(std::vector<float>& rotated, double add) noexcept {
        double square = 0;
        for (auto const x : rotated) square += double{x} * x;
        if (square <= 0x1p110 && std::isfinite(add)) return static_cast<float>(std::sqrt(square));
        std::fill(rotated.begin(), rotated.end(), 0.0F);
        return std::numeric_limits<float>::infinity();
    }

    float norm_;
    rabitq_block_tables tables_;
    rabitq_scan_query<Metric> query_;
    typename rabitq_scan_scores<Metric>::function scores_ = rabitq_scan_scores<Metric>::get();
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

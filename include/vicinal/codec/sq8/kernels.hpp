// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SQ8_KERNELS_HPP
#define VICINAL_CODEC_SQ8_KERNELS_HPP

#include <vicinal/codec/sq8/bound.hpp>
#include <vicinal/codec/sq8/lanes.hpp>
#include <vicinal/simd/byte_sums.hpp>
#include <vicinal/simd/tile.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

/// Many rows of codes against queries, and which of them may be near enough.
namespace vicinal::inline VICINAL_ABI::codec {

/// Rows that are judged at once: what is computed of them stays in the first-level cache.
inline constexpr std::size_t sq8_block = 256;

/// What the limit needs of a block of rows, number by number. `sum` and `zero` turn the product of
/// the bytes as they lie into the centred one.
struct alignas(64) sq8_block_terms {
    float size[sq8_block];
    float inverse[sq8_block];
    float loss[sq8_block];
    float sum[sq8_block];
    float zero[sq8_block];
};

/// A query before a block: the limit is
///     size * P + inverse * U + loss * V + sum * S + zero * Z
/// of the product of the row's codes and the query's less 128.
struct sq8_limit {
    float size = 0;
    float inverse = 0;
    float loss = 0;
    float sum = 0;
    float zero = 0;

    /// One that every row passes.
    [[nodiscard]] static sq8_limit none() noexcept {
        return {0, 0, 0, -std::numeric_limits<float>::infinity(), 0};
    }

    [[nodiscard]] float operator()(sq8_block_terms const& t, std::size_t i) const noexcept {
        return size * t.size[i] + inverse * t.inverse[i] + loss * t.loss[i] + sum * t.sum[i] +
               zero * t.zero[i];
    }
};

/// The limits of 32 queries.
struct alignas(64) sq8_panel_limits {
    float size[simd::panel_queries];
    float inverse[simd::panel_queries];
    float loss[simd::panel_queries];
    float sum[simd::panel_queries];
    float zero[simd::panel_queries];

    void set(std::size_t j, sq8_limit const& l) noexcept {
        size[j] = l.size;
        inverse[j] = l.inverse;
        loss[j] = l.loss;
        sum[j] = l.sum;
        zero[j] = l.zero;
    }
};

/// A row that may be near enough, and its product, to be compared with a limit that has moved.
struct sq8_candidate {
    std::uint32_t query;
    std::uint32_t row;
    float product;
};

namespace detail {
inline namespace VICINAL_BASELINE {

template <class Bound>
struct sq8_terms_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(sq8_factors const* factors, std::size_t rows,
                                          sq8_block_terms* terms) noexcept {
        using floats = typename Set::template of<float>;
        using float_lanes = typename floats::lanes_type;
        using unsigned_lanes = typename Set::template of<std::uint32_t>::lanes_type;
        using four = simd::pack<std::uint32_t, 4>;
        constexpr std::size_t w = lanes_of<Set>;
        // Of the four numbers of a row, each to its own kind: four rows are a square to be turned.
        alignas(64) float scale[sq8_block];
        alignas(64) float error[sq8_block];
        alignas(64) std::uint32_t squares[sq8_block];
        alignas(64) std::uint32_t sums[sq8_block];
        std::size_t i = 0;
        for (; i + 4 <= rows; i += 4) {
            simd::fetch_behind(factors + i, sq8_block * sizeof(sq8_factors));
            four a, b, c, d;
            std::memcpy(&a.lanes, factors + i, 16);
            std::memcpy(&b.lanes, factors + i + 1, 16);
            std::memcpy(&c.lanes, factors + i + 2, 16);
            std::memcpy(&d.lanes, factors + i + 3, 16);
            sq8_turn(a, b, c, d);
            std::memcpy(scale + i, &a.lanes, 16);
            std::memcpy(error + i, &b.lanes, 16);
            std::memcpy(squares + i, &c.lanes, 16);
            std::memcpy(sums + i, &d.lanes, 16);
        }
        for (; i < rows; ++i) {
            scale[i] = factors[i].scale;
            error[i] = factors[i].error;
            squares[i] = factors[i].square_sum;
            sums[i] = factors[i].sum_and_zero;
        }
        for (; i % w != 0; ++i) {
            scale[i] = 1;
            error[i] = 0;
            squares[i] = sums[i] = 0;
        }
        for (i = 0; i < rows; i += w) {
            floats s, e, n, size, inverse, loss;
            unsigned_lanes square, sum;
            s.load(scale + i);
            e.load(error + i);
            std::memcpy(&square, squares + i, sizeof square);
            std::memcpy(&sum, sums + i, sizeof sum);
            n.lanes = __builtin_convertvector(square, float_lanes);
            Bound::row(s.lanes, e.lanes, n.lanes, size.lanes, inverse.lanes, loss.lanes);
            size.store(terms->size + i);
            inverse.store(terms->inverse + i);
            loss.store(terms->loss + i);
            floats part;
            part.lanes = __builtin_convertvector((sum & 0xffffffU), float_lanes);
            part.store(terms->sum + i);
            part.lanes = __builtin_convertvector((sum >> 24), float_lanes);
            part.store(terms->zero + i);
        }
    }
};

/// The rows of a block whose product is not below the limit.
struct sq8_sieve_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static std::size_t
    run(sq8_limit const* query, sq8_block_terms const* terms, std::int32_t const* products,
        std::size_t rows, std::uint32_t* kept) noexcept {
        using floats = typename Set::template of<float>;
        constexpr std::size_t w = lanes_of<Set>;
        sq8_limit const q = *query;
        std::size_t count = 0;
        for (std::size_t i = 0; i < rows; i += w) {
            floats limit, term;
            limit.load(terms->size + i);
            limit.lanes *= q.size;
            term.load(terms->inverse + i);
            limit.lanes += term.lanes * q.inverse;
            term.load(terms->loss + i);
            limit.lanes += term.lanes * q.loss;
            term.load(terms->sum + i);
            limit.lanes += term.lanes * q.sum;
            term.load(terms->zero + i);
            limit.lanes += term.lanes * q.zero;
            floats product;
            load_as_floats<Set>(product, products + i);
            for (auto bits = not_below<Set>::bits(product, limit); bits != 0; bits &= bits - 1) {
                auto const row = i + static_cast<std::size_t>(__builtin_ctz(bits));
                if (row < rows) kept[count++] = static_cast<std::uint32_t>(row);
            }
        }
        return count;
    }
};

/// The same for the queries of a panel: products[row * 32 + query], a limit for each of the 32.
struct sq8_panel_sieve_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static std::size_t
    run(sq8_panel_limits const* limits, sq8_block_terms const* terms, std::int32_t const* products,
        std::size_t rows, sq8_candidate* kept) noexcept {
        std::size_t count = 0;
        constexpr std::size_t w = lanes_of<Set>;
        for (std::size_t j = 0; j < simd::panel_queries; j += 2 * w)
            count = pair<Set>(limits, j, terms, products + j, rows, kept, count);
        return count;
    }

private:
    /// Two registers of queries, whose limits stay in registers.
    template <class Set>
    VICINAL_ALWAYS_INLINE static std::size_t pair(sq8_panel_limits const* limits, std::size_t first,
                                                  sq8_block_terms const* terms,
                                                  std::int32_t const* products, std::size_t rows,
                                                  sq8_candidate* kept, std::size_t count) noexcept {
        using floats = typename Set::template of<float>;
        constexpr std::size_t w = lanes_of<Set>;
        floats size[2], inverse[2], loss[2], sum[2], zero[2];
        for (std::size_t h = 0; h < 2; ++h) {
            size[h].load(limits->size + first + h * w);
            inverse[h].load(limits->inverse + first + h * w);
            loss[h].load(limits->loss + first + h * w);
            sum[h].load(limits->sum + first + h * w);
            zero[h].load(limits->zero + first + h * w);
        }
        for (std::size_t i = 0; i < rows; ++i) {
            floats a, b;
            a.lanes = size[0].lanes * terms->size[i];
            b.lanes = size[1].lanes * terms->size[i];
            a.lanes += inverse[0].lanes * terms->inverse[i];
            b.lanes += inverse[1].lanes * terms->inverse[i];
            a.lanes += loss[0].lanes * terms->loss[i];
            b.lanes += loss[1].lanes * terms->loss[i];
            a.lanes += sum[0].lanes * terms->sum[i];
            b.lanes += sum[1].lanes * terms->sum[i];
            a.lanes += zero[0].lanes * terms->zero[i];
            b.lanes += zero[1].lanes * terms->zero[i];
            auto const* const row = products + i * simd::panel_queries;
            floats left, right;
            load_as_floats<Set>(left, row);
            load_as_floats<Set>(right, row + w);
            auto bits = not_below<Set>::bits(left, a) | not_below<Set>::bits(right, b) << w;
            for (; bits != 0; bits &= bits - 1) {
                auto const lane = static_cast<std::uint32_t>(__builtin_ctz(bits));
                kept[count++] = {static_cast<std::uint32_t>(first) + lane,
                                 static_cast<std::uint32_t>(i), static_cast<float>(row[lane])};
            }
        }
        return count;
    }
};

} // namespace VICINAL_BASELINE
} // namespace detail

template <class Bound>
using sq8_terms = simd::kernel<detail::sq8_terms_body<Bound>, void, sq8_factors const*, std::size_t,
                               sq8_block_terms*>;
using sq8_sieve =
    simd::kernel<detail::sq8_sieve_body, std::size_t, sq8_limit const*, sq8_block_terms const*,
                 std::int32_t const*, std::size_t, std::uint32_t*>;
using sq8_panel_sieve =
    simd::kernel<detail::sq8_panel_sieve_body, std::size_t, sq8_panel_limits const*,
                 sq8_block_terms const*, std::int32_t const*, std::size_t, sq8_candidate*>;

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

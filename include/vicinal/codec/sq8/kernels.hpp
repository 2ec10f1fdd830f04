// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SQ8_KERNELS_HPP
#define VICINAL_CODEC_SQ8_KERNELS_HPP

#include <vicinal/codec/sq8/bound.hpp>
#include <vicinal/codec/sq8/lanes.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

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
///     at + size * P + inverse * U + loss * V + sum * S + zero * Z
/// of the product of the row's codes and the query's less 128.
struct sq8_limit {
    float size = 0;
    float inverse = 0;
    float loss = 0;
    float sum = 0;
    float zero = 0;

    [[nodiscard]] float operator()(sq8_block_terms const& t, std::size_t i) const noexcept {
        return size * t.size[i] + inverse * t.inverse[i] + loss * t.loss[i] + sum * t.sum[i] +
               zero * t.zero[i];
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
        constexpr std::size_t w = lanes_of<Set>;
        alignas(64) float scale[sq8_block];
        alignas(64) float error[sq8_block];
        alignas(64) float square_sum[sq8_block];
        for (std::size_t i = 0; i < rows; ++i) {
            scale[i] = factors[i].scale;
            error[i] = factors[i].error;
            square_sum[i] = static_cast<float>(factors[i].square_sum);
            terms->sum[i] = static_cast<float>(static_cast<std::int32_t>(factors[i].sum()));
            terms->zero[i] = static_cast<float>(static_cast<std::int32_t>(factors[i].zero()));
        }
        for (std::size_t i = rows; i % w != 0; ++i) {
            scale[i] = 1;
            error[i] = square_sum[i] = terms->sum[i] = terms->zero[i] = 0;
        }
        for (std::size_t i = 0; i < rows; i += w) {
            floats s, e, n, size, inverse, loss;
            s.load(scale + i);
            e.load(error + i);
            n.load(square_sum + i);
            Bound::row(s.lanes, e.lanes, n.lanes, size.lanes, inverse.lanes, loss.lanes);
            size.store(terms->size + i);
            inverse.store(terms->inverse + i);
            loss.store(terms->loss + i);
        }
    }
};

/// The products of one query with each row of a block, as they lie. Reads up to a register's width
/// past a row; the query is zero there. The last row of a column must be handed in as a copy.
struct sq8_products_body {
    static constexpr auto gains_from = simd::instruction_set::avx512_vnni;

    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(std::int8_t const* query, std::byte const* rows,
                                          std::size_t stride, std::size_t count, std::size_t dim,
                                          float* products) noexcept {
        using codes = typename Set::bytes_u8;
        constexpr std::size_t w = codes::width;
        // The hardware stops at the end of a page; asking ahead doesn't.
        constexpr std::size_t ahead = 2048;
        for (std::size_t i = 0; i < count; ++i) {
            auto const* row = reinterpret_cast<std::uint8_t const*>(rows + i * stride);
            typename Set::integers even, odd;
            even.zero();
            odd.zero();
            std::size_t j = 0;
            for (; j + w < dim; j += 2 * w) {
                codes a, b;
                typename Set::bytes_s8 q, r;
                __builtin_prefetch(row + j + ahead);
                if constexpr (w > 32) __builtin_prefetch(row + j + w + ahead);
                a.load(row + j);
                b.load(row + j + w);
                q.load(query + j);
                r.load(query + j + w);
                Set::dot_bytes(even, a, q);
                Set::dot_bytes(odd, b, r);
            }
            if (j < dim) {
                codes a;
                typename Set::bytes_s8 q;
                __builtin_prefetch(row + j + ahead);
                a.load(row + j);
                q.load(query + j);
                Set::dot_bytes(even, a, q);
            }
            even.add(odd);
            products[i] = static_cast<float>(even.sum());
        }
    }
};

/// The rows of a block whose product is not below the limit.
struct sq8_sieve_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static std::size_t run(sq8_limit const* query,
                                                 sq8_block_terms const* terms,
                                                 float const* products, std::size_t rows,
                                                 std::uint32_t* kept) noexcept {
        using floats = typename Set::template of<float>;
        constexpr std::size_t w = lanes_of<Set>;
        sq8_limit const q = *query;
        std::size_t count = 0;
        for (std::size_t i = 0; i < rows; i += w) {
            floats limit, term, product;
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
            product.load(products + i);
            for (auto bits = not_below<Set>(product, limit); bits != 0; bits &= bits - 1) {
                auto const row = i + static_cast<std::size_t>(__builtin_ctz(bits));
                if (row < rows) kept[count++] = static_cast<std::uint32_t>(row);
            }
        }
        return count;
    }
};

} // namespace VICINAL_BASELINE
} // namespace detail

template <class Bound>
using sq8_terms = simd::kernel<detail::sq8_terms_body<Bound>, void, sq8_factors const*,
                               std::size_t, sq8_block_terms*>;
using sq8_products =
    simd::kernel<detail::sq8_products_body, void, std::int8_t const*, std::byte const*, std::size_t,
                 std::size_t, std::size_t, float*>;
using sq8_sieve = simd::kernel<detail::sq8_sieve_body, std::size_t, sq8_limit const*,
                               sq8_block_terms const*, float const*, std::size_t, std::uint32_t*>;

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_BLOCKED_HPP
#define VICINAL_CODEC_BLOCKED_HPP

#include <vicinal/core/config.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace vicinal::inline VICINAL_ABI::codec {

/// What inverted lists want of codes that are scored 32 rows at a time. A code is of what a vector
/// has beyond the centre of its list, and knows the centre, so that a query is prepared once for
/// all lists. Vectors and centres are as the lists see them: under cosine directions.
///
/// * `row_bytes()`: a code as `encode_row(residual, centre, code, scratch)` writes it, with scratch
///   of `scratch()` floats; `block_bytes()`: those of 32 rows, which `put(code, row, block)` puts
///   into a block and `take(block, row, code)` reads from it.
/// * `trains_from`, `fit(rows, residual, middle)`, `put_model(numbers)`, `has_model()`: as a codec
///   that learns has them, of residuals and of the middle of the centres.
/// * `query(vector)(block, distance, limit, out)`: the 32 distances of a block of the list whose
///   centre is at that distance; as bits those that are at most `limit`, and may be some that are
///   a hair more. A vector without a code is infinitely far.
/// * `kept_each()`: of how many times candidates_for(k) candidates hardly one of the k nearest is
///   missing.
template <class B>
concept block_codes = requires(B const& b, float const* v, std::byte* code, float* floats,
                               decltype(b.query(v)) const& query) {
    { b.row_bytes() } -> std::same_as<std::size_t>;
    { b.block_bytes() } -> std::same_as<std::size_t>;
    { b.scratch() } -> std::same_as<std::size_t>;
    { b.kept_each() } -> std::same_as<std::size_t>;
    { b.encode_row(v, v, code, floats) }
    noexcept;
    { b.put(code, std::size_t{}, code) }
    noexcept;
    { b.take(code, std::size_t{}, code) }
    noexcept;
    { query(code, 0.0F, 0.0F, floats) }
    noexcept->std::same_as<std::uint32_t>;
};

/// Whether a codec for a metric has such codes: `blocks`, their type.
template <class B>
concept blocked = requires {
    typename B::blocks;
    requires block_codes<typename B::blocks>;
};

/// What a scan of all rows wants of codes that are scored 32 rows at a time, and that say how wrong
/// they may be. A row is as encode_row() writes it, row_bytes() of it.
///
/// * `block_bytes()`: those of 32 rows, which `put(row, i, block)` puts into a block and
///   `take(block, i, row)` reads from it.
/// * `block_query(vector)(block, limit, out)`: the 32 distances of a block by codes; as bits those
///   of the rows whose distance is likely not beyond `limit`. `at_least(block, i, distance)`: what
///   that of the vectors is at least, likely.
template <class B>
concept scan_blocks = requires(B const& b, float const* v, std::byte* block, float* floats,
                               decltype(b.block_query(v)) const& query) {
    { b.block_bytes() } -> std::same_as<std::size_t>;
    { b.put(block, std::size_t{}, block) }
    noexcept;
    { b.take(block, std::size_t{}, block) }
    noexcept;
    { query(block, 0.0F, floats) }
    noexcept->std::same_as<std::uint32_t>;
    { query.at_least(block, std::size_t{}, 0.0F) } -> std::same_as<float>;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

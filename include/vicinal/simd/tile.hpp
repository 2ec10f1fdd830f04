// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_TILE_HPP
#define VICINAL_SIMD_TILE_HPP

#include <vicinal/simd/dispatch.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

/// The product of many queries with many rows: a panel of 32 queries against rows as they lie.
///
/// The queries are turned once so that element k of all 32 stands together; a row's element is then
/// broadcast, and no sum over a register's lanes is left to do. A dozen rows stay in registers, so
/// that each load feeds many multiply-adds. Cost: 32 x rows x dim multiply-adds.
namespace vicinal::inline VICINAL_ABI::simd {

/// Queries in a panel, and results a row, on every instruction set.
inline constexpr std::size_t panel_queries = 32;

/// The number of elements that a panel of `dim` floats takes.
[[nodiscard]] constexpr std::size_t panel_size(std::size_t dim) noexcept {
    return dim * panel_queries;
}

/// Turns `count` queries, at most 32 and each `stride` floats behind the one before, into a panel
/// of panel_size(dim) floats; the columns of queries that are missing are zero.
inline void make_panel(float const* queries, std::size_t stride, std::size_t count, std::size_t dim,
                       float* panel) noexcept {
    for (std::size_t k = 0; k < dim; ++k)
        for (std::size_t j = 0; j < panel_queries; ++j)
            panel[k * panel_queries + j] = j < count ? queries[j * stride + k] : 0.0F;
}

/// The number of bytes that a panel of `dim` signed bytes takes.
[[nodiscard]] constexpr std::size_t byte_panel_size(std::size_t dim) noexcept {
    return (dim + 3) / 4 * 4 * panel_queries;
}

/// The same for queries of signed bytes, whose elements stand in groups of four;
/// byte_panel_size(dim) bytes.
inline void make_byte_panel(std::int8_t const* queries, std::size_t stride, std::size_t count,
                            std::size_t dim, std::int8_t* panel) noexcept {
    for (std::size_t k = 0; k < (dim + 3) / 4 * 4; ++k)
        for (std::size_t j = 0; j < panel_queries; ++j)
            panel[k / 4 * 4 * panel_queries + j * 4 + k % 4] =
                j < count && k < dim ? queries[j * stride + k] : std::int8_t{0};
}

namespace detail {

/// Rows that are held in registers at once, two columns of registers each: as many as there are
/// registers for (32 with AVX-512, 16 below), less what the panel and the row's element take.
template <class Set>
inline constexpr std::size_t tile_rows = Set::bytes == 64 ? 12 : 6;

/// Accumulators of `Rows` rows by two registers. The index sequence makes every index a constant,
/// which keeps them in registers.
template <class Sum, std::size_t Rows>
struct tile_sums {
    Sum left[Rows];
    Sum right[Rows];
};

template <class Sum, std::size_t Rows, std::size_t... I>
VICINAL_ALWAYS_INLINE void tile_zero(tile_sums<Sum, Rows>& s, std::index_sequence<I...>) noexcept {
    ((s.left[I].zero(), s.right[I].zero()), ...);
}

template <class Sum, class Out, std::size_t Rows, std::size_t... I>
VICINAL_ALWAYS_INLINE void tile_store(tile_sums<Sum, Rows> const& s, Out* out,
                                      std::index_sequence<I...>) noexcept {
    ((s.left[I].store(out + I * panel_queries),
      s.right[I].store(out + I * panel_queries + Sum::width)),
     ...);
}

} // namespace detail

/// out[r * 32 + j] = sum over k of row r's [k] times query j's [k], for `rows` rows, each `stride`
/// floats behind the one before.
struct tile_product_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float const* panel, float const* rows, std::size_t stride,
                                          std::size_t count, std::size_t dim, float* out) noexcept {
        constexpr std::size_t height = detail::tile_rows<Set>;
        std::size_t r = 0;
        for (; r + height <= count; r += height)
            columns<Set, height>(panel, rows + r * stride, stride, dim, out + r * panel_queries);
        for (; r + 4 <= count; r += 4)
            columns<Set, 4>(panel, rows + r * stride, stride, dim, out + r * panel_queries);
        for (; r < count; ++r)
            columns<Set, 1>(panel, rows + r * stride, stride, dim, out + r * panel_queries);
    }

private:
    template <class Set, std::size_t Rows>
    VICINAL_ALWAYS_INLINE static void columns(float const* panel, float const* rows,
                                              std::size_t stride, std::size_t dim,
                                              float* out) noexcept {
        constexpr std::size_t w = Set::template of<float>::width;
        for (std::size_t j = 0; j < panel_queries; j += 2 * w)
            block<Set, Rows>(panel + j, rows, stride, dim, out + j,
                             std::make_index_sequence<Rows>{});
    }
    template <class Set, std::size_t Rows, std::size_t... I>
    VICINAL_ALWAYS_INLINE static void block(float const* panel, float const* rows,
                                            std::size_t stride, std::size_t dim, float* out,
                                            std::index_sequence<I...> all) noexcept {
        using floats = typename Set::template of<float>;
        detail::tile_sums<floats, Rows> s;
        detail::tile_zero(s, all);
        for (std::size_t k = 0; k < dim; ++k) {
            floats left, right;
            left.load(panel + k * panel_queries);
            right.load(panel + k * panel_queries + floats::width);
            (step<Set>(s.left[I], s.right[I], left, right, rows + I * stride + k), ...);
        }
        detail::tile_store(s, out, all);
    }
    template <class Set, class Floats>
    VICINAL_ALWAYS_INLINE static void step(Floats& s, Floats& t, Floats const& left,
                                           Floats const& right, float const* element) noexcept {
        Floats all;
        Set::broadcast(all, element);
        s.add_product(left, all);
        t.add_product(right, all);
    }
};

/// The same for rows of unsigned bytes and a panel of signed ones, in 32-bit integers; exact for
/// dim up to 65,536. The last, incomplete group of four elements is read byte by byte.
struct byte_tile_body {
    static constexpr instruction_set gains_from = instruction_set::avx512_vnni;

    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(std::int8_t const* panel, std::uint8_t const* rows,
                                          std::size_t stride, std::size_t count, std::size_t dim,
                                          std::int32_t* out) noexcept {
        constexpr std::size_t height = detail::tile_rows<Set>;
        std::size_t r = 0;
        for (; r + height <= count; r += height)
            columns<Set, height>(panel, rows + r * stride, stride, dim, out + r * panel_queries);
        for (; r + 4 <= count; r += 4)
            columns<Set, 4>(panel, rows + r * stride, stride, dim, out + r * panel_queries);
        for (; r < count; ++r)
            columns<Set, 1>(panel, rows + r * stride, stride, dim, out + r * panel_queries);
    }

private:
    template <class Set, std::size_t Rows>
    VICINAL_ALWAYS_INLINE static void columns(std::int8_t const* panel, std::uint8_t const* rows,
                                              std::size_t stride, std::size_t dim,
                                              std::int32_t* out) noexcept {
        constexpr std::size_t w = Set::integers::width;
        for (std::size_t j = 0; j < panel_queries; j += 2 * w)
            block<Set, Rows>(panel + j * 4, rows, stride, dim, out + j,
                             std::make_index_sequence<Rows>{});
    }
    template <class Set, std::size_t Rows, std::size_t... I>
    VICINAL_ALWAYS_INLINE static void block(std::int8_t const* panel, std::uint8_t const* rows,
                                            std::size_t stride, std::size_t dim, std::int32_t* out,
                                            std::index_sequence<I...> all) noexcept {
        detail::tile_sums<typename Set::integers, Rows> s;
        detail::tile_zero(s, all);
        typename Set::bytes_s8 left, right;
        std::size_t k = 0;
        for (; k + 4 <= dim; k += 4) {
            left.load(panel + k * panel_queries);
            right.load(panel + k * panel_queries + Set::bytes);
            (step<Set>(s.left[I], s.right[I], left, right, rows + I * stride + k), ...);
        }
        if (k < dim) {
            left.load(panel + k * panel_queries);
            right.load(panel + k * panel_queries + Set::bytes);
            (last<Set>(s.left[I], s.right[I], left, right, rows + I * stride + k, dim - k), ...);
        }
        detail::tile_store(s, out, all);
    }
    template <class Set>
    VICINAL_ALWAYS_INLINE static void
    step(typename Set::integers& s, typename Set::integers& t, typename Set::bytes_s8 const& left,
         typename Set::bytes_s8 const& right, void const* four) noexcept {
        typename Set::integers all;
        Set::broadcast(all, four);
        typename Set::bytes_u8 elements;
        elements.set_bits(all.lanes);
        Set::dot_bytes(s, elements, left);
        Set::dot_bytes(t, elements, right);
    }
    template <class Set>
    VICINAL_ALWAYS_INLINE static void
    last(typename Set::integers& s, typename Set::integers& t, typename Set::bytes_s8 const& left,
         typename Set::bytes_s8 const& right, std::uint8_t const* row, std::size_t n) noexcept {
        std::uint8_t part[4] = {};
        for (std::size_t i = 0; i < n; ++i) part[i] = row[i];
        step<Set>(s, t, left, right, part);
    }
};

/// `get()(panel, rows, stride, count, dim, out)`; out holds count x 32 results.
using tile_product = kernel<tile_product_body, void, float const*, float const*, std::size_t,
                            std::size_t, std::size_t, float*>;
using byte_tile_product = kernel<byte_tile_body, void, std::int8_t const*, std::uint8_t const*,
                                 std::size_t, std::size_t, std::size_t, std::int32_t*>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

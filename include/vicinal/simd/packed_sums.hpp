// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_PACKED_SUMS_HPP
#define VICINAL_SIMD_PACKED_SUMS_HPP

#include <vicinal/simd/byte_sums.hpp>

#include <cstddef>
#include <cstdint>

/// Products of a query of signed bytes with codes of 1, 2 or 4 bits: element (8 / Bits) i + j of a
/// row is in the bits from j Bits on of byte i. All are exact. Lengths are in bytes of the row, up
/// to 65,536 of them.
namespace vicinal::inline VICINAL_ABI::simd {

/// The number of bytes that a query for rows of `bytes` bytes takes, in the order that
/// `order_packed_query` gives it.
template <unsigned Bits>
[[nodiscard]] constexpr std::size_t packed_query_size(std::size_t bytes) noexcept {
    return (bytes + 63) / 64 * 64 * (8 / Bits);
}

/// Puts a query of `count` signed bytes, element by element, into the order that the kernel reads:
/// for each 64 bytes of a row first the elements of their lowest bits, then those of the next;
/// zeros behind the last.
template <unsigned Bits>
void order_packed_query(std::int8_t const* query, std::size_t count,
                        std::int8_t* ordered) noexcept {
    constexpr std::size_t each = 8 / Bits;
    auto const size = packed_query_size<Bits>((count + each - 1) / each);
    for (std::size_t from = 0; from < size; from += 64 * each)
        for (std::size_t j = 0; j < each; ++j)
            for (std::size_t byte = 0; byte < 64; ++byte) {
                auto const element = from + byte * each + j;
                *ordered++ = element < count ? query[element] : std::int8_t{0};
            }
}

/// Sum over elements of query times code, for a query in order_packed_query's order.
template <unsigned Bits>
struct packed_dot_step : detail::code_step<std::int8_t> {
    static_assert(Bits == 1 || Bits == 2 || Bits == 4);

    template <class Set>
    struct of : detail::byte_step<Set, std::int8_t, std::uint8_t> {
        using row = typename Set::bytes_u8;
        /// Eight registers of a query would not stay in registers: they are read where they are
        /// used.
        struct query {
            std::int8_t const* from;
        };
        [[nodiscard]] static constexpr std::size_t query_at(std::size_t i) noexcept {
            return i / 64 * 64 * (8 / Bits) + i % 64;
        }
        VICINAL_ALWAYS_INLINE static void load(row& to, std::uint8_t const* from) noexcept {
            to.load(from);
        }
        VICINAL_ALWAYS_INLINE static void load(query& to, std::int8_t const* from) noexcept {
            to.from = from;
        }
        VICINAL_ALWAYS_INLINE static void load_part(row& to, std::uint8_t const* from,
                                                    std::size_t n) noexcept {
            Set::load_part(to, from, n);
        }
        /// The query is as long as whole registers.
        VICINAL_ALWAYS_INLINE static void load_part(query& to, std::int8_t const* from,
                                                    std::size_t) noexcept {
            to.from = from;
        }
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum, query const& q,
                                              row const& r) noexcept {
            constexpr std::uint32_t mask = 0x01010101U * ((1U << Bits) - 1);
            typename Set::template of<std::uint32_t> all;
            all.set_bits(r.lanes);
            for (unsigned j = 0; j < 8 / Bits; ++j) {
                row codes;
                typename Set::bytes_s8 own;
                codes.set_bits((all.lanes >> (j * Bits)) & mask);
                own.load(q.from + 64 * j);
                Set::dot_low_bytes(sum, codes, own);
            }
        }
    };
};

/// `one`, `four` and `block`; see simd/row_sums.hpp for their arguments.
template <unsigned Bits>
using packed_dot = row_kernels<packed_dot_step<Bits>>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

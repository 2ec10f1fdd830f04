// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_NIBBLE_SUMS_HPP
#define VICINAL_SIMD_NIBBLE_SUMS_HPP

#include <vicinal/simd/byte_sums.hpp>

#include <cstddef>
#include <cstdint>

/// Sums over codes of 4 bits, two to a byte: element 2i in the low half of byte i, 2i + 1 in the
/// high half. All are exact. Lengths are in bytes of the row, up to 65,536 of them.
namespace vicinal::inline VICINAL_ABI::simd {

/// The number of bytes that a query for rows of `bytes` bytes takes, in the order that
/// `order_nibble_query` gives it.
[[nodiscard]] constexpr std::size_t nibble_query_size(std::size_t bytes) noexcept {
    return (bytes + 63) / 64 * 128;
}

/// Puts a query of `count` signed bytes, element by element, into the order that the kernel reads:
/// in blocks of 128 the even elements first, then the odd ones; zeros behind the last.
inline void order_nibble_query(std::int8_t const* query, std::size_t count,
                               std::int8_t* ordered) noexcept {
    auto const size = nibble_query_size((count + 1) / 2);
    for (std::size_t i = 0; i < size; ++i) {
        auto const element = i / 128 * 128 + i % 64 * 2 + (i % 128 < 64 ? 0 : 1);
        ordered[i] = element < count ? query[element] : std::int8_t{0};
    }
}

namespace detail {

/// The low halves of bytes and the high halves.
template <class Set>
VICINAL_ALWAYS_INLINE void split_nibbles(typename Set::bytes_u8 const& x,
                                         typename Set::bytes_u8& low,
                                         typename Set::bytes_u8& high) noexcept {
    typename Set::template of<std::uint32_t> all;
    all.set_bits(x.lanes);
    low.set_bits(all.lanes & 0x0F0F0F0FU);
    high.set_bits((all.lanes >> 4) & 0x0F0F0F0FU);
}

} // namespace detail

/// Sum over elements of query times code, for a query in order_nibble_query's order.
struct nibble_dot_step : detail::code_step<std::int8_t> {
    template <class Set>
    struct of : detail::byte_step<Set, std::int8_t, std::uint8_t> {
        using row = typename Set::bytes_u8;
        struct query {
            typename Set::bytes_s8 low;
            typename Set::bytes_s8 high;
        };
        [[nodiscard]] static constexpr std::size_t query_at(std::size_t i) noexcept {
            return i / 64 * 128 + i % 64;
        }
        VICINAL_ALWAYS_INLINE static void load(row& to, std::uint8_t const* from) noexcept {
            to.load(from);
        }
        VICINAL_ALWAYS_INLINE static void load(query& to, std::int8_t const* from) noexcept {
            to.low.load(from);
            to.high.load(from + 64);
        }
        VICINAL_ALWAYS_INLINE static void load_part(row& to, std::uint8_t const* from,
                                                    std::size_t n) noexcept {
            Set::load_part(to, from, n);
        }
        /// The query is as long as whole registers.
        VICINAL_ALWAYS_INLINE static void load_part(query& to, std::int8_t const* from,
                                                    std::size_t) noexcept {
            load(to, from);
        }
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum, query const& q,
                                              row const& r) noexcept {
            row low, high;
            detail::split_nibbles<Set>(r, low, high);
            Set::dot_low_bytes(sum, low, q.low);
            Set::dot_low_bytes(sum, high, q.high);
        }
    };
};

namespace detail {

/// Two codes of nibbles, split, and each half of the one with that of the other: Pair adds them.
template <class Pair>
struct nibble_pair_step : code_step<std::uint8_t> {
    template <class Set>
    struct of : byte_step<Set, std::uint8_t, std::uint8_t> {
        using bytes = typename Set::bytes_u8;
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum, bytes const& q,
                                              bytes const& r) noexcept {
            bytes q_low, q_high, r_low, r_high;
            split_nibbles<Set>(q, q_low, q_high);
            split_nibbles<Set>(r, r_low, r_high);
            Pair::template add<Set>(sum, q_low, r_low);
            Pair::template add<Set>(sum, q_high, r_high);
        }
    };
};

struct squared_difference_of_nibbles {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum,
                                          typename Set::bytes_u8 const& a,
                                          typename Set::bytes_u8 const& b) noexcept {
        typename Set::bytes_u8 size;
        typename Set::bytes_s8 same;
        size.set_absolute_difference(a, b);
        same.set_bits(size.lanes);
        Set::dot_low_bytes(sum, size, same);
    }
};

struct product_of_nibbles {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum,
                                          typename Set::bytes_u8 const& a,
                                          typename Set::bytes_u8 const& b) noexcept {
        typename Set::bytes_s8 same;
        same.set_bits(b.lanes);
        Set::dot_low_bytes(sum, a, same);
    }
};

} // namespace detail

/// Sum over elements of the squared difference of two codes.
using nibble_difference_step = detail::nibble_pair_step<detail::squared_difference_of_nibbles>;

/// Sum over elements of the product of two codes.
using nibble_product_step = detail::nibble_pair_step<detail::product_of_nibbles>;

/// `one`, `four` and `block` of each; see simd/row_sums.hpp for their arguments.
using nibble_dot = row_kernels<nibble_dot_step>;
using nibble_difference = row_kernels<nibble_difference_step>;
using nibble_product = row_kernels<nibble_product_step>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

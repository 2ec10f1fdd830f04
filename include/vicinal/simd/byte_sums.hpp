// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_BYTE_SUMS_HPP
#define VICINAL_SIMD_BYTE_SUMS_HPP

#include <vicinal/simd/row_sums.hpp>

#include <cstddef>
#include <cstdint>

/// Sums over bytes: what codes of 8 and 7 bits are compared with. All are exact, the same on every
/// instruction set, for up to 65,536 elements.
namespace vicinal::inline VICINAL_ABI::simd {

namespace detail {

/// What the steps over rows of codes share: a byte of the query for each of theirs, and where
/// multiplying them is one instruction.
template <class Query>
struct code_step {
    using query_type = Query;
    using row_type = std::uint8_t;
    using result = std::int32_t;
    static constexpr instruction_set gains_from = instruction_set::avx512_vnni;
};

/// What the steps over bytes share: registers of bytes, one accumulator of 32-bit lanes.
template <class Set, class Query, class Row>
struct byte_step {
    static constexpr std::size_t width = Set::bytes;
    using query = typename Set::template of<Query>;
    using row = typename Set::template of<Row>;
    using sum = typename Set::integers;

    [[nodiscard]] static constexpr std::size_t query_at(std::size_t i) noexcept { return i; }
    [[nodiscard]] static constexpr std::size_t row_at(std::size_t i) noexcept { return i; }
    template <class T>
    VICINAL_ALWAYS_INLINE static void load(typename Set::template of<T>& to,
                                           T const* from) noexcept {
        to.load(from);
    }
    template <class T>
    VICINAL_ALWAYS_INLINE static void load_part(typename Set::template of<T>& to, T const* from,
                                                std::size_t n) noexcept {
        Set::load_part(to, from, n);
    }
    VICINAL_ALWAYS_INLINE static void merge(sum& a, sum const& b) noexcept { a.add(b); }
    [[nodiscard]] VICINAL_ALWAYS_INLINE static std::int32_t finish(sum const& s) noexcept {
        return s.sum();
    }
    VICINAL_ALWAYS_INLINE static void finish_four(sum const& a, sum const& b, sum const& c,
                                                  sum const& d, std::int32_t* out) noexcept {
        sum_four(a, b, c, d, out);
    }
};

/// Adds the squares of unsigned bytes.
template <class Set>
VICINAL_ALWAYS_INLINE void add_squares(typename Set::integers& sum,
                                       typename Set::bytes_u8 const& x) noexcept {
    typename Set::template of<std::uint16_t> pairs;
    pairs.set_bits(x.lanes);
    typename Set::words even, odd;
    even.set_bits(pairs.lanes & 255);
    odd.set_bits(pairs.lanes >> 8);
    Set::dot_words(sum, even, even);
    Set::dot_words(sum, odd, odd);
}

} // namespace detail

/// Sum over i of query[i] row[i], signed by unsigned.
///
/// For a query of unsigned bytes subtract 128 from each once; the sum over the row's bytes, which a
/// codec stores, times 128 is what is missing then.
struct byte_dot_step : detail::code_step<std::int8_t> {
    template <class Set>
    struct of : detail::byte_step<Set, std::int8_t, std::uint8_t> {
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum,
                                              typename Set::bytes_s8 const& q,
                                              typename Set::bytes_u8 const& r) noexcept {
            Set::dot_bytes(sum, r, q);
        }
    };
};

/// Sum over i of (query[i] - 128) row[i], both as unsigned bytes: byte_dot for a query that is a
/// row itself.
struct unsigned_dot_step : detail::code_step<std::uint8_t> {
    template <class Set>
    struct of : detail::byte_step<Set, std::uint8_t, std::uint8_t> {
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum,
                                              typename Set::bytes_u8 const& q,
                                              typename Set::bytes_u8 const& r) noexcept {
            typename Set::bytes_u8 middle;
            typename Set::bytes_s8 shifted;
            middle.template fill_with<128>();
            shifted.set_bits(q.lanes ^ middle.lanes);
            Set::dot_bytes(sum, r, shifted);
        }
    };
};

/// byte_dot for rows of codes from 0 to 127: twice as fast without VNNI.
struct low_byte_dot_step : detail::code_step<std::int8_t> {
    template <class Set>
    struct of : detail::byte_step<Set, std::int8_t, std::uint8_t> {
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum,
                                              typename Set::bytes_s8 const& q,
                                              typename Set::bytes_u8 const& r) noexcept {
            Set::dot_low_bytes(sum, r, q);
        }
    };
};

/// Sum over i of (query[i] - row[i])^2, both unsigned; up to 33,000 elements fit the result's 32
/// bits, twice as many where it is read as unsigned.
struct byte_difference_step : detail::code_step<std::uint8_t> {
    template <class Set>
    struct of : detail::byte_step<Set, std::uint8_t, std::uint8_t> {
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum,
                                              typename Set::bytes_u8 const& q,
                                              typename Set::bytes_u8 const& r) noexcept {
            typename Set::bytes_u8 size;
            size.set_absolute_difference(q, r);
            detail::add_squares<Set>(sum, size);
        }
    };
};

/// The same for codes from 0 to 127.
struct low_byte_difference_step : detail::code_step<std::uint8_t> {
    template <class Set>
    struct of : detail::byte_step<Set, std::uint8_t, std::uint8_t> {
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum,
                                              typename Set::bytes_u8 const& q,
                                              typename Set::bytes_u8 const& r) noexcept {
            typename Set::bytes_u8 size;
            typename Set::bytes_s8 same;
            size.set_absolute_difference(q, r);
            same.set_bits(size.lanes);
            Set::dot_low_bytes(sum, size, same);
        }
    };
};

/// `one`, `four` and `block` of each; see simd/row_sums.hpp for their arguments.
using byte_dot = row_kernels<byte_dot_step>;
using unsigned_dot = row_kernels<unsigned_dot_step>;
using low_byte_dot = row_kernels<low_byte_dot_step>;
using byte_difference = row_kernels<byte_difference_step>;
using low_byte_difference = row_kernels<low_byte_difference_step>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

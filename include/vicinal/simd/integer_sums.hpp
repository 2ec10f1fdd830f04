// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_INTEGER_SUMS_HPP
#define VICINAL_SIMD_INTEGER_SUMS_HPP

#include <vicinal/simd/byte_sums.hpp>
#include <vicinal/simd/float_sums.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

/// The sums that metrics over i8 and u8 are made of: exact integers, the same on every instruction
/// set. T is std::int8_t or std::uint8_t, on both sides; a kernel takes up to 32,768 elements, and
/// `in_parts` any number.
namespace vicinal::inline VICINAL_ABI::simd {

namespace detail {

/// Bytes as unsigned ones with the same differences: the order of signed bytes is that of unsigned
/// ones with the first bit turned.
template <class Set, class Bytes>
VICINAL_ALWAYS_INLINE void raise_bytes(typename Set::bytes_u8& to, Bytes const& from) noexcept {
    to.set_bits(from.lanes);
    if constexpr (std::is_same_v<Bytes, typename Set::bytes_s8>) to.lanes ^= std::uint8_t{128};
}

} // namespace detail

/// Sum over i of (query[i] - row[i])^2.
template <class T>
struct integer_difference_step {
    using query_type = T;
    using row_type = T;
    using result = std::int32_t;
    static constexpr instruction_set gains_from = instruction_set::avx512_vnni;

    template <class Set>
    struct of : detail::byte_step<Set, T, T> {
        using bytes = typename Set::template of<T>;
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum, bytes const& q,
                                              bytes const& r) noexcept {
            typename Set::bytes_u8 x, y, size;
            detail::raise_bytes<Set>(x, q);
            detail::raise_bytes<Set>(y, r);
            size.set_absolute_difference(x, y);
            detail::add_squares<Set>(sum, size);
        }
    };
};

/// Sum over i of query[i] row[i].
template <class T>
struct integer_product_step {
    using query_type = T;
    using row_type = T;
    using result = std::int32_t;
    static constexpr instruction_set gains_from = instruction_set::avx512_vnni;

    template <class Set>
    struct of : detail::byte_step<Set, T, T> {
        using bytes = typename Set::template of<T>;
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum, bytes const& q,
                                              bytes const& r) noexcept {
            Set::dot_alike(sum, q, r);
        }
    };
};

/// Sum over i of |query[i] - row[i]|.
template <class T>
struct integer_distance_step {
    using query_type = T;
    using row_type = T;
    using result = std::int32_t;

    template <class Set>
    struct of : detail::byte_step<Set, T, T> {
        using bytes = typename Set::template of<T>;
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum, bytes const& q,
                                              bytes const& r) noexcept {
            typename Set::bytes_u8 x, y;
            detail::raise_bytes<Set>(x, q);
            detail::raise_bytes<Set>(y, r);
            Set::add_distances(sum, x, y);
        }
    };
};

/// A dot product and a row's square, as integers.
struct integer_dot_and_square {
    std::int32_t dot;
    std::int32_t square;
};

/// Sum of query[i] row[i] and sum of row[i]^2.
template <class T>
struct integer_product_and_square_step {
    using query_type = T;
    using row_type = T;
    using result = integer_dot_and_square;
    static constexpr instruction_set gains_from = instruction_set::avx512_vnni;

    template <class Set>
    struct of : detail::paired_step<Set, detail::byte_step<Set, T, T>, result> {
        using bytes = typename Set::template of<T>;
        using sum = detail::sum_pair<typename Set::integers>;
        VICINAL_ALWAYS_INLINE static void add(sum& s, bytes const& q, bytes const& r) noexcept {
            Set::dot_alike(s.first, q, r);
            Set::dot_alike(s.second, r, r);
        }
    };
};

template <class T>
using integer_difference = row_kernels<integer_difference_step<T>>;
template <class T>
using integer_product = row_kernels<integer_product_step<T>>;
template <class T>
using integer_distance = row_kernels<integer_distance_step<T>>;
template <class T>
using integer_product_and_square = row_kernels<integer_product_and_square_step<T>>;

/// The most elements that a kernel over integers takes at once.
inline constexpr std::size_t integer_part = 32768;

/// What a kernel of one row gives, for any number of elements.
template <class T>
[[nodiscard]] std::int64_t in_parts(std::int32_t (*one)(T const*, T const*, std::size_t) noexcept,
                                    T const* q, T const* r, std::size_t n) noexcept {
    std::int64_t total = 0;
    for (; n > integer_part; n -= integer_part, q += integer_part, r += integer_part)
        total += one(q, r, integer_part);
    return total + one(q, r, n);
}

/// Sums of more than 32 bits.
struct wide_dot_and_square {
    std::int64_t dot;
    std::int64_t square;
};

template <class T>
[[nodiscard]] wide_dot_and_square in_parts(integer_dot_and_square (*one)(T const*, T const*,
                                                                         std::size_t) noexcept,
                                           T const* q, T const* r, std::size_t n) noexcept {
    wide_dot_and_square total{0, 0};
    for (;; n -= integer_part, q += integer_part, r += integer_part) {
        auto const s = one(q, r, n < integer_part ? n : integer_part);
        total.dot += s.dot;
        total.square += s.square;
        if (n <= integer_part) return total;
    }
}

} // namespace vicinal::inline VICINAL_ABI::simd

#endif
